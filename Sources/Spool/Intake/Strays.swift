import Glibc

extension Spool {
    /// The time something may lie where messages are put in before it is called a stray.
    public static let strayAge = 600

    /// Returns the files in `outgoing/` and `incoming/` that this spool does not take as messages and that have not
    /// changed for ten minutes: files of other names, folders, files that a mail reader moved to `cur/`, files that a
    /// deliverer left in `tmp/`, and names in `new/` that are never taken. Somebody may expect them to be sent.
    ///
    /// The temporary files of `ses drop` are not among them, because its caller was told.
    /// - Parameter now: Unix seconds. The time of the last change of a file's metadata counts, which a copy cannot
    ///   bring with it.
    /// - Returns: Path and reason of each, at most 100.
    /// - Throws: ``SpoolError`` if a folder cannot be listed.
    public func strays(now: Int) throws(SpoolError) -> [LeftInPlace] { try Self.strays(in: root, now: now) }

    static func strays(in root: Directory, now: Int) throws(SpoolError) -> [LeftInPlace] {
        var strays: [LeftInPlace] = []
        for queue in [Queue.outgoing, .incoming] {
            for place in Place.allCases {
                let path = place.path.isEmpty ? queue.rawValue : queue.rawValue + "/" + place.path
                let directory: Directory
                do throws(SpoolError) {
                    directory = try root.descend(path)
                } catch let error where [ENOENT, EACCES].contains(error.errno) {
                    continue
                }
                try directory.forEachRawName { (pointer, _) throws(SpoolError) in
                    // Most names in new/ are messages; they are passed over without being taken apart.
                    if place == .new, pointer[0] != CChar(UInt8(ascii: ".")), !endsOddly(pointer) { return true }
                    let name = FileName(pointer)
                    guard place.isStray(name), let status = try directory.status(name),
                        now - status.st_ctim.tv_sec > Self.strayAge
                    else { return true }
                    strays.append(LeftInPlace(path: path + "/" + name.description, reason: place.reason))
                    return strays.count < Self.maximumReported
                }
            }
        }
        return strays
    }

    /// Returns true if a name ends as `.part` or `.tmp` do.
    private static func endsOddly(_ name: UnsafePointer<CChar>) -> Bool {
        let length = strlen(name)
        guard length > 1 else { return false }
        let last = UInt8(bitPattern: name[length - 1])
        return last == UInt8(ascii: "t") || last == UInt8(ascii: "p")
    }

    /// A directory of a queue that is looked through.
    private enum Place: CaseIterable {
        case top, new, cur, tmp

        var path: String {
            switch self {
            case .top: ""
            case .new: "new"
            case .cur: "cur"
            case .tmp: "tmp"
            }
        }

        func isStray(_ name: FileName) -> Bool {
            switch self {
            case .top: !name.isMessageName && !["new", "cur", "tmp"].contains(name.text) || name.hasPrefix(".")
            case .new: name.hasPrefix(".") || name.hasSuffix(".part") || name.hasSuffix(".tmp")
            case .cur: true
            case .tmp: name.text.flatMap { UniqueName(parsing: $0) } == nil
            }
        }

        var reason: String {
            switch self {
            case .top: "only *.eml is taken here"
            case .new: "names that begin with a dot or end with .part or .tmp are never taken"
            case .cur: "only new/ is read, and a mail reader moved this to cur/"
            case .tmp: "a delivery that was never finished"
            }
        }
    }
}
