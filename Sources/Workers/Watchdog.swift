import Dispatch
import HostProcess
import Synchronization

/// A watch over the loops of a program: it feeds the watchdog of the service manager only when each of them has given a
/// sign of life since it was last fed.
///
/// In each round every part is asked for a sign. A loop that is rung goes round and gives it; so do threads that run a
/// job. A part that hangs gives none, and then the service manager is told nothing and ends the program. A loop that
/// waits for room because the workers are busy is excused for that time: a message may take long.
public final class Watchdog: Sendable {
    /// One part that is watched, such as a loop.
    public final class Part: Sendable {
        fileprivate let name: String
        fileprivate let ask: @Sendable (Part) -> Void
        private let changed: @Sendable () -> Void
        private let state = Mutex((isAwaited: false, excuses: 0))

        fileprivate init(
            _ name: String, ask: @escaping @Sendable (Part) -> Void, changed: @escaping @Sendable () -> Void
        ) {
            self.name = name
            self.ask = ask
            self.changed = changed
        }

        /// Gives a sign of life.
        public func beat() {
            let wasAwaited = state.withLock { state in
                defer { state.isAwaited = false }
                return state.isAwaited
            }
            if wasAwaited { changed() }
        }

        /// Runs `body`, which may wait for others for as long as they need.
        public func excused<Value>(_ body: () -> Value) -> Value {
            let wasAwaited = state.withLock { state in
                state.excuses += 1
                return state.isAwaited
            }
            if wasAwaited { changed() }
            defer {
                state.withLock { $0.excuses -= 1 }
                beat()
            }
            return body()
        }

        fileprivate var isAwaited: Bool { state.withLock { $0.isAwaited && $0.excuses == 0 } }

        fileprivate func askForSign() {
            state.withLock { $0.isAwaited = true }
            ask(self)
        }
    }

    private let interval: Duration
    private let feed: @Sendable () -> Void
    private let complain: @Sendable (String) -> Void
    private let parts = Mutex<[Part]>([])
    private let isStarted = Atomic(false)
    private let isStopped = Atomic(false)
    private let bell = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - interval: The time within which the service manager expects to be fed.
    ///   - feed: Feeds it.
    ///   - complain: Gets a line about parts that have given no sign for a third of `interval`.
    public init(
        interval: Duration, feed: @escaping @Sendable () -> Void, complain: @escaping @Sendable (String) -> Void
    ) {
        self.interval = interval
        self.feed = feed
        self.complain = complain
    }

    /// Adds a part.
    /// - Parameter ask: Brings the part to call ``Part/beat()``. It is called on a thread of the watchdog and must not
    ///   wait.
    @discardableResult
    public func add(_ name: String, ask: @escaping @Sendable (Part) -> Void) -> Part {
        let part = Part(name, ask: ask) { [bell] in bell.signal() }
        parts.withLock { $0.append(part) }
        return part
    }

    /// Begins to watch, on a thread of its own.
    /// - Returns: false if that has begun before; nothing is done then.
    @discardableResult
    public func start() -> Bool {
        guard !isStarted.exchange(true, ordering: .acquiringAndReleasing) else { return false }
        OwnThread.start("watchdog") { [self] in watch() }
        return true
    }

    /// Ends the watch. The service manager grants the end of a program a time of its own.
    public func stop() {
        isStopped.store(true, ordering: .releasing)
        bell.signal()
    }

    private func watch() {
        while !isStopped.load(ordering: .acquiring) {
            let asked = parts.withLock { $0 }
            for part in asked { part.askForSign() }
            awaitSigns(of: asked)
            guard !isStopped.load(ordering: .acquiring) else { return }
            feed()
            let next = ContinuousClock.now + interval / 3
            while ContinuousClock.now < next, !isStopped.load(ordering: .acquiring) { wait(until: next) }
        }
    }

    /// Returns when each part has given a sign, however long that takes.
    private func awaitSigns(of asked: [Part]) {
        var complaint = ContinuousClock.now + interval / 3
        while !isStopped.load(ordering: .acquiring) {
            let silent = asked.filter(\.isAwaited).map(\.name)
            if silent.isEmpty { return }
            if ContinuousClock.now >= complaint {
                complain("no sign of life from " + silent.joined(separator: ", ") + "; the watchdog is not fed")
                complaint = ContinuousClock.now + interval
            }
            wait(until: complaint)
        }
    }

    private func wait(until then: ContinuousClock.Instant) {
        let left = max(.zero, then - ContinuousClock.now)
        _ = bell.wait(timeout: .now() + left / .seconds(1))
    }
}
