import Composition
import InternetMessage
import Octets
import Delivery
import Spool

/// The content of a claimed file.
struct AdmittedEntry {
    let file: ClaimedFile
    let envelope: Envelope
    /// Nil when its header cannot be read.
    let message: DepartingMessage?
    /// The reason why it cannot be relayed at all.
    let defect: DeliveryReport?

    /// - Throws: ``CompositionError`` if it names no recipients.
    init(_ file: ClaimedFile, host: String, unique: String, now: Int) throws(CompositionError) {
        self.file = file
        var message: DepartingMessage?
        var defect: DeliveryReport?
        do throws(CompositionError) {
            let departing = try DepartingMessage(
                raw: file.message, host: host, unique: unique, date: MailDate(unixSeconds: Int64(now)))
            envelope = try Self.envelope(of: file, departing)
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
        self.message = message
        self.defect = defect
    }

    /// Without a block the trace fields count, which the message that goes out no longer has.
    private static func envelope(
        of file: ClaimedFile, _ departing: DepartingMessage
    ) throws(CompositionError) -> Envelope {
        guard file.block == nil, let header = try? Header(reading: file.message, limits: Message.Limits()) else {
            return try Envelope.reading(block: file.block, header: departing.header, isBare: false)
        }
        return try Envelope.reading(block: nil, header: header, isBare: false)
    }

    var messageID: String? {
        message?.header.first("Message-ID").flatMap { MessageID(parsing: $0.rawBody) }.map { "\($0)" }
    }
}
