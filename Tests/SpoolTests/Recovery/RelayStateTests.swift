import Foundation
import Glibc
import Octets
import TestSupport
import Testing

@testable import Spool

/// One test for each row of the relay's table in `spool-layout/README.md`.
@Suite("The relay's states and their recovery")
struct RelayStateTests {
    static let unique = RecoveryTests.unique
    static let output = "1790000000.0123456789abcdef0123456789abcdef.0000000000000001,E=14,O=in"

    /// A relay's view of a spool.
    private struct Relay {
        let test: TestSpool
        let spool: Spool

        init(durability: Durability = Durability()) throws {
            test = try TestSpool()
            spool = try Spool(
                opening: test.path, program: .relay, clock: test.clock.clock, random: .system, durability: durability)
        }

        func put(_ name: String = "delivered/new/\(TestSpool.retryName),E=5,O=out") throws {
            try test.put("12345hello", name)
        }

        func claimed() throws -> Transaction {
            try put()
            var found: Candidate?
            try spool.forEachWaiting(in: .delivered) { (candidate) throws(SpoolError) in
                found = candidate
                return false
            }
            guard let found, case .claimed(let transaction) = try spool.claim(found) else {
                throw TestFailure("not claimed")
            }
            return transaction
        }

        func deferred() throws -> [DeferredEntry] {
            var found: [DeferredEntry] = []
            try spool.forEachDeferred { (entry) throws(SpoolError) in
                found.append(entry)
                return true
            }
            return found
        }

        /// Another process of the relay goes through what was left, and claims what it has put aside.
        func recover() throws -> (recovered: [String], report: RecoveryReport) {
            var recovered: [String] = []
            let another = try Spool(
                opening: test.path, program: .relay, clock: test.clock.clock, random: .system, durability: Durability())
            let recovery = try another.makeRecovery()
            for left in try recovery.repair() {
                guard left.isPoison else {
                    guard let entry = try recovery.putAside(left) else { continue }
                    #expect(entry.due == test.clock.clock.now())
                    guard case .claimed(let transaction) = try another.claim(entry) else {
                        throw TestFailure("not claimed")
                    }
                    let lines = try transaction.openLedger().lines().map(\.text)
                    recovered.append("work C=\(transaction.starts) \(lines.joined(separator: "|"))")
                    try transaction.setAside(attempts: 1, due: 5)
                    continue
                }
                guard case .poison(let transaction) = try recovery.resume(left) else { continue }
                recovered.append("poison C=\(transaction.starts)")
                try transaction.block()
            }
            return (recovered, recovery.report)
        }

        func places() throws -> [String] {
            var found: [String] = []
            for top in ["delivered/new", "relay/work", "relay/publish", "relay/deferred", "failed"] {
                for name in try test.names(top) { found.append(top + (name.contains("E=14") ? " report" : "")) }
            }
            return found
        }
    }

    @Test("R0 waiting in delivered or admin: claimed with its facts, its entry kept")
    func waiting() throws {
        let relay = try Relay()
        let transaction = try relay.claimed()
        #expect(transaction.entry.digits == TestSpool.entry)
        #expect(transaction.starts == 1 && transaction.envelopeOctets == 5)
        #expect(try transaction.read(maximum: 100).message.text == "hello")
    }

    @Test("R2 claimed: its record is kept, outputs that it has not released are deleted")
    func claimed() throws {
        let relay = try Relay()
        let transaction = try relay.claimed()
        try transaction.openLedger().append(["sent b@x.test"], isDurable: true)
        try transaction.add(output: relay.test.output("report"))
        transaction.abandon()
        let (recovered, report) = try relay.recover()
        #expect(recovered == ["work C=2 sent b@x.test"])
        #expect(report.findings.map(\.state) == [.claimed])
        #expect(try relay.places() == ["relay/deferred"])
    }

    @Test("R2 with a released output: published once, and never again", arguments: [false, true])
    func released(_ wasPublished: Bool) throws {
        let relay = try Relay()
        let transaction = try relay.claimed()
        let output = try transaction.add(output: relay.test.output("report"))
        try transaction.openLedger().append([Transaction.releaseLine(output)], isDurable: true)
        if wasPublished { try transaction.publishReleased() }
        transaction.abandon()
        _ = try relay.recover()
        #expect(try relay.places() == ["delivered/new report", "relay/deferred"])
        _ = try relay.recover()
        #expect(try relay.places().count == 2)
    }

