import InternetMessage
import Logging
import MailEnvelope
import ProgramLife
import Spool

/// Says what happens to one entry, in the journal and in the log.
final class EntryVoice {
    private let transaction: Transaction
    private let context: RelayContext
    var messageID: String?
    var envelope: Envelope?
    /// Octets of the message.
    var size: Int?
    private let begun = ContinuousClock.now
    var log: Logger { context.log }

    init(_ transaction: Transaction, _ context: RelayContext) {
        self.transaction = transaction
        self.context = context
    }

    /// - Returns: The error of the journal; nil if it took the event.
    @discardableResult
    func tell(
        _ event: JournalEvent.Event, attempts: Int? = nil, to: [PublishedFile] = [], reason: String? = nil,
        server: String? = nil, host: String? = nil, duration: Duration? = nil, recipients: [String] = []
    ) -> SpoolError? {
        var line = JournalEvent(
            event, entry: transaction.entry, file: transaction.source.map { "\($0)" }, attempts: attempts, to: to,
            reason: reason, messageID: messageID, server: server)
        line.recipients = recipients
        line.host = host
        line.duration = duration.map {
            Int($0.components.seconds) * 1_000 + Int($0.components.attoseconds / 1_000_000_000_000_000)
        }
        let error = context.spool.journal.append(line)
        if let error { context.gate.note(error, about: IntakeGate.journal) }
        return error
    }

    func metadata(_ more: Logger.Metadata = [:]) -> Logger.Metadata {
        var metadata = more
        metadata["entry"] = "\(transaction.entry)"
        if let messageID { metadata["messageID"] = "\(messageID)" }
        if let envelope {
            metadata["from"] = "\(envelope.sender.map(\.shown) ?? "-")"
            metadata["to"] = "\(envelope.recipients.count)"
        }
        if let size { metadata["size"] = "\(size)" }
        metadata["duration"] = "\(Int((.now - begun) / .milliseconds(1)))ms"
        for (key, value) in more { metadata[key] = value }
        return metadata
    }
}
