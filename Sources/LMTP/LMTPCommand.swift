import MailEnvelope

/// A command of a client.
enum LMTPCommand: Hashable, Sendable {
    case lhlo(String)
    case mail(ReversePath, LMTPMailParameters)
    case rcpt(AddrSpec, LMTPRecipientParameters)
    case data
    case reset
    case noop
    case quit
    case verify
    /// The mail server's identifier of the message (Postfix: XFORWARD IDENT=).
    case forward(queueID: String?)

    /// Reads a command.
    /// - Parameter line: Without its line end.
    /// - Throws: The reply to a command that cannot be carried out.
    init(parsing line: ArraySlice<UInt8>) throws(LMTPReply) {
        guard let text = String(validating: line, as: UTF8.self) else {
            throw LMTPReply(500, "5.5.2", "The command is not UTF-8")
        }
        let end = text.firstIndex(of: " ") ?? text.endIndex
        let verb = text[..<end].asciiLowercased
        let argument = Substring(text[end...].drop { $0 == " " })
        switch verb {
        case "lhlo":
            guard !argument.isEmpty else { throw LMTPReply(501, "5.5.4", "LHLO needs the name of the client") }
            self = .lhlo(String(argument))
        case "mail":
            let (path, parameters) = try Self.path(argument, after: "FROM:")
            guard let sender = ReversePath(reading: path) else {
                throw LMTPReply(553, "5.1.7", "The sender cannot be read as an address")
            }
            self = .mail(sender, try LMTPMailParameters(parsing: parameters))
        case "rcpt":
            let (path, parameters) = try Self.path(argument, after: "TO:")
            guard let recipient = AddrSpec(reading: path) else {
                throw LMTPReply(
                    553, "5.1.3",
                    path.utf8.contains(UInt8(ascii: "@"))
                        ? "The recipient cannot be read as an address"
                        : "The recipient has no domain: have the mail server add its own (Postfix:"
                            + " append_at_myorigin, Exim: qualify_recipient)")
            }
            self = .rcpt(recipient, try LMTPRecipientParameters(parsing: parameters))
        case "data": self = try Self.alone(.data, argument)
        case "rset": self = try Self.alone(.reset, argument)
        case "quit": self = try Self.alone(.quit, argument)
        case "noop": self = .noop
        case "vrfy": self = .verify
        case "xforward": self = .forward(queueID: try Self.queueID(argument))
        case "helo", "ehlo": throw LMTPReply(500, "5.5.1", "This is LMTP: say LHLO (RFC 2033)")
        default: throw LMTPReply(500, "5.5.2", "The command is not known here")
        }
    }

    private static func alone(_ command: LMTPCommand, _ argument: Substring) throws(LMTPReply) -> LMTPCommand {
        guard argument.utf8.allSatisfy({ $0 == 0x20 }) else {
            throw LMTPReply(501, "5.5.4", "The command takes no parameters")
        }
        return command
    }

    /// Divides `FROM:<path> parameters`.
    /// - Returns: The path with its angle brackets.
    private static func path(
        _ argument: Substring, after keyword: String
    ) throws(LMTPReply) -> (String, [Substring]) {
        let fault = LMTPReply(501, "5.5.4", "Expected \(keyword)<address>")
        guard argument.prefix(keyword.count).equalsIgnoringASCIICase(keyword) else { throw fault }
        // A blank here is not allowed and yet often sent.
        let rest = Array(argument.utf8.dropFirst(keyword.utf8.count).drop { $0 == 0x20 })
        guard rest.first == UInt8(ascii: "<"), let end = endOfPath(rest) else { throw fault }
        let parameters = rest[(end + 1)...]
        guard parameters.isEmpty || parameters.first == 0x20 else { throw fault }
        return (
            String(decoding: rest[...end], as: UTF8.self),
            Substring(String(decoding: parameters, as: UTF8.self)).split(separator: " ")
        )
    }

