import Composition
import InternetMessage
import Logging
import Delivery
import SESConfiguration
import Spool

/// One attempt to deliver one message to its waiting recipients, destination by destination.
struct EntryDelivery {
    /// Seconds. Long before that, a delivery that ends takes up messages that were put aside for a busy destination.
    private static let maximumDetour = 600

    private let entry: AdmittedEntry
    private let settings: RelaySettings
    /// The round of the lanes' limits that ``settings`` belong to.
    private let round: Int
    private let origin: Origin
    private let record: EntryRecord
    private let voice: EntryVoice
    private let context: RelayContext
    private(set) var summary = AttemptSummary(countsAsAttempt: false)
    /// Those that were served, whose turn it may now be for others.
    private(set) var served: [Destination] = []
    /// The one that was too busy.
    private(set) var busy: Destination?
    private var missedServer = false

    init(
        _ entry: AdmittedEntry, _ settings: RelaySettings, round: Int, _ origin: Origin, _ record: EntryRecord,
        _ voice: EntryVoice, _ context: RelayContext
    ) {
        self.entry = entry
        self.settings = settings
        self.round = round
        self.origin = origin
        self.record = record
        self.voice = voice
        self.context = context
    }

    mutating func run(_ message: DepartingMessage) throws(SpoolError) {
        for (destination, recipients) in shares() {
            if context.isStopping {
                opens(in: 0)
                continue
            }
            let admission = context.lanes.enter(destination, settings.limits(of: destination), round: round) {
                context.seconds
            }
            switch admission {
            case .stopping, .sentAway: opens(in: 0)
            case .closedUntil(let time):
                opens(in: time - context.seconds + context.jitter(5))
                missed(recipients, context.lanes.trouble(of: destination))
            case .full:
                opens(in: Self.maximumDetour)
                busy = destination
            case .crowded: opens(in: 2 + context.jitter(3))
            case .go: try serve(destination, recipients, message)
            }
        }
        if missedServer { try record.add([.unreached(context.clock.now())], isDurable: false) }
    }

    private mutating func serve(
        _ destination: Destination, _ recipients: [AddrSpec], _ message: DepartingMessage
    ) throws(SpoolError) {
        var ending = LaneBoard.Ending.nothing
        defer { context.lanes.leave(destination, ending, at: context.seconds) }
        served.append(destination)
        let begun = ContinuousClock.now
        defer {
            let hasEndedWell = if case .failed = ending { false } else { true }
            context.counters.delivered(to: destination, in: .now - begun, hasEndedWell: hasEndedWell)
        }
        try record.prepare(for: recipients)
        switch try deliver(message, to: destination, recipients) {
        case .complete: ending = .succeeded
        case .untried: break
        case .interrupted: opens(in: 0)
        case .machineFault(let errno, let reason):
            throw SpoolError(.system, path: context.spool.path, errno: errno, reason)
        case .routeFailed(let reason):
            ending = .failed(reason)
            opens(
                in: destination.domain == nil
                    ? RouteHealth.firstGatewayPause + context.jitter(2) : RouteHealth.firstPause + context.jitter(10))
            missed(recipients, reason)
            voice.tell(.deferred, reason: reason, recipients: recipients.map(\.description))
            voice.log.warning(
                "route failed", metadata: voice.metadata(["route": "\(destination)", "reason": "\(reason)"]))
        }
    }

    private mutating func opens(in seconds: Int) {
        let time = context.clock.now() + max(0, seconds)
        summary.routesOpenAt = min(summary.routesOpenAt ?? time, time)
    }

    private mutating func missed(_ recipients: [AddrSpec], _ reason: String?) {
        missedServer = true
        guard let reason else { return }
        for recipient in recipients { summary.routeTroubles[recipient] = reason }
    }

    /// Returns the waiting recipients by destination, in their order.
    private func shares() -> [(Destination, [AddrSpec])] {
        var order: [Destination] = []
        var shares: [Destination: [AddrSpec]] = [:]
        for recipient in record.history.pending(of: entry.envelope.recipients) {
            let destination = settings.destination(
                of: RouteCriteria.Given(
                    direction: origin.direction, source: record.history.source,
                    sender: entry.envelope.sender, recipient: recipient))
            if shares[destination] == nil { order.append(destination) }
            shares[destination, default: []].append(recipient)
        }
        return order.map { ($0, shares[$0] ?? []) }
    }

    private mutating func deliver(
        _ message: DepartingMessage, to destination: Destination, _ recipients: [AddrSpec]
    ) throws(SpoolError) -> TransportEnd {
        let consignment = Consignment(
            sender: entry.envelope.sender ?? .null, recipients: recipients, content: message.content,
            isProtected: message.isProtected, isAllOrNothing: !settings.configuration.sendsPartial,
            notification: entry.envelope.notification)
        var countsAsAttempt = false
        let began = ContinuousClock.now
        defer { if countsAsAttempt { summary.countsAsAttempt = true } }
        return try settings.transport.deliver(consignment, to: destination) { (offered) throws(SpoolError) in
            try record.offer(offered)
        } report: { (reports) throws(SpoolError) in
            let time = context.clock.now()
            try record.add(reports.map { .report($0.recipient, $0.report, time: time) })
            if reports.contains(where: { [.deferred, .unknown].contains($0.report.outcome) }), !context.isStopping {
                countsAsAttempt = true
            }
            account(
                reports.filter { $0.report.outcome != .notOffered }, destination, after: ContinuousClock.now - began)
        }
    }

    private func account(_ reports: [RecipientReport], _ destination: Destination, after duration: Duration) {
        context.counters.add { values in
            for report in reports {
                switch report.report.outcome {
                case .sent, .relayed: values.sent += 1
                case .failed: values.failed += 1
                case .deferred: values.deferred += 1
                case .unknown:
                    values.deferred += 1
                    values.possibleRepeats += 1
                case .notOffered: break
                }
            }
        }
        // Recipients with one reply share a line.
        var order: [[String]] = []
        let groups = Dictionary(grouping: reports) { report in
            let group = [report.report.outcome.rawValue, report.report.text]
            if !order.contains(group) { order.append(group) }
            return group
        }
        for some in order.compactMap({ groups[$0] }) {
            guard let outcome = some.first?.report.outcome else { continue }
            let event: JournalEvent.Event =
                switch outcome {
                case .sent, .relayed: .sent
                case .failed: .failed
                case .deferred, .unknown, .notOffered: .deferred
                }
            voice.tell(
                event, reason: outcome == .unknown ? "possible repeat: no reply to the end of the message" : nil,
                server: some.first?.report.text, host: some.first?.report.server ?? "\(destination)",
                duration: duration,
                recipients: some.map(\.recipient.description))
            voice.log.info(
                "\(outcome.rawValue)",
                metadata: voice.metadata([
                    "route": "\(destination)", "recipients": "\(some.count)",
                    "server": "\(some.first?.report.text ?? "")",
                ]))
        }
    }
}
