import Composition
import InternetMessage
import Logging
import Octets
import Relaying
import SESConfiguration
import Spool
import Synchronization

/// One start of one message: from its octets to where it stands afterwards.
final class RelayEntryRun {
    enum Ending {
        case sent, failed
        /// - Parameter busy: The destination that was too busy for it, where that is why it waits.
        case waits(DeferredEntry, busy: Destination?)
    }

    /// What a claimed file turned out to be.
    private struct Given {
        let file: ClaimedFile
        let envelope: Envelope
        /// Nil when its header cannot be read.
        let message: DepartingMessage?
        /// Why it cannot be relayed at all.
        let defect: DeliveryReport?
    }

    /// Seconds.
    private static let longestDetour = 600

    private let transaction: Transaction
    private let settings: RelaySettings
    private let spool: Spool
    private let lanes: LaneBoard
    /// Of the lanes' limits, those that `settings` give.
    private let round: Int
    private let counters: RelayCounters
    private let clock: SpoolClock
    private let random: SpoolRandom
    private let isStopping: @Sendable () -> Bool
    private let log: Logger
    private var history = DeliveryHistory()
    private var messageID: String?
    private var busy: Destination?
    /// Those that were served, whose turn it may now be for others.
    private(set) var served: [Destination] = []

    init(
        _ transaction: Transaction, _ settings: RelaySettings, spool: Spool, lanes: LaneBoard, round: Int,
        counters: RelayCounters, clock: SpoolClock, random: SpoolRandom, log: Logger,
        isStopping: @escaping @Sendable () -> Bool
    ) {
        self.transaction = transaction
        self.settings = settings
        self.spool = spool
        self.lanes = lanes
        self.round = round
        self.counters = counters
        self.clock = clock
        self.random = random
        self.log = log
        self.isStopping = isStopping
    }

    func toEnd() throws(SpoolError) -> Ending {
        while true {
            // Nil: the file changed while it was worked on. What is recorded stays, the rest starts over.
            if let ending = try work() { return ending }
        }
    }

    private func work() throws(SpoolError) -> Ending? {
        let ledger = try transaction.openLedger()
        history = DeliveryHistory(lines: try ledger.lines().map(\.text))
        if history.arrived == nil {
            try record(
                [.arrived(clock.now(), transaction.queue == .admin ? .admin : .delivered)], isDurable: false)
        }
        let file = try transaction.read(maximum: .max)
        let given: Given
        do throws(CompositionError) {
            given = try read(file)
        } catch {
            return try putAway("\(error)")
        }
        messageID = given.message?.header.first("Message-ID").flatMap { MessageID(parsing: $0.rawBody) }.map { "\($0)" }
        tell(.claimed)
        tellOfInterruptions()
        var summary = AttemptSummary(countsAsAttempt: false)
        if let defect = given.defect {
            try record(history.pending(of: given.envelope.recipients).map { .report($0, defect, time: clock.now()) })
        } else if let message = given.message {
            summary = try attempt(given, message)
        }
        return try settle(given, summary)
    }

    // MARK: - What it is

    private func read(_ file: ClaimedFile) throws(CompositionError) -> Given {
        let envelope: Envelope
        var message: DepartingMessage?
        var defect: DeliveryReport?
        do throws(CompositionError) {
            let departing = try DepartingMessage(
                raw: file.message, host: settings.hostName, unique: "\(transaction.uniqueName)",
                date: MailDate(unixSeconds: Int64(clock.now())))
            envelope = try Envelope.reading(block: file.block, header: departing.header, isBare: false)
            if case .found(let reason) = departing.loop { defect = DeliveryReport(.failed, status: "5.4.6", reason) }
            message = departing
        } catch {
            guard error.kind == .unreadableHeader, let block = file.block else { throw error }
            envelope = try EnvelopeBlock(parsing: block).envelope
            defect = DeliveryReport(.failed, status: "5.6.0", "\(error)")
        }
        guard !envelope.recipients.isEmpty else {
            throw CompositionError(.damagedEnvelopeBlock, "the message has no envelope recipients")
        }
        return Given(file: file, envelope: envelope, message: message, defect: defect)
    }

