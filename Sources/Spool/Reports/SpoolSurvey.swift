import CLinux
import Glibc

/// A spool as anybody sees it who may look on, whatever the programs say of it.
///
/// Nothing is made or repaired, and one folder that cannot be looked at hides no other. The folders are snapshots of a
/// changing state.
public struct SpoolSurvey: Sendable {
    /// The messages in one place.
    public struct Place: Sendable {
        public let name: String
        public internal(set) var count = 0
        /// Unix seconds of the oldest file's making; nil when the place is empty.
        public internal(set) var oldest: Int?
        /// Those that have waited, or have been due, for longer than patience allows.
        public internal(set) var overdue = Overdue()
        /// Unix seconds at which the first is due that waits for another attempt.
        public internal(set) var nextDue: Int?

        init(_ name: String) { self.name = name }
    }

    /// Something that is wrong with a folder.
    public struct FolderFault: Sendable, Hashable {
        public enum Kind: Sendable, Hashable { case missing, unwritable, notVisible }
        public let kind: Kind
        /// From the spool's root.
        public let path: String
        /// The cause, for people.
        public let text: String
    }

    /// The room on the file system, for users without privileges.
    public struct Room: Sendable {
        public let free: Int
        public let total: Int
        public let freeInodes: Int
        /// 0 on a file system without a fixed number.
        public let totalInodes: Int
        /// The reason why nothing can be written at all; nil if there is none.
        public let lack: String?
    }

    public internal(set) var places: [Place] = []
    public internal(set) var faults: [FolderFault] = []
    /// Files where messages are put in that are never taken.
    public internal(set) var strays: [LeftInPlace] = []
    /// Files in `delivered/new` and `admin/new` whose names are not the spool's.
    public internal(set) var foreign: [LeftInPlace] = []
    /// The paths of what lies in `work`, `publish` and the relay's, and does not belong there.
    public internal(set) var foreignInWork: [String] = []
    /// Files dated in the future, and by how many seconds the furthest of them.
    public internal(set) var future = Overdue()
    public internal(set) var room: Room?
    /// The states that processes tell of themselves, ended ones included.
    public internal(set) var states: [ProcessState] = []
    /// The error of an attempt to write; nil if it succeeded, or if the caller has no right to it.
    public internal(set) var writeError: SpoolError?
    /// The user that the spool belongs to.
    public let owner: UInt32
    public let path: String

    /// Seconds by which a file may be dated in the future without a doubt about the clock.
    public static let tolerance = 120

    /// Looks at the spool at `path`.
    /// - Parameters:
    ///   - now: Unix seconds.
    ///   - patience: Seconds for which a message may wait to be taken.
    /// - Throws: ``SpoolError`` if there is no directory.
    public init(of path: String, now: Int, patience: Int) throws(SpoolError) {
        self.path = path
        let root = try Directory(path: path, searchOnly: true)
        owner = root.owner
        var scan = FolderScan(root: root, now: now, patience: patience)
        scan.run()
        places = scan.places
        foreign = scan.foreign
        foreignInWork = scan.foreignInWork
        future = scan.future
        faults = scan.faults
        let folders = FolderInspection(of: root)
        faults += folders.faults.filter { !faults.contains($0) }
        writeError = folders.writeError
        do throws(SpoolError) {
            strays = try Spool.strays(in: root, now: now)
        } catch {
            faults.append(FolderFault(kind: .notVisible, path: error.path, text: error.description))
        }
        room = Self.room(of: root)
        for folder in Set(Program.allCases.map(\.territory.statePath)).sorted() {
            guard let directory = try? root.descend(folder) else { continue }
            states += (try? ProcessState.all(in: directory, now: now)) ?? []
        }
    }

    public func place(_ name: String) -> Place? { places.first { $0.name == name } }

    private static func room(of root: Directory) -> Room? {
        // A directory opened for searching alone is asked by its path.
        var facts = statvfs()
        guard statvfs(root.path, &facts) == 0 else { return nil }
        return Room(
            free: Int(facts.f_bavail) * Int(facts.f_frsize), total: Int(facts.f_blocks) * Int(facts.f_frsize),
            freeInodes: Int(facts.f_favail), totalInodes: Int(facts.f_files),
            lack: (try? Spool.lackOfRoom(in: root)) ?? nil)
    }
}

/// One pass over the folders with messages.
private struct FolderScan {
    private enum Kind { case intake, bare, retry, ours, transactions, kept }

    let root: Directory
    let now: Int
    let patience: Int
    var places: [SpoolSurvey.Place] = []
    var faults: [SpoolSurvey.FolderFault] = []
    var foreign: [LeftInPlace] = []
    var foreignInWork: [String] = []
    var future = Overdue()

    /// Seconds that a program may take to judge a file of a foreign name.
    private static let arrival = 10

    init(root: Directory, now: Int, patience: Int) {
        self.root = root
        self.now = now
        self.patience = patience
    }

    private static let folders: [(name: String, paths: [(String, Kind)])] = [
        ("outgoing", [("outgoing/new", .intake), ("outgoing", .bare)]),
        ("incoming", [("incoming/new", .intake), ("incoming", .bare)]),
        ("work", [("work", .transactions)]), ("publish", [("publish", .transactions)]),
        ("retry", [("retry/new", .retry)]), ("blocked", [("blocked/new", .kept)]),
        ("delivered", [("delivered/new", .ours)]), ("admin", [("admin/new", .ours)]),
        ("relay/work", [("relay/work", .transactions)]), ("relay/publish", [("relay/publish", .transactions)]),
        ("deferred", [("relay/deferred", .retry)]), ("failed", [("failed", .kept)]), ("corrupt", [("corrupt", .kept)]),
    ]

