import InternetMessage
import Logging
import Delivery
import Spool

/// Carries out a settlement: publishes the reports and the remains, commits the entry or sets it aside, and tells
/// journal, log and counters. It decides nothing.
struct EntryConclusion {
    let transaction: Transaction
    let record: EntryRecord
    let reports: EntryReports
    let voice: EntryVoice
    let context: RelayContext

    /// - Parameter busy: The destination that was too busy for the entry, if it waits for that reason.
    /// - Returns: nil if the file changed meanwhile: nothing was published, and the work starts over.
    func carryOut(
        _ settlement: Settlement, of entry: AdmittedEntry, busy: Destination?
    ) throws(SpoolError) -> RelayEntryRun.Ending? {
        let told = reports.reports(about: settlement, entry, record.history)
        switch settlement.ending {
        case .sent:
            guard try publish(told, telling: .committed) != nil else { return nil }
            count {
                $0.messagesSent += 1
                $0.reports += told.count
            }
            voice.log.info("sent", metadata: voice.metadata())
            return .sent
        case .giveUp(let failed):
            let reason = record.history.failed(of: failed).first?.report.text ?? ""
            let remains = reports.remains(of: entry.file, entry.envelope, for: failed, reason: reason)
            guard let files = try publish(told + [remains], telling: .failed, about: failed) else { return nil }
            count {
                $0.messagesFailed += 1
                $0.reports += told.count
            }
            voice.log.warning(
                "failed",
                metadata: voice.metadata([
                    "folders": "\(files.map(\.folder.rawValue).joined(separator: ","))",
                    "recipients": "\(failed.count)",
                ]))
            return .failed
        case .wait(let attempts, let due):
            try release(told, settlement)
            voice.tell(.deferred, attempts: attempts)
            let deferred = try transaction.setAside(attempts: attempts, due: due)
            count { $0.messagesDeferred += 1 }
            voice.log.info("deferred", metadata: voice.metadata(["attempt": "\(attempts)", "due": "\(due)"]))
            return .waits(deferred, busy: busy)
        }
    }

    /// Puts away a message without a usable envelope: one rename, and nobody can be told.
    func putAway(_ reason: String) throws(SpoolError) -> RelayEntryRun.Ending {
        voice.tell(.failed, reason: reason)
        return failed(try transaction.block(), reason: reason)
    }

    /// Notes a message that went to `failed` as a whole.
    func failed(_ file: PublishedFile, reason: String) -> RelayEntryRun.Ending {
        voice.log.error("failed", metadata: voice.metadata(["file": "\(file.name)", "reason": "\(reason)"]))
        count { $0.messagesFailed += 1 }
        return .failed
    }

    /// - Returns: nil if the file changed meanwhile.
    private func publish(
        _ outputs: [StagedOutput], telling event: JournalEvent.Event, about recipients: [AddrSpec] = []
    ) throws(SpoolError) -> [PublishedFile]? {
        for output in outputs { try transaction.add(output: output) }
        // Without outputs the replies of the servers have said all.
        if !outputs.isEmpty || event != .committed {
            voice.tell(event, to: transaction.outputs, recipients: recipients.map(\.description))
        }
        guard try transaction.commit() else { return nil }
        return try transaction.publish()
    }

    /// Publishes reports while others of the message's recipients wait.
    private func release(_ outputs: [StagedOutput], _ settlement: Settlement) throws(SpoolError) {
        guard !outputs.isEmpty else { return }
        var files: [PublishedFile] = []
        for output in outputs { files.append(try transaction.add(output: output)) }
        var lines = settlement.failures.map { DeliveryLine.toldOfFailure($0.recipient) }
        lines += settlement.relays.map { .toldOfRelay($0.recipient) }
        if !settlement.delays.isEmpty { lines.append(.toldOfDelay) }
        voice.tell(.published, to: files)
        try record.release(files, with: lines)
        count { $0.reports += outputs.count }
    }

    private func count(_ change: (inout RelayCounters.Values) -> Void) { context.counters.add(change) }
}
