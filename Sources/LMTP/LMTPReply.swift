/// A reply of one or more lines (RFC 5321 §4.2) with an enhanced status code (RFC 2034).
package struct LMTPReply: Hashable, Sendable {
    package let code: Int
    /// Such as `2.1.5`; nil for the greeting, the answer to LHLO and 354, which have none (RFC 2034 §4).
    package let status: String?
    /// At least one; without line ends.
    package let lines: [String]

    package init(_ code: Int, _ status: String?, _ lines: [String]) {
        self.code = code
        self.status = status
        self.lines = lines
    }

    package init(_ code: Int, _ status: String?, _ text: String) { self.init(code, status, [text]) }

    /// The lines with their CRLF. Control characters become blanks, and a line has at most 512 octets.
    package var octets: [UInt8] {
        var octets: [UInt8] = []
        for (index, line) in lines.enumerated() {
            let separator = index == lines.count - 1 ? " " : "-"
            let start = "\(code)\(separator)\(status.map { $0 + " " } ?? "")"
            octets.append(contentsOf: start.utf8)
            octets.append(
                contentsOf: line.utf8.lazy.map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }.prefix(510 - start.utf8.count))
            octets.append(contentsOf: [0x0D, 0x0A])
        }
        return octets
    }

    /// The recipient may be tried again later.
    package var isTransient: Bool { code / 100 == 4 }
}
