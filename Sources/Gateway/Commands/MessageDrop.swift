public import HostProcess
import Composition
import Foundation
public import InternetMessage
import Octets
import ProgramLife
import Spool
public import Workflows

/// `ses drop`: one message from standard input, with its envelope, into a spool.
public enum MessageDrop {
    /// - Parameters:
    ///   - queueID: The mail server's identifier of the message; it stands in the envelope block.
    ///   - notification: The notifications that the sender asked for.
    /// - Throws: ``ProgramError`` with 65 for what can never be accepted, 75 for everything that may pass.
    public static func run(
        to direction: Direction, sender: String, recipients: [String], queueID: String? = nil,
        notification: NotificationRequest = NotificationRequest(), spool option: String?
    ) throws(ProgramError) -> ExitStatus {
        let envelope = try envelope(sender: sender, recipients: recipients, notification)
        let path = Surroundings().dropSpoolPath(option: option)
        do {
            let delivery = try MaildirDelivery(spool: path, queue: direction == .outgoing ? .outgoing : .incoming)
            var block: OctetString?
            while let chunk = try read() {
                if block == nil {
                    // The first line shows the convention of the file, which the block follows.
                    let made = EnvelopeBlock(envelope: envelope, entry: "\(delivery.entry)", queueID: queueID)
                        .rendered(lineEnd: endsLinesWithLF(chunk) ? .lf : .crlf)
                    try delivery.write(made)
                    block = made
                }
                try delivery.write(OctetString(chunk))
            }
            guard let block else {
                throw ProgramError(.badInput, "standard input is empty: no message was put into the spool")
            }
            let entry = delivery.entry
            _ = try delivery.commit(envelopeOctets: block.count)
            // A mail server logs what a command says beside its own queue id: that ties the two records together.
            Console.write("entry \(entry)")
            return .success
        } catch let error as SpoolError {
            throw ProgramError(.tryAgain, error.description)
        } catch let error as ProgramError {
            throw error
        } catch {
            throw ProgramError(.tryAgain, "the message could not be put into the spool: \(error)")
        }
    }

    /// Reads sendmail's options: each nil or empty where nothing was said, as a mail server's macro for it is.
    /// - Parameters:
    ///   - notify: `-N`.
    ///   - returned: `-R`.
    ///   - identifier: `-V`.
    /// - Throws: ``ProgramError`` with 64.
    public static func notification(
        notify: String?, returned: String?, identifier: String?
    ) throws(ProgramError) -> NotificationRequest {
        func value<Value>(
            _ option: String, _ text: String?, _ read: (String) -> Value?, expected: String
        ) throws(ProgramError) -> Value? {
            guard let text, !text.isEmpty else { return nil }
            guard let value = read(text) else {
                throw ProgramError(.usage, "\(option) \(LineLogHandler.escaped(text)): expected \(expected)")
            }
            return value
        }
        return NotificationRequest(
            notify: try value(
                "-N", notify, { NotificationRequest.Notify(parsing: $0) },
                expected: "never, or success, failure and delay with commas and no blanks between them"),
            returned: try value(
                "-R", returned, { NotificationRequest.Returned(parsing: $0) }, expected: "hdrs or full"),
            identifier: try value(
                "-V", identifier, { EnvelopeIdentifier(xtext: $0) },
                expected: "at most \(EnvelopeIdentifier.limit) printable octets as xtext (RFC 3461): a blank is +20,"
                    + " `+` is +2B and `=` is +3D"))
    }

    private static func envelope(
        sender: String, recipients: [String], _ notification: NotificationRequest
    ) throws(ProgramError) -> Envelope {
        guard let path = sender.isEmpty ? .null : ReversePath(reading: sender) else {
            throw ProgramError(.badInput, "the sender \(shown(sender)) is no address. " + adviceOnSender(sender))
        }
        guard !recipients.isEmpty else { throw ProgramError(.usage, "no recipients: say them after `--`") }
        var addresses: [AddrSpec] = []
        var bad: [String] = []
        for recipient in recipients {
            if let address = AddrSpec(reading: recipient) { addresses.append(address) } else { bad.append(recipient) }
        }
        guard bad.isEmpty else {
            let told =
                bad.prefix(5).map(shown).joined(separator: ", ")
                + (bad.count > 5 ? " and \(bad.count - 5) more" : "")
            let advice =
                bad.contains { !$0.contains("@") }
                ? " Have the mail server add its domain to recipients without one (Postfix: append_at_myorigin,"
                    + " Exim: qualify_recipient)."
                : ""
            throw ProgramError(
                .badInput,
                "\(bad.count) of \(recipients.count) recipients cannot be read as an address: \(told); the message was"
                    + " not taken for any of them." + advice)
        }
        return Envelope(sender: path, recipients: addresses, source: .arguments, notification: notification)
    }

    private static func shown(_ argument: String) -> String {
        argument.isEmpty ? "\"\"" : LineLogHandler.escaped(argument)
    }

    private static func adviceOnSender(_ sender: String) -> String {
        sender.contains("@")
            ? "Give one address, or '<>' for the null sender."
            : "It has no domain: have the mail server add its own (Postfix: append_at_myorigin, Exim: qualify_domain);"
                + " for bounces give '<>', '' or MAILER-DAEMON (Postfix pipe(8): null_sender=)."
    }

    private static func read() throws(ProgramError) -> Data? {
        do {
            guard let data = try FileHandle.standardInput.read(upToCount: 1 << 16), !data.isEmpty else { return nil }
            return data
        } catch {
            throw ProgramError(.tryAgain, "standard input cannot be read: \(error.localizedDescription)")
        }
    }

    private static func endsLinesWithLF(_ chunk: Data) -> Bool {
        guard let end = chunk.firstIndex(of: 0x0A) else { return false }
        return end == chunk.startIndex || chunk[end - 1] != 0x0D
    }
}
