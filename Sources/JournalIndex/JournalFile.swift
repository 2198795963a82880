import Glibc

/// A file that is mapped into memory for reading.
final class MappedFile {
    let octets: UnsafeRawBufferPointer

    /// - Returns: nil if it is not there or cannot be read.
    init?(_ path: String) {
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        guard status.st_size > 0 else {
            octets = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let base = mmap(nil, status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
            return nil
        }
        octets = UnsafeRawBufferPointer(start: base, count: status.st_size)
    }

    deinit {
        if let base = octets.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), octets.count) }
    }
}

/// The journal of one program on one day, plain or compressed. Places are counted in its plain octets.
final class JournalFile {
    /// The name without its ending, such as `ses-20260102`: the same before and after compression.
    let name: String
    let program: String
    /// Octets of the journal; a line that is being written at its end does not count.
    let count: Int
    private let plain: MappedFile?
    private let compressed: MappedFile?
    private lazy var blocks: [BlockFile.Block] = compressed.flatMap { BlockFile.blocks($0.octets) } ?? []
    private var held: (begin: Int, octets: [UInt8])?

    /// - Returns: nil if it cannot be read: somebody removed it, or it is damaged.
    init?(_ source: JournalSource) {
        name = source.name
        program = source.program
        // Between a look at the folder and this one it may have been compressed.
        if let file = MappedFile(source.plainPath) {
            plain = file
            compressed = nil
            count = file.octets.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        } else if let file = MappedFile(source.compressedPath), let total = BlockFile.total(file.octets) {
            plain = nil
            compressed = file
            count = total
        } else {
            return nil
        }
    }

    /// A number by which another journal of the same name is told apart: of its first octets.
    lazy var fingerprint: Int64 =
        plain.map { Self.fingerprint(of: $0.octets) } ?? compressed.map { BlockFile.fingerprint($0.octets) } ?? 0

    /// Of the first line of a journal.
    static func fingerprint(of octets: UnsafeRawBufferPointer) -> Int64 {
        var first: Int64 = 0
        _ = lines(octets, begin: 0) { _, line in
            first = SearchWord.key(line)
            return false
        }
        return first
    }

    /// Calls `body` with each line from `place` on, which is the beginning of one, and where it begins, until that
    /// returns false.
    func forEachLine(from place: Int, _ body: (Int, UnsafeRawBufferPointer) -> Bool) {
        if let plain {
            guard place <= count else { return }
            _ = Self.lines(UnsafeRawBufferPointer(rebasing: plain.octets[place..<count]), begin: place, body)
            return
        }
        let first = blocks.lastIndex { $0.begin <= place } ?? 0
        for block in blocks[min(first, blocks.count)...] {
            guard let octets = self.octets(of: block) else { continue }
            let skipped = max(0, place - block.begin)
            guard skipped <= octets.count else { continue }
            let goesOn = octets.withUnsafeBytes { all in
                Self.lines(UnsafeRawBufferPointer(rebasing: all[skipped...]), begin: block.begin + skipped, body)
            }
            guard goesOn else { return }
        }
    }

    /// The line that begins at `place`; nil if there is none.
    func record(at place: Int) -> JournalRecord? {
        var found: JournalRecord?
        forEachLine(from: place) { begin, line in
            if begin == place { found = JournalRecord(line, program: program) }
            return false
        }
        return found
    }

    private func octets(of block: BlockFile.Block) -> [UInt8]? {
        // The lines of one message stand together.
        if let held, held.begin == block.begin { return held.octets }
        guard let compressed, let octets = BlockFile.octets(of: block, in: compressed.octets) else { return nil }
        held = (block.begin, octets)
        return octets
    }

    private static func lines(
        _ octets: UnsafeRawBufferPointer, begin: Int, _ body: (Int, UnsafeRawBufferPointer) -> Bool
    ) -> Bool {
        guard let base = octets.baseAddress else { return true }
        var place = 0
        while place < octets.count {
            let rest = octets.count - place
            guard let end = memchr(base + place, 0x0A, rest) else { return true }
            let length = end - UnsafeMutableRawPointer(mutating: base + place)
            guard body(begin + place, UnsafeRawBufferPointer(start: base + place, count: length)) else { return false }
            place += length + 1
        }
        return true
    }
}

/// A journal as it stands in its folder.
struct JournalSource: Hashable, Sendable {
    let program: String
    let folder: String
    let name: String
    /// `20260102`
    let day: String

    var plainPath: String { folder + "/" + name + ".jsonl" }
    var compressedPath: String { folder + "/" + name + ".jsonl.gz" }

    static let programs = ["ses", "relay"]

    static func folder(of program: String, in spool: String) -> String {
        program == "ses" ? spool + "/journal" : spool + "/\(program)/journal"
    }

    /// Reads `ses-20260102.jsonl`, and with a number what was written after the journal of the day was compressed:
    /// `ses-20260102-2.jsonl.gz`.
    init?(fileName: String, program: String, folder: String) {
        var stem = fileName[...]
        if stem.hasSuffix(".gz") { stem = stem.dropLast(3) }
        guard stem.hasSuffix(".jsonl") else { return nil }
        stem = stem.dropLast(6)
        let parts = stem.split(separator: "-", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), parts[0] == program, parts[1].utf8.count == 8,
            parts.dropFirst().allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } })
        else { return nil }
        self.program = program
        self.folder = folder
        name = String(stem)
        day = String(parts[1])
    }

    /// All journals of a spool. A folder that is not there has none.
    static func all(in spool: String) -> [JournalSource] {
        var found: Set<JournalSource> = []
        for program in programs {
            let folder = folder(of: program, in: spool)
            for name in FolderNames.of(folder) {
                if let source = JournalSource(fileName: name, program: program, folder: folder) { found.insert(source) }
            }
        }
        return found.sorted { ($0.day, $0.program, $0.name) < ($1.day, $1.program, $1.name) }
    }
}

enum FolderNames {
    /// The names in a folder; empty if it cannot be listed.
    static func of(_ path: String) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names
    }
}
