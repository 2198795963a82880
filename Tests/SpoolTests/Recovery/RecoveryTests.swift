import Foundation
import Glibc
import Octets
import TestSupport
import Testing

@testable import Spool

/// One test for each row of the table in `spool-layout/README.md`.
@Suite("Recovery goes on in place")
struct RecoveryTests {
    static let unique = "1790000000.0123456789abcdef0123456789abcdef.8899aabbccddeeff"
    static let output = "1790000000.0123456789abcdef0123456789abcdef.0000000000000001,E=14,O=out"

    private func states(_ report: RecoveryReport) -> [RecoveryReport.State] { report.findings.map(\.state) }

    @Test("S0 waiting: claimed, not recovered")
    func waiting() throws {
        let test = try TestSpool()
        try test.put("outgoing/new/a")
        let (recovered, report) = try test.recover()
        #expect(recovered.isEmpty && report.findings.isEmpty)
        #expect(try test.candidates(.outgoing).count == 1)
    }

    @Test("S1 made: removed")
    func made() throws {
        let test = try TestSpool()
        try test.makeDirectory("work/" + Self.unique)
        let (recovered, report) = try test.recover()
        #expect(recovered.isEmpty)
        #expect(states(report) == [.made])
        #expect(try test.everything().isEmpty)
    }

    @Test("S2 claimed: outputs and scratch deleted, worked once more", arguments: [0, 1, 2])
    func claimed(_ starts: Int) throws {
        let test = try TestSpool()
        try test.makeDirectory("work/" + Self.unique)
        try test.put("hello", "work/\(Self.unique)/message,O=in,N=2,C=\(starts)")
        try test.put("half", "work/\(Self.unique)/delivered~\(Self.output)")
        try test.put("half", "work/\(Self.unique)/~copy")
        let (recovered, report) = try test.recover()
        #expect(recovered == ["work C=\(starts + 1)"])
        #expect(states(report) == [.claimed])
        #expect(report.unhealthy.isEmpty)
        let delivered = try test.names("delivered/new")
        #expect(delivered.count == 1)
        #expect(try test.text("delivered/new/" + delivered[0]) == "X-SES-End: 1\r\nhello")
        #expect(delivered[0].contains(TestSpool.entry))
        #expect(try test.everything().count == 1)
    }

