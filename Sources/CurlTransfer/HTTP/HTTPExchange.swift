public import Octets

/// A header field of HTTP.
public struct HTTPField: Sendable, Hashable {
    public let name: String
    public let value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// A request to be sent.
public struct HTTPRequest: Sendable {
    /// `http` or `https`, without user information; or `http://unix:SOCKET:PATH`, where SOCKET is a path without colon.
    public let url: String
    public let fields: [HTTPField]
    /// Sent by POST with its length in Content-Length; nil sends a GET.
    public let body: (any OctetSource)?

    public init(url: String, fields: [HTTPField] = [], body: (any OctetSource)?) {
        self.url = url
        self.fields = fields
        self.body = body
    }
}

/// The status line and header of an answer.
public struct HTTPHead: Sendable, Hashable {
    public let status: Int
    /// In the order received.
    public let fields: [HTTPField]

    public init(status: Int, fields: [HTTPField]) {
        self.status = status
        self.fields = fields
    }

    /// The value of the first field `name`; case does not count.
    public func value(_ name: String) -> String? {
        let name = name.lowercased()
        return fields.first { $0.name.lowercased() == name }?.value
    }
}

/// Takes an answer while it arrives.
///
/// Called from the thread of the transfers, one call after the other and never after the transfer has ended; it should
/// not wait for anything.
public protocol HTTPAnswerReceiving: AnyObject, Sendable {
    /// The head of the final answer, once, before its body.
    func receive(_ head: HTTPHead)
    /// The next octets of the body as sent (nothing is decompressed), valid for the time of the call.
    /// - Returns: True to go on; false ends the transfer with ``TransferError/Kind/stoppedByReceiver``.
    func receive(_ octets: UnsafeRawBufferPointer) -> Bool
}
