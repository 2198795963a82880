import Foundation
import Spool

/// The journal lines about one entry, of both programs.
enum JournalScan {
    /// One line as it is shown.
    struct Line: Encodable, Sendable {
        /// 32 digits.
        let entry: String
        /// RFC 3339, UTC.
        let time: String
        /// `ses` or `relay`.
        let program: String
        let event: String
        /// Everything else that the line says, in the order of the journal.
        let words: [String]

        var text: String {
            "\(time)  \(program.padded(to: 5))  \(event.padded(to: 10))  \(words.joined(separator: "; "))"
        }
    }

    /// - Parameters:
    ///   - spool: The path of the spool.
    ///   - entry: The digits of the entry, or the first of them; the lines may then be of several.
    static func lines(of entry: String, in spool: String) -> [Line] {
        var found: [Line] = []
        for (program, folder) in [("ses", spool + "/journal"), ("relay", spool + "/relay/journal")] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            for name in names where name.hasSuffix(".jsonl") {
                guard
                    let data = try? Data(contentsOf: URL(fileURLWithPath: folder + "/" + name), options: .alwaysMapped)
                else { continue }
                found += lines(of: entry, program, data)
            }
        }
        return found.sorted { $0.time < $1.time }
    }

    /// Searches the digits and reads only the lines that have them: a day may have a hundred thousand.
    private static func lines(of entry: String, _ program: String, _ data: Data) -> [Line] {
        let wanted = Data("\"e\":\"\(entry)".utf8)
        var found: [Line] = []
        var start = data.startIndex
        while let range = data.range(of: wanted, in: start..<data.endIndex) {
            let first = data[..<range.lowerBound].lastIndex(of: 0x0A).map { $0 + 1 } ?? data.startIndex
            let end = data[range.upperBound...].firstIndex(of: 0x0A) ?? data.endIndex
            if let line = Record.line(data[first..<end], entry, program) { found.append(line) }
            start = end
        }
        return found
    }

    /// A line of the journal, as far as it is shown.
    private struct Record: Decodable {
        let t: String
        let e: String
        let ev: String
        let wf: String?
        let n: Int?
        let to: [[String]]?
        let verdict: String?
        let reason: String?
        let srv: String?
        let rcpt: [String]?
        let qid: String?

        static func line(_ data: Data, _ entry: String, _ program: String) -> Line? {
            // A line that a crash cut short is no line.
            guard let record = try? JSONDecoder().decode(Record.self, from: data), record.e.hasPrefix(entry) else {
                return nil
            }
            var words: [String] = []
            if let qid = record.qid { words.append("queue id \(qid)") }
            if let wf = record.wf { words.append("workflow \"\(wf)\"") }
            if let verdict = record.verdict { words.append(verdict) }
            if let reason = record.reason, !reason.isEmpty { words.append(reason) }
            if let n = record.n, n > 0 { words.append("attempt \(n)") }
            if let rcpt = record.rcpt, !rcpt.isEmpty { words.append("for " + rcpt.joined(separator: ", ")) }
            if let srv = record.srv { words.append("server: " + srv) }
            let folders = (record.to ?? []).compactMap(\.first)
            if !folders.isEmpty { words.append("to " + folders.joined(separator: ", ")) }
            return Line(entry: record.e, time: record.t, program: program, event: record.ev, words: words)
        }
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