    @Test("R2 with three starts: to failed by one rename, nothing parsed")
    func poison() throws {
        let relay = try Relay()
        try relay.test.makeDirectory("relay/work/" + Self.unique)
        try relay.test.put("12345hello", "relay/work/\(Self.unique)/message,E=5,O=in,C=3")
        try relay.test.put("", "relay/work/\(Self.unique)/done")
        #expect(try relay.recover().recovered == ["poison C=4"])
        #expect(try relay.places() == ["failed"])
    }

    @Test("R2 killed while it is put away by its record: tried again twice, then one rename")
    func poisonAgain() throws {
        let relay = try Relay()
        for (starts, expected) in [(4, ["poison C=5"]), (5, ["poison C=6"]), (6, [])] {
            let place = Self.unique.replacingOccurrences(of: ".00", with: ".\(starts)0")
            try relay.test.makeDirectory("relay/work/" + place)
            try relay.test.put("12345hello", "relay/work/\(place)/message,E=5,O=in,C=\(starts)")
            #expect(try relay.recover().recovered == expected)
        }
        #expect(try relay.places() == ["failed", "failed", "failed"])
    }

    @Test("R2 interrupted: the count of starts without an end goes with the message, and an end in order clears it")
    func interrupted() throws {
        let relay = try Relay()
        for starts in 1...2 {
            try relay.test.makeDirectory("relay/work/" + Self.unique)
            try relay.test.put("12345hello", "relay/work/\(Self.unique)/message,E=5,O=in,N=4,C=\(starts)")
            let recovery = try relay.spool.makeRecovery()
            let left = try #require(try recovery.repair().first)
            #expect(left.starts == starts && !left.isPoison)
            let entry = try #require(try recovery.putAside(left))
            #expect(entry.interrupted == starts && entry.name.facts.attempts == 4)
            guard case .claimed(let transaction) = try relay.spool.claim(entry) else {
                throw TestFailure("not claimed")
            }
            #expect(transaction.starts == starts + 1 && transaction.attempts == 4)
            try transaction.forgiveStarts()
            let ended = try transaction.setAside(attempts: 5, due: 5)
            #expect(ended.interrupted == 0)
            try FileManager.default.removeItem(atPath: relay.test.file("relay/deferred/\(ended.name)"))
        }
    }

    @Test("R2 whose message cannot be one: to failed")
    func unfit() throws {
        let relay = try Relay()
        try relay.test.makeDirectory("relay/work/" + Self.unique)
        #expect(mkfifo(relay.test.file("relay/work/\(Self.unique)/message,O=in,C=1"), 0o600) == 0)
        #expect(try relay.recover().recovered.isEmpty)
        #expect(try relay.places() == ["failed"])
    }

    @Test("R1 made and nothing in it: removed")
    func made() throws {
        let relay = try Relay()
        try relay.test.makeDirectory("relay/work/" + Self.unique)
        let (recovered, report) = try relay.recover()
        #expect(recovered.isEmpty && report.findings.map(\.state) == [.made])
        #expect(try relay.places().isEmpty)
    }

    @Test("R3 the message has gone elsewhere: the record that is left is removed")
    func left() throws {
        let relay = try Relay()
        try relay.test.makeDirectory("relay/work/" + Self.unique)
        try relay.test.put("sent b@x.test\n", "relay/work/\(Self.unique)/done")
        let (recovered, report) = try relay.recover()
        #expect(recovered.isEmpty && report.findings.map(\.state) == [.leftByRetry])
        #expect(try relay.places().isEmpty)
    }

    @Test("R4 deferred: found again at a start, claimed with its record, by one process only")
    func deferred() throws {
        let relay = try Relay()
        let transaction = try relay.claimed()
        try transaction.openLedger().append(["sent b@x.test"], isDurable: true)
        let entry = try transaction.setAside(attempts: 3, due: 1_790_000_300)
        #expect(try relay.deferred() == [entry])
        #expect(try relay.recover().report.findings.isEmpty)
        #expect(entry.name.facts.attempts == 3 && entry.due == 1_790_000_300)
        guard case .claimed(let again) = try relay.spool.claim(entry) else { throw TestFailure("not claimed") }
        guard case .taken = try relay.spool.claim(entry) else { throw TestFailure("claimed twice") }
        #expect(again.attempts == 3 && again.starts == 1 && again.entry.digits == TestSpool.entry)
        #expect(try again.openLedger().lines().map(\.text) == ["sent b@x.test"])
        #expect(try again.read(maximum: 100).message.text == "hello")
        #expect(try relay.places() == ["relay/work"])
    }