    /// For what has no envelope that could be used: one rename, nobody can be told.
    private func putAway(_ reason: String) throws(SpoolError) -> Ending {
        tell(.failed, reason: reason)
        let file = try transaction.block()
        log.error("failed", metadata: metadata(["file": "\(file.name)", "reason": "\(reason)"]))
        counters.add { $0.messagesFailed += 1 }
        return .failed
    }

    /// Those to whom the message may go a second time now.
    private func tellOfInterruptions() {
        let interrupted = history.interrupted.filter { history.state(of: $0) == .pending }
        guard !interrupted.isEmpty else { return }
        counters.add { $0.possibleRepeats += interrupted.count }
        tell(
            .recovered, reason: "possible repeat: the end of the message was sent and its reply not recorded",
            recipients: interrupted.map(\.description).sorted())
        log.warning("possible repeat", metadata: metadata(["recipients": "\(interrupted.count)"]))
    }

    // MARK: - One attempt

    private func attempt(_ given: Given, _ message: DepartingMessage) throws(SpoolError) -> AttemptSummary {
        var summary = AttemptSummary(countsAsAttempt: false)
        var isClaimDurable = false
        func opens(at time: Int) { summary.routesOpenAt = min(summary.routesOpenAt ?? time, time) }
        func unreached(_ recipients: [AddrSpec], _ reason: String) {
            for recipient in recipients { summary.routeTroubles[recipient] = reason }
        }
        for (destination, recipients) in shares(given) {
            if isStopping() {
                opens(at: clock.now())
                continue
            }
            switch lanes.enter(destination, settings.limits(of: destination), round: round, now: { clock.now() }) {
            case .stopping, .sentAway: opens(at: clock.now())
            case .closedUntil(let time):
                opens(at: time + jitter(5))
                if let reason = lanes.trouble(of: destination) { unreached(recipients, reason) }
            case .full:
                // Long before this, somebody who is through will take it up.
                opens(at: clock.now() + Self.longestDetour)
                busy = destination
            case .go:
                var ending = LaneBoard.Ending.nothing
                defer { lanes.leave(destination, ending, at: clock.now()) }
                served.append(destination)
                if !isClaimDurable { try transaction.makeClaimDurable() }
                isClaimDurable = true
                let end = try deliver(given, message, to: destination, recipients, &summary)
                switch end {
                case .complete: ending = .succeeded
                case .untried: break
                case .interrupted: opens(at: clock.now())
                case .routeFailed(let reason):
                    ending = .failed(reason)
                    opens(at: clock.now() + RouteHealth.firstPause + jitter(10))
                    unreached(recipients, reason)
                    tell(.deferred, reason: reason, recipients: recipients.map(\.description))
                    log.warning("route failed", metadata: metadata(["route": "\(destination)", "reason": "\(reason)"]))
                }
            }
        }
        return summary
    }

    /// Those who wait, by where they go, in their order.
    private func shares(_ given: Given) -> [(Destination, [AddrSpec])] {
        var shares: [(Destination, [AddrSpec])] = []
        for recipient in history.pending(of: given.envelope.recipients) {
            let destination = settings.destination(
                of: RouteCriteria.Given(
                    direction: isOutgoing ? .outgoing : .incoming, source: history.source,
                    sender: given.envelope.sender,
                    recipient: recipient))
            if let index = shares.firstIndex(where: { $0.0 == destination }) {
                shares[index].1.append(recipient)
            } else {
                shares.append((destination, [recipient]))
            }
        }
        return shares
    }

    private func deliver(
        _ given: Given, _ message: DepartingMessage, to destination: Destination, _ recipients: [AddrSpec],
        _ summary: inout AttemptSummary
    ) throws(SpoolError) -> TransportEnd {
        let ledger = try transaction.openLedger()
        // Who was refused at RCPT gets no message, whatever comes of its end.
        let answered = Mutex<Set<AddrSpec>>([])
        let log = log
        let consignment = Consignment(
            sender: given.envelope.sender ?? .null, recipients: recipients, content: message.content,
            isProtected: message.isProtected, isAllOrNothing: !settings.configuration.sendsPartial,
            notification: given.envelope.notification)
        return try settings.transport.deliver(consignment, to: destination) {
            do throws(SpoolError) {
                let open = answered.withLock { answered in recipients.filter { !answered.contains($0) } }
                // Only what a kill would leave open is noted here, so the page cache is durable enough.
                try ledger.append(open.map { DeliveryLine.offered($0).text }, isDurable: false)
            } catch {
                log.warning("a possible repeat could not be noted", metadata: ["error": "\(error)"])
            }
        } report: { (reports) throws(SpoolError) in
            let time = clock.now()
            try record(reports.map { .report($0.recipient, $0.report, time: time) })
            answered.withLock { $0.formUnion(reports.map(\.recipient)) }
            if reports.contains(where: { [.deferred, .unknown].contains($0.report.outcome) }), !isStopping() {
                summary.countsAsAttempt = true
            }
            account(reports, destination)
        }
    }

