import InternetMessage

/// The failures that are known before the first command, from the message, the addresses and what the server offers.
enum SMTPPreparation {
    /// Paths may have 256 octets (RFC 5321 §4.5.3.1.3); some are longer, and none needs this many.
    static let maximumPathLength = 1_000

    /// Returns the reason why the message cannot be sent to anybody over this connection.
    static func failure(
        _ message: SMTPMessage, _ envelope: SMTPEnvelope, _ capabilities: SMTPCapabilities
    ) -> SMTPFailure? {
        if let limit = capabilities.sizeLimit, message.size > limit {
            return SMTPFailure(
                .permanent, .message, .preparation, status: (3, 4),
                "the message has \(message.size) octets, and the server takes \(limit)")
        }
        if message.hasEightBit, !capabilities.takesEightBit {
            return SMTPFailure(
                .permanent, .message, .preparation, status: (6, 3),
                "the message has octets above 127, and the server does not offer 8BITMIME; a signed message is not re-encoded"
            )
        }
        guard case .address(let sender) = envelope.sender else { return nil }
        return failure(sender, "the sender's address", .message, message, capabilities)
    }

    /// Returns the reason why this recipient cannot be named to the server.
    static func failure(
        _ recipient: SMTPRecipient, _ message: SMTPMessage, _ capabilities: SMTPCapabilities
    ) -> SMTPFailure? {
        failure(recipient.address, "the address", .recipient, message, capabilities)
    }

    private static func failure(
        _ address: AddrSpec, _ subject: String, _ scope: SMTPFailure.Scope, _ message: SMTPMessage,
        _ capabilities: SMTPCapabilities
    ) -> SMTPFailure? {
        if address.description.utf8.count > maximumPathLength {
            return SMTPFailure(
                .permanent, scope, .preparation, status: (1, 3), "\(subject) has more than \(maximumPathLength) octets")
        }
        if address.isASCII || capabilities.takesUTF8Addresses { return nil }
        guard address.withASCIIDomain != nil else {
            return SMTPFailure(
                .permanent, scope, .preparation, status: (6, 7),
                "\(subject) \(address) is not ASCII, and the server does not offer SMTPUTF8")
        }
        // The domain can be named in ASCII; a header of RFC 6532 cannot be sent without the extension (RFC 6531 §3.5).
        return message.hasEightBitHeader
            ? SMTPFailure(
                .permanent, scope, .preparation, status: (6, 7),
                "\(subject) \(address) and the header of the message are not ASCII, and the server does not offer SMTPUTF8"
            )
            : nil
    }
}
