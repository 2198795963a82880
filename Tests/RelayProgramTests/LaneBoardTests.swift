import Foundation
import Delivery
import Synchronization
import Testing

@testable import RelayProgram

@Suite("Turns of deliveries", .timeLimit(.minutes(1)))
struct LaneBoardTests {
    private let one = Destination(route: 0, routeName: "one", domain: nil)
    private let other = Destination(route: 1, routeName: "other", domain: nil)

    private func limits(_ perDestination: Int, inAll: Int = 10, waiting: Int = 0) -> LaneBoard.Limits {
        LaneBoard.Limits(
            perDestination: perDestination, inAll: inAll, waitingForOne: waiting, waitingInAll: waiting)
    }

    @Test("a full destination sends away, and blocks no other")
    func full() {
        let board = LaneBoard {}
        #expect(board.enter(one, limits(1), now: { 0 }) == .go)
        #expect(board.enter(one, limits(1), now: { 0 }) == .full)
        #expect(board.enter(other, limits(1), now: { 0 }) == .go)
        board.leave(one, .succeeded, at: 0)
        #expect(board.enter(one, limits(1), now: { 0 }) == .go)
    }

    @Test("all destinations together have a limit")
    func inAll() {
        let board = LaneBoard {}
        #expect(board.enter(one, limits(5, inAll: 1), now: { 0 }) == .go)
        #expect(board.enter(other, limits(5, inAll: 1), now: { 0 }) != .go)
    }

    @Test("a waiting attempt gets the turn of one that leaves; the next is sent away")
    func waits() async throws {
        let board = LaneBoard {}
        #expect(board.enter(one, limits(1, waiting: 1), now: { 0 }) == .go)
        let second = Atomic(0)
        let thread = Thread { [one, limits = limits(1, waiting: 1)] in
            let admission = board.enter(one, limits, now: { 0 })
            second.store(admission == .go ? 1 : 2, ordering: .releasing)
        }
        thread.start()
        while board.waitingCount == 0 { await Task.yield() }
        #expect(board.enter(one, limits(1, waiting: 1), now: { 0 }) != .go)
        #expect(second.load(ordering: .acquiring) == 0)
        board.leave(one, .succeeded, at: 0)
        while second.load(ordering: .acquiring) == 0 { await Task.yield() }
        #expect(second.load(ordering: .acquiring) == 1)
    }

    @Test("a failure closes the lane, wakes the waiting attempts, and is reported")
    func closes() {
        let told = Atomic(0)
        let board = LaneBoard { told.add(1, ordering: .relaxed) }
        #expect(board.enter(one, limits(2), now: { 0 }) == .go)
        board.leave(one, .failed("refused"), at: 0)
        #expect(board.enter(one, limits(2), now: { 1 }) == .closedUntil(5))
        #expect(board.notAnswering().map(\.health.reason) == ["refused"])
        #expect(board.enter(one, limits(2), now: { 30 }) == .go)
        guard case .closedUntil = board.enter(one, limits(2), now: { 30 }) else {
            Issue.record("two trials")
            return
        }
        board.leave(one, .succeeded, at: 31)
        #expect(board.notAnswering().isEmpty && told.load(ordering: .relaxed) == 2)
    }

    /// Returns the answer to a delivery that waits behind another, when `event` happens.
    private func answer(to board: LaneBoard, _ event: () -> Void) async -> LaneBoard.Admission? {
        #expect(board.enter(one, limits(1, waiting: 1), now: { 0 }) == .go)
        let answer = Mutex<LaneBoard.Admission?>(nil)
        Thread { [one, limits = limits(1, waiting: 1)] in
            let admission = board.enter(one, limits, now: { 0 })
            answer.withLock { $0 = admission }
        }.start()
        while board.waitingCount == 0 { await Task.yield() }
        event()
        while answer.withLock({ $0 }) == nil { await Task.yield() }
        return answer.withLock { $0 }
    }

    @Test("an attempt that waits under old limits is sent away, and others may wait under the new ones")
    func newLimits() async {
        let board = LaneBoard {}
        #expect(await answer(to: board) { board.sendAwayWaiting() } == .sentAway)
        #expect(board.waitingCount == 0)
        // The one who has read the former limits and comes late.
        #expect(board.enter(one, limits(1, waiting: 1), round: board.round - 1, now: { 0 }) == .sentAway)
        // Room by the former limits does not admit it either.
        #expect(board.enter(one, limits(9, waiting: 1), round: board.round - 1, now: { 0 }) == .sentAway)
        #expect(board.enter(one, limits(2, waiting: 1), round: board.round, now: { 0 }) == .go)
    }

    @Test("one among several begins with one delivery; each that ends well makes room, and a failure takes it")
    func narrow() {
        let board = LaneBoard {}
        var limits = limits(8, inAll: 20)
        limits.beginsNarrow = true
        func room() -> Int {
            var count = 0
            while board.enter(one, limits, now: { 0 }) == .go { count += 1 }
            return count
        }
        #expect(room() == 1)
        board.leave(one, .succeeded, at: 0)
        #expect(room() == 2)
        for _ in 0..<2 { board.leave(one, .succeeded, at: 0) }
        #expect(room() == 8)
        board.leave(one, .failed("refused"), at: 0)
        for _ in 0..<7 { board.leave(one, .nothing, at: 0) }
        board.leave(one, .succeeded, at: 0)
        #expect(board.enter(other, limits, now: { 0 }) == .go)
    }

    @Test("deliveries that take long leave their places to others, however many hang, up to a limit")
    func slow() {
        let board = LaneBoard {}
        var limits = limits(1, inAll: 2, waiting: 1)
        limits.slow = 6
        let hanging = (0..<8).map { Destination(route: $0, routeName: "h\($0)", domain: nil) }
        let begin = ContinuousClock.now
        // Each pair after the first waits until the one before has become slow.
        for destination in hanging { #expect(board.enter(destination, limits, now: { 0 }) == .go) }
        let took = ContinuousClock.now - begin
        #expect(took >= LaneBoard.slowAfter * 3 && took < .seconds(20))
        limits.waitingInAll = 0
        let ninth = Destination(route: 9, routeName: "ninth", domain: nil)
        #expect(board.enter(ninth, limits, now: { 0 }) == .crowded)
        #expect(board.enter(hanging[0], limits, now: { 0 }) == .full)
        board.leave(hanging[7], .nothing, at: 0)
        #expect(board.enter(ninth, limits, now: { 0 }) == .go)
    }

    @Test("the order to stop sends everybody away")
    func stop() async {
        let board = LaneBoard {}
        #expect(await answer(to: board) { board.stop() } == .stopping)
    }
}
