import Composition
import InternetMessage
import Octets
import Delivery
import Spool

/// Makes the texts about one message: reports to its sender, and the remains for the recipients who did not get it.
struct EntryReports {
    let transaction: Transaction
    let settings: RelaySettings
    let context: RelayContext

    /// Returns the reports to the sender that a settlement asks for.
    func reports(
        about settlement: Settlement, _ entry: AdmittedEntry, _ history: DeliveryHistory
    ) -> [StagedOutput] {
        report(.failed, of: settlement.failures, entry, history)
            + report(.relayed, of: settlement.relays, entry, history)
            + report(.delayed, of: settlement.delays, entry, history)
    }

    /// Returns the report to the sender; none for the null sender, and none without recipients.
    private func report(
        _ action: DeliveryStatusNotification.Action, of told: [Settlement.Told], _ entry: AdmittedEntry,
        _ history: DeliveryHistory
    ) -> [StagedOutput] {
        report(action, of: told, entry.envelope, original: entry.message, history)
    }

    /// - Parameter original: The message, of which the report gives something back; nil if it must not be parsed.
    func report(
        _ action: DeliveryStatusNotification.Action, of told: [Settlement.Told], _ envelope: Envelope,
        original: DepartingMessage?, _ history: DeliveryHistory
    ) -> [StagedOutput] {
        guard !told.isEmpty, case .address(let sender)? = envelope.sender else { return [] }
        let now = context.clock.now()
        let arrived = history.arrived ?? now
        let notification = DeliveryStatusNotification(
            action, from: settings.postmaster, to: sender,
            recipients: told.map {
                DeliveryStatusNotification.Recipient(
                    $0.recipient, status: $0.report.status, server: $0.report.server, diagnostic: $0.report.text,
                    isReply: $0.report.isReply)
            }, host: settings.hostName, arrived: arrived,
            triedUntil: action == .delayed ? arrived + settings.patience.lifetime : nil,
            entry: "\(transaction.entry)", original: original, request: envelope.notification)
        // It travels towards its receiver, against the way of the message.
        let direction = transaction.origin.reversed
        let block = EnvelopeBlock(
            envelope: Envelope(
                sender: .null, recipients: [sender], source: .arguments,
                notification: NotificationRequest(notify: .never)),
            entry: "\(transaction.entry)", outcome: "report", reason: "a message was \(action.words)",
            direction: direction.inBlock)
        return [
            StagedOutput(
                folder: .delivered,
                facts: NameFacts(origin: direction),
                block: block.rendered(),
                content: notification.compose(
                    date: MailDate(unixSeconds: Int64(now)), token: context.random.octets(12).hexadecimal),
                lineEnds: .asIs)
        ]
    }

    /// Returns the message for the recipients who did not get it: put back into `delivered/new` it goes to them alone.
    func remains(
        of file: ClaimedFile, _ envelope: Envelope, for recipients: [AddrSpec], reason: String
    ) -> StagedOutput {
        let block = EnvelopeBlock(
            envelope: Envelope(
                sender: envelope.sender, recipients: recipients, source: .arguments,
                notification: envelope.notification),
            entry: "\(transaction.entry)", outcome: "failed", reason: reason, direction: transaction.origin.inBlock)
        return StagedOutput(
            folder: .failed, facts: NameFacts(origin: transaction.origin),
            block: block.rendered(lineEnd: LineEnding.of(file.message) == .lf ? .lf : .crlf), content: file.message,
            lineEnds: .asIs)
    }
}

extension Origin {
    var direction: RouteCriteria.Direction {
        switch self {
        case .outgoing: .outgoing
        case .incoming: .incoming
        }
    }

    fileprivate var inBlock: EnvelopeBlock.Direction {
        switch self {
        case .outgoing: .outgoing
        case .incoming: .incoming
        }
    }

    /// The facts of an answer, which travels the other way.
    fileprivate var reversed: Origin {
        switch self {
        case .outgoing: .incoming(bare: false)
        case .incoming: .outgoing(bare: false)
        }
    }
}

extension DeliveryStatusNotification.Action {
    fileprivate var words: String {
        switch self {
        case .failed: "not delivered"
        case .delayed: "delayed"
        case .relayed: "handed on to where no notifications are sent"
        }
    }
}