    @Test("repair finishes what needs no work and names the rest without counting a start; resume counts it")
    func repair() throws {
        let test = try TestSpool()
        let places = (1...3).map { "work/179000000\($0).0123456789abcdef0123456789abcdef.000000000000000\($0)" }
        for (starts, place) in places.enumerated() {
            try test.makeDirectory(place)
            try test.put("hello", "\(place)/message,O=in,C=\(starts)")
            try test.put("half", "\(place)/~copy")
        }
        let committed = "publish/" + Self.unique
        try test.makeDirectory(committed)
        try test.put("hello", committed + "/message,O=in,C=1")
        try test.put("whole", committed + "/delivered~" + Self.output)

        let recovery = try test.spool.makeRecovery()
        let left = try recovery.repair()
        #expect(left.map(\.starts) == [0, 1, 2])
        #expect(left.map(\.isSuspect) == [false, false, true])
        #expect(try test.names("delivered/new") == [Self.output])
        #expect(try test.names("publish").isEmpty)
        for (starts, place) in places.enumerated() { #expect(try test.names(place) == ["message,O=in,C=\(starts)"]) }

        guard case .work(let transaction) = try recovery.resume(left[1]) else { throw TestFailure("not resumed") }
        #expect(transaction.starts == 2)
        #expect(try recovery.resume(left[1]) == nil, "another has it")
        transaction.abandon()
        guard case .work(let again) = try recovery.resume(left[1]) else { throw TestFailure("not resumed") }
        #expect(again.starts == 3)
        _ = try again.block()
        #expect(try recovery.resume(left[1]) == nil, "it is gone")
    }

    @Test("an entry that cannot be repaired is passed over and reported; the others are repaired")
    func faultOfOne() throws {
        let test = try TestSpool()
        // An output whose name is taken by a directory of somebody's, in a folder that is no directory.
        let blocked = "publish/" + Self.unique
        try test.makeDirectory(blocked)
        try test.put("hello", blocked + "/message,O=in,C=1")
        try test.put("whole", blocked + "/admin~" + Self.output)
        try FileManager.default.removeItem(atPath: test.file("admin"))
        try test.put("no directory", "admin")
        let other = "work/1790000001.0123456789abcdef0123456789abcdef.0000000000000001"
        try test.makeDirectory(other)
        try test.put("hello", other + "/message,O=in,C=1")

        let recovery = try test.spool.makeRecovery()
        #expect(try recovery.repair().count == 1)
        #expect(recovery.report.faults.count == 1)
        #expect(recovery.report.faults.first?.isLocalFault == true)
        #expect(try test.names(blocked).count == 2)
        try FileManager.default.removeItem(atPath: test.file("admin"))
        let second = try test.spool.makeRecovery()
        #expect(try second.repair().count == 1)
        #expect(second.report.faults.isEmpty)
        #expect(try test.names("admin/new") == [Self.output])
    }

    @Test("a start that could not be given back is not counted a second time by the same process")
    func forgiven() throws {
        let test = try TestSpool()
        let transaction = try test.claimed()
        let place = "work/" + (try #require(try test.names("work").first))
        let name = try #require(try test.names(place).first)
        // Stands in the way of the rename that takes the start back.
        try test.put("x", place + "/" + name.replacingOccurrences(of: "C=1", with: "C=0"))
        #expect(throws: SpoolError.self) { try transaction.rollBackStart() }
        try FileManager.default.removeItem(
            atPath: test.file(place + "/" + name.replacingOccurrences(of: "C=1", with: "C=0")))
        #expect(try test.names(place) == [name])
        #expect(try test.recover().recovered == ["work C=1"])
    }

    @Test("S2 with three starts: to the administrator, then, if even that has no end, to blocked by one rename")
    func poison() throws {
        let test = try TestSpool()
        try test.makeDirectory("work/" + Self.unique)
        try test.put("12345hello", "work/\(Self.unique)/message,E=5,O=in,N=2,C=3")
        let recovery = try test.spool.makeRecovery()
        guard case .poison(let transaction) = try recovery.next() else { throw TestFailure("no poison") }
        #expect(transaction.starts == 4)
        #expect(try transaction.read(maximum: 100).octets.text == "12345hello")
        transaction.abandon()
        let (recovered, _) = try test.recover()
        #expect(recovered.isEmpty)
        let blocked = try test.names("blocked/new")
        #expect(blocked.count == 1)
        #expect(SpoolName(parsing: blocked[0])?.facts == NameFacts(envelopeOctets: 5, origin: .incoming(bare: false)))
        #expect(try test.text("blocked/new/" + blocked[0]) == "12345hello")
        #expect(try test.everything().count == 1)
    }

    @Test("a message that kills the program three times is isolated at the fourth start, the others go on (I5)")
    func crashLoop() throws {
        let test = try TestSpool()
        try test.put("poison", "outgoing/new/a")
        guard case .claimed(let first) = try test.spool.claim(test.candidates(.outgoing)[0]) else {
            throw TestFailure("not claimed")
        }
        first.abandon()
        for start in 2...3 {
            let recovery = try test.spool.makeRecovery()
            guard case .work(let transaction) = try recovery.next() else { throw TestFailure("no work") }
            #expect(transaction.starts == start)
            transaction.abandon()
        }
        #expect(try test.recover().recovered == ["poison C=4"])
        #expect(try test.names("admin/new").count == 1)
        #expect(try test.recover().recovered.isEmpty)
    }

    @Test("S2 whose message cannot be one: to corrupt")
    func claimedCorrupt() throws {
        let test = try TestSpool()
        try test.makeDirectory("work/" + Self.unique)
        #expect(mkfifo(test.file("work/\(Self.unique)/message,O=in,N=0,C=1"), 0o600) == 0)
        #expect(try test.recover().recovered.isEmpty)
        #expect(try test.names("corrupt").count == 1)
        #expect(try test.names("work").isEmpty)
    }

    @Test("S3 left by retry: outputs deleted, directory removed")
    func leftByRetry() throws {
        let test = try TestSpool()
        try test.makeDirectory("work/" + Self.unique)
        try test.put("half", "work/\(Self.unique)/delivered~\(Self.output)")
        try test.put("half", "work/\(Self.unique)/~1")
        let (recovered, report) = try test.recover()
        #expect(recovered.isEmpty)
        #expect(states(report) == [.leftByRetry])
        #expect(try test.everything().isEmpty)
    }

    @Test(
        "S4 and S5 committed: exactly the staged octets and names are published, nothing is worked again",
        arguments: [0, 1, 2])
    func committed(_ published: Int) throws {
        let test = try TestSpool()
        let transaction = try test.claimed()
        let told = try (0..<3).map {
            try transaction.add(output: test.output("output \($0)", $0 == 2 ? .admin : .delivered))
        }
        #expect(try transaction.commit())
        let place = try test.names("publish")[0]
        for file in told.prefix(published) {
            #expect(
                rename(
                    test.file("publish/\(place)/\(file.folder.rawValue)~\(file.name)"),
                    test.file("\(file.folder.rawValue)/new/\(file.name)")) == 0)
        }
        transaction.abandon()
        // There cannot be any, but it would keep the directory for ever.
        try test.put("x", "publish/\(place)/~1")
        let before = test.spool.syncCounts
        let (recovered, report) = try test.recover()
        #expect(recovered.isEmpty)
        #expect(states(report) == [.committed])
        #expect(report.alarms.isEmpty)
        // publish, and every folder: recovery cannot know which of them got something before the crash.
        #expect(test.spool.syncCounts.shared - before.shared == 5)
        #expect(try test.everything() == Set(told.map { "\($0.folder.rawValue)/new/\($0.name)" }))
        for (number, file) in told.enumerated() {
            #expect(try test.text("\(file.folder.rawValue)/new/\(file.name)").hasSuffix("output \(number)"))
        }
    }

    @Test("S6 published: the folders are synced before the message is unlinked")
    func publishedOnly() throws {
        let log = SyncLog()
        let test = try TestSpool(durability: log.durability())
        try test.makeDirectory("publish/" + Self.unique)
        let message = test.file("publish/\(Self.unique)/message,O=out,N=0,C=1")
        try test.put("x", "publish/\(Self.unique)/message,O=out,N=0,C=1")
        log.watch { FileManager.default.fileExists(atPath: message) }
        #expect(states(try test.recover().report) == [.published])
        #expect(log.events.count == 5)
        #expect(log.events.allSatisfy { $0.observed })
        #expect(
            Set(log.events.map(\.path))
                == Set(["publish", "delivered/new", "admin/new", "blocked/new", "retry/new"].map { test.file($0) }))
        #expect(try test.everything().isEmpty)
    }

