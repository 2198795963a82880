import InternetMessage

extension SMTPReply {
    /// Codes that ask for AUTH or TLS (RFC 4954 §6, RFC 3207 §4): nothing against the message, but against how we come.
    var asksForAuthentication: Bool { [530, 534, 535, 538].contains(code) }

    /// One recipient too many in this transaction (RFC 5321 §4.5.3.1.10, which gives 552 of old servers this meaning
    /// too). The same codes also say that a mailbox is full, with another status.
    var meansTooManyRecipients: Bool {
        switch code {
        case 452: status == nil || (status?.subject, status?.detail) == (5, 3)
        case 552: (status?.subject, status?.detail) == (5, 3)
        default: false
        }
    }
}

extension SMTPCommand {
    var phase: SMTPFailure.Phase {
        switch self {
        case .mail: .mail
        case .recipient: .rcpt
        case .data: .data
        case .reset: .reset
        }
    }

    /// Returns the subject of a failure, in words.
    func subject(_ envelope: SMTPEnvelope) -> String {
        switch self {
        case .mail: "MAIL"
        case .recipient(let index): "RCPT TO:<\(envelope.recipients[index].address)>"
        case .data: "DATA"
        case .reset: "RSET"
        }
    }
}
