import MailEnvelope
import Composition
import Foundation

/// A search in the journals of both programs, file by file.
struct JournalScan {
    /// One line as it is shown.
    struct Line: Encodable, Sendable {
        /// 32 digits.
        let entry: String
        /// RFC 3339, UTC.
        let time: String
        /// `ses` or `relay`.
        let program: String
        let event: String
        let messageID: String?
        /// The mail server's identifier of the message.
        let queueID: String?
        /// Everything else that the line says, in the order of the journal.
        let words: [String]

        /// For people; what others have said in it is made safe.
        var text: String {
            "\(time)  \(program.padded(to: 5))  \(event.padded(to: 9))  "
                + UntrustedText.plainTextLine(words.joined(separator: "; "), limit: 600)
        }
    }

    /// The lines that a person reads: a commit says nothing that the line after it does not say.
    static func read(_ lines: [Line]) -> [String] {
        lines.enumerated().filter { $0.element.event != "committed" || $0.offset == lines.count - 1 }
            .map(\.element.text)
    }

    private struct Day {
        let program: String
        let data: Data
    }

    /// The oldest first.
    private let days: [Day]

    /// - Parameters:
    ///   - spool: The path of the spool.
    ///   - since: The first day, as in the names of the files: `20260102`; nil for all.
    init(spool: String, since: String? = nil) {
        var found: [(name: String, day: Day)] = []
        for (program, folder) in [("ses", spool + "/journal"), ("relay", spool + "/relay/journal")] {
            // A relay that was never started has no journal, and a file may be removed meanwhile.
            for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
                guard name.hasSuffix(".jsonl"), let date = name.dropLast(6).split(separator: "-").last,
                    since.map({ date >= $0 }) ?? true,
                    let data = try? Data(contentsOf: URL(fileURLWithPath: folder + "/" + name), options: .alwaysMapped)
                else { continue }
                found.append((String(date), Day(program: program, data: data)))
            }
        }
        days = found.sorted { $0.name < $1.name }.map(\.day)
    }

    /// Returns the lines about an entry, by their time.
    /// - Parameter entry: The digits of the entry, or the first of them; the lines may then be of several.
    func lines(of entry: String) -> [Line] {
        days.flatMap { day in
            Self.records(with: "\"e\":\"\(entry)", in: day).map { $0.line(day.program) }
        }
        .sorted { $0.time < $1.time }
    }

    /// Returns the entries of which a line has `text` as an identifier or an address, in the order of their last line.
    func entries(naming text: String) -> [String] {
        var times: [String: String] = [:]
        for day in days {
            for record in Self.records(with: text, in: day) where record.names(text) {
                times[record.e] = max(times[record.e] ?? "", record.t)
            }
        }
        return times.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map(\.key)
    }

    /// Searches the text and reads only the lines that have it: a day may have a hundred thousand.
    private static func records(with text: String, in day: Day) -> [Record] {
        let wanted = Data(text.utf8)
        let decoder = JSONDecoder()
        var found: [Record] = []
        var start = day.data.startIndex
        while let range = day.data.range(of: wanted, in: start..<day.data.endIndex) {
            let first = day.data[..<range.lowerBound].lastIndex(of: 0x0A).map { $0 + 1 } ?? day.data.startIndex
            let end = day.data[range.upperBound...].firstIndex(of: 0x0A) ?? day.data.endIndex
            // A line that a crash cut short is no line.
            if let record = try? decoder.decode(Record.self, from: day.data[first..<end]) { found.append(record) }
            start = end
        }
        return found
    }
}

/// A line of the journal, as far as it is shown. The names are those of its fields.
private struct Record: Decodable {
    let t: String
    let e: String
    let ev: String
    let wf: String?
    let n: Int?
    let to: [[String]]?
    let verdict: String?
    let reason: String?
    let mid: String?
    let qid: String?
    let srv: String?
    let from: String?
    let rcpt: [String]?

    /// Returns true if `text` is one of its identifiers or addresses.
    func names(_ text: String) -> Bool {
        e.hasPrefix(text) || qid == text || mid == text || mid == "<\(text)>" || from == text
            || rcpt?.contains(text) == true
    }

    func line(_ program: String) -> JournalScan.Line {
        var words: [String] = []
        if let wf { words.append("workflow \"\(wf)\"") }
        if let verdict { words.append(verdict) }
        if let reason, !reason.isEmpty { words.append(reason) }
        if let n, n > 0 { words.append("attempt \(n)") }
        if let from { words.append("from " + (from.isEmpty ? "<>" : from)) }
        if let rcpt, !rcpt.isEmpty { words.append("for " + rcpt.joined(separator: ", ")) }
        if let srv { words.append("server: " + srv) }
        let folders = (to ?? []).compactMap(\.first)
        if !folders.isEmpty { words.append("to " + folders.joined(separator: ", ")) }
        return JournalScan.Line(
            entry: e, time: t, program: program, event: ev, messageID: mid, queueID: qid, words: words)
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
