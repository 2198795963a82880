import Foundation
import Synchronization
import Testing

@testable import ProgramLife

@Suite("Hand-off from listings to workers", .timeLimit(.minutes(1)))
struct HandoffTests {
    @Test("items come out in their order, each once, and then nil at the end")
    func order() async {
        let handoff = Handoff<Int>(ahead: 100)
        for number in 0..<100 { #expect(handoff.put(number)) }
        for number in 0..<100 { #expect(await handoff.next() == number) }
        handoff.end()
        #expect(await handoff.next() == nil)
        #expect(!handoff.put(1))
    }

    @Test("many takers get each item exactly once")
    func takers() async {
        let handoff = Handoff<Int>(ahead: 4)
        let seen = Collected<Int>()
        Self.onThread {
            for number in 0..<2_000 { _ = handoff.put(number) }
            handoff.end()
        }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    while let item = await handoff.next() {
                        seen.add(item)
                        handoff.finished()
                    }
                }
            }
        }
        let taken = seen.all
        // What was not taken when it ended stays where it was found.
        #expect(Set(taken).count == taken.count)
        #expect(taken.count >= 2_000 - 4)
    }

    @Test("put blocks while the bound is reached, and goes on when one is taken")
    func bound() async {
        let handoff = Handoff<Int>(ahead: 2)
        let put = Atomic(0)
        let third = AsyncStream.makeStream(of: Void.self)
        Self.onThread {
            for number in 1...3 {
                _ = handoff.put(number)
                put.add(1, ordering: .sequentiallyConsistent)
                if number == 2 { third.continuation.yield() }
            }
            third.continuation.finish()
        }
        var events = third.stream.makeAsyncIterator()
        await events.next()
        #expect(put.load(ordering: .sequentiallyConsistent) == 2)
        #expect(await handoff.next() == 1)
        #expect(await events.next() == nil)
        #expect(put.load(ordering: .sequentiallyConsistent) == 3)
    }

    @Test("the end releases everybody who waits to put")
    func endReleasesPutters() async {
        let handoff = Handoff<Int>(ahead: 1)
        #expect(handoff.put(0))
        let refused = AsyncStream.makeStream(of: Bool.self)
        for number in 1...3 { Self.onThread { refused.continuation.yield(handoff.put(number)) } }
        handoff.end()
        var answers = refused.stream.makeAsyncIterator()
        for _ in 1...3 { #expect(await answers.next() == false) }
    }

    @Test("the end releases everybody who waits to take")
    func endReleasesTakers() async {
        let handoff = Handoff<Int>(ahead: 1)
        async let one = handoff.next()
        async let two = handoff.next()
        handoff.end()
        #expect(await [one, two] == [nil, nil])
    }

    @Test("idle is when everything that was put is finished, not when it is taken")
    func idle() async {
        let handoff = Handoff<Int>(ahead: 8)
        await handoff.untilIdle()
        _ = handoff.put(1)
        _ = handoff.put(2)
        let order = Collected<String>()
        let waiter = Task {
            await handoff.untilIdle()
            order.add("idle")
        }
        for number in 1...2 {
            _ = await handoff.next()
            order.add("finished \(number)")
            handoff.finished()
        }
        await waiter.value
        #expect(order.all == ["finished 1", "finished 2", "idle"])
    }

    @Test("items that nobody takes any more do not keep idle waiting")
    func idleAfterEnd() async {
        let handoff = Handoff<Int>(ahead: 8)
        for number in 0..<5 { _ = handoff.put(number) }
        _ = await handoff.next()
        let waiter = Task { await handoff.untilIdle() }
        handoff.end()
        handoff.finished()
        await waiter.value
        await handoff.untilIdle()
    }

    @Test("a hand-off with items left over can be released")
    func leftOver() {
        do {
            let handoff = Handoff<Int>(ahead: 4)
            for number in 0..<4 { _ = handoff.put(number) }
            handoff.end()
        }
    }

    private static func onThread(_ body: @escaping @Sendable () -> Void) { Thread(block: body).start() }
}

/// The items that several tasks have added, in order.
private final class Collected<Item: Sendable>: Sendable {
    private let items = Mutex<[Item]>([])
    var all: [Item] { items.withLock { $0 } }
    func add(_ item: Item) { items.withLock { $0.append(item) } }
}