    @Test("R4 claimed and killed before its start was counted: worked")
    func claimedFromDeferred() throws {
        let relay = try Relay()
        let entry = try relay.claimed().setAside(attempts: 1, due: 5)
        let name = entry.name.description
        let place = Self.unique
        #expect(rename(relay.test.file("relay/deferred/" + name), relay.test.file("relay/work/" + place)) == 0)
        #expect(try relay.recover().recovered == ["work C=1 "])
    }

    @Test("R4 that is being claimed is left to the process that has it")
    func locked() throws {
        let relay = try Relay()
        let entry = try relay.claimed().setAside(attempts: 1, due: 5)
        let holder = open(relay.test.file("relay/deferred/\(entry.name)"), O_RDONLY | O_DIRECTORY)
        defer { close(holder) }
        #expect(flock(holder, LOCK_EX) == 0)
        guard case .taken = try relay.spool.claim(entry) else { throw TestFailure("claimed") }
        #expect(try relay.deferred() == [entry])
    }

    @Test("R4 with outputs and scratch that a power loss brought back: they are removed, and never published")
    func outputsBroughtBack() throws {
        let relay = try Relay()
        let entry = try relay.claimed().setAside(attempts: 1, due: 5)
        let folder = "relay/deferred/\(entry.name)/"
        try relay.test.put("12345remains", folder + "failed~\(TestSpool.retryName),E=5,O=out")
        try relay.test.put("half", folder + "~copy")
        guard case .claimed(let again) = try relay.spool.claim(entry) else { throw TestFailure("not claimed") }
        #expect(try again.commit())
        #expect(try again.publish().isEmpty)
        #expect(try relay.places().isEmpty)
    }

    @Test("R4 with an output that the record has released: it is published once")
    func releasedBroughtBack() throws {
        let relay = try Relay()
        let transaction = try relay.claimed()
        let output = try transaction.add(output: relay.test.output("report"))
        try transaction.openLedger().append([Transaction.releaseLine(output)], isDurable: true)
        let name = TransactionFile.outputName(output.folder, output.name)
        let staged = relay.test.file("relay/work/\(transaction.uniqueName)/\(name)")
        let kept = relay.test.file("kept")
        #expect(link(staged, kept) == 0)
        let entry = try transaction.setAside(attempts: 1, due: 5)
        #expect(try relay.places() == ["delivered/new report", "relay/deferred"])
        // The power failed before the rename to `delivered` was on the disk.
        #expect(unlink(relay.test.file("delivered/new/\(output.name)")) == 0)
        #expect(rename(kept, relay.test.file("relay/deferred/\(entry.name)/\(name)")) == 0)
        guard case .claimed(let again) = try relay.spool.claim(entry) else { throw TestFailure("not claimed") }
        #expect(try again.commit())
        try again.publish()
        #expect(try relay.places() == ["delivered/new report"])
    }

    @Test("a commit without outputs follows the removal of outputs only when that is durable")
    func removalsBeforeCommit() throws {
        let log = SyncLog()
        let relay = try Relay(durability: log.durability())
        let transaction = try relay.claimed()
        try transaction.add(output: relay.test.output("report"))
        try transaction.removeOutputs()
        log.clear()
        #expect(try transaction.commit())
        let paths = log.events.map { String($0.path.dropFirst(relay.test.path.count + 1)) }
        #expect(paths == ["relay/work/\(transaction.uniqueName)", "relay/publish"])
    }

    @Test("R5 committed without outputs, because all recipients have it: nothing is worked again")
    func committedSent() throws {
        let relay = try Relay()
        let transaction = try relay.claimed()
        try transaction.openLedger().append(["sent b@x.test"], isDurable: true)
        #expect(try transaction.commit())
        transaction.abandon()
        #expect(try relay.places() == ["relay/publish"])
        let (recovered, report) = try relay.recover()
        #expect(recovered.isEmpty && report.findings.map(\.state) == [.published])
        #expect(try relay.places().isEmpty)
    }

    @Test("R5 committed with report and remains: both are published")
    func committedFailed() throws {
        let relay = try Relay()
        let transaction = try relay.claimed()
        _ = try transaction.openLedger()
        try transaction.add(output: relay.test.output("report"))
        try transaction.add(output: relay.test.output("remains", .failed))
        #expect(try transaction.commit())
        transaction.abandon()
        let (recovered, report) = try relay.recover()
        #expect(recovered.isEmpty && report.findings.map(\.state) == [.committed])
        #expect(try relay.places() == ["delivered/new report", "failed report"])
    }