    mutating func run() {
        for folder in Self.folders {
            var place = SpoolSurvey.Place(folder.name)
            for (path, kind) in folder.paths {
                do throws(SpoolError) {
                    try look(at: path, kind, &place)
                } catch {
                    note(error, path)
                }
            }
            places.append(place)
        }
    }

    private mutating func note(_ error: SpoolError, _ path: String) {
        // A missing folder is told of by the inspection of the layout.
        guard error.errno != ENOENT else { return }
        faults.append(.init(kind: .notVisible, path: path, text: String(cString: strerror(error.errno))))
    }

    private mutating func look(at path: String, _ kind: Kind, _ place: inout SpoolSurvey.Place) throws(SpoolError) {
        let directory = try root.descend(path)
        var here = place
        var scan = self
        try directory.forEachRawName { (name, _) throws(SpoolError) in
            // The relay's directories of transactions have their probe, and `ses` its own, for an instant.
            if name[0] == CChar(UInt8(ascii: ".")) { return true }
            try scan.count(name, in: directory, path, kind, &here)
            return true
        }
        place = here
        self = scan
    }

    private mutating func count(
        _ name: UnsafePointer<CChar>, in directory: Directory, _ path: String, _ kind: Kind,
        _ place: inout SpoolSurvey.Place
    ) throws(SpoolError) {
        let stamp = NameStamp(name)
        switch kind {
        case .bare: guard FileName(name).isMessageName else { return }
        case .intake: if stamp == nil, FileName(name).isNeverTaken { return }
        case .transactions:
            guard stamp != nil else {
                if foreignInWork.count < Spool.maximumReported { foreignInWork.append("\(path)/\(FileName(name))") }
                return
            }
        case .ours, .retry:
            guard stamp?.hasOrigin == true else {
                // What came just now may be looked at just now.
                let came = try directory.status(FileName(name))?.st_ctim.tv_sec ?? now
                if now - came > Self.arrival, foreign.count < Spool.maximumReported, !FileName(name).isNeverTaken {
                    foreign.append(
                        LeftInPlace(
                            path: "\(path)/\(FileName(name))", reason: "its name is not of the spool's form",
                            isForeign: true))
                }
                break
            }
        case .kept: break
        }
        var times: stat?
        func status() throws(SpoolError) -> stat? {
            if times == nil { times = try directory.status(FileName(name)) }
            return times
        }
        var seconds = kind == .bare ? nil : stamp?.seconds
        if seconds == nil { seconds = try status()?.st_mtim.tv_sec }
        // Gone meanwhile.
        guard let seconds else { return }
        place.count += 1
        place.oldest = min(place.oldest ?? seconds, seconds)
        if seconds > now + SpoolSurvey.tolerance { future.add(seconds - now) }
        switch kind {
        case .retry:
            let due = stamp?.due ?? 0
            if due > 0 { place.nextDue = min(place.nextDue ?? due, due) }
            if due < now - patience { place.overdue.add(now - max(due, seconds)) }
        case .intake, .bare, .ours:
            // The name keeps its time when a file is moved; when it came here, its metadata says.
            guard seconds < now - patience, let came = try status()?.st_ctim.tv_sec, came < now - patience else {
                return
            }
            place.overdue.add(now - came)
        case .transactions, .kept: break
        }
    }
}

/// The facts of a name of the spool's form that a survey asks for, read without taking the name apart.
private struct NameStamp {
    let seconds: Int
    private(set) var due: Int?
    private(set) var hasOrigin = false

    /// Nil for a name of another form.
    init?(_ name: UnsafePointer<CChar>) {
        var index = 0
        func isHexadecimal(_ octet: CChar) -> Bool { (0x30...0x39).contains(octet) || (0x61...0x66).contains(octet) }
        func number() -> Int? {
            let start = index
            var value = 0
            while (0x30...0x39).contains(name[index]), index - start < 15 {
                value = value * 10 + Int(name[index] - 0x30)
                index += 1
            }
            return index > start ? value : nil
        }
        func digits(_ count: Int) -> Bool {
            let end = index + count
            while index < end, isHexadecimal(name[index]) { index += 1 }
            return index == end
        }
        guard let seconds = number(), name[index] == 0x2E else { return nil }
        index += 1
        guard digits(32), name[index] == 0x2E else { return nil }
        index += 1
        guard digits(16), [0, 0x2C, 0x3A].contains(name[index]) else { return nil }
        self.seconds = seconds
        while name[index] == 0x2C {
            let key = name[index + 1]
            guard key != 0, name[index + 2] == 0x3D else { return nil }
            index += 3
            if key == 0x44 { due = number() }
            if key == 0x4F { hasOrigin = true }
            while name[index] != 0, name[index] != 0x2C, name[index] != 0x3A { index += 1 }
        }
    }
}

extension FileName {
    /// True if it is a name that no queue takes: of a file that is still being written.
    fileprivate var isNeverTaken: Bool { hasPrefix(".") || hasSuffix(".part") || hasSuffix(".tmp") }
}
