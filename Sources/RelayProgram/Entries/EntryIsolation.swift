import Composition
import InternetMessage
import Octets
import Delivery
import Spool

/// Puts away a message that ended every start. Its record and our own envelope block are read, so that nobody who has
/// it gets it again. Nothing of the message is read.
struct EntryIsolation {
    let transaction: Transaction
    let settings: RelaySettings
    let context: RelayContext
    let voice: EntryVoice

    enum Ending {
        /// All recipients had it.
        case sent
        case failed(PublishedFile, reason: String)
    }

    func run(because cause: String) throws(SpoolError) -> Ending {
        let history = DeliveryHistory(lines: try transaction.openLedger().lines().map(\.text))
        let file = try transaction.read(maximum: .max)
        guard let envelope = readEnvelope(file) else { return try putAway(cause, history) }
        let left = envelope.recipients.filter { history.state(of: $0) != .sent }
        let unsure = left.filter(history.interrupted.contains)
        var reason = cause
        if !unsure.isEmpty { reason += "; these may have it: " + unsure.map(\.description).joined(separator: ", ") }
        let reports = EntryReports(
            transaction: transaction, settings: settings, context: context)
        if !left.isEmpty {
            try transaction.add(output: reports.remains(of: file, envelope, for: left, reason: reason))
        }
        for report in reports.report(
            .failed, of: untold(left, envelope, history, cause), envelope, original: nil, history)
        {
            try transaction.add(output: report)
        }
        voice.tell(.failed, to: transaction.outputs, reason: reason, recipients: left.map(\.description))
        guard try transaction.commit() else {
            throw SpoolError(.raced, path: context.spool.path, "a message was changed while it was put away")
        }
        guard let published = try transaction.publish().first(where: { $0.folder == .failed }) else { return .sent }
        return .failed(published, reason: reason)
    }

    /// The recipients of whose failure the sender does not know yet. Our own envelope block names the sender, so
    /// telling needs nothing of the message.
    private func untold(
        _ left: [AddrSpec], _ envelope: Envelope, _ history: DeliveryHistory, _ cause: String
    ) -> [Settlement.Told] {
        guard envelope.notification.wants(.failure) else { return [] }
        return left.filter { !history.isTold(of: $0) }.map { recipient in
            if case .failed(let report) = history.state(of: recipient) {
                return Settlement.Told(recipient: recipient, report: report)
            }
            let doubt = history.interrupted.contains(recipient) ? "; the recipient may have the message" : ""
            return Settlement.Told(
                recipient: recipient,
                report: DeliveryReport(.failed, status: "5.3.0", "the message could not be processed: \(cause)\(doubt)")
            )
        }
    }

    private func readEnvelope(_ file: ClaimedFile) -> Envelope? {
        guard let block = file.block else { return nil }
        do throws(CompositionError) {
            let envelope = try EnvelopeBlock(parsing: block).envelope
            return envelope.recipients.isEmpty ? nil : envelope
        } catch {
            // Without a readable envelope the message is kept unchanged.
            return nil
        }
    }

    private func putAway(_ cause: String, _ history: DeliveryHistory) throws(SpoolError) -> Ending {
        let reason = cause + "; it may have gone to some of its recipients"
        voice.tell(.failed, reason: reason)
        return .failed(try transaction.block(), reason: reason)
    }
}
