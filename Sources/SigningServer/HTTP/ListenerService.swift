import Glibc
import HostProcess
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// The manner in which a listener ends.
final class ListenerEnd: Sendable {
    private let retired = Atomic(false)

    /// True if another address has taken its place: what was begun is served to its end, however long that takes.
    var isRetired: Bool { retired.load(ordering: .acquiring) }

    func retire() { retired.store(true, ordering: .releasing) }
}

/// Listens, and moves to another address while requests are served: the new address is taken first, then the old one is
/// given up once its requests are answered.
final class ListenerService: Service {
    typealias Listening = SigningServerConfiguration.Listening
    /// Makes the server of one address. It calls its last argument once it takes connections.
    typealias Making =
        @Sendable (Listening, ListenerEnd, @escaping @Sendable () -> Void) throws -> any Service

    private struct Move {
        let target: Listening
        let reply: @Sendable (Result<Void, any Error>) -> Void
    }

    private struct Running {
        let listening: Listening
        let group: ServiceGroup
        let end: ListenerEnd
    }

    private let first: Listening
    private let make: Making
    private let logger: Logger
    private let present: Mutex<Listening>
    private let moves: AsyncStream<Move>
    private let order: AsyncStream<Move>.Continuation
    /// The time that an address which is given up still takes connections: of clients who are on their way to it.
    private static let grace = Duration.seconds(2)

    init(_ first: Listening, logger: Logger, make: @escaping Making) {
        self.first = first
        self.make = make
        self.logger = logger
        present = Mutex(first)
        (moves, order) = AsyncStream.makeStream(of: Move.self)
    }

    /// The address in use.
    var listening: Listening { present.withLock { $0 } }

    /// Moves to another address; returns once it is taken.
    /// - Throws: The error of the system if it refuses the address: everything is as before then.
    func move(to target: Listening) async throws {
        guard target != listening else { return }
        try await withCheckedThrowingContinuation { (waiting: CheckedContinuation<Void, any Error>) in
            let result = order.yield(Move(target: target) { waiting.resume(with: $0) })
            if case .terminated = result { waiting.resume(throwing: CancellationError()) }
        }
    }

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            var running = try await start(first, in: &group)
            for await move in moves.cancelOnGracefulShutdown() {
                do {
                    running = try await replace(running, by: move.target, in: &group)
                    present.withLock { $0 = move.target }
                    move.reply(.success(()))
                } catch {
                    move.reply(.failure(error))
                }
            }
            order.finish()
            try await group.waitForAll()
        }
    }

    private func replace(
        _ former: Running, by target: Listening, in group: inout ThrowingTaskGroup<Void, any Error>
    ) async throws -> Running {
        // The same socket for other people is no other address.
        if let socket = target.socket, socket.path == former.listening.socket?.path {
            try socket.open()
            return Running(listening: target, group: former.group, end: former.end)
        }
        let next = try await start(target, in: &group)
        former.end.retire()
        // Nobody finds the old socket any more; a connection that waits in its queue is taken in time.
        former.listening.socket?.remove()
        group.addTask {
            try? await Task.sleep(for: Self.grace)
            await former.group.triggerGracefulShutdown()
        }
        return next
    }

    /// Starts one server, and waits until it takes connections.
    private func start(
        _ listening: Listening, in group: inout ThrowingTaskGroup<Void, any Error>
    ) async throws -> Running {
        let end = ListenerEnd()
        let (events, event) = AsyncStream.makeStream(of: Result<Void, any Error>.self)
        let server = try make(listening, end) { event.yield(.success(())) }
        let services = ServiceGroup(services: [server], logger: logger)
        group.addTask { [logger] in
            do { try await services.run() } catch {
                // Before it listens the one who started it is told.
                event.yield(.failure(error))
                if !(error is CancellationError) { logger.debug("a listener ended: \(error)") }
            }
            event.finish()
        }
        for await result in events {
            try result.get()
            return Running(listening: listening, group: services, end: end)
        }
        throw CancellationError()
    }
}
