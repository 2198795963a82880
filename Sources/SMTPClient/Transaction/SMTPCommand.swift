import InternetMessage

/// One command of a transaction (RFC 5321 §4.1.1).
enum SMTPCommand: Hashable {
    case mail
    /// By its index in the envelope.
    case recipient(Int)
    case data
    case reset

    /// The command with its CRLF.
    func line(_ envelope: SMTPEnvelope, _ parameters: SMTPMailParameters) -> String {
        switch self {
        case .mail:
            let path =
                switch envelope.sender {
                case .null: ""
                case .address(let address): parameters.written(address).description
                }
            return "MAIL FROM:<\(path)>" + parameters.ofMail(envelope) + "\r\n"
        case .recipient(let index):
            let recipient = envelope.recipients[index]
            return "RCPT TO:<\(parameters.written(recipient.address))>" + parameters.of(recipient) + "\r\n"
        case .data: return "DATA\r\n"
        case .reset: return "RSET\r\n"
        }
    }
}

/// The parameters of MAIL and RCPT that this server and message allow or ask for.
struct SMTPMailParameters {
    /// SIZE= (RFC 1870); nil where it is not offered.
    var size: Int?
    /// BODY=8BITMIME (RFC 6152).
    var isEightBit = false
    /// SMTPUTF8 (RFC 6531).
    var isUTF8 = false
    /// True if the server takes those of RFC 3461.
    var takesDSN = false

    init() {}

    init(_ message: SMTPMessage, _ envelope: SMTPEnvelope, _ recipients: [Int], _ capabilities: SMTPCapabilities) {
        size = capabilities.takesSize ? message.size : nil
        isEightBit = message.hasEightBit && capabilities.takesEightBit
        isUTF8 =
            capabilities.takesUTF8Addresses
            && (!envelope.sender.isASCII || recipients.contains { !envelope.recipients[$0].address.isASCII })
        takesDSN = capabilities.takesDSN
    }

    /// The address as it is named to the server: without SMTPUTF8 its domain has A-labels (RFC 5891 §4.4).
    func written(_ address: AddrSpec) -> AddrSpec { isUTF8 ? address : address.withASCIIDomain ?? address }

    func ofMail(_ envelope: SMTPEnvelope) -> String {
        var text = ""
        if let size { text += " SIZE=\(size)" }
        if isEightBit { text += " BODY=8BITMIME" }
        if isUTF8 { text += " SMTPUTF8" }
        guard takesDSN else { return text }
        if let returned = envelope.returned { text += " RET=\(returned.rawValue)" }
        if let identifier = envelope.identifier { text += " ENVID=\(identifier.xtext)" }
        return text
    }

    func of(_ recipient: SMTPRecipient) -> String {
        guard takesDSN else { return "" }
        var text = ""
        if let notify = recipient.notify { text += " NOTIFY=\(notify)" }
        if let original = recipient.original { text += " ORCPT=\(original)" }
        return text
    }
}

extension AddrSpec {
    var isASCII: Bool { localPart.utf8.allSatisfy { $0 < 0x80 } && domain.utf8.allSatisfy { $0 < 0x80 } }
}

extension ReversePath {
    var isASCII: Bool {
        switch self {
        case .null: true
        case .address(let address): address.isASCII
        }
    }
}
