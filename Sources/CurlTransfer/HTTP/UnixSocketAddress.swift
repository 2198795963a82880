/// An address of HTTP over a Unix socket, in the form that nginx made common: `http://unix:/run/ses-dss/socket:/path`.
struct UnixSocketAddress: Equatable {
    /// The path of the socket.
    let socket: String
    /// The URL that is requested there; the host in it has no meaning.
    let url: String

    /// - Returns: nil for any other address, `http://unix/` among them.
    init?(_ address: String) {
        let prefix = "http://unix:/"
        guard address.lowercased().hasPrefix(prefix) else { return nil }
        let rest = address.dropFirst(prefix.count - 1)
        guard let colon = rest.firstIndex(of: ":") else { return nil }
        let path = rest[rest.index(after: colon)...]
        guard path.hasPrefix("/"), rest[..<colon].utf8.count > 1 else { return nil }
        socket = String(rest[..<colon])
        url = "http://localhost" + path
    }
}
