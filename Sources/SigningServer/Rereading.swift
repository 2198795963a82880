import HostProcess
import ServiceLifecycle
import Synchronization
import UnixSignals

/// The service with the configuration that is in force. Another one takes its place between two requests.
final class ServiceInForce: Sendable {
    private let present: Mutex<SigningService>
    private let read = Atomic(RFC3339Time.now)
    /// The time at which the present configuration was taken, Unix seconds.
    var time: Int { read.load(ordering: .acquiring) }
    var service: SigningService { present.withLock { $0 } }

    init(_ service: SigningService) { present = Mutex(service) }

    /// Takes `configuration` for all requests that begin from now on.
    func adopt(_ configuration: SigningServerConfiguration) {
        let former = service
        // Made before the lock is taken: it opens fonts.
        let fresh = SigningService(configuration: configuration, scratch: former.scratch, sources: former.sources)
        present.withLock { $0 = fresh }
        read.store(RFC3339Time.now, ordering: .releasing)
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
