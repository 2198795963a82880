import Glibc

/// A DNS server: an IP address and a port.
public struct NameServer: Sendable, Hashable, CustomStringConvertible {
    /// IPv6 without brackets.
    public let address: String
    public let port: Int

    /// - Parameter text: `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`; port 53 if none is
    ///   given.
    /// - Returns: nil if it is not one of these.
    public init?(_ text: String) {
        var address = text[...]
        var port = text[text.endIndex...]
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else { return nil }
            address = text[text.index(after: text.startIndex)..<close]
            port = text[text.index(after: close)...]
            guard port.isEmpty || port.hasPrefix(":"), address.contains(":") else { return nil }
        } else if text.filter({ $0 == ":" }).count == 1, let colon = text.firstIndex(of: ":") {
            address = text[..<colon]
            port = text[colon...]
        }
        guard IPAddress.isOne(String(address)) else { return nil }
        self.address = String(address)
        guard !port.isEmpty else {
            self.port = 53
            return
        }
        let digits = port.dropFirst()
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits),
            (1...65_535).contains(number)
        else { return nil }
        self.port = number
    }

    public var description: String { address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)" }
}

/// IP addresses as text.
enum IPAddress {
    static func isOne(_ text: String) -> Bool {
        var octets = in6_addr()
        return inet_pton(AF_INET, text, &octets) == 1 || inet_pton(AF_INET6, text, &octets) == 1
    }

    /// Returns the address of a domain literal (RFC 5321 §4.1.3); nil if `domain` is not one.
    static func ofLiteral(_ domain: String) -> String? {
        guard domain.hasPrefix("["), domain.hasSuffix("]"), domain.utf8.count > 2 else { return nil }
        let inner = String(domain.dropFirst().dropLast())
        var octets = in6_addr()
        if inner.lowercased().hasPrefix("ipv6:") {
            let address = String(inner.dropFirst(5))
            return inet_pton(AF_INET6, address, &octets) == 1 ? address : nil
        }
        return inet_pton(AF_INET, inner, &octets) == 1 ? inner : nil
    }
}
