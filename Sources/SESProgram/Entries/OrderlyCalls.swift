import DSSProtocol
import Octets
import Processing
import Spool
import Synchronization

/// The calls to the signing server that one start of one message makes: in its turn, and not for ever.
///
/// After a while of waiting for the server, the end of this process is not blamed on the message.
final class OrderlyCalls: SignatureService {
    private struct State {
        var isInside = false
        var begun: ContinuousClock.Instant?
        var waited = Duration.zero
        var profile: String?
        var key: String?
    }

    private let service: any SignatureService
    /// Nil for a message that is worked alone.
    private let lane: ServerLane?
    private let transaction: Transaction
    /// The time after which a start makes no further call.
    private let limit: Duration
    private let note: @Sendable (SpoolError) -> Void
    private let state = Mutex(State())
    private let answered = CallNote()

    /// The calls so far, for the journal.
    struct Account {
        /// The host of the address that answered last; nil if none did.
        let host: String?
        /// The time for which answers were waited for.
        let waited: Duration
        /// Of the last signing call.
        let profile: String?
        let key: String?
    }

    /// Nil if no call was made.
    var account: Account? {
        state.withLock { state in
            guard state.begun != nil else { return nil }
            return Account(
                host: answered.address.map(Self.host), waited: state.waited, profile: state.profile, key: state.key)
        }
    }

    /// The number of answers whose time one start may take together: a message may have many attachments, each with its
    /// own call.
    static let callsInARow = 10
    /// After a wait of this length the message is not the cause if the process ends.
    private static let longWait = Duration.seconds(2)

    /// - Parameters:
    ///   - limit: The time after which a start makes no further call.
    ///   - note: Told of faults that hold up nothing.
    init(
        _ service: any SignatureService, in lane: ServerLane?, for transaction: Transaction, limit: Duration,
        note: @escaping @Sendable (SpoolError) -> Void
    ) {
        self.service = service
        self.lane = lane
        self.transaction = transaction
        self.limit = limit
        self.note = note
    }

    /// The message is done with the server.
    func end() {
        let wasInside = state.withLock { state in
            defer { state.isInside = false }
            return state.isInside
        }
        if wasInside { lane?.leave() }
    }

    func sign(_ operation: SigningOperation, answers: any OctetCollectorMaking) async throws(Failure) -> SigningAnswer {
        state.withLock {
            $0.profile = operation.profile
            $0.key = operation.keyAlias
        }
        return try await inTurn { () async throws(Failure) in try await service.sign(operation, answers: answers) }
    }

    func verify(
        _ operation: VerificationOperation, answers: any OctetCollectorMaking
    ) async throws(Failure) -> VerificationAnswer {
        try await inTurn { () async throws(Failure) in try await service.verify(operation, answers: answers) }
    }

    private func inTurn<Answer: Sendable>(
        _ call: () async throws(Failure) -> Answer
    ) async throws(Failure) -> Answer {
        try await begin()
        // Only from the second start without an end on is there something to be careful about.
        guard transaction.starts > 1 else {
            defer { lane?.progressed() }
            return try await noted(call).get()
        }
        // A child task runs on the worker's threads too, which the rename of the wait may block. The group ends after
        // it: no other task may use the transaction when the work continues.
        let outcome = await withTaskGroup(of: Void.self) { group in
            group.addTask { [transaction, note] in
                guard (try? await Task.sleep(for: Self.longWait)) != nil else { return }
                do throws(SpoolError) { try transaction.beginWait() } catch { note(error) }
            }
            let outcome = await noted(call)
            group.cancelAll()
            return outcome
        }
        lane?.progressed()
        do throws(SpoolError) { try transaction.endWait() } catch { note(error) }
        return try outcome.get()
    }

    private func noted<Answer: Sendable>(
        _ call: () async throws(Failure) -> Answer
    ) async -> Result<Answer, Failure> {
        let began = ContinuousClock.now
        let outcome = await CallNote.$current.withValue(answered) { () async -> Result<Answer, Failure> in
            do throws(Failure) { return .success(try await call()) } catch { return .failure(error) }
        }
        state.withLock { $0.waited += ContinuousClock.now - began }
        return outcome
    }

    /// The host of an address, or `unix` for a socket.
    private static func host(_ address: String) -> String {
        let authority = address.firstRange(of: "://").map { address[$0.upperBound...] } ?? address[...]
        return authority.hasPrefix("unix:") ? "unix" : String(authority.prefix { $0 != "/" })
    }

    private func begin() async throws(Failure) {
        if let lane, !state.withLock({ $0.isInside }) {
            guard await lane.enter() else {
                throw .outOfTurn("the signing server has not answered the messages before it; it waits for its turn")
            }
            state.withLock { $0.isInside = true }
        }
        let now = ContinuousClock.now
        let begun = state.withLock { state in
            state.begun = state.begun ?? now
            return state.begun ?? now
        }
        guard now - begun < limit else {
            throw Failure(
                .transient,
                "the signing server took longer than \(limit.components.seconds) s for all of the message's calls")
        }
    }
}
