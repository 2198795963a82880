import Foundation
import TestSupport
import Testing

@testable import JournalIndex

/// The folders of a spool that have journals.
struct JournalFolder {
    let scratch: ScratchDirectory
    var spool: String { scratch.file("spool") }

    init() throws {
        scratch = try ScratchDirectory()
        for folder in ["journal", "relay/journal"] {
            try FileManager.default.createDirectory(
                atPath: spool + "/" + folder, withIntermediateDirectories: true)
        }
    }

    /// 12:00 UTC of a day, in milliseconds.
    static func noon(_ day: Int) -> Int { (20_700 + day) * 86_400_000 + 43_200_000 }
    static func name(_ day: Int) -> String { JournalKeeper.day(of: noon(day) / 1_000) }
    static func entry(_ number: Int) -> String {
        let digits = String(UInt64(bitPattern: Int64(number &* 0x5851_F42D_4C95_7F2D)), radix: 16)
        let half = String(repeating: "0", count: 16 - digits.count) + digits
        return half + half
    }

    func path(_ day: Int, program: String = "ses") -> String {
        JournalSource.folder(of: program, in: spool) + "/\(program)-\(Self.name(day)).jsonl"
    }
    func index(_ day: Int) -> String { DayIndex.path(spool: spool, day: Self.name(day)) }
    func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    func append(_ line: String, day: Int, program: String = "ses") throws {
        let path = path(day, program: program)
        if !exists(path) { _ = FileManager.default.createFile(atPath: path, contents: nil) }
        let file = try #require(FileHandle(forWritingAtPath: path))
        defer { try? file.close() }
        try file.seekToEnd()
        try file.write(contentsOf: Data(line.utf8))
    }

    /// The lines of a signed mail that the relay sent.
    func addMail(_ number: Int, day: Int, more: String = "") throws {
        let (entry, time) = (Self.entry(number), Self.noon(day) + number)
        try append(
            "{\"t\":\(time),\"e\":\"\(entry)\",\"ev\":\"committed\",\"wf\":\"w\",\"ln\":4,\"to\":[\"delivered\"],"
                + "\"mid\":\"<m\(number)@example.test>\",\"qid\":\"4X\(number)\",\"from\":\"Alice@example.test\","
                + "\"rcpt\":[\"bob@partner.test\",\"r\(number)@partner.test\"]\(more)}\n"
                + "{\"t\":\(time + 1),\"e\":\"\(entry)\",\"ev\":\"published\"}\n", day: day)
        try append(
            "{\"t\":\(time + 90),\"e\":\"\(entry)\",\"ev\":\"sent\",\"srv\":\"250 Ok\",\"rcpt\":[\"bob@partner.test\"]}\n",
            day: day, program: "relay")
    }

    func search(writes: Bool = true) -> JournalSearch { JournalSearch(spool: spool, writes: writes) }

    func entries(_ word: String, writes: Bool = true, limit: Int = 10) -> [String] {
        search(writes: writes).find(SearchWord(word), limit: limit).journeys.map(\.entry)
    }
}
