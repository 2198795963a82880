import Foundation
import Glibc
import TestSupport
import Testing

@testable import Spool

@Suite("The journal, and what processes say of themselves")
struct JournalTests {
    private static let entry = EntryID(TestSpool.entry)

    private func lines(_ test: TestSpool, _ day: String) throws -> [[String: Any]] {
        try test.text("journal/ses-\(day).jsonl").split(separator: "\n").compactMap {
            try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }
    }

    @Test("a line has all its fields, and nothing in them can end it or forge another")
    func fields() throws {
        let test = try TestSpool()
        let entry = try #require(Self.entry)
        let name = try #require(SpoolName(parsing: TestSpool.retryName + ",E=1,O=out"))
        let hostile = "a\"b\\c\n{\"e\":\"forged\"}\r\u{0}\u{7f}\u{85}\u{2028}\u{2029}ü😀"
        let event = JournalEvent(
            .committed, entry: entry, file: hostile, workflow: "w", attempts: 3,
            to: [PublishedFile(folder: .admin, name: name)], verdict: "trusted", reason: hostile, messageID: "<m@x>",
            server: "ok")
        #expect(test.spool.journal.append(event) == nil)
        let raw = try test.text("journal/ses-20260921.jsonl")
        #expect(raw.split(separator: "\n", omittingEmptySubsequences: false).count == 2)
        #expect(
            raw.unicodeScalars.allSatisfy {
                $0 == "\n" || ($0.value >= 0x20 && ![0x7F, 0x85, 0x2028, 0x2029].contains($0.value))
            })
        let line = try #require(try lines(test, "20260921").first)
        #expect(line["t"] as? Int == 1_790_000_000_000)
        #expect(line["e"] as? String == entry.digits)
        #expect(line["f"] as? String == hostile)
        #expect(line["ev"] as? String == "committed")
        #expect(line["wf"] as? String == "w")
        #expect(line["n"] as? Int == 3)
        #expect(line["to"] as? [String] == ["admin"])
        #expect(line["verdict"] as? String == "trusted")
        #expect(line["reason"] as? String == hostile)
        #expect(line["mid"] as? String == "<m@x>")
        #expect(line["srv"] as? String == "ok")
    }

    @Test("fields that are not there are left out")
    func sparse() throws {
        let test = try TestSpool()
        test.spool.journal.append(JournalEvent(.claimed, entry: try #require(Self.entry)))
        #expect(try Set(lines(test, "20260921")[0].keys) == ["t", "e", "ev"])
    }

    @Test("the name of a file is written only where the entry does not say it")
    func files() throws {
        let test = try TestSpool()
        let entry = try #require(Self.entry)
        test.spool.journal.append(JournalEvent(.recovered, entry: entry, file: "1.\(entry.digits).2,O=out"))
        test.spool.journal.append(JournalEvent(.committed, entry: entry, file: "1700000000.M1P2.host"))
        let lines = try lines(test, "20260921")
        #expect(lines.map { $0["f"] as? String } == [nil, "1700000000.M1P2.host"])
    }

    @Test("a new day has a new file, and one that was removed is made again")
    func days() throws {
        let test = try TestSpool()
        let event = JournalEvent(.claimed, entry: try #require(Self.entry))
        test.spool.journal.append(event)
        test.spool.journal.append(event)
        #expect(try lines(test, "20260921").count == 2)
        test.clock.set(seconds: 1_790_000_000 + 86_400)
        test.spool.journal.append(event)
        #expect(try lines(test, "20260922").count == 1)
        #expect(try MakingTests.mode(test.file("journal/ses-20260922.jsonl")) & 0o007 == 0)
        unlink(test.file("journal/ses-20260922.jsonl"))
        test.spool.journal.append(event)
        #expect(try lines(test, "20260922").count == 1)
    }

    @Test("a torn line costs itself, not the next")
    func torn() throws {
        let test = try TestSpool()
        let event = JournalEvent(.claimed, entry: try #require(Self.entry))
        try test.put("{\"v\":1,\"e\":\"01", "journal/ses-20260921.jsonl")
        test.spool.journal.append(event)
        test.spool.journal.append(event)
        #expect(try lines(test, "20260921").count == 2)
    }

    @Test("many threads and instances: no line is mixed with another")
    func concurrent() throws {
        let test = try TestSpool()
        let other = try test.another()
        let entry = try #require(Self.entry)
        try onThreads(8) { number in
            for _ in 0..<100 {
                let journal = number.isMultiple(of: 2) ? test.spool.journal : other.journal
                journal.append(
                    JournalEvent(.claimed, entry: entry, reason: String(repeating: "x", count: number * 500)))
            }
        }
        #expect(try lines(test, "20260921").count == 800)
    }

    @Test("a journal that cannot be written is a warning", arguments: ["link", "directory"])
    func unwritable(_ kind: String) throws {
        let test = try TestSpool()
        if kind == "link" {
            #expect(symlink("/dev/full", test.file("journal/ses-20260921.jsonl")) == 0)
        } else {
            try test.makeDirectory("journal/ses-20260921.jsonl")
        }
        let warning = test.spool.journal.append(JournalEvent(.claimed, entry: try #require(Self.entry)))
        #expect(warning != nil)
        #expect(try test.recover().report.warnings.isEmpty)
    }

    @Test(
        "times are right on any day",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_400_123, "2000-02-29T00:00:00.123Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"), (1_709_251_200_000, "2024-03-01T00:00:00.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (253_402_300_799_000, "9999-12-31T23:59:59.000Z"),
        ])
    func timestamps(_ milliseconds: Int, _ text: String) {
        #expect(Timestamp(milliseconds: milliseconds).text == text)
        #expect(Timestamp(milliseconds: milliseconds).day == text.prefix(10).filter { $0 != "-" })
    }

    @Test("a state replaces the one before; those of dead processes are ignored, and an old one is known by its age")
    func states() throws {
        let test = try TestSpool()
        test.clock.set(seconds: Int(Date().timeIntervalSince1970))
        try test.spool.publishState(Array("{\"a\":1}".utf8), program: "ses")
        try test.spool.publishState(Array("{\"a\":2}".utf8), program: "ses")
        // No process has a number as high as this.
        try test.spool.publishState(Array("{}".utf8), program: "ses", pid: 4_194_305)
        for name in [
            "ses.json", "ses-x.json", "ses-0.json", "ses--1.json", ".ses-1.json", "ses-99999999999.json",
            "ses-\(getpid())",
        ] {
            try test.put("{}", "state/" + name)
        }
        #expect(symlink("/etc/hostname", test.file("state/ses-1.json")) == 0)
        let states = try test.states().filter(\.isAlive)
        #expect(states.map(\.program) == ["ses"])
        #expect(states.map(\.pid) == [getpid()])
        #expect(states.map { String(decoding: $0.json, as: UTF8.self) } == ["{\"a\":2}"])
        test.clock.set(seconds: Int(Date().timeIntervalSince1970) + 62)
        #expect(try test.states().filter(\.isAlive).map { $0.age >= 60 } == [true])
        try test.spool.retireState(program: "ses")
        #expect(try !test.names("state").contains("ses-\(getpid()).json"))
        let last = try #require(test.spool.lastState())
        #expect(String(decoding: last.json, as: UTF8.self) == "{\"a\":2}" && last.pid == 0)
    }

    @Test("a journal folder that was moved away is made again for the next line")
    func movedFolder() throws {
        let test = try TestSpool()
        let event = JournalEvent(.claimed, entry: EntryID(random: .system))
        #expect(test.spool.journal.append(event) == nil)
        #expect(rename(test.file("journal"), test.file("moved")) == 0)
        #expect(test.spool.journal.append(event) == nil)
        #expect(try test.names("journal").count == 1)
    }

    @Test("a state that is too large to be one is told with its process")
    func defectiveStates() throws {
        let test = try TestSpool()
        test.clock.set(seconds: Int(Date().timeIntervalSince1970))
        try test.put(String(repeating: " ", count: Spool.maximumStateSize + 1), "state/ses-\(getpid()).json")
        let state = try #require(try test.states().first)
        #expect(state.pid == getpid() && state.defect?.contains("octets") == true && state.json.isEmpty)
    }

    @Test("what waits counts from the time it came, a retry from the time it is due")
    func waiting() throws {
        let test = try TestSpool()
        let now = Int(Date().timeIntervalSince1970)
        test.clock.set(seconds: now)
        try test.put("x", "outgoing/new/a")
        try test.put("x", "retry/new/\(Self.unique),O=out,N=1,D=\(now - 400)")
        #expect(try test.spool.waiting(in: .outgoing, since: now - 300).count == 0)
        #expect(try test.spool.waiting(in: .outgoing, since: now + 5).count == 1)
        #expect(try test.spool.waiting(in: .retry, since: now - 300) == Overdue(count: 1, longest: 400))
        #expect(try test.spool.waiting(in: .retry, since: now - 500).count == 0)
        #expect(try test.spool.waiting(in: .retry, since: now - 500, maximumDelay: 60).count == 1)
    }

    private static let unique = "1790000000.0123456789abcdef0123456789abcdef.0011223344556677"

    @Test("a folder that was removed counts as empty")
    func removedFolder() throws {
        let test = try TestSpool()
        try FileManager.default.removeItem(atPath: test.file("blocked"))
        #expect(try test.spool.counts().first { $0.name == "blocked" }?.count == 0)
    }

    @Test("counts tell how much stands where, and since when")
    func counts() throws {
        let test = try TestSpool()
        try test.put("x", "outgoing/new/\(TestSpool.retryName)")
        try test.put("x", "outgoing/a.eml")
        try test.put("x", "outgoing/no.txt")
        try test.put("x", "outgoing/new/.hidden")
        try test.put("x", "retry/new/\(TestSpool.retryName),O=in,N=1,D=1")
        let counts = Dictionary(uniqueKeysWithValues: try test.spool.counts().map { ($0.name, $0) })
        #expect(counts["outgoing"]?.count == 2)
        #expect(counts["retry"]?.count == 1)
        #expect(counts["retry"]?.oldest == 1_790_000_000)
        #expect(counts["delivered"]?.count == 0)
        #expect(counts["delivered"]?.oldest == nil)
        #expect(
            Set(counts.keys) == [
                "outgoing", "incoming", "work", "publish", "delivered", "admin", "blocked", "retry", "failed",
                "corrupt",
            ])
    }
}

extension TestSpool {
    fileprivate func states() throws -> [ProcessState] {
        try ProcessState.all(in: spool.state, now: clock.clock.now())
    }
}
