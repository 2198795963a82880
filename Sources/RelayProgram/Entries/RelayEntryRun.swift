import Composition
import InternetMessage
import Logging
import Delivery
import SESConfiguration
import Spool

/// One start of one message: from its octets to where it stands afterwards.
final class RelayEntryRun {
    enum Ending {
        case sent, failed
        /// - Parameter busy: The destination that was too busy for it, where that is why it waits.
        case waits(DeferredEntry, busy: Destination?)
        /// The program is to stop; nothing was decided.
        case stopped
    }

    /// The number of times that a message is begun anew because its writer changes it meanwhile.
    private static let rounds = 3
    /// Starts without an end after which nothing else is looked into at the same time.
    static let suspectStarts = 2

    private let transaction: Transaction
    private let settings: RelaySettings
    private let round: Int
    private let context: RelayContext
    private let voice: EntryVoice
    private let presence: Solitude.Presence
    private let reports: EntryReports
    private var delivery: EntryDelivery?

    /// - Parameter round: The round of the lanes' limits that `settings` belong to.
    init(_ transaction: Transaction, _ settings: RelaySettings, round: Int, _ context: RelayContext) {
        self.transaction = transaction
        self.settings = settings
        self.round = round
        self.context = context
        voice = EntryVoice(transaction, context)
        presence = Solitude.Presence(context.solitude, isAlone: transaction.starts > Self.suspectStarts)
        reports = EntryReports(
            transaction: transaction, settings: settings, context: context)
    }

    /// Those that were served, whose turn it may now be for others.
    var served: [Destination] { delivery?.served ?? [] }

    func toEnd() throws(SpoolError) -> Ending {
        presence.enter()
        defer { presence.leave() }
        for _ in 0..<Self.rounds {
            // Nil: the file changed during the work. Recorded events stay, the rest starts over.
            if let ending = try work() { return ending }
            if context.isStopping { return .stopped }
        }
        throw SpoolError(
            .raced, path: context.spool.path,
            "the message of entry \(transaction.entry) is changed again and again by another program")
    }

    private func work() throws(SpoolError) -> Ending? {
        let record = try EntryRecord(transaction, context, voice)
        let conclusion = EntryConclusion(
            transaction: transaction, record: record, reports: reports, voice: voice, context: context)
        try record.begin()
        guard record.history.startsInVain < DeliveryHistory.maximumStartsInVain else {
            return try isolate("\(DeliveryHistory.maximumStartsInVain) starts had no end", conclusion)
        }
        let file = try transaction.read(maximum: .max)
        let entry: AdmittedEntry
        do throws(CompositionError) {
            entry = try AdmittedEntry(
                file, host: settings.hostName, unique: "\(transaction.uniqueName)", now: context.clock.now())
        } catch {
            return try conclusion.putAway("\(error)")
        }
        voice.messageID = entry.messageID
        voice.envelope = entry.envelope
        voice.size = entry.file.message.count
        if transaction.starts > 1 { voice.tell(.claimed) }
        var summary = AttemptSummary(countsAsAttempt: false)
        if let defect = entry.defect {
            let time = context.clock.now()
            try record.add(
                record.history.pending(of: entry.envelope.recipients).map { .report($0, defect, time: time) })
        } else if let message = entry.message {
            try record.endVainOffers(entry.envelope.recipients)
            summary = try attempt(entry, message, record)
        }
        let settlement = try settle(entry, record, summary)
        return try conclusion.carryOut(settlement, of: entry, busy: delivery?.busy)
    }

    private func isolate(_ reason: String, _ conclusion: EntryConclusion) throws(SpoolError) -> Ending {
        let isolation = EntryIsolation(transaction: transaction, settings: settings, context: context, voice: voice)
        switch try isolation.run(because: reason) {
        case .sent: return .sent
        case .failed(let file, let reason): return conclusion.failed(file, reason: reason)
        }
    }

    private func attempt(
        _ entry: AdmittedEntry, _ message: DepartingMessage, _ record: EntryRecord
    ) throws(SpoolError) -> AttemptSummary {
        var attempt = EntryDelivery(
            entry, settings, round: round, transaction.origin, record, voice, context)
        // From here on the message waits for servers; it is known that it was read without a crash.
        let wasInterrupted = transaction.starts > 1
        if wasInterrupted {
            try transaction.forgiveStarts()
            try record.add([.started], isDurable: false)
        }
        presence.leave()
        defer {
            presence.enter()
            delivery = attempt
        }
        try attempt.run(message)
        if wasInterrupted { try record.add([.ended], isDurable: false) }
        return attempt.summary
    }

    /// Decides what follows, and records whose time is over.
    private func settle(
        _ entry: AdmittedEntry, _ record: EntryRecord, _ summary: AttemptSummary
    ) throws(SpoolError) -> Settlement {
        let now = context.clock.now()
        let settlement = Settlement(
            history: record.history, recipients: entry.envelope.recipients, request: entry.envelope.notification,
            attempts: transaction.attempts, summary: summary, now: now, patience: settings.patience,
            jitter: { context.jitter($0 / 10) })
        try record.add(settlement.expired.map { .report($0.recipient, $0.report, time: now) })
        return settlement
    }
}