    /// The index of the closing bracket: not one within a quoted local-part.
    private static func endOfPath(_ octets: [UInt8]) -> Int? {
        var isQuoted = false
        var index = 1
        while index < octets.count {
            switch octets[index] {
            case UInt8(ascii: "\\") where isQuoted: index += 1
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: ">") where !isQuoted: return index
            default: break
            }
            index += 1
        }
        return nil
    }

    /// The value of IDENT; nil if it is not given or not available. Other attributes are passed over.
    private static func queueID(_ argument: Substring) throws(LMTPReply) -> String? {
        var queueID: String?
        for attribute in argument.split(separator: " ") {
            let parts = attribute.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let value = EnvelopeIdentifier(xtext: String(parts[1])) else {
                throw LMTPReply(501, "5.5.4", "Expected NAME=value, the value as xtext")
            }
            if parts[0].equalsIgnoringASCIICase("IDENT"), !value.text.equalsIgnoringASCIICase("[UNAVAILABLE]") {
                queueID = value.text
            }
        }
        return queueID
    }
}

/// The parameters of MAIL.
struct LMTPMailParameters: Hashable, Sendable {
    /// Octets of the message as its sender counts them (RFC 1870).
    var size: Int?
    var returned: NotificationRequest.Returned?
    var identifier: EnvelopeIdentifier?

    init(parsing words: [Substring]) throws(LMTPReply) {
        var seen: Set<String> = []
        for word in words {
            let parameter = try Parameter(word, &seen)
            switch parameter.name {
            case "size":
                guard let octets = parameter.value.flatMap(Self.number) else { throw parameter.fault }
                size = octets
            case "body":
                guard ["7bit", "8bitmime"].contains(parameter.value?.asciiLowercased) else { throw parameter.fault }
            case "smtputf8":
                guard parameter.value == nil else { throw parameter.fault }
            case "ret":
                guard let value = parameter.value.flatMap({ NotificationRequest.Returned(parsing: $0) }) else {
                    throw parameter.fault
                }
                returned = value
            case "envid":
                guard let value = parameter.value.flatMap({ EnvelopeIdentifier(xtext: $0) }) else {
                    throw parameter.fault
                }
                identifier = value
            default: throw parameter.unknown
            }
        }
    }

    /// RFC 1870 §3: up to 20 digits.
    private static func number(_ text: String) -> Int? {
        guard (1...20).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text) ?? Int.max
    }
}

/// The parameters of RCPT.
struct LMTPRecipientParameters: Hashable, Sendable {
    var notify: NotificationRequest.Notify?
    var original: OriginalRecipient?

    init(parsing words: [Substring]) throws(LMTPReply) {
        var seen: Set<String> = []
        for word in words {
            let parameter = try Parameter(word, &seen)
            switch parameter.name {
            case "notify":
                guard let value = parameter.value.flatMap({ NotificationRequest.Notify(parsing: $0) }) else {
                    throw parameter.fault
                }
                notify = value
            case "orcpt":
                guard let value = parameter.value.flatMap({ OriginalRecipient(parsing: $0) }) else {
                    throw parameter.fault
                }
                original = value
            default: throw parameter.unknown
            }
        }
    }
}

/// `NAME` or `NAME=value` (RFC 5321 §4.1.2).
private struct Parameter {
    /// Lower case.
    let name: String
    let value: String?

    init(_ word: Substring, _ seen: inout Set<String>) throws(LMTPReply) {
        let equals = word.firstIndex(of: "=")
        name = word[..<(equals ?? word.endIndex)].asciiLowercased
        value = equals.map { String(word[word.index(after: $0)...]) }
        guard seen.insert(name).inserted else { throw LMTPReply(501, "5.5.4", "A parameter stands twice") }
    }

    var fault: LMTPReply { LMTPReply(501, "5.5.4", "The value of \(name.uppercased()) is wrong") }
    var unknown: LMTPReply { LMTPReply(555, "5.5.4", "A parameter is not known here") }
}

extension LMTPReply: Error {}