    @Test("R7 only the record is left in publish: removed")
    func cleaned() throws {
        let relay = try Relay()
        try relay.test.makeDirectory("relay/publish/" + Self.unique)
        try relay.test.put("sent b@x.test\n", "relay/publish/\(Self.unique)/done")
        #expect(try relay.recover().report.findings.map(\.state) == [.cleaned])
        #expect(try relay.places().isEmpty)
    }

    @Test("R6 published and killed before the message was removed: both are removed, nothing is published again")
    func published() throws {
        let relay = try Relay()
        try relay.test.makeDirectory("relay/publish/" + Self.unique)
        try relay.test.put("12345hello", "relay/publish/\(Self.unique)/message,E=5,O=out,C=1")
        try relay.test.put("sent b@x.test\n", "relay/publish/\(Self.unique)/done")
        let (recovered, report) = try relay.recover()
        #expect(recovered.isEmpty && report.findings.map(\.state) == [.published])
        #expect(try relay.places().isEmpty)
    }

    @Test("R8 outputs without a message in publish: published, with an alarm")
    func withoutMessage() throws {
        let relay = try Relay()
        try relay.test.makeDirectory("relay/publish/" + Self.unique)
        try relay.test.put("12345678901234x", "relay/publish/\(Self.unique)/delivered~" + Self.output)
        let (recovered, report) = try relay.recover()
        #expect(recovered.isEmpty && report.alarms.map(\.state) == [.withoutMessage])
        #expect(try relay.places() == ["delivered/new report"])
    }

    @Test("R9 in work and in publish: publish counts, the message in work goes to failed, with an alarm")
    func inBoth() throws {
        let relay = try Relay()
        for top in ["work", "publish"] {
            try relay.test.makeDirectory("relay/\(top)/" + Self.unique)
            try relay.test.put("12345\(top)", "relay/\(top)/\(Self.unique)/message,E=5,O=out,C=1")
            try relay.test.put("", "relay/\(top)/\(Self.unique)/done")
        }
        let (recovered, report) = try relay.recover()
        #expect(recovered.isEmpty && report.alarms.map(\.state) == [.inBoth])
        #expect(try relay.places() == ["failed"])
        let name = try #require(try relay.test.names("failed").first)
        #expect(try relay.test.text("failed/" + name) == "12345work")
    }

    @Test("R10 foreign files: untouched, and the status says so", arguments: ["work", "publish"])
    func foreignThings(_ top: String) throws {
        let relay = try Relay()
        try relay.test.makeDirectory("relay/\(top)/somebody's")
        try relay.test.makeDirectory("relay/\(top)/" + Self.unique)
        try relay.test.put("12345hello", "relay/\(top)/\(Self.unique)/message,E=5,O=out,C=1")
        try relay.test.put("x", "relay/\(top)/\(Self.unique)/notes")
        let before = try relay.places()
        let (recovered, report) = try relay.recover()
        #expect(recovered.isEmpty && report.unhealthy.map(\.state) == [.foreign, .foreign])
        #expect(try relay.places() == before)
        #expect(try relay.test.names("relay/\(top)/" + Self.unique).count == 2)
    }

    @Test("R11 locked by another process: left to it, without an alarm", arguments: ["work", "publish"])
    func busy(_ top: String) throws {
        let relay = try Relay()
        try relay.test.makeDirectory("relay/\(top)/" + Self.unique)
        try relay.test.put("12345hello", "relay/\(top)/\(Self.unique)/message,E=5,O=out,C=1")
        let holder = open(relay.test.file("relay/\(top)/" + Self.unique), O_RDONLY | O_DIRECTORY)
        #expect(flock(holder, LOCK_EX) == 0)
        let (recovered, report) = try relay.recover()
        #expect(recovered.isEmpty && report.findings.map(\.state) == [.busy] && report.unhealthy.isEmpty)
        #expect(try relay.spool.forsakenCount() == 0)
        close(holder)
        #expect(try relay.spool.forsakenCount() == 1)
    }

    @Test(
        "a directory of ours that was removed while the program runs is made again",
        arguments: ["work", "publish", "deferred", "journal"])
    func removedFolder(_ name: String) throws {
        let relay = try Relay()
        try FileManager.default.removeItem(atPath: relay.test.file("relay/" + name))
        let transaction = try relay.claimed()
        #expect(relay.spool.journal.append(JournalEvent(.claimed, entry: transaction.entry)) == nil)
        guard name == "publish" else {
            try transaction.setAside(attempts: 1, due: 5)
            #expect(try relay.places() == ["relay/deferred"])
            return
        }
        #expect(try transaction.commit())
        try transaction.publish()
        #expect(try relay.places().isEmpty)
    }

