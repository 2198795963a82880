import Dispatch
import Synchronization

/// Hands items from threads that find them to tasks that work on them, a bounded number ahead.
///
/// `put` blocks its thread while the bound is reached, so that a directory of 100 000 files is read only as fast as it
/// is processed.
package final class Handoff<Item: Sendable>: Sendable {
    private struct State {
        var items: [Item] = []
        var takers: [CheckedContinuation<Item?, Never>] = []
        var isEnded = false
        /// Put, and not yet finished.
        var open = 0
        var idlers: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let room: DispatchSemaphore

    package init(ahead: Int) {
        // A semaphore must not end below the value it began with, as it does when items are left over.
        room = DispatchSemaphore(value: 0)
        for _ in 0..<ahead { room.signal() }
    }

    /// - Returns: false when the hand-off has ended and the item was not taken.
    package func put(_ item: Item) -> Bool {
        room.wait()
        let (taker, isTaken) = state.withLock { state -> (CheckedContinuation<Item?, Never>?, Bool) in
            if state.isEnded { return (nil, false) }
            state.open += 1
            if !state.takers.isEmpty { return (state.takers.removeFirst(), true) }
            state.items.append(item)
            return (nil, true)
        }
        taker?.resume(returning: item)
        // Another waiting thread must learn of the end too.
        if !isTaken { room.signal() }
        return isTaken
    }

    /// The next item, for whose end ``finished()`` is called; nil once the hand-off has ended.
    package func next() async -> Item? {
        let item = await withCheckedContinuation { continuation in
            let ready: Item?? = state.withLock { state in
                if state.isEnded { return .some(nil) }
                if !state.items.isEmpty { return .some(state.items.removeFirst()) }
                state.takers.append(continuation)
                return nil
            }
            if let ready { continuation.resume(returning: ready) }
        }
        if item != nil { room.signal() }
        return item
    }

    /// An item that was taken is done with.
    package func finished() {
        let idlers = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.open -= 1
            guard state.open == 0 else { return [] }
            defer { state.idlers = [] }
            return state.idlers
        }
        for idler in idlers { idler.resume() }
    }

    /// Waits until everything that was put is finished.
    package func untilIdle() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if state.open == 0 { return true }
                state.idlers.append(continuation)
                return false
            }
            if isIdle { continuation.resume() }
        }
    }

    /// Gives every taker nil, now and later; what was not taken stays where it was found.
    package func end() {
        let (takers, idlers) = state.withLock { state in
            state.isEnded = true
            state.open -= state.items.count
            state.items = []
            let idlers = state.open == 0 ? state.idlers : []
            if state.open == 0 { state.idlers = [] }
            defer { state.takers = [] }
            return (state.takers, idlers)
        }
        for taker in takers { taker.resume(returning: nil) }
        for idler in idlers { idler.resume() }
        room.signal()
    }
}