    @Test("S7 cleaned: removed")
    func cleaned() throws {
        let test = try TestSpool()
        try test.makeDirectory("publish/" + Self.unique)
        #expect(states(try test.recover().report) == [.cleaned])
        #expect(try test.everything().isEmpty)
    }

    @Test("S8 outputs without message: published, with an alarm")
    func withoutMessage() throws {
        let test = try TestSpool()
        try test.makeDirectory("publish/" + Self.unique)
        try test.put("12345678901234mail", "publish/\(Self.unique)/delivered~\(Self.output)")
        let report = try test.recover().report
        #expect(report.alarms.map(\.state) == [.withoutMessage])
        #expect(try test.everything() == ["delivered/new/" + Self.output])
    }

    @Test(
        "S9 in both: publish wins, with an alarm; the other message goes to people, not out again",
        arguments: [true, false])
    func inBoth(_ hasMessage: Bool) throws {
        let test = try TestSpool()
        for top in ["work/", "publish/"] {
            try test.makeDirectory(top + Self.unique)
            if hasMessage || top == "publish/" { try test.put("hello", top + Self.unique + "/message,O=out,N=0,C=1") }
            try test.put("12345678901234mail", top + Self.unique + "/delivered~\(Self.output)")
        }
        let (recovered, report) = try test.recover()
        #expect(recovered.isEmpty)
        #expect(report.alarms.map(\.state) == [.inBoth])
        #expect(try test.names("delivered/new") == [Self.output])
        #expect(try test.names("blocked/new").count == (hasMessage ? 1 : 0))
        #expect(try test.everything().count == (hasMessage ? 2 : 1))
    }