    private func account(_ reports: [RecipientReport], _ destination: Destination) {
        counters.add { values in
            for report in reports {
                switch report.report.outcome {
                case .sent, .relayed: values.sent += 1
                case .failed: values.failed += 1
                case .deferred: values.deferred += 1
                case .unknown:
                    values.deferred += 1
                    values.possibleRepeats += 1
                }
            }
        }
        for (outcome, some) in Dictionary(grouping: reports, by: \.report.outcome) {
            let event: JournalEvent.Event =
                switch outcome {
                case .sent, .relayed: .sent
                case .failed: .failed
                case .deferred, .unknown: .deferred
                }
            tell(
                event, reason: outcome == .unknown ? "possible repeat: no reply to the end of the message" : nil,
                server: some.first?.report.text, recipients: some.map(\.recipient.description))
            log.info(
                "\(outcome.rawValue)",
                metadata: metadata([
                    "route": "\(destination)", "recipients": "\(some.count)",
                    "server": "\(some.first?.report.text ?? "")",
                ]))
        }
    }

    // MARK: - What becomes of it

    private func settle(_ given: Given, _ summary: AttemptSummary) throws(SpoolError) -> Ending? {
        let settlement = Settlement(
            history: history, recipients: given.envelope.recipients, request: given.envelope.notification,
            attempts: transaction.attempts, summary: summary, now: clock.now(), patience: settings.patience,
            jitter: { jitter($0 / 10) })
        if !settlement.expired.isEmpty {
            try record(settlement.expired.map { .report($0.recipient, $0.report, time: clock.now()) })
        }
        switch settlement.ending {
        case .sent:
            let reports = reports(given, .relayed, settlement.relays)
            for output in reports { try transaction.add(output: output) }
            tell(.committed, to: transaction.outputs)
            guard try transaction.commit() else { return nil }
            try transaction.publish()
            counters.add { values in
                values.messagesSent += 1
                values.reports += reports.count
            }
            log.info("sent", metadata: metadata([:]))
            return .sent
        case .wait(let attempts, let due):
            try tellSender(given, settlement)
            tell(.deferred, attempts: attempts)
            let entry = try transaction.setAside(attempts: attempts, due: due)
            counters.add { $0.messagesDeferred += 1 }
            log.info("deferred", metadata: metadata(["attempt": "\(attempts)", "due": "\(due)"]))
            return .waits(entry, busy: busy)
        case .giveUp(let failed):
            let reports =
                reports(given, .failed, settlement.failures) + reports(given, .relayed, settlement.relays)
            for output in reports { try transaction.add(output: output) }
            try transaction.add(output: remains(given, failed))
            tell(.failed, to: transaction.outputs, recipients: failed.map(\.description))
            guard try transaction.commit() else { return nil }
            let files = try transaction.publish()
            counters.add { values in
                values.messagesFailed += 1
                values.reports += reports.count
            }
            log.warning(
                "failed",
                metadata: metadata([
                    "to": "\(files.map(\.folder.rawValue).joined(separator: ","))", "recipients": "\(failed.count)",
                ]))
            return .failed
        }
    }

    /// Reports that go while others of the message's recipients wait.
    private func tellSender(_ given: Given, _ settlement: Settlement) throws(SpoolError) {
        let outputs =
            reports(given, .failed, settlement.failures) + reports(given, .relayed, settlement.relays)
            + reports(given, .delayed, settlement.delays)
        guard !outputs.isEmpty else { return }
        var files: [PublishedFile] = []
        for output in outputs { files.append(try transaction.add(output: output)) }
        var lines = settlement.failures.map { DeliveryLine.toldOfFailure($0.recipient) }
        lines += settlement.relays.map { .toldOfRelay($0.recipient) }
        if !settlement.delays.isEmpty { lines.append(.toldOfDelay) }
        tell(.published, to: files)
        try transaction.release(files, with: lines.map(\.text))
        for line in lines { history.add(line) }
        counters.add { $0.reports += outputs.count }
    }

