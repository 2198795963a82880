import Foundation
import Glibc
import TestSupport

/// The files below one directory, as objects with numbers: a directory knows the names of others, a file its octets.
struct FileTree: Sendable {
    enum Content: Sendable {
        case file([UInt8])
        case directory([String: Int])
        case symbolicLink(String)
    }

    struct Object: Sendable {
        var content: Content
        var mode: mode_t
    }

    /// By number; the first is the directory at the top.
    var objects: [Object] = []

    var root: Int { 0 }

    /// Reads what stands at `path`.
    /// - Returns: The numbers of the objects by inode, too.
    static func read(_ path: String) throws -> (tree: FileTree, inodes: [Int: Int]) {
        var tree = FileTree()
        var inodes: [Int: Int] = [:]
        _ = try tree.add(path, &inodes)
        return (tree, inodes)
    }

    private mutating func add(_ path: String, _ inodes: inout [Int: Int]) throws -> Int {
        var facts = stat()
        guard lstat(path, &facts) == 0 else { throw HarnessError("lstat \(path): \(errno)") }
        if let known = inodes[Int(facts.st_ino)] { return known }
        let number = objects.count
        inodes[Int(facts.st_ino)] = number
        objects.append(Object(content: .file([]), mode: facts.st_mode & 0o7777))
        switch facts.st_mode & S_IFMT {
        case S_IFDIR:
            var children: [String: Int] = [:]
            for name in try FileManager.default.contentsOfDirectory(atPath: path) {
                children[name] = try add(path + "/" + name, &inodes)
            }
            objects[number].content = .directory(children)
        case S_IFLNK:
            let target = try FileManager.default.destinationOfSymbolicLink(atPath: path)
            objects[number].content = .symbolicLink(target)
        default: objects[number].content = .file(try TestMaterial.octets(path))
        }
        return number
    }

    mutating func make(_ content: Content, mode: mode_t) -> Int {
        objects.append(Object(content: content, mode: mode))
        return objects.count - 1
    }

    func child(_ name: String, of directory: Int) -> Int? {
        guard case .directory(let children) = objects[directory].content else { return nil }
        return children[name]
    }

    mutating func set(_ name: String, of directory: Int, to object: Int?) {
        guard case .directory(var children) = objects[directory].content else { return }
        children[name] = object
        objects[directory].content = .directory(children)
    }

    /// The directory and the last name of a path below the top.
    func place(_ path: String) -> (directory: Int, name: String)? {
        var parts = path.split(separator: "/").map(String.init)
        guard let name = parts.popLast() else { return nil }
        var directory = root
        for part in parts {
            guard let next = child(part, of: directory) else { return nil }
            directory = next
        }
        return (directory, name)
    }

    /// Makes all of it at `path`, where nothing stands yet, for the programs' account.
    func write(to path: String) throws {
        var made: [Int: String] = [:]
        try write(root, to: path, &made)
    }

    private func write(_ number: Int, to path: String, _ made: inout [Int: String]) throws {
        let object = objects[number]
        if let other = made[number] {
            guard link(other, path) == 0 else { throw HarnessError("link \(path): \(errno)") }
            return
        }
        made[number] = path
        switch object.content {
        case .directory(let children):
            guard mkdir(path, 0o755) == 0 else { throw HarnessError("mkdir \(path): \(errno)") }
            for (name, child) in children { try write(child, to: path + "/" + name, &made) }
        case .symbolicLink(let target):
            guard symlink(target, path) == 0 else { throw HarnessError("symlink \(path): \(errno)") }
            return try SpoolFixture.own(path)
        case .file(let octets):
            let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw HarnessError("open \(path): \(errno)") }
            defer { close(descriptor) }
            guard octets.withUnsafeBytes({ Glibc.write(descriptor, $0.baseAddress, $0.count) }) == octets.count else {
                throw HarnessError("write \(path): \(errno)")
            }
        }
        try SpoolFixture.own(path)
        guard chmod(path, object.mode) == 0 else { throw HarnessError("chmod \(path): \(errno)") }
    }
}
