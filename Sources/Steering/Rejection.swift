import Composition
import HostProcess
import InternetMessage
import MailEnvelope
import ProgramLife
import SESConfiguration
import Spool
import Workflows

/// Gives a message back to its sender (RFC 3464), with the words of an operator.
struct Rejection {
    private let steered: SteeredSpool
    private let policy: Policy
    private let order: Order
    private let text: String
    /// RFC 3463.
    private let status: String
    private let hostName: String

    /// - Parameter order: ``Order/reject(_:)`` or ``Order/bounce(_:)``.
    /// - Throws: ``ProgramError`` if the configuration, which names the author of notices, cannot be read.
    init(_ steered: SteeredSpool, _ order: Order) throws(ProgramError) {
        self.steered = steered
        policy = try steered.configuration().policy
        self.order = order
        if case .bounce(let text) = order {
            self.text = text ?? "the message could not be delivered, and the administrator has given it up"
            status = "5.4.7"
        } else {
            var words: String?
            if case .reject(let text) = order { words = text }
            self.text = words ?? "the message was refused by the administrator of the receiving site"
            status = "5.7.1"
        }
        hostName = Surroundings().hostName
    }

    /// Publishes the report in place of the message, in one transaction.
    /// - Returns: A sentence about what was done; nil if the message is gone.
    /// - Throws: ``SpoolError``. The message is then where it was, or a daemon puts it back there.
    func carryOut(_ message: StandingMessage, _ row: ListReport.Row) throws(SpoolError) -> String? {
        guard let sender = row.sender.flatMap({ AddrSpec(parsing: $0) }) else {
            throw SpoolError(
                .raced, path: message.path,
                "it has no sender to whom it could be returned; `ses remove` removes it")
        }
        let transaction: Transaction
        switch try steered.spool.claimHeld(message) {
        case .claimed(let claimed): transaction = claimed
        case .taken: return nil
        case .corrupt(let reason), .left(let reason):
            throw SpoolError(.raced, path: message.path, "it cannot be taken: \(reason)")
        }
        do throws(SpoolError) {
            let file = try transaction.read(maximum: .max)
            try transaction.add(output: report(to: sender, row, file, transaction))
            guard try transaction.commit() else {
                throw SpoolError(.raced, path: message.path, "it was changed while it was rejected")
            }
            steered.tell(order, message, transaction.outputs.first, reason: text)
            try transaction.publish()
        } catch {
            if !transaction.isCommitted {
                do throws(SpoolError) { try transaction.block() } catch { transaction.abandon() }
            }
            throw error
        }
        return UntrustedText.plainTextLine(
            "\(order.word == "bounce" ? "returned" : "rejected") to \(sender)", limit: 400)
    }

    private func report(
        to sender: AddrSpec, _ row: ListReport.Row, _ file: ClaimedFile, _ transaction: Transaction
    ) -> StagedOutput {
        let now = steered.clock.now()
        let date = MailDate(unixSeconds: Int64(now))
        let original = try? DepartingMessage(
            raw: file.message, host: hostName, unique: "\(transaction.uniqueName)", date: date)
        let envelope = file.block.flatMap { try? EnvelopeBlock(parsing: $0).envelope }
        let notification = DeliveryStatusNotification(
            .failed, from: policy.noticeFrom, to: sender,
            recipients: row.recipients.compactMap { AddrSpec(parsing: $0) }.map {
                DeliveryStatusNotification.Recipient(
                    $0, status: status, server: nil, diagnostic: text, isReply: false)
            }, host: hostName, arrived: row.since, entry: "\(transaction.entry)", original: original,
            request: envelope?.notification ?? NotificationRequest())
        let isInward = policy.isInternal(sender)
        let block = EnvelopeBlock(
            envelope: Envelope(
                sender: .null, recipients: [sender], source: .arguments,
                notification: NotificationRequest(notify: .never)),
            entry: "\(transaction.entry)", outcome: "report",
            reason: "a message was given back by an operator (\(order.word))",
            direction: isInward ? .incoming : .outgoing)
        return StagedOutput(
            folder: .delivered,
            facts: NameFacts(origin: isInward ? .incoming(bare: false) : .outgoing(bare: false)),
            block: block.rendered(),
            content: notification.compose(date: date, token: transaction.uniqueName.file), lineEnds: .asIs)
    }
}
