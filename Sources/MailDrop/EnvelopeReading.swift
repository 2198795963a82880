package import HostProcess
package import MailEnvelope

/// Reads an envelope as mail servers and their scripts write it.
package enum EnvelopeReading {
    /// Reads the envelope sender; an empty text is the null sender.
    /// - Throws: ``ProgramError`` with 65 if no single address can be made out.
    package static func sender(_ text: String) throws(ProgramError) -> ReversePath {
        guard let path = text.isEmpty ? .null : ReversePath(reading: text) else {
            throw ProgramError(.badInput, "the sender \(shown(text)) is no address. " + adviceOnSender(text))
        }
        return path
    }

    /// Reads the recipients.
    /// - Throws: ``ProgramError`` with 65 if one of them cannot be read: then the message is taken for none.
    package static func recipients(_ texts: [String]) throws(ProgramError) -> [AddrSpec] {
        var addresses: [AddrSpec] = []
        var bad: [String] = []
        addresses.reserveCapacity(texts.count)
        for text in texts {
            if let address = AddrSpec(reading: text) { addresses.append(address) } else { bad.append(text) }
        }
        guard bad.isEmpty else {
            let told =
                bad.prefix(5).map(shown).joined(separator: ", ")
                + (bad.count > 5 ? " and \(bad.count - 5) more" : "")
            throw ProgramError(
                .badInput,
                "\(bad.count) of \(texts.count) recipients cannot be read as an address: \(told); the message was"
                    + " not taken for any of them." + adviceOnRecipients(bad))
        }
        return addresses
    }

    /// Says what to configure if recipients have no domain; empty otherwise.
    package static func adviceOnRecipients(_ bad: [String]) -> String {
        bad.contains { !$0.utf8.contains(UInt8(ascii: "@")) }
            ? " Have the mail server add its domain to recipients without one (Postfix: append_at_myorigin,"
                + " Exim: qualify_recipient)."
            : ""
    }

    /// Text of strangers for a message to people.
    package static func shown(_ text: String) -> String { text.isEmpty ? "\"\"" : LogLine.visible(text) }

    private static func adviceOnSender(_ sender: String) -> String {
        sender.utf8.contains(UInt8(ascii: "@"))
            ? "Give one address, or '<>' for the null sender."
            : "It has no domain: have the mail server add its own (Postfix: append_at_myorigin, Exim: qualify_domain);"
                + " for bounces give '<>', '' or MAILER-DAEMON (Postfix pipe(8): null_sender=)."
    }
}
