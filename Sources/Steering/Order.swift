import Composition
public import HostProcess
import InternetMessage
import MailEnvelope
public import Spool

/// An order about standing messages.
public enum Order: Sendable {
    /// On to its recipients as it was received, marked released, never as trusted.
    case release
    /// Through the workflows again, as if it had just come.
    case requeue
    /// The next attempt now.
    case retry
    /// Into `blocked`, until somebody decides.
    case hold
    /// Back to its sender with a reason; our words without one.
    case reject(String?)
    /// The same for a message that could not be delivered, wherever it waits; our words without any.
    case bounce(String?)
    /// Away for good.
    case remove

    /// For the journal and for people.
    public var word: String {
        switch self {
        case .release: "release"
        case .requeue: "requeue"
        case .retry: "retry"
        case .hold: "hold"
        case .reject: "reject"
        case .bounce: "bounce"
        case .remove: "remove"
        }
    }

    /// The places where it has a meaning.
    public var places: [StandingPlace] {
        switch self {
        case .release, .reject: [.blocked]
        case .requeue: [.blocked, .retry]
        case .bounce: [.blocked, .retry, .failed]
        case .retry: [.retry, .failed, .deferred]
        case .hold: [.outgoing, .incoming, .retry]
        case .remove: [.outgoing, .incoming, .retry, .blocked, .delivered, .admin, .failed, .corrupt]
        }
    }

    /// True if it cannot be undone, so that it must be confirmed.
    public var isFinal: Bool {
        switch self {
        case .reject, .bounce, .remove: true
        case .release, .requeue, .retry, .hold: false
        }
    }
}

/// The messages that an order is about, found but not touched yet.
public struct PlannedOrder: Sendable {
    public let order: Order
    public let rows: [ListReport.Row]
    let messages: [StandingMessage]

    /// Finds the messages.
    /// - Throws: ``ProgramError`` with 66 if an entry stands nowhere where the order has a meaning, 64 if several
    ///   entries begin with the digits that were given.
    public init(
        _ order: Order, _ selection: MessageSelection, in steered: SteeredSpool
    ) throws(ProgramError) {
        self.order = order
        let places = order.places.filter { selection.places.isEmpty || selection.places.contains($0) }
        var messages: [StandingMessage] = []
        var rows: [ListReport.Row] = []
        for message in try steered.standing(in: places, selection) {
            guard let facts = steered.facts(of: message), selection.admits(facts) else { continue }
            messages.append(message)
            rows.append(ListReport.Row(message, facts))
        }
        for entry in selection.entries {
            let digits = Set(messages.compactMap(\.entry?.digits).filter { $0.hasPrefix(entry) })
            try MessageSelection.requireOne(of: digits, entry)
            guard digits.isEmpty else { continue }
            let elsewhere = try steered.standing(in: StandingPlace.allCases, MessageSelection(entries: [entry]))
            guard let found = elsewhere.first else { throw MessageSelection.nothing(entry) }
            throw ProgramError(
                .noInput,
                "entry \(entry) stands in \(found.place.rawValue), and `\(order.word)` is for messages in"
                    + " \(order.places.map(\.rawValue).joined(separator: " or "))")
        }
        self.messages = messages
        self.rows = rows
    }

    /// Carries it out, message by message. A program that takes a message in the same instant wins.
    /// - Parameter tell: Called with a sentence about each message.
    /// - Returns: The number of messages for which it was not carried out.
    /// - Throws: ``ProgramError``. The messages before it have been dealt with.
    public func carryOut(_ steered: SteeredSpool, _ tell: (String) -> Void) throws(ProgramError) -> Int {
        let rejection: Rejection? =
            switch order {
            case .reject(let text): try Rejection(steered, .reject(text))
            case .bounce(let text): try Rejection(steered, .bounce(text))
            case .release, .requeue, .retry, .hold, .remove: nil
            }
        var undone = 0
        for (message, row) in zip(messages, rows) {
            let name = row.entry.map { String($0.prefix(8)) } ?? message.path
            do throws(SpoolError) {
                guard let what = try carryOut(message, row, steered, rejection) else {
                    tell("\(name): gone: it was taken meanwhile, by a program or by somebody else")
                    undone += 1
                    continue
                }
                tell("\(name): \(what)")
            } catch {
                guard !error.isFatal else { throw ProgramError(.inputOutput, error.description) }
                tell("\(name): not done: \(error.description)")
                undone += 1
            }
        }
        return undone
    }

    /// - Returns: A sentence about what was done; nil if the message is gone.
    private func carryOut(
        _ message: StandingMessage, _ row: ListReport.Row, _ steered: SteeredSpool, _ rejection: Rejection?
    ) throws(SpoolError) -> String? {
        let spool = steered.spool
        let recipients = row.recipients.joined(separator: ", ")
        let file: PublishedFile?
        let what: String
        switch order {
        case .release:
            file = try spool.resume(message, order: .release)
            what = "released to \(recipients) as it was received"
        case .requeue:
            file = try spool.resume(message, order: nil)
            what = "goes through the workflows again"
        case .retry where message.place == .failed:
            file = try spool.relayAgain(message)
            what = "given to the relay again for \(recipients)"
        case .retry where message.place == .deferred:
            guard try spool.expedite(message) else { return nil }
            steered.tell(order, message, nil)
            return UntrustedText.plainTextLine("is tried now for \(recipients)", limit: 400)
        case .retry:
            // An order of the past stays with the message.
            file = try spool.resume(message, order: message.name?.facts.order, attempts: row.attempts)
            what = "is tried now"
        case .hold:
            file = try spool.hold(message)
            what = "held in blocked"
        case .reject, .bounce:
            guard let rejection else { return nil }
            return try rejection.carryOut(message, row)
        case .remove:
            guard try spool.remove(message) else { return nil }
            steered.tell(order, message, nil)
            return "removed"
        }
        guard let file else { return nil }
        steered.tell(order, message, file)
        return UntrustedText.plainTextLine(what, limit: 400)
    }
}

extension SteeredSpool {
    /// Writes an order into the journal. It explains and decides nothing, so a fault is told and does not stop.
    func tell(_ order: Order, _ message: StandingMessage, _ file: PublishedFile?, reason: String? = nil) {
        guard let entry = message.entry ?? file?.name.unique.entry else { return }
        let event = JournalEvent(
            .ordered, entry: entry, file: message.fileNameShown, to: file.map { [$0] } ?? [],
            reason: "\(order.word) by \(person)" + (reason.map { ": " + $0 } ?? ""))
        if let error = spool.journal.append(event) { Console.writeError("ses: \(error.description)") }
    }
}
