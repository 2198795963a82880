import Foundation
import Glibc
import TestSupport

/// The changes of a program below one directory, in order, as the library that counts calls has recorded them.
struct ChangeTrace: Sendable {
    struct Slot: Sendable, Hashable {
        let directory: Int
        let name: String
    }

    /// A change of names.
    struct Naming: Sendable {
        enum Kind: Sendable { case make, move, link, remove, removeDirectory }

        let kind: Kind
        let object: Int
        let from: Slot?
        let to: Slot?
        /// The directory whose fsync makes it durable.
        var directory: Int { (to ?? from)?.directory ?? 0 }
        var slots: [Slot] { [from, to].compactMap(\.self) }
    }

    enum Change: Sendable {
        case name(Naming)
        case write(object: Int, offset: Int, octets: [UInt8])
        case resize(object: Int, size: Int)
        case mode(object: Int, mode_t)
        case sync(object: Int)
    }

    struct Step: Sendable {
        /// Monotonic nanoseconds before it.
        let time: Int
        let change: Change
        /// True if it belongs to the probe that each start makes.
        let isProbe: Bool
    }

    /// The tree before the changes.
    let before: FileTree
    /// With all objects that were made since, without names.
    private(set) var objects: [FileTree.Object]
    private(set) var steps: [Step] = []

    /// - Parameters:
    ///   - top: The directory; changes elsewhere are passed over.
    ///   - log: The trace's octets.
    init(of top: String, before: FileTree, inodes: [Int: Int], log: [UInt8]) throws {
        self.before = before
        objects = before.objects
        var reader = Reader(top: top + "/", tree: before, inodes: inodes)
        var start = 0
        while start < log.count {
            guard let end = log[start...].firstIndex(of: 0x0A) else { throw HarnessError("a trace that is cut short") }
            let fields = String(decoding: log[start..<end], as: UTF8.self)
                .split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 8, let count = Int(fields[5]), let time = Int(fields[0]), end + 1 + count < log.count
            else { throw HarnessError("not a line of a trace: \(fields)") }
            let octets = Array(log[(end + 1)..<(end + 1 + count)])
            start = end + 2 + count
            for change in try reader.read(fields, octets) {
                steps.append(Step(time: time, change: change, isProbe: fields[6].contains("/.ses-probe")))
            }
        }
        objects = reader.tree.objects.enumerated().map { number, object in
            guard number >= before.objects.count else { return before.objects[number] }
            var fresh = object
            if case .directory = object.content { fresh.content = .directory([:]) }
            if case .file = object.content { fresh.content = .file([]) }
            return fresh
        }
    }

    /// Follows the names as they were at each moment.
    private struct Reader {
        let top: String
        var tree: FileTree
        var inodes: [Int: Int]

        private func slot(_ path: String) -> Slot? {
            guard path.hasPrefix(top), let place = tree.place(String(path.dropFirst(top.count))) else { return nil }
            return Slot(directory: place.directory, name: place.name)
        }

        private func object(_ slot: Slot) -> Int? { tree.child(slot.name, of: slot.directory) }

        mutating func read(_ fields: [String], _ octets: [UInt8]) throws -> [Change] {
            let (first, second) = (slot(fields[6]), slot(fields[7]))
            let (inode, a, b) = (Int(fields[2]) ?? 0, Int(fields[3]) ?? 0, mode_t(fields[4]) ?? 0)
            switch fields[1] {
            case "c":
                guard let first else { return [] }
                if let known = object(first) {
                    return Int32(a) & O_TRUNC != 0 ? [.resize(object: known, size: 0)] : []
                }
                return [make(.file([]), first, inode: inode, mode: b)]
            case "d":
                guard let first else { return [] }
                return [make(.directory([:]), first, inode: inode, mode: b)]
            case "r", "l":
                guard let first, let second, let moved = object(first) else { return [] }
                let isLink = fields[1] == "l"
                if !isLink { tree.set(first.name, of: first.directory, to: nil) }
                tree.set(second.name, of: second.directory, to: moved)
                return [
                    .name(Naming(kind: isLink ? .link : .move, object: moved, from: isLink ? nil : first, to: second))
                ]
            case "u", "x":
                guard let first, let gone = object(first) else { return [] }
                tree.set(first.name, of: first.directory, to: nil)
                let kind = fields[1] == "u" ? Naming.Kind.remove : .removeDirectory
                return [.name(Naming(kind: kind, object: gone, from: first, to: nil))]
            default:
                guard let known = inodes[inode] else { return [] }
                switch fields[1] {
                case "w": return [.write(object: known, offset: a, octets: octets)]
                case "t": return [.resize(object: known, size: a)]
                // Room that is only reserved (FALLOC_FL_KEEP_SIZE) changes nothing that is seen.
                case "a": return b & 1 == 1 ? [] : [.resize(object: known, size: a)]
                case "m": return [.mode(object: known, b & 0o7777)]
                case "s": return [.sync(object: known)]
                default: throw HarnessError("an unknown change: \(fields)")
                }
            }
        }

        private mutating func make(_ content: FileTree.Content, _ slot: Slot, inode: Int, mode: mode_t) -> Change {
            let made = tree.make(content, mode: mode & 0o7777)
            tree.set(slot.name, of: slot.directory, to: made)
            inodes[inode] = made
            return .name(Naming(kind: .make, object: made, from: nil, to: slot))
        }
    }
}
