import Foundation
import Glibc
import Octets
import TestSupport
import Testing

@testable import Spool

@Suite("The relay's record, and what must be durable before it counts")
struct LedgerTests {
    private let test: TestSpool
    private let log = SyncLog()
    private let spool: Spool

    init() throws {
        test = try TestSpool()
        spool = try Spool(
            opening: test.path, program: .relay, clock: test.clock.clock, random: .system, durability: log.durability())
    }

    private func claimed() throws -> Transaction {
        try test.put("12345hello", "delivered/new/\(TestSpool.retryName),E=5,O=out")
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

    @Test("a line that could not be made durable is not in the record")
    func refusedLine() throws {
        let ledger = try claimed().openLedger()
        try ledger.append(["offered a@x.test ."], isDurable: true)
        log.fail("/done")
        #expect(throws: SpoolError.self) { try ledger.append(["sent a@x.test ."], isDurable: true) }
        log.fail(nil)
        #expect(try ledger.lines().map(\.text) == ["offered a@x.test ."])
    }

    @Test("of lines that belong together a power loss leaves all or none, wherever it cuts or what it leaves as zeros")
    func together() throws {
        let transaction = try claimed()
        let path = test.path + "/relay/work/\(transaction.uniqueName)/done"
        let first = "offered a@x.test ."
        try transaction.openLedger().append([first], isDurable: true)
        let before = try Data(contentsOf: URL(fileURLWithPath: path)).count
        let group = ["release delivered 1.a.b,O=in", "told a@x.test .", "told-delay ."]
        try transaction.openLedger().append(together: group, isDurable: true)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(try transaction.openLedger().lines().map(\.text) == [first] + group)
        for count in before..<whole.count - 1 {
            let cut = whole.prefix(count)
            try cut.write(to: URL(fileURLWithPath: path))
            let found = try DeliveryLedger(in: transaction.place.directory, log.durability()).lines().map(\.text)
            // A front without the group's last field means nothing to any reader of lines.
            #expect(found.first == first && Set(found).isDisjoint(with: group), "cut after \(count) octets: \(found)")
        }
        for start in before..<whole.count - 1 {
            var holed = whole
            let end = min(start + 9, whole.count - 1)
            holed.replaceSubrange(start..<end, with: Data(repeating: 0, count: end - start))
            try holed.write(to: URL(fileURLWithPath: path))
            let found = try DeliveryLedger(in: transaction.place.directory, log.durability()).lines().map(\.text)
            #expect(found.first == first && Set(found).isDisjoint(with: group), "zeros from \(start): \(found)")
        }
    }

    @Test("after a directory that could not be synced no message leaves work, not even one without outputs")
    func commitAfterFault() throws {
        let transaction = try claimed()
        log.fail("/relay/work")
        #expect(throws: SpoolError.self) { try transaction.makeClaimDurable() }
        log.fail(nil)
        #expect(throws: SpoolError.self) { _ = try transaction.commit() }
        #expect(try test.names("relay/work") == ["\(transaction.uniqueName)"])
        #expect(try test.names("relay/publish").isEmpty)
    }

    @Test("a report is released only when its name beside the message is durable")
    func release() throws {
        let transaction = try claimed()
        let output = try transaction.add(output: test.output("report"))
        log.clear()
        try transaction.release([output], with: [])
        let paths = log.events.map { String($0.path.dropFirst(test.path.count + 1)) }
        let place = "relay/work/\(transaction.uniqueName)"
        #expect(paths == [place, place + "/done", "delivered/new"])
    }
}

@Suite("A message that is linked into blocked")
struct LinkedMessageTests {
    @Test("is made durable before the commit")
    func sync() throws {
        let log = SyncLog()
        let test = try TestSpool(durability: log.durability())
        let transaction = try test.claimed()
        _ = try transaction.readHead(limit: 10)
        log.clear()
        let output = try transaction.addClaimedFile(to: .blocked)
        #expect(log.events.map(\.isDirectory) == [false])
        #expect(log.events.first?.path.contains("blocked~\(output.name)") == true)
    }
}