    @Test("S10 foreign: untouched, unhealthy", arguments: ["work", "publish"])
    func foreign(_ top: String) throws {
        let test = try TestSpool()
        try test.put("x", top + "/file")
        try test.makeDirectory(top + "/directory")
        try test.put("x", top + "/" + Self.unique.dropLast() + "0")
        for (digit, inside) in [("1", "stranger"), ("2", "message,X=1"), ("3", "nowhere~" + Self.output)] {
            let place = "\(top)/\(Self.unique.dropLast())\(digit)"
            try test.makeDirectory(place)
            try test.put("x", "\(place)/\(inside)")
            try test.put("x", "\(place)/message,O=out,N=0,C=1")
        }
        let doubled = "\(top)/\(Self.unique.dropLast())4"
        try test.makeDirectory(doubled)
        try test.put("x", "\(doubled)/message,O=out,N=0,C=1")
        try test.put("x", "\(doubled)/message,O=out,N=0,C=2")
        let before = try test.everything()
        let (recovered, report) = try test.recover()
        #expect(recovered.isEmpty)
        #expect(report.unhealthy.count == 7)
        #expect(states(report) == Array(repeating: .foreign, count: 7))
        #expect(try test.everything() == before)
    }

    @Test("a symbolic link in place of an entry is foreign, and what it leads to is untouched")
    func linkedEntry() throws {
        let test = try TestSpool()
        let elsewhere = test.scratch.file("elsewhere")
        try FileManager.default.createDirectory(atPath: elsewhere, withIntermediateDirectories: false)
        try test.scratch.write([1], to: "elsewhere/~x")
        #expect(symlink(elsewhere, test.file("work/" + Self.unique)) == 0)
        #expect(states(try test.recover().report) == [.foreign])
        #expect(try test.scratch.names(in: "elsewhere") == ["~x"])
    }

    @Test("a message in work whose origin nobody knows is foreign")
    func withoutOrigin() throws {
        let test = try TestSpool()
        try test.makeDirectory("work/" + Self.unique)
        try test.put("x", "work/\(Self.unique)/message,N=0,C=1")
        #expect(states(try test.recover().report) == [.foreign])
        #expect(try test.everything().count == 2)
    }

    @Test("S11 busy: left, its age told", arguments: [true, false])
    func busy(_ isCommitted: Bool) throws {
        let test = try TestSpool()
        let transaction = try test.claimed()
        if isCommitted {
            try transaction.add(output: test.output("x"))
            #expect(try transaction.commit())
        }
        test.clock.set(seconds: 1_790_000_100)
        let report = try test.recover(test.another()).report
        #expect(states(report) == [.busy])
        #expect(report.findings[0].text.hasPrefix("100 s old"))
        #expect(report.unhealthy.isEmpty)
        if isCommitted { try transaction.publish() } else { _ = try transaction.block() }
        #expect(try test.everything().count == 1)
    }

    @Test("recovered once, nothing is left for the next (H-I13)")
    func idempotent() throws {
        let test = try TestSpool()
        for digit in 1...4 { try test.put("\(digit)", "outgoing/new/\(digit)") }
        for candidate in try test.candidates(.outgoing) {
            guard case .claimed(let transaction) = try test.spool.claim(candidate) else { continue }
            try transaction.add(output: test.output("x"))
            transaction.abandon()
        }
        #expect(try test.recover().recovered.count == 4)
        let before = try test.everything()
        for _ in 0..<20 {
            let (recovered, report) = try test.recover()
            #expect(recovered.isEmpty && report.findings.isEmpty)
        }
        #expect(try test.everything() == before)
    }

    @Test("two recoveries at once work each entry once")
    func twoRecoveries() throws {
        let test = try TestSpool()
        for number in 0..<100 { try test.put("\(number)", "outgoing/new/\(number)") }
        for candidate in try test.candidates(.outgoing) {
            if case .claimed(let transaction) = try test.spool.claim(candidate) { transaction.abandon() }
        }
        let other = try test.another()
        try onThreads(4) { number in try test.recover(number.isMultiple(of: 2) ? test.spool : other) }
        #expect(try test.names("delivered/new").count == 100)
        #expect(try test.everything().count == 100)
    }
}
