import Foundation
import TestSupport
import Testing

@testable import JournalIndex

@Suite("Searching the journals")
struct SearchTests {
    @Test("each name of a message finds it, with all lines of both programs in order", arguments: [true, false])
    func names(_ writes: Bool) throws {
        let folder = try JournalFolder()
        for number in 1...20 {
            try folder.addMail(
                number, day: number % 3, more: ",\"au\":\"Carol@example.test\",\"hto\":[\"list\(number)@lists.test\"]")
        }
        let entry = JournalFolder.entry(7)
        for word in [
            entry, String(entry.prefix(9)), "4x7", "<m7@example.test>", "m7@example.test", "R7@Partner.test",
            "list7@lists.test",
        ] {
            #expect(folder.entries(word, writes: writes) == [entry], "\(word)")
        }
        #expect(folder.entries("carol@example.test", writes: writes, limit: 100).count == 20)
        #expect(folder.entries("alice@example.test", writes: writes, limit: 100).count == 20)
        #expect(folder.entries("7@partner.test", writes: writes).isEmpty)
        #expect(folder.entries(String(entry.prefix(3)), writes: writes).isEmpty)
        let records = folder.search(writes: writes).records(of: entry)
        #expect(records.map(\.event) == ["committed", "published", "sent"])
        #expect(records.map(\.program) == ["ses", "ses", "relay"])
        #expect(folder.exists(folder.index(0)) == writes)
    }

    @Test("the latest come first, and the others are counted")
    func limits() throws {
        let folder = try JournalFolder()
        for number in 1...30 { try folder.addMail(number, day: number / 10) }
        let found = folder.search().find(SearchWord("alice@example.test"), limit: 5)
        #expect(found.journeys.map(\.entry) == [30, 29, 28, 27, 26].map(JournalFolder.entry))
        #expect(found.more == 25)
    }

    @Test("a range of time finds what happened in it, and limits a name")
    func times() throws {
        let folder = try JournalFolder()
        for number in 1...5 { try folder.addMail(number, day: number) }
        let from = JournalFolder.noon(2) / 1_000 - 3_600
        let to = JournalFolder.noon(4) / 1_000 + 3_600
        let all = folder.search().find(times: from...to, limit: 10)
        #expect(all.journeys.map(\.entry) == [4, 3, 2].map(JournalFolder.entry))
        let named = folder.search().find(SearchWord("bob@partner.test"), times: from...to, limit: 10)
        #expect(named.journeys.map(\.entry) == [4, 3, 2].map(JournalFolder.entry))
        let few = folder.search().find(times: from...to, limit: 1)
        #expect(few.journeys.map(\.entry) == [JournalFolder.entry(4)] && few.more >= 1)
    }

    @Test("a line of an earlier release is read: time as text, folders with files, every field on both lines")
    func oldForm() throws {
        let folder = try JournalFolder()
        let entry = JournalFolder.entry(1)
        try folder.append(
            "{\"v\":1,\"t\":\"2026-09-04T12:00:00.123Z\",\"e\":\"\(entry)\",\"f\":\"a,b\",\"ev\":\"published\",\"wf\":\"w\","
                + "\"to\":[[\"delivered\",\"1.\(entry).2,E=3\"],[\"admin\",\"x\"]],\"reason\":\"a \\\"b\\\" \\u00e4\","
                + "\"qid\":\"4XOLD\",\"rcpt\":[\"bob@partner.test\"],\"pid\":7}\n", day: 0)
        let record = try #require(folder.search().find(SearchWord("4XOLD"), limit: 1).journeys.first?.records.first)
        #expect(record.to == ["delivered", "admin"] && record.reason == "a \"b\" ä")
        #expect(record.time == 1_788_523_200_123)
    }

