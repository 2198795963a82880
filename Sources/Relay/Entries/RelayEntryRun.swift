import Composition
import InternetMessage
import Logging
import Relaying
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
            transaction: transaction, settings: settings, context: context, isOutgoing: transaction.origin.isOutgoing)
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
        try record.begin()
        guard record.history.startsInVain < DeliveryHistory.startsInVainLimit else {
            return try isolate("\(DeliveryHistory.startsInVainLimit) starts had no end")
        }
        let file = try transaction.read(maximum: .max)
        let entry: AdmittedEntry
        do throws(CompositionError) {
            entry = try AdmittedEntry(
                file, host: settings.hostName, unique: "\(transaction.uniqueName)", now: context.clock.now())
        } catch {
            return try putAway("\(error)")
        }
        voice.messageID = entry.messageID
        voice.tell(.claimed)
        var summary = AttemptSummary(countsAsAttempt: false)
        if let defect = entry.defect {
            let time = context.clock.now()
            try record.add(
                record.history.pending(of: entry.envelope.recipients).map { .report($0, defect, time: time) })
        } else if let message = entry.message {
            try record.endVainOffers(entry.envelope.recipients)
            summary = try attempt(entry, message, record)
        }
        return try settle(entry, record, summary)
    }

    /// Puts away a message without a usable envelope: one rename, and nobody can be told.
    private func putAway(_ reason: String) throws(SpoolError) -> Ending {
        voice.tell(.failed, reason: reason)
        let file = try transaction.block()
        voice.log.error("failed", metadata: voice.metadata(["file": "\(file.name)", "reason": "\(reason)"]))
        context.counters.add { $0.messagesFailed += 1 }
        return .failed
    }

    private func isolate(_ reason: String) throws(SpoolError) -> Ending {
        let isolation = EntryIsolation(transaction: transaction, settings: settings, context: context, voice: voice)
        switch try isolation.run(because: reason) {
        case .sent: return .sent
        case .failed(let file, let reason):
            voice.log.error("failed", metadata: voice.metadata(["file": "\(file.name)", "reason": "\(reason)"]))
            context.counters.add { $0.messagesFailed += 1 }
            return .failed
        }
    }

    private func attempt(
        _ entry: AdmittedEntry, _ message: DepartingMessage, _ record: EntryRecord
    ) throws(SpoolError) -> AttemptSummary {
        var attempt = EntryDelivery(
            entry, settings, round: round, isOutgoing: transaction.origin.isOutgoing, record, voice, context)
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

    // MARK: - What becomes of it

    private func settle(
        _ entry: AdmittedEntry, _ record: EntryRecord, _ summary: AttemptSummary
    ) throws(SpoolError) -> Ending? {
        let now = context.clock.now()
        let settlement = Settlement(
            history: record.history, recipients: entry.envelope.recipients, request: entry.envelope.notification,
            attempts: transaction.attempts, summary: summary, now: now, patience: settings.patience,
            jitter: { context.jitter($0 / 10) })
        try record.add(settlement.expired.map { .report($0.recipient, $0.report, time: now) })
        switch settlement.ending {
        case .sent: return try finish(entry, record, settlement)
        case .giveUp(let failed): return try giveUp(entry, record, settlement, failed)
        case .wait(let attempts, let due):
            try tellSender(entry, record, settlement)
            voice.tell(.deferred, attempts: attempts)
            let deferred = try transaction.setAside(attempts: attempts, due: due)
            context.counters.add { $0.messagesDeferred += 1 }
            voice.log.info("deferred", metadata: voice.metadata(["attempt": "\(attempts)", "due": "\(due)"]))
            return .waits(deferred, busy: delivery?.busy)
        }
    }

    private func finish(
        _ entry: AdmittedEntry, _ record: EntryRecord, _ settlement: Settlement
    ) throws(SpoolError) -> Ending? {
        let outputs = reports.report(.relayed, of: settlement.relays, entry, record.history)
        for output in outputs { try transaction.add(output: output) }
        voice.tell(.committed, to: transaction.outputs)
        guard try transaction.commit() else { return nil }
        try transaction.publish()
        context.counters.add { values in
            values.messagesSent += 1
            values.reports += outputs.count
        }
        voice.log.info("sent", metadata: voice.metadata())
        return .sent
    }

    private func giveUp(
        _ entry: AdmittedEntry, _ record: EntryRecord, _ settlement: Settlement, _ failed: [AddrSpec]
    ) throws(SpoolError) -> Ending? {
        let outputs =
            reports.report(.failed, of: settlement.failures, entry, record.history)
            + reports.report(.relayed, of: settlement.relays, entry, record.history)
        for output in outputs { try transaction.add(output: output) }
        let reason = record.history.failed(of: failed).first?.report.text ?? ""
        try transaction.add(output: reports.remains(of: entry.file, entry.envelope, for: failed, reason: reason))
        voice.tell(.failed, to: transaction.outputs, recipients: failed.map(\.description))
        guard try transaction.commit() else { return nil }
        let files = try transaction.publish()
        context.counters.add { values in
            values.messagesFailed += 1
            values.reports += outputs.count
        }
        voice.log.warning(
            "failed",
            metadata: voice.metadata([
                "to": "\(files.map(\.folder.rawValue).joined(separator: ","))", "recipients": "\(failed.count)",
            ]))
        return .failed
    }

    /// Reports that go while others of the message's recipients wait.
    private func tellSender(
        _ entry: AdmittedEntry, _ record: EntryRecord, _ settlement: Settlement
    ) throws(SpoolError) {
        let outputs =
            reports.report(.failed, of: settlement.failures, entry, record.history)
            + reports.report(.relayed, of: settlement.relays, entry, record.history)
            + reports.report(.delayed, of: settlement.delays, entry, record.history)
        guard !outputs.isEmpty else { return }
        var files: [PublishedFile] = []
        for output in outputs { files.append(try transaction.add(output: output)) }
        var lines = settlement.failures.map { DeliveryLine.toldOfFailure($0.recipient) }
        lines += settlement.relays.map { .toldOfRelay($0.recipient) }
        if !settlement.delays.isEmpty { lines.append(.toldOfDelay) }
        voice.tell(.published, to: files)
        try record.release(files, with: lines)
        context.counters.add { $0.reports += outputs.count }
    }
}
