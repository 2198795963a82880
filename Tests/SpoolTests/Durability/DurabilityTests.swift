import Foundation
import Glibc
import Octets
import Synchronization
import TestSupport
import Testing

@testable import Spool

/// Notes what was synced, when, and lets chosen syncs fail.
final class SyncLog: Sendable {
    struct Event: Sendable {
        let path: String
        let isDirectory: Bool
        /// The state of the watched condition just before.
        let observed: Bool
    }

    private struct State {
        var events: [Event] = []
        var failing: String?
        var condition: @Sendable () -> Bool = { true }
    }

    private let state = Mutex(State())

    var events: [Event] { state.withLock { $0.events } }

    func clear() { state.withLock { $0.events = [] } }
    func watch(_ condition: @escaping @Sendable () -> Bool) { state.withLock { $0.condition = condition } }
    /// The next syncs of paths that contain `part` fail with EIO.
    func fail(_ part: String?) { state.withLock { $0.failing = part } }

    func durability() -> Durability {
        Durability {
            self.sync($0, isDirectory: false)
        } directory: {
            self.sync($0, isDirectory: true)
        }
    }

    private func sync(_ descriptor: CInt, isDirectory: Bool) -> CInt {
        var buffer = [CChar](repeating: 0, count: 4_096)
        let length = readlink("/proc/self/fd/\(descriptor)", &buffer, buffer.count)
        let path = String(decoding: buffer.prefix(max(0, length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        let fails = state.withLock { state in
            state.events.append(Event(path: path, isDirectory: isDirectory, observed: state.condition()))
            return state.failing.map { path.contains($0) } ?? false
        }
        guard !fails else {
            errno = EIO
            return -1
        }
        return fsync(descriptor)
    }
}

@Suite("Durability")
struct DurabilityTests {
    @Test("the order is file, entry's directory, publish, folders, and only then the message goes (H-I6, H-I7)")
    func order() throws {
        let log = SyncLog()
        let test = try TestSpool(durability: log.durability())
        let transaction = try test.claimed()
        let work = try test.names("work")[0]
        log.watch {
            FileManager.default.fileExists(atPath: test.file("work/\(work)/message,O=out,N=0,C=1"))
                || FileManager.default.fileExists(atPath: test.file("publish/\(work)/message,O=out,N=0,C=1"))
        }
        try transaction.add(output: test.output("x"))
        try transaction.add(output: test.output("y", .admin))
        #expect(try test.names("delivered/new").isEmpty)
        #expect(try transaction.commit())
        #expect(try test.names("delivered/new").isEmpty)
        try transaction.publish()
        let paths = log.events.map { $0.path.dropFirst(test.path.count + 1) }
        #expect(paths[0].hasPrefix("work/\(work)/delivered~"))
        #expect(paths[1].hasPrefix("work/\(work)/admin~"))
        #expect(paths[2] == "work/\(work)")
        #expect(paths[3] == "publish")
        #expect(Set(paths[4...]) == ["delivered/new", "admin/new"])
        #expect(log.events.allSatisfy { $0.observed })
        #expect(test.spool.syncCounts == SyncCounts(files: 2, directories: 1, shared: 3, sharedRequests: 3))
    }

    @Test("claim, retry and blocking by rename need no fsync")
    func without() throws {
        let test = try TestSpool()
        try test.claimed().defer(attempts: 1, due: 0)
        guard case .claimed(let transaction) = try test.spool.claim(test.candidates(.retry)[0]) else {
            throw TestFailure("not claimed")
        }
        try transaction.block()
        #expect(test.spool.syncCounts == SyncCounts())
    }

    @Test("a file that could not be synced is thrown away, and never renamed (H-I9)")
    func fileSync() throws {
        let log = SyncLog()
        let test = try TestSpool(durability: log.durability())
        let transaction = try test.claimed()
        log.fail("delivered~")
        let error = try #require(throws: SpoolError.self) { try transaction.add(output: test.output("x")) }
        #expect(error.kind == .fileSync && error.errno == EIO && error.isLocalFault && !error.isFatal)
        #expect(try test.names("work/\(test.names("work")[0])") == ["message,O=out,N=0,C=1"])
        log.fail(nil)
        try transaction.add(output: test.output("x"))
        #expect(try transaction.commit())
        #expect(try transaction.publish().count == 1)
        #expect(log.events.filter { $0.path.contains("delivered~") }.count == 2)
    }

    @Test(
        "after a directory that could not be synced nothing is published, claimed or recovered",
        arguments: ["/work/", "/publish", "/delivered/new"])
    func directorySync(_ failing: String) throws {
        let log = SyncLog()
        let test = try TestSpool(durability: log.durability())
        let other = try test.claimed("other")
        try other.add(output: test.output("other"))
        #expect(try other.commit())
        try test.put("third", "outgoing/new/third")
        let third = try test.candidates(.outgoing)[0]
        try test.put("x", "incoming/new/x")
        guard case .claimed(let transaction) = try test.spool.claim(test.candidates(.incoming)[0]) else {
            throw TestFailure("not claimed")
        }
        try transaction.add(output: test.output("x"))
        log.fail(failing)
        let error = try #require(throws: SpoolError.self) {
            if try transaction.commit() { try transaction.publish() }
        }
        #expect(error.isFatal && error.isLocalFault && error.errno == EIO)
        log.fail(nil)
        log.clear()
        for attempt: () throws -> Void in [
            { try other.publish() }, { _ = try test.spool.claim(third) }, { _ = try test.spool.makeRecovery() },
            { try transaction.publish() },
        ] {
            #expect(throws: SpoolError.self) { try attempt() }
        }
        #expect(log.events.isEmpty)
        #expect(try test.names("delivered/new").count == (failing == "/delivered/new" ? 1 : 0))
        #expect(
            try test.names("publish").contains { try test.names("publish/" + $0).contains { $0.hasPrefix("message") } })
        // The program ends; the next one goes on.
        other.abandon()
        transaction.abandon()
        let next = try test.another()
        try test.recover(next)
        #expect(try test.names("delivered/new").count == 2)
    }

    @Test("a recovery ends at the first directory that cannot be synced, and takes up no other entry")
    func recoveryEnds() throws {
        let test = try TestSpool()
        for number in 0..<3 {
            let left = try test.claimed("Subject: \(number)\r\n\r\nbody\r\n", "outgoing/new/\(number).M1.host")
            try left.add(output: test.output("\(number)"))
            #expect(try left.commit())
            left.abandon()
        }
        let log = SyncLog()
        let recovery = try test.another(durability: log.durability()).makeRecovery()
        log.fail("/delivered/new")
        let error = try #require(throws: SpoolError.self) { _ = try recovery.next() }
        #expect(error.isFatal)
        #expect(recovery.report.faults.isEmpty, "the fault is thrown, not noted")
        #expect(try test.names("delivered/new").count == 1)
    }

    @Test("eight threads share fsyncs, and nobody returns before one that began after his rename")
    func shared() throws {
        let began = Atomic(0)
        let ended = Atomic(0)
        let group = GroupSync {
            began.add(1, ordering: .sequentiallyConsistent)
            usleep(200)
            ended.add(1, ordering: .sequentiallyConsistent)
            return 0
        }
        try onThreads(8) { _ in
            for _ in 0..<200 {
                let before = began.load(ordering: .sequentiallyConsistent)
                guard group.wait() == 0 else { throw TestFailure("failed") }
                // The sync that serves us is not among those begun before we came.
                guard ended.load(ordering: .sequentiallyConsistent) > before else {
                    throw TestFailure("returned before its fsync had ended")
                }
            }
        }
        let count = began.load(ordering: .relaxed)
        #expect(count >= 200)
        #expect(count < 800, "\(count) syncs for 1,600 requests")
    }

    @Test("a failed shared sync fails for all who waited for it, and is never repeated")
    func sharedFailure() throws {
        let calls = Atomic(0)
        let group = GroupSync {
            calls.add(1, ordering: .relaxed)
            usleep(1_000)
            return EIO
        }
        try onThreads(8) { _ in
            guard group.wait() == EIO else { throw TestFailure("a failed sync was called good") }
        }
        #expect(group.wait() == EIO)
        #expect(calls.load(ordering: .relaxed) == 1)
    }

    @Test("with eight workers an entry costs fewer than its four fsyncs")
    func groupCommit() throws {
        let test = try TestSpool()
        let count = 400
        for number in 0..<count { try test.put("\(number)", "outgoing/new/\(number)") }
        let candidates = try test.candidates(.outgoing)
        try onThreads(8) { worker in
            for index in stride(from: worker, to: count, by: 8) {
                guard case .claimed(let transaction) = try test.spool.claim(candidates[index]) else {
                    throw TestFailure("not claimed")
                }
                let file = try transaction.read(maximum: 100)
                try transaction.add(output: test.output(file.message.text))
                guard try transaction.commit() else { throw TestFailure("changed") }
                try transaction.publish()
            }
        }
        #expect(try test.names("delivered/new").count == count)
        let counts = test.spool.syncCounts
        #expect(counts.files == count && counts.directories == count && counts.sharedRequests == 2 * count)
        #expect(counts.shared < 2 * count)
    }
}
