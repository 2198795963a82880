/// A recipient as the first sender named it (ORCPT, RFC 3461 §4.2; of type `utf-8`, RFC 6533 §3).
public struct OriginalRecipient: Hashable, Sendable, CustomStringConvertible {
    /// The parameter as it is sent on, `rfc822;bob+2Bx@example.com`: US-ASCII, without blanks.
    public let parameter: String

    public var description: String { parameter }

    /// RFC 3461 §5.4: what every server must take.
    public static let limit = 500

    /// Reads the value of the parameter. Characters beyond US-ASCII, which a sender may write with SMTPUTF8, become
    /// `\x{…}`, the form that every server takes.
    /// - Returns: nil if it is not an address type, a semicolon and an address as xtext, or longer than ``limit``.
    public init?(parsing text: some StringProtocol) {
        let octets = Array(text.utf8)
        guard octets.count <= Self.limit, let semicolon = octets.firstIndex(of: UInt8(ascii: ";")), semicolon > 0,
            semicolon + 1 < octets.count,
            octets[..<semicolon].allSatisfy({ $0.isAtext && $0 < 0x80 })
        else { return nil }
        let isUTF8 = text.prefix { $0 != ";" }.equalsIgnoringASCIICase("utf-8")
        var parameter = ""
        var digitsOwed = 0
        for scalar in text.unicodeScalars {
            if digitsOwed > 0 {
                // Upper case alone (RFC 3461 §4).
                guard ("0"..."9").contains(scalar) || ("A"..."F").contains(scalar) else { return nil }
                digitsOwed -= 1
                parameter.unicodeScalars.append(scalar)
            } else if scalar.isASCII {
                guard (0x21...0x7E).contains(scalar.value), scalar != "=" else { return nil }
                if scalar == "+" { digitsOwed = 2 }
                parameter.unicodeScalars.append(scalar)
            } else {
                guard isUTF8 else { return nil }
                parameter += "\\x{" + String(scalar.value, radix: 16, uppercase: true) + "}"
            }
        }
        guard digitsOwed == 0 else { return nil }
        self.parameter = parameter
    }

    /// Type and address as a delivery report has them in Original-Recipient (RFC 3464 §2.3.1): xtext decoded, except
    /// for what cannot stand there.
    public var typeAndAddress: (type: String, address: String) {
        let octets = Array(parameter.utf8)
        let semicolon = octets.firstIndex(of: UInt8(ascii: ";")) ?? octets.startIndex
        var address: [UInt8] = []
        var index = semicolon + 1
        while index < octets.count {
            if octets[index] == UInt8(ascii: "+"), index + 2 < octets.count,
                let high = octets[index + 1].hexadecimalValue, let low = octets[index + 2].hexadecimalValue,
                (0x21...0x7E).contains(high << 4 | low)
            {
                address.append(high << 4 | low)
                index += 3
            } else {
                address.append(octets[index])
                index += 1
            }
        }
        return (
            String(decoding: octets[..<semicolon], as: UTF8.self) + ";", String(decoding: address, as: UTF8.self)
        )
    }
}