    @Test("a source that was removed is made again, with its group and mode")
    func removedSource() throws {
        let relay = try Relay()
        try FileManager.default.removeItem(atPath: relay.test.file("delivered"))
        #expect(try relay.spool.forEachWaiting(in: .delivered) { (_) throws(SpoolError) in true }.isEmpty)
        var facts = stat()
        #expect(stat(relay.test.file("delivered/new"), &facts) == 0 && facts.st_mode & 0o7777 == 0o2770)
    }

    @Test("the record has room before anything is sent, and its size does not show it")
    func reserved() throws {
        let relay = try Relay()
        let ledger = try relay.claimed().openLedger()
        try ledger.append(["one ."], isDurable: false)
        try ledger.reserve(1 << 20)
        var facts = stat()
        let place = try #require(try relay.test.names("relay/work").first)
        #expect(stat(relay.test.file("relay/work/\(place)/done"), &facts) == 0)
        #expect(facts.st_size == 6 && facts.st_blocks * 512 >= 1 << 20)
        try ledger.append(["two ."], isDurable: true)
        #expect(try ledger.lines().map(\.text) == ["one .", "two ."])
        let error = try #require(throws: SpoolError.self) { try ledger.reserve(1 << 60) }
        #expect(error.isLocalFault && error.explanation.contains("nothing is sent"))
    }

    @Test("a record in a directory of ses is foreign there")
    func foreignRecord() throws {
        let test = try TestSpool()
        try test.makeDirectory("work/" + Self.unique)
        try test.put("x\n", "work/\(Self.unique)/done")
        #expect(try test.recover().report.findings.map(\.state) == [.foreign])
    }

    @Test("the claim is durable before anything is sent: the entry's directory, then the one that holds it")
    func durableClaim() throws {
        let log = SyncLog()
        let relay = try Relay(durability: log.durability())
        let transaction = try relay.claimed()
        _ = try transaction.openLedger()
        let before = log.events.count
        try transaction.makeClaimDurable()
        let synced = log.events.dropFirst(before).map(\.path)
        #expect(synced.count == 2)
        #expect(synced.first?.contains("/relay/work/") == true && synced.last?.hasSuffix("/relay/work") == true)
    }

    @Test("a line cut short by a crash becomes a line of its own, and the next begins at its start")
    func tornLine() throws {
        let relay = try Relay()
        let transaction = try relay.claimed()
        try transaction.openLedger().append(["one ."], isDurable: true)
        let place = try relay.test.names("relay/work")[0]
        let file = try #require(FileHandle(forWritingAtPath: relay.test.file("relay/work/\(place)/done")))
        try file.seekToEnd()
        try file.write(contentsOf: Data("sent b@x".utf8))
        transaction.abandon()
        let another = try Spool(
            opening: relay.test.path, program: .relay, clock: relay.test.clock.clock, random: .system,
            durability: Durability())
        let recovery = try another.makeRecovery()
        let left = try #require(try recovery.repair().first)
        let entry = try #require(try recovery.putAside(left))
        guard case .claimed(let again) = try another.claim(entry) else { throw TestFailure("no work") }
        try again.openLedger().append(["two ."], isDurable: false)
        #expect(try again.openLedger().lines().map(\.text) == ["one .", "sent b@x", "two ."])
    }

    @Test("a full disk costs no start, and the record stays")
    func localFault() throws {
        let relay = try Relay()
        let transaction = try relay.claimed()
        try transaction.openLedger().append(["sent b@x.test"], isDurable: true)
        try transaction.rollBackStart()
        #expect(try relay.recover().recovered == ["work C=1 sent b@x.test"])
    }

    @Test("deferred messages are listed by their names alone")
    func many() throws {
        let relay = try Relay()
        for number in 0..<500 {
            let digits = String(number, radix: 16)
            let entry = String(repeating: "0", count: 32 - digits.count) + digits
            // Empty: whoever looked into one would find no message.
            try relay.test.makeDirectory(
                "relay/deferred/1790000000.\(entry).0011223344556677,O=out,N=1,D=\(1_790_000_000 + number)")
        }
        try relay.test.makeDirectory("relay/deferred/somebody's")
        let found = try relay.deferred()
        #expect(Set(found.map(\.due)) == Set((0..<500).map { 1_790_000_000 + $0 }))
        let left = try relay.spool.forEachDeferred { (_) throws(SpoolError) in true }
        #expect(left.map(\.path) == [relay.test.path + "/relay/deferred/somebody's"])
        guard case .left(let reason) = try relay.spool.claim(found[0]) else { throw TestFailure("claimed") }
        #expect(reason.contains("not one message"))
    }
}