    @Test("a subject is found by its words, where it stands in the journal")
    func subjects() throws {
        let folder = try JournalFolder()
        try folder.addMail(1, day: 0, more: ",\"sub\":\"Price list, Änderung (2027)\"")
        try folder.addMail(2, day: 0)
        for word in ["price", "LIST", "2027", "Änderung"] {
            #expect(folder.entries(word) == [JournalFolder.entry(1)], "\(word)")
        }
        #expect(folder.entries("rice").isEmpty)
    }

    @Test("lines that are no lines are passed over, and one that is still being written waits")
    func torn() throws {
        let folder = try JournalFolder()
        try folder.append("\n{\"t\":1,\n{}\nnonsense\n{\"t\":\"x\",\"e\":\"\"}\n[]\n", day: 0)
        try folder.addMail(1, day: 0)
        let half = "{\"t\":\(JournalFolder.noon(0) + 5),\"e\":\"\(JournalFolder.entry(2))\",\"ev\":\"com"
        try folder.append(half, day: 0)
        #expect(folder.entries("4X1") == [JournalFolder.entry(1)])
        #expect(folder.entries(JournalFolder.entry(2)).isEmpty)
        try folder.append("mitted\",\"qid\":\"4XLATE\"}\n", day: 0)
        #expect(folder.entries("4XLATE") == [JournalFolder.entry(2)])
    }

    @Test("what was added after the index was made is found, whether the index may be written or not")
    func added() throws {
        let folder = try JournalFolder()
        try folder.addMail(1, day: 0)
        #expect(folder.entries("4X1").count == 1)
        try folder.addMail(2, day: 0)
        #expect(folder.entries("4X2", writes: false) == [JournalFolder.entry(2)])
        #expect(folder.entries("4X2") == [JournalFolder.entry(2)])
        #expect(folder.entries("bob@partner.test").count == 2)
    }

    @Test(
        "a damaged index is made again",
        arguments: ["empty", "text", "cut", "of another journal", "of another form", "a middle page"])
    func damaged(_ kind: String) throws {
        let folder = try JournalFolder()
        for number in 1...500 { try folder.addMail(number, day: 0) }
        #expect(folder.entries("4X1").count == 1)
        let path = folder.index(0)
        var octets = try TestMaterial.octets(path)
        switch kind {
        case "empty": octets = []
        case "text": octets = Array("nonsense, and more of it".utf8)
        case "cut": octets = Array(octets.prefix(octets.count / 2))
        case "a middle page":
            // The first page says what the tables are; all others are made nonsense.
            for place in 4_096..<octets.count { octets[place] = 0xA5 }
        case "of another journal":
            for program in ["ses", "relay"] { unlink(folder.path(0, program: program)) }
            for number in 501...1_000 { try folder.addMail(number, day: 0) }
        default: octets[60...63] = [0, 0, 0, 99]
        }
        if kind != "of another journal" { try Data(octets).write(to: URL(fileURLWithPath: path)) }
        let wanted = kind == "of another journal" ? 700 : 300
        #expect(folder.entries("4X\(wanted)") == [JournalFolder.entry(wanted)])
        #expect(folder.entries("4X1").count == (kind == "of another journal" ? 0 : 1))
        // And it is sound afterwards.
        let index = try DayIndex(reading: path)
        #expect(try index.sources().count == 2)
    }

    @Test("many processes may index at the same time, and each finds all")
    func together() async throws {
        let folder = try JournalFolder()
        for number in 1...300 { try folder.addMail(number, day: 0) }
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 { group.addTask { folder.entries("bob@partner.test", limit: 1_000).count } }
            for await count in group { #expect(count == 300) }
        }
    }

    @Test("only the owner and the group of the spool may read an index")
    func modes() throws {
        let folder = try JournalFolder()
        try folder.addMail(1, day: 0)
        _ = folder.entries("4X1")
        var status = stat()
        #expect(lstat(folder.index(0), &status) == 0 && status.st_mode & 0o777 & ~0o640 == 0)
    }
}
