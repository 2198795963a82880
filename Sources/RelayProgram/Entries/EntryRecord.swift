import InternetMessage
import Logging
import Octets
import Delivery
import Spool

/// A message's own record (`done`) and what it says; nothing is done outside whose outcome has no room in it.
final class EntryRecord {
    private let transaction: Transaction
    private let context: RelayContext
    private let voice: EntryVoice
    private(set) var history: DeliveryHistory
    /// The recipients of an earlier start's offer that was not answered, until this start's first line about them.
    private var inherited: Set<AddrSpec>
    private var isClaimDurable = false
    /// Octets that the present attempt needs at most.
    private var reserved = 0

    /// Reads the record, and begins one if there is none.
    init(_ transaction: Transaction, _ context: RelayContext, _ voice: EntryVoice) throws(SpoolError) {
        self.transaction = transaction
        self.context = context
        self.voice = voice
        history = DeliveryHistory(lines: try transaction.openLedger().lines().map(\.text))
        inherited = history.unanswered
    }

    /// Notes when the message came and from where, the first time.
    func begin() throws(SpoolError) {
        guard history.arrived == nil else { return }
        try add([.arrived(context.clock.now(), transaction.queue == .admin ? .admin : .delivered)], isDurable: false)
    }

    /// On disk before anything else happens.
    func add(_ lines: [DeliveryLine], isDurable: Bool = true) throws(SpoolError) {
        guard !lines.isEmpty else { return }
        let lines = attributed(lines)
        let ledger = try transaction.openLedger()
        try ledger.append(texts(of: lines, in: ledger), isDurable: isDurable)
        for line in lines { history.add(line) }
    }

    /// Returns the lines, preceded by those that keep a report from answering the offer of an earlier start.
    ///
    /// A recipient whom that start offered the message may have it, even if a server now says "later" before the
    /// message is offered again. So the next offer may be a repeat and must be announced.
    private func attributed(_ lines: [DeliveryLine]) -> [DeliveryLine] {
        guard !inherited.isEmpty else { return lines }
        return lines.flatMap { line -> [DeliveryLine] in
            switch line {
            case .report(let address, _, _) where inherited.remove(address) != nil: return [.unanswered(address), line]
            case .offered(let address): inherited.remove(address)
            default: break
            }
            return [line]
        }
    }

    /// Returns the lines in full if there is room. The reserved space holds the short form of each.
    private func texts(of lines: [DeliveryLine], in ledger: DeliveryLedger) -> [String] {
        let full = lines.map(\.text)
        let short = lines.map(\.shortText)
        guard full != short else { return full }
        do throws(SpoolError) {
            try ledger.reserve(full.reduce(reserved) { $0 + $1.utf8.count + 1 })
            return full
        } catch {
            return short
        }
    }

    /// Publishes reports before the entry itself ends; their lines go into the record with the decision.
    func release(_ files: [PublishedFile], with lines: [DeliveryLine]) throws(SpoolError) {
        try transaction.release(files, with: lines.map(\.text))
        for line in lines { history.add(line) }
    }

    /// Makes sure, before anything is said to a server, that whatever it says can be recorded: there is room for it,
    /// and no power loss brings the message back without its record.
    func prepare(for recipients: [AddrSpec]) throws(SpoolError) {
        reserved = DeliveryLine.maximumRecordLength(of: recipients)
        try transaction.openLedger().reserve(reserved)
        if !isClaimDurable { try transaction.makeClaimDurable() }
        isClaimDurable = true
    }

    /// Records that the end of the message is about to be sent to these recipients. Without that record it is not sent.
    /// If it may be sent for the second time, it is not sent without a line in the journal.
    func offer(_ recipients: [AddrSpec]) throws(SpoolError) {
        let repeated = recipients.filter(history.interrupted.contains)
        if !repeated.isEmpty {
            let error = voice.tell(
                .recovered, reason: "possible repeat: the end of the message was sent and its reply not recorded",
                recipients: repeated.map(\.description).sorted())
            if let error { throw error }
            context.counters.add { $0.possibleRepeats += repeated.count }
            voice.log.warning("possible repeat", metadata: voice.metadata(["recipients": "\(repeated.count)"]))
        }
        try add(recipients.map { .offered($0) })
    }

    /// Gives up recipients who may have the message several times already, because no outcome could be recorded.
    func endVainOffers(_ recipients: [AddrSpec]) throws(SpoolError) {
        let report = DeliveryReport(
            .failed, status: "5.3.0",
            "the message was sent \(DeliveryHistory.maximumUnrecorded) times and the server's answer could never be recorded; it may have arrived"
        )
        let time = context.clock.now()
        try add(history.exhausted(of: recipients).map { .report($0, report, time: time) })
    }
}
