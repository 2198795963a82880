import Foundation
import Glibc
import Octets
import Synchronization
import TestSupport

@testable import Spool

/// A clock that stands where a test puts it.
final class TestClock: Sendable {
    private let time = Mutex(1_790_000_000_000)
    private let ticks = Mutex(Duration.zero)

    func set(seconds: Int) { time.withLock { $0 = seconds * 1_000 } }
    func advance(_ duration: Duration) { ticks.withLock { $0 += duration } }

    var clock: SpoolClock {
        SpoolClock {
            self.time.withLock { $0 }
        } monotonic: {
            self.ticks.withLock { $0 }
        }
    }
}

/// A spool in a directory of the test's own.
final class TestSpool: Sendable {
    static let entry = "0123456789abcdef0123456789abcdef"
    static let retryName = "1790000000.\(entry).0011223344556677"

    let scratch: ScratchDirectory
    let spool: Spool
    let clock = TestClock()

    var path: String { scratch.file("spool") }

    init(durability: Durability = Durability(), random: SpoolRandom = .system) throws {
        scratch = try ScratchDirectory()
        _ = try Spool.make(at: scratch.file("spool"))
        spool = try Spool(
            opening: scratch.file("spool"), program: .ses, clock: clock.clock, random: random, durability: durability)
    }

    /// Another process on the same spool.
    func another(durability: Durability = Durability()) throws -> Spool {
        try Spool(opening: path, program: .ses, clock: clock.clock, random: .system, durability: durability)
    }

    func file(_ name: String) -> String { path + "/" + name }

    func put(_ name: String) throws { try put("Subject: x\r\n\r\nbody\r\n", name) }

    func put(_ text: String, _ name: String) throws {
        try scratch.write(Array(text.utf8), to: "spool/" + name)
    }

    func makeDirectory(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: file(name), withIntermediateDirectories: false)
    }

    func names(_ directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: file(directory)).filter { !$0.hasPrefix(".") }.sorted()
    }

    func text(_ name: String) throws -> String { String(decoding: try TestMaterial.octets(file(name)), as: UTF8.self) }

    func candidates(_ queue: Queue) throws -> [Candidate] {
        var found: [Candidate] = []
        try spool.forEachWaiting(in: queue) { (candidate) throws(SpoolError) in
            found.append(candidate)
            return true
        }
        return found
    }

    /// Puts a message into `outgoing/new` and claims it.
    func claimed(
        _ text: String = "Subject: x\r\n\r\nbody\r\n", _ name: String = "outgoing/new/1.M1.host"
    ) throws -> Transaction {
        try put(text, name)
        let queue: Queue = name.hasPrefix("outgoing") ? .outgoing : name.hasPrefix("incoming") ? .incoming : .retry
        guard let candidate = try candidates(queue).first, case .claimed(let transaction) = try spool.claim(candidate)
        else { throw TestFailure("nothing was claimed from \(queue)") }
        return transaction
    }

    func output(_ text: String, _ folder: Folder = .delivered, lineEnds: StagedOutput.LineEnds = .asIs) -> StagedOutput
    {
        StagedOutput(
            folder: folder, facts: NameFacts(origin: .outgoing(bare: false)), block: OctetString("X-SES-End: 1\r\n"),
            content: OctetString(text), lineEnds: lineEnds)
    }

    /// Returns the paths under `work/`, `publish/` and in each folder.
    func everything() throws -> Set<String> {
        var found: Set<String> = []
        for top in [
            "outgoing/new", "incoming/new", "retry/new", "work", "publish", "delivered/new", "admin/new",
            "blocked/new", "corrupt",
        ] {
            for name in try names(top) {
                found.insert(top + "/" + name)
                var isDirectory: ObjCBool = false
                if FileManager.default.fileExists(atPath: file(top + "/" + name), isDirectory: &isDirectory),
                    isDirectory.boolValue
                {
                    for inner in try names(top + "/" + name) { found.insert(top + "/" + name + "/" + inner) }
                }
            }
        }
        return found
    }

    /// Goes through recovery, publishing what is to be worked as it is.
    @discardableResult
    func recover(_ spool: Spool? = nil) throws -> (recovered: [String], report: RecoveryReport) {
        var recovered: [String] = []
        let recovery = try (spool ?? self.spool).makeRecovery()
        while let next = try recovery.next() {
            switch next {
            case .work(let transaction):
                recovered.append("work C=\(transaction.starts)")
                let file = try transaction.read(maximum: .max)
                try transaction.add(output: output(file.message.text))
                guard try transaction.commit() else { throw TestFailure("changed") }
                try transaction.publish()
            case .poison(let transaction):
                recovered.append("poison C=\(transaction.starts)")
                let file = try transaction.read(maximum: .max)
                try transaction.add(output: output(file.message.text, .admin))
                guard try transaction.commit() else { throw TestFailure("changed") }
                try transaction.publish()
            }
        }
        return (recovered, recovery.report)
    }
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Runs `body` on `count` threads at once and waits for all.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
    let failures = Mutex<[String]>([])
    let group = DispatchGroup()
    for number in 0..<count {
        let thread = Thread {
            do { try body(number) } catch { failures.withLock { $0.append("\(error)") } }
            group.leave()
        }
        group.enter()
        thread.start()
    }
    guard group.wait(timeout: .now() + 60) == .success else { throw TestFailure("threads did not end within a minute") }
    if let first = failures.withLock({ $0.first }) { throw TestFailure(first) }
}
