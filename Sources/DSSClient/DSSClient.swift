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
    private let breakers: Mutex<[String: CircuitBreaker]>
    private let clock: DSSClientClock

    /// Starts the thread of the transfers; no connection is made yet.
    /// - Throws: ``Failure`` when there is no memory or no thread for it.
    public init(_ configuration: DSSClientConfiguration, clock: DSSClientClock = .system) throws(Failure) {
        self.configuration = configuration
        self.clock = clock
        do throws(TransferError) {
            transfers = try HTTPTransfers(configuration.transferSettings)
        } catch {
            throw Failure(.transient, "the client of the signing server cannot start: \(error.detail)")
        }
        let now = clock.monotonic()
        let addresses = [configuration.signing, configuration.verification].compactMap(\.self).flatMap(\.all)
        breakers = Mutex(
            Dictionary(addresses.map { ($0, CircuitBreaker(now: now)) }, uniquingKeysWith: { first, _ in first }))
    }

    /// Has a document signed.
    /// - Throws: ``Failure``: transient if no address answered, permanent if the server refused or its answer cannot be
    ///   used.
    public func sign(
        _ operation: SigningOperation, answers: any OctetCollectorMaking
    ) async throws(Failure) -> SigningAnswer {
        let outcome = try await call(
            "signing", configuration.signing, EncodedRequest(signing: operation, dialect: configuration.dialect),
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
            "verification", configuration.verification,
            EncodedRequest(verification: operation, dialect: configuration.dialect),
            .verification(requestID: operation.requestID), answers)
        guard case .verified(let answer) = outcome else { throw Self.strayOutcome }
        return answer
    }

    /// The state of each address, sorted by address.
    public func circuits() -> [CircuitSnapshot] {
        let now = clock.monotonic()
        let wall = clock.unixSeconds()
        return breakers.withLock { $0 }.map { address, breaker in
            let age = Int(clamping: (now - breaker.since).components.seconds)
            return CircuitSnapshot(address: ShownAddress.of(address), state: breaker.state, since: wall - age)
        }.sorted { $0.address < $1.address }
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
        _ service: String, _ addresses: DSSClientConfiguration.Addresses?, _ request: EncodedRequest,
        _ question: DSSQuestion, _ answers: any OctetCollectorMaking
    ) async throws(Failure) -> DSSOutcome {
        guard let addresses else {
            throw Failure(
                .permanent, "no address of a \(service) service is configured", advice: .noAddress,
                pointsAtConfiguration: true)
        }
        var attempts = Attempts(service: service, dialect: configuration.dialect)
        for address in addresses.all {
            let outcome = await attempt(address, request, question, answers)
            if case .signed = outcome { return outcome }
            if case .verified = outcome { return outcome }
            attempts.note(outcome, from: ShownAddress.of(address))
            guard outcome.isTransient(in: configuration.dialect), !Task.isCancelled else { break }
        }
        throw attempts.failure
    }

    private func attempt(
        _ address: String, _ request: EncodedRequest, _ question: DSSQuestion, _ answers: any OctetCollectorMaking
    ) async -> DSSOutcome {
        guard let admission = breakers.withLock({ $0[address]?.admit(now: clock.monotonic()) }) else {
            return .unreachable(
                Unreachability(.notTried, "not tried, because it did not answer a moment ago"))
        }
        let outcome = await exchange(address, request, question, answers)
        let now = clock.monotonic()
        breakers.withLock { $0[address]?.note(outcome.circuitEvent, of: admission, now: now) }
        return outcome
    }

    private func exchange(
        _ address: String, _ request: EncodedRequest, _ question: DSSQuestion, _ answers: any OctetCollectorMaking
    ) async -> DSSOutcome {
        let reception = AnswerReception(question, dialect: configuration.dialect, answers: answers)
        let fields = request.fields.map { HTTPField($0.name, $0.value) }
        do throws(TransferError) {
            _ = try await transfers.perform(
                HTTPRequest(url: address, fields: fields, body: request.body), receiver: reception)
            return reception.outcome(nil, now: clock.unixSeconds())
        } catch {
            return reception.outcome(error, now: clock.unixSeconds())
        }
    }

    /// The decoder answers a signing call with a signature and a verification call with a verdict.
    private static var strayOutcome: Failure {
        Failure(.permanent, "the answer belongs to another sort of call", advice: .server)
    }
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
