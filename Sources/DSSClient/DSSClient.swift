import CurlTransfer
public import DSSProtocol
import DSSXML
import Explanations
import Glibc
public import Octets
public import Processing
import Synchronization

/// The signing server over HTTP: a ``SignatureService`` with a primary and a secondary address for each service.
public final class DSSClient: SignatureService {
    private let configuration: DSSClientConfiguration
    private let transfers: HTTPTransfers
    private let known: Mutex<[String: KnownAddress]>
    private let ended: @Sendable (DSSCall) -> Void
    private let clock: DSSClientClock

    /// An address, and what calls have shown of it.
    private struct KnownAddress {
        var breaker: CircuitBreaker
        var services: [DSSCall.Service]
        var reason: String?
        var duration: Duration?
        var clockAhead: Int?
    }

    /// Starts nothing: the first call does, or ``prepare()``.
    /// - Parameter ended: Told of each call that has ended, for metrics.
    public init(
        _ configuration: DSSClientConfiguration, clock: DSSClientClock = .system,
        ended: @escaping @Sendable (DSSCall) -> Void = { _ in }
    ) {
        self.ended = ended
        self.configuration = configuration
        self.clock = clock
        transfers = HTTPTransfers(configuration.transferSettings)
        let now = clock.monotonic()
        var addresses: [String: KnownAddress] = [:]
        for (service, all) in [
            (DSSCall.Service.signing, configuration.signing), (.verification, configuration.verification),
        ] {
            for address in all?.all ?? [] {
                addresses[address, default: KnownAddress(breaker: CircuitBreaker(now: now), services: [])]
                    .services.append(service)
            }
        }
        known = Mutex(addresses)
    }

    /// Makes everything ready for calls; no connection is made yet.
    /// - Throws: ``Failure`` when there is no memory or no thread for it, or libcurl is missing.
    public func prepare() throws(Failure) {
        do throws(TransferError) {
            try transfers.prepare()
        } catch {
            throw Failure(.transient, "the client of the signing server cannot start: \(error.detail)")
        }
    }

    /// Has a document signed.
    /// - Throws: ``Failure``: transient if no address answered, permanent if the server refused or its answer cannot be
    ///   used.
    public func sign(
        _ operation: SigningOperation, answers: any OctetCollectorMaking
    ) async throws(Failure) -> SigningAnswer {
        let outcome = try await call(
            .signing, configuration.signing, EncodedRequest(signing: operation, dialect: configuration.dialect),
            .signing(operation.kind, requestID: operation.requestID), answers)
        guard case .signed(let answer) = outcome else { throw Self.strayOutcome }
        return answer
    }

    /// Has a signed document verified.
    /// - Throws: ``Failure``: transient if no address answered, permanent if the server refused or its answer cannot be
    ///   used.
    public func verify(
        _ operation: VerificationOperation, answers: any OctetCollectorMaking
    ) async throws(Failure) -> VerificationAnswer {
        let operation = try form(of: operation, answers)
        let outcome = try await call(
            .verification, configuration.verification,
            EncodedRequest(verification: operation, dialect: configuration.dialect),
            .verification(requestID: operation.requestID), answers)
        guard case .verified(let answer) = outcome else { throw Self.strayOutcome }
        return answer
    }

    /// The state of each address for each service, in the order in which they are tried.
    public func circuits() -> [CircuitSnapshot] {
        let now = clock.monotonic()
        let wall = clock.unixSeconds()
        func seconds(_ duration: Duration) -> Int { Int(clamping: duration.components.seconds) }
        let known = known.withLock { $0 }
        return [(DSSCall.Service.signing, configuration.signing), (.verification, configuration.verification)].flatMap {
            service, addresses in
            (addresses?.all ?? []).compactMap { address in
                known[address].map { one in
                    CircuitSnapshot(
                        address: ShownAddress.of(address), service: service, state: one.breaker.state,
                        since: wall - seconds(now - one.breaker.since),
                        nextTry: one.breaker.nextTry.map { wall + max(0, seconds($0 - now)) }, reason: one.reason,
                        duration: one.duration, clockAhead: one.clockAhead)
                }
            }
        }
    }

    /// Asks each address that is not answering for any answer (`GET`), outside the order of calls, so that it is known
    /// soon that it is back.
    /// - Returns: True if one answers again.
    public func lookForSilent() async -> Bool {
        var hasFound = false
        for address in known.withLock({ $0.filter { $0.value.breaker.state == .notAnswering }.keys.sorted() })
        where await look(at: address) { hasFound = true }
        return hasFound
    }

    /// Asks the addresses of a service whether anybody answers there by HTTP, whatever the answer says. One that does
    /// is called again at once.
    /// - Returns: True if one did.
    public func isAnswering(_ service: DSSCall.Service) async -> Bool {
        let addresses = service == .signing ? configuration.signing : configuration.verification
        var answers = false
        for address in addresses?.all ?? [] where await look(at: address) { answers = true }
        return answers
    }

