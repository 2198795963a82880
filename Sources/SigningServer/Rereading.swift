import CMSSignatures
import HostProcess
import Logging
import Octets
import ServiceLifecycle
import Synchronization
import UnixSignals

/// The service with the configuration that is in force. Another one takes its place between two requests.
final class ServiceInForce: Sendable {
    private let present: Mutex<SigningService>
    var service: SigningService { present.withLock { $0 } }

    init(_ service: SigningService) { present = Mutex(service) }

    /// Takes `configuration` for all requests that begin from now on.
    func adopt(_ configuration: SigningServerConfiguration) {
        let former = service
        // Made before the lock is taken: it opens fonts.
        let fresh = SigningService(configuration: configuration, scratch: former.scratch, sources: former.sources)
        present.withLock { $0 = fresh }
    }
}

/// Calls `reread` on each SIGHUP, also for one that came while the program was starting.
struct HangupService: Service {
    let reread: @Sendable () async -> Void

    func run() async throws {
        let hangups = await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown()
        // From here on the sequence has each one.
        if EarlySignals.consumeHangup() { await reread() }
        for await _ in hangups { await reread() }
        // The server goes on: it ends by its own signals.
        try? await gracefulShutdown()
    }
}

extension SigningServer {
    /// Puts the configuration that `rereading` gives in force. One with faults is told of, and changes nothing.
    /// - Parameter first: The configuration of the start, by which the server listens.
    static func reread(
        _ rereading: () throws(DSSConfigurationFaults) -> SigningServerConfiguration, into inForce: ServiceInForce,
        startedWith first: SigningServerConfiguration, _ logger: Logger
    ) {
        Supervisor.current.reloading()
        defer { Supervisor.current.ready("serving") }
        do throws(DSSConfigurationFaults) {
            let configuration = try rereading()
            for warning in configuration.warnings { logger.warning("\(warning)") }
            for what in first.fixedDifferences(from: configuration) {
                logger.warning("\(what) takes effect when the server is started again")
            }
            inForce.adopt(configuration)
            logger.notice("configuration re-read")
        } catch {
            for fault in error.description.split(separator: "\n") { logger.error("\(fault)") }
            logger.error("the configuration was not re-read, because it has faults; the former one stays in force")
        }
    }
}

extension SigningServerConfiguration {
    /// Returns the settings that another configuration has changed and that hold from the start of the server to its
    /// end, in words.
    func fixedDifferences(from other: SigningServerConfiguration) -> [String] {
        var differences: [String] = []
        if listening != other.listening { differences.append("the changed address of <Listen>") }
        if tls?.identity != other.tls?.identity { differences.append("the changed <TLS>") }
        return differences
    }
}

extension SigningServerConfiguration.TLSSettings {
    /// The distinguishing parts: the certificates of the server and of the authorities.
    fileprivate var identity: [[UInt8]] {
        ([key.certificate] + key.chain + (clientAuthorities ?? [])).map { $0.der.array }
            + [clientAuthorities == nil ? [0] : [1]]
    }
}
