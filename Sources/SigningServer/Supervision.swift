import HostProcess
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Workers

/// The notices to the service manager, and the watchdog over the threads: those that serve connections, those that take
/// what arrives, and those that sign.
struct SupervisionService: Service {
    private let watchdog: Watchdog?
    private let logger: Logger

    /// - Parameter pools: The threads that are watched beside the event loops, with what they do.
    init(pools: [(name: String, threads: WorkerThreads)], _ logger: Logger) {
        self.logger = logger
        let supervisor = Supervisor.current
        watchdog = supervisor.watchdogInterval.map { interval in
            Watchdog(interval: interval, feed: { supervisor.alive() }, complain: { logger.error("\($0)") })
        }
        for (name, threads) in pools {
            watchdog?.add(name) { part in
                Task(executorPreference: threads) { part.beat() }
            }
        }
        for (number, loop) in MultiThreadedEventLoopGroup.singleton.makeIterator().enumerated() {
            watchdog?.add("event loop \(number)") { part in
                loop.execute { part.beat() }
            }
        }
    }

    /// Says that requests are taken now, and begins to watch. It is called again when another address is taken.
    func began(listeningOn address: String) {
        if let trouble = Supervisor.current.ready("listening on \(address)") { logger.warning("\(trouble)") }
        watchdog?.start()
    }

    func run() async throws {
        try? await gracefulShutdown()
        watchdog?.stop()
        Supervisor.current.stopping()
    }
}
