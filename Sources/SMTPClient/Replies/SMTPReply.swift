/// A server's reply to a command (RFC 5321 §4.2).
public struct SMTPReply: Sendable, Hashable, CustomStringConvertible {
    /// 200 to 599.
    public let code: Int
    /// The text of each line, without code, separator and line end; without control characters. At least one.
    public let lines: [String]
    /// The status in the terms of RFC 3463, if the server gives one and its class fits the code.
    public let status: EnhancedStatus?

    /// - Returns: nil when the code is out of range.
    public init?(code: Int, lines: [String]) {
        guard (200...599).contains(code) else { return nil }
        self.code = code
        self.lines = lines.isEmpty ? [""] : lines
        let status = lines.lazy.compactMap { EnhancedStatus(beginning: $0) }.first
        self.status = status?.statusClass == code / 100 ? status : nil
    }

    public enum Severity: Sendable, Hashable {
        /// 2yz.
        case positive
        /// 3yz: more is awaited.
        case intermediate
        /// 4yz.
        case transient
        /// 5yz.
        case permanent
    }

    public var severity: Severity {
        switch code / 100 {
        case 2: .positive
        case 3: .intermediate
        case 4: .transient
        default: .permanent
        }
    }

    /// The server is about to close the connection, whatever was asked (RFC 5321 §3.8).
    var isShutdown: Bool { code == 421 }

    /// Code and text in one line of at most 500 characters.
    public var description: String {
        let text = "\(code) " + lines.joined(separator: " / ")
        return text.count <= 500 ? text : text.prefix(497) + "..."
    }
}

/// The octets received are not a reply.
struct SMTPReplyFault: Error, Hashable {
    let detail: String
}

/// Puts replies together from octets as they arrive, however they are cut.
///
/// Lines may end with LF alone, which some servers send. The code of the last line counts. A reply is bounded in lines
/// and octets.
struct SMTPReplyReader {
    private var pending: [UInt8] = []
    private var searched = 0
    private var lines: [String] = []
    private var octets = 0

    /// RFC 5321 §4.5.3.1.5 allows 512 octets a line; servers that explain a refusal write more.
    static let maximumLineLength = 4_096
    static let limit = 65_536

    mutating func append(_ more: UnsafeRawBufferPointer) { pending.append(contentsOf: more) }

    /// The next complete reply; nil when more octets are needed.
    mutating func next() throws(SMTPReplyFault) -> SMTPReply? {
        while let end = pending[searched...].firstIndex(of: 0x0A) {
            let line = pending[..<end]
            octets += end + 1
            guard line.count <= Self.maximumLineLength, octets <= Self.limit else { throw Self.tooLong }
            let reply = try parse(line.last == 0x0D ? line.dropLast() : line)
            pending.removeSubrange(...end)
            searched = 0
            if let reply { return reply }
        }
        searched = pending.count
        guard pending.count <= Self.maximumLineLength else { throw Self.tooLong }
        return nil
    }

    /// True if octets are left that belong to no complete reply yet.
    var isWithinReply: Bool { !pending.isEmpty || !lines.isEmpty }

    private static let tooLong = SMTPReplyFault(
        detail: "a reply of more than \(limit) octets, or with a line of more than \(maximumLineLength)")

    private mutating func parse(_ line: ArraySlice<UInt8>) throws(SMTPReplyFault) -> SMTPReply? {
        let digits = line.prefix(3)
        let separator = line.dropFirst(3).first ?? 0x20
        guard digits.count == 3, digits.allSatisfy({ (0x30...0x39).contains($0) }),
            separator == 0x20 || separator == 0x2D
        else { throw SMTPReplyFault(detail: "what came is no reply: \(Self.text(line.prefix(80)))") }
        lines.append(Self.text(line.dropFirst(4)))
        guard separator == 0x20 else { return nil }
        let code = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        guard let reply = SMTPReply(code: code, lines: lines) else {
            throw SMTPReplyFault(detail: "a reply has the code \(code)")
        }
        lines = []
        octets = 0
        return reply
    }

    /// Another's octets as text of one line.
    private static func text(_ octets: ArraySlice<UInt8>) -> String {
        let scalars = String(decoding: octets, as: UTF8.self).unicodeScalars.map { scalar in
            scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) ? " " : scalar
        }
        return String(String.UnicodeScalarView(scalars))
    }
}
