import Foundation
import HostProcess

/// The lines that programs add to the journals of a spool about one entry, from now on.
struct JournalTail {
    /// A line, as far as a trial needs it.
    struct Line: Decodable {
        /// Milliseconds since 1970.
        let time: Int
        let entry: String
        let event: String
        let workflow: String?
        let reason: String?
        let verdict: String?
        /// The words of a server.
        let server: String?
        /// Folders.
        let folders: [String]
        let key: String?
        let profile: String?
        /// Milliseconds that the signing server was waited for.
        let serverTime: Int?
        /// `ses` or `relay`.
        var program = ""

        private enum CodingKeys: String, CodingKey {
            case time = "t"
            case entry = "e"
            case event = "ev"
            case workflow = "wf"
            case reason, verdict
            case server = "srv"
            case folders = "to"
            case key
            case profile = "pf"
            case serverTime = "sms"
        }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            entry = try fields.decode(String.self, forKey: .entry)
            event = try fields.decode(String.self, forKey: .event)
            workflow = try fields.decodeIfPresent(String.self, forKey: .workflow)
            reason = try fields.decodeIfPresent(String.self, forKey: .reason)
            verdict = try fields.decodeIfPresent(String.self, forKey: .verdict)
            server = try fields.decodeIfPresent(String.self, forKey: .server)
            key = try fields.decodeIfPresent(String.self, forKey: .key)
            profile = try fields.decodeIfPresent(String.self, forKey: .profile)
            serverTime = try fields.decodeIfPresent(Int.self, forKey: .serverTime)
            // Earlier releases wrote a text for the time, and the names of files beside the folders.
            if let number = try? fields.decode(Int.self, forKey: .time) {
                time = number
            } else {
                let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
                time = Int(
                    try style.parse(fields.decode(String.self, forKey: .time)).timeIntervalSince1970 * 1_000)
            }
            if let pairs = try? fields.decode([[String]].self, forKey: .folders) {
                folders = pairs.compactMap(\.first)
            } else {
                folders = (try? fields.decode([String].self, forKey: .folders)) ?? []
            }
        }
    }

    private let spool: String
    private let entry: String
    /// The octets of each file that were read already.
    private var offsets: [String: UInt64] = [:]

    private static let folders = [("ses", "/journal"), ("relay", "/relay/journal")]

    /// - Parameter entry: 32 hexadecimal digits. Lines from before are not looked for.
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
    mutating func more() -> [Line] {
        var found: [Line] = []
        for (program, path) in Self.files(of: spool) {
            guard let file = FileHandle(forReadingAtPath: path) else { continue }
            defer { try? file.close() }
            let start = offsets[path] ?? 0
            guard (try? file.seek(toOffset: start)) != nil, let data = try? file.readToEnd(),
                let end = data.lastIndex(of: 0x0A)
            else { continue }
            offsets[path] = start + UInt64(data.distance(from: data.startIndex, to: end)) + 1
            for line in data[...end].split(separator: 0x0A) {
                // A line that a crash cut short is no line.
                guard line.range(of: Data(entry.utf8)) != nil,
                    var read = try? JSONDecoder().decode(Line.self, from: line), read.entry == entry
                else { continue }
                read.program = program
                found.append(read)
            }
        }
        return found.sorted { $0.time < $1.time }
    }
}
