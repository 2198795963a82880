import Foundation
import JournalIndex

/// The lines that programs add to the journals of a spool about one entry, from now on.
struct JournalTail {
    private let spool: String
    private let entry: String
    /// The octets of each file that were read already.
    private var offsets: [String: UInt64] = [:]

    private static let folders = [("ses", "/journal"), ("relay", "/relay/journal")]

    /// - Parameters:
    ///   - entry: 32 hexadecimal digits.
    ///   - start: The sizes of the journals behind which lines are looked for.
    init(spool: String, entry: String, from start: [String: UInt64]) {
        self.spool = spool
        self.entry = entry
        offsets = start
    }

    /// The present sizes of the journals, which later lines stand behind.
    static func sizes(of spool: String) -> [String: UInt64] {
        var sizes: [String: UInt64] = [:]
        for (_, path) in files(of: spool) {
            let facts = try? FileManager.default.attributesOfItem(atPath: path)
            sizes[path] = (facts?[.size] as? NSNumber)?.uint64Value ?? 0
        }
        return sizes
    }

    private static func files(of spool: String) -> [(program: String, path: String)] {
        folders.flatMap { program, folder in
            // A relay that was never started has no journal.
            ((try? FileManager.default.contentsOfDirectory(atPath: spool + folder)) ?? []).filter {
                $0.hasSuffix(".jsonl")
            }.map { (program, spool + folder + "/" + $0) }
        }
    }

    /// The lines about the entry that came since the last call, by their time.
    mutating func more() -> [JournalRecord] {
        var found: [JournalRecord] = []
        for (program, path) in Self.files(of: spool) {
            guard let file = FileHandle(forReadingAtPath: path) else { continue }
            defer { try? file.close() }
            let start = offsets[path] ?? 0
            guard (try? file.seek(toOffset: start)) != nil, let data = try? file.readToEnd(),
                let end = data.lastIndex(of: 0x0A)
            else { continue }
            offsets[path] = start + UInt64(data.distance(from: data.startIndex, to: end)) + 1
            for line in data[...end].split(separator: 0x0A) {
                guard line.range(of: Data(entry.utf8)) != nil,
                    let record = line.withUnsafeBytes({ JournalRecord($0, program: program) }), record.entry == entry
                else { continue }
                found.append(record)
            }
        }
        return found.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
    }
}
