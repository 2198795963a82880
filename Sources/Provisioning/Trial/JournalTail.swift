import FoundationEssentials
import Glibc
import HostProcess
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
            var facts = stat()
            sizes[path] = stat(path, &facts) == 0 ? UInt64(facts.st_size) : 0
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
            let start = offsets[path] ?? 0
            let octets = Self.octets(of: path, from: start)
            guard let end = octets.lastIndex(of: 0x0A) else { continue }
            offsets[path] = start + UInt64(end) + 1
            for line in octets[...end].split(separator: 0x0A) {
                guard let record = line.withUnsafeBytes({ JournalRecord($0, program: program) }),
                    record.entry == entry
                else { continue }
                found.append(record)
            }
        }
        return found.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
    }

    /// The octets of a file behind an offset; none if it cannot be read now.
    private static func octets(of path: String, from offset: UInt64) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        guard lseek(descriptor, off_t(offset), SEEK_SET) >= 0 else { return [] }
        var octets: [UInt8] = []
        // What cannot be read now is looked for again the next time.
        _ = DescriptorIO.readToEnd(descriptor, into: &octets)
        return octets
    }
}