    /// - Returns: True if the address gives any answer that is not a proxy's excuse.
    private func look(at address: String) async -> Bool {
        do throws(TransferError) {
            let head = try await transfers.perform(
                HTTPRequest(url: address, fields: [], body: nil), receiver: ProbeReception())
            guard head.status < 500 else { return false }
        } catch {
            return false
        }
        let now = clock.monotonic()
        known.withLock { known in
            known[address]?.breaker.foundAnswering(now: now)
            known[address]?.reason = nil
        }
        return true
    }

    /// Takes no more calls and waits until those under way have ended.
    public func shutDown() async { await transfers.shutDown() }

    // MARK: - Calling

    private func form(
        of operation: VerificationOperation, _ answers: any OctetCollectorMaking
    ) throws(Failure) -> VerificationOperation {
        guard configuration.dialect.mailVerificationInput == .detachedCms else { return operation }
        do throws(OctetCollectionError) {
            return try operation.detached(answers)
        } catch {
            throw Failure(error, "the mail to be verified cannot be kept in one piece")
        }
    }

    /// Tries the addresses in order, with the same octets, until one gives a result or a refusal that is meant.
    private func call(
        _ service: DSSCall.Service, _ addresses: DSSClientConfiguration.Addresses?, _ request: EncodedRequest,
        _ question: DSSQuestion, _ answers: any OctetCollectorMaking
    ) async throws(Failure) -> DSSOutcome {
        guard let addresses else {
            throw Failure(
                .permanent, "no address of a \(service.rawValue) service is configured", advice: .noAddress,
                pointsAtConfiguration: true)
        }
        var attempts = Attempts(service: service.rawValue, dialect: configuration.dialect)
        for address in addresses.all {
            let outcome = await attempt(service, address, request, question, answers)
            if outcome.circuitEvent == .reached { CallNote.current?.answered(ShownAddress.of(address)) }
            if case .signed = outcome { return outcome }
            if case .verified = outcome { return outcome }
            attempts.note(outcome, from: ShownAddress.of(address))
            guard outcome.isTransient(in: configuration.dialect), !Task.isCancelled else { break }
        }
        throw attempts.failure
    }

    private func attempt(
        _ service: DSSCall.Service, _ address: String, _ request: EncodedRequest, _ question: DSSQuestion,
        _ answers: any OctetCollectorMaking
    ) async -> DSSOutcome {
        let begun = clock.monotonic()
        guard let admission = known.withLock({ $0[address]?.breaker.admit(now: begun) }) else {
            return .unreachable(
                Unreachability(.notTried, "not tried, because it did not answer a moment ago"))
        }
        let (outcome, date) = await exchange(address, request, question, answers)
        let now = clock.monotonic()
        let clockAhead = date.map { $0 - clock.unixSeconds() }
        known.withLock { known in
            guard var one = known[address] else { return }
            one.breaker.note(outcome.circuitEvent, of: admission, now: now)
            if outcome.circuitEvent != .abandoned {
                one.reason = outcome.silence
                one.duration = now - begun
            }
            one.clockAhead = clockAhead ?? one.clockAhead
            known[address] = one
        }
        ended(
            DSSCall(
                service: service, address: ShownAddress.of(address), wasAnswered: outcome.circuitEvent == .reached,
                duration: now - begun))
        return outcome
    }

    private func exchange(
        _ address: String, _ request: EncodedRequest, _ question: DSSQuestion, _ answers: any OctetCollectorMaking
    ) async -> (DSSOutcome, date: Int?) {
        let reception = AnswerReception(question, dialect: configuration.dialect, answers: answers)
        let fields = request.fields.map { HTTPField($0.name, $0.value) }
        do throws(TransferError) {
            _ = try await transfers.perform(
                HTTPRequest(url: address, fields: fields, body: request.body), receiver: reception)
            return (reception.outcome(nil, now: clock.unixSeconds()), reception.date)
        } catch {
            return (reception.outcome(error, now: clock.unixSeconds()), reception.date)
        }
    }

    /// The decoder answers a signing call with a signature and a verification call with a verdict.
    private static var strayOutcome: Failure {
        Failure(.permanent, "the answer belongs to another sort of call", advice: .server)
    }
}

/// Takes an answer of which nothing is wanted but that it came.
private final class ProbeReception: HTTPAnswerReceiving {
    func receive(_ head: HTTPHead) {}
    func receive(_ octets: UnsafeRawBufferPointer) -> Bool { true }
}

/// The clocks that the client reads; tests bring their own.
public struct DSSClientClock: Sendable {
    public let monotonic: @Sendable () -> ContinuousClock.Instant
    public let unixSeconds: @Sendable () -> Int

    public init(
        monotonic: @escaping @Sendable () -> ContinuousClock.Instant, unixSeconds: @escaping @Sendable () -> Int
    ) {
        self.monotonic = monotonic
        self.unixSeconds = unixSeconds
    }

    public static let system = DSSClientClock(monotonic: { ContinuousClock.now }, unixSeconds: { time(nil) })
}
