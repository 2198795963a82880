/// The assignment of a message's recipients to transactions. Some recipients are named in none.
struct SMTPDelivery {
    /// The refusals that are known before the first command.
    let refusals: [SMTPRecipientResult]
    private var waiting: [Int]
    private let atOnce: Int

    init(
        _ envelope: SMTPEnvelope, _ message: SMTPMessage, _ capabilities: SMTPCapabilities,
        partial: SMTPPartialDelivery, atOnce: Int
    ) {
        self.atOnce = partial == .refused ? .max : max(1, atOnce)
        let all = Array(envelope.recipients.indices)
        if let failure = SMTPPreparation.failure(message, envelope, capabilities) {
            refusals = all.map { SMTPRecipientResult(recipient: $0, outcome: .failed(failure)) }
            waiting = []
            return
        }
        let failures = all.map { SMTPPreparation.failure(envelope.recipients[$0], message, capabilities) }
        if partial == .refused, let cause = failures.lazy.compactMap(\.self).first {
            let other = SMTPFailure(
                .permanent, .message, .preparation, status: (0, 0),
                "not sent, because all recipients are to get it or none, and \(cause.summary)")
            refusals = all.map { SMTPRecipientResult(recipient: $0, outcome: .failed(failures[$0] ?? other)) }
            waiting = []
            return
        }
        refusals = all.compactMap { index in
            failures[index].map { SMTPRecipientResult(recipient: index, outcome: .failed($0)) }
        }
        waiting = all.filter { failures[$0] == nil }
    }

    /// The recipients of the next transaction; nil when all are done.
    mutating func nextRecipients() -> [Int]? {
        guard !waiting.isEmpty else { return nil }
        let next = Array(waiting.prefix(atOnce))
        waiting.removeFirst(next.count)
        return next
    }

    /// Has them wait for another transaction. Each transaction puts off fewer than it was given.
    mutating func putOff(_ recipients: [Int]) { waiting.insert(contentsOf: recipients, at: 0) }

    /// Gives up those that still wait, because the connection is over.
    mutating func abandon(_ end: SMTPDeliveryEnd) -> [SMTPRecipientResult] {
        defer { waiting = [] }
        guard case .closed(let failure) = end else { return [] }
        return waiting.map { SMTPRecipientResult(recipient: $0, outcome: .failed(failure)) }
    }
}