    /// The report to the sender; none for the null sender, and none where nobody is named.
    private func reports(
        _ given: Given, _ action: DeliveryStatusNotification.Action, _ told: [Settlement.Told]
    ) -> [StagedOutput] {
        guard !told.isEmpty, case .address(let sender)? = given.envelope.sender else { return [] }
        let arrived = history.arrived ?? clock.now()
        let notification = DeliveryStatusNotification(
            action, from: settings.postmaster, to: sender,
            recipients: told.map {
                DeliveryStatusNotification.Recipient(
                    $0.recipient, status: $0.report.status, server: $0.report.server, diagnostic: $0.report.text,
                    isReply: $0.report.isReply)
            }, host: settings.hostName, arrived: arrived,
            triedUntil: action == .delayed ? arrived + settings.patience.lifetime : nil,
            entry: "\(transaction.entry)", original: given.message, request: given.envelope.notification)
        let block = EnvelopeBlock(
            envelope: Envelope(
                sender: .null, recipients: [sender], source: .arguments,
                notification: NotificationRequest(notify: .never)),
            entry: "\(transaction.entry)", outcome: "report", reason: "a message was \(action.words)",
            origin: isOutgoing ? "in" : "out")
        return [
            StagedOutput(
                folder: .delivered,
                // It travels towards its receiver, against the way of the message.
                facts: NameFacts(origin: isOutgoing ? .incoming(bare: false) : .outgoing(bare: false)),
                block: block.rendered(),
                content: notification.compose(
                    date: MailDate(unixSeconds: Int64(clock.now())), token: random.octets(12).hexadecimal),
                lineEnds: .asIs)
        ]
    }

    /// The message for those who did not get it: put back into `delivered/new` it goes to them, and to nobody else.
    private func remains(_ given: Given, _ failed: [AddrSpec]) -> StagedOutput {
        let reason = history.failed(of: failed).first?.report.text ?? ""
        let block = EnvelopeBlock(
            envelope: Envelope(
                sender: given.envelope.sender, recipients: failed, source: .arguments,
                notification: given.envelope.notification),
            entry: "\(transaction.entry)", outcome: "failed", reason: reason, origin: isOutgoing ? "out" : "in")
        return StagedOutput(
            folder: .failed, facts: NameFacts(origin: transaction.origin),
            block: block.rendered(lineEnd: LineEnding.of(given.file.message) == .lf ? .lf : .crlf),
            content: given.file.message, lineEnds: .asIs)
    }

    // MARK: - Record, journal and log

    /// Into the message's own record, on disk before anything else happens.
    private func record(_ lines: [DeliveryLine], isDurable: Bool = true) throws(SpoolError) {
        guard !lines.isEmpty else { return }
        try transaction.openLedger().append(lines.map(\.text), isDurable: isDurable)
        for line in lines { history.add(line) }
    }

    private var isOutgoing: Bool {
        switch transaction.origin {
        case .outgoing: true
        case .incoming: false
        }
    }

    /// 0 to `most` seconds.
    private func jitter(_ most: Int) -> Int {
        guard most > 0 else { return 0 }
        return random.octets(4).reduce(0) { $0 << 8 | Int($1) } % (most + 1)
    }

    private func tell(
        _ event: JournalEvent.Event, attempts: Int? = nil, to: [PublishedFile] = [], reason: String? = nil,
        server: String? = nil, recipients: [String] = []
    ) {
        var line = JournalEvent(
            event, entry: transaction.entry, file: transaction.source.map { "\($0)" }, attempts: attempts, to: to,
            reason: reason, messageID: messageID, server: server)
        line.recipients = recipients
        if let error = spool.journal.append(line) {
            log.warning("the journal could not be written", metadata: ["error": "\(error)"])
        }
    }

    private func metadata(_ more: Logger.Metadata) -> Logger.Metadata {
        var metadata = more
        metadata["entry"] = "\(transaction.entry)"
        if let messageID { metadata["messageID"] = "\(messageID)" }
        return metadata
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
