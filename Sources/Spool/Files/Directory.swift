import CLinux
import Glibc

/// An open directory: everything in the spool is reached relative to one, so that no symbolic link can lead elsewhere.
final class Directory: Sendable {
    let descriptor: CInt
    /// For error texts.
    let path: String
    let identity: FileIdentity
    let owner: uid_t
    let group: gid_t
    let mode: mode_t

    /// Takes over `descriptor`.
    private init(adopting descriptor: CInt, path: String) throws(SpoolError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let cause = errno
            close(descriptor)
            throw SpoolError(.system, path: path, errno: cause, "cannot look at a directory of the spool")
        }
        self.descriptor = descriptor
        self.path = path
        identity = FileIdentity(status)
        owner = status.st_uid
        group = status.st_gid
        mode = status.st_mode
    }

    deinit { close(descriptor) }

    /// Opens a directory by its path. The last part may be a symbolic link: where the spool is, its administrator says.
    /// - Parameter searchOnly: Only names below it are used, which needs no right to list it.
    convenience init(path: String, searchOnly: Bool = false) throws(SpoolError) {
        let flags = searchOnly ? CInt(clinux_open_path) : O_RDONLY
        let descriptor = retrying { Glibc.openat(AT_FDCWD, path, flags | O_DIRECTORY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw Self.openError(path, errno) }
        try self.init(adopting: descriptor, path: path)
    }

    /// Opens the directory `name` in this one; a symbolic link is refused.
    func directory(_ name: String, searchOnly: Bool = false) throws(SpoolError) -> Directory {
        let path = path + "/" + name
        let flags = searchOnly ? CInt(clinux_open_path) : O_RDONLY
        let descriptor = retrying {
            Glibc.openat(self.descriptor, name, flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        }
        guard descriptor >= 0 else { throw Self.openError(path, errno) }
        return try Directory(adopting: descriptor, path: path)
    }

    /// Opens `a/b/c` below this one, no part of which may be a symbolic link.
    func descend(_ relative: String, searchOnly: Bool = false) throws(SpoolError) -> Directory {
        let parts = relative.split(separator: "/").map(String.init)
        var current = self
        for (index, part) in parts.enumerated() {
            current = try current.directory(part, searchOnly: searchOnly || index < parts.count - 1)
        }
        return current
    }

    /// Returns the status of `name`, of a symbolic link itself; nil if there is nothing.
    func status(_ name: some NamePointing) throws(SpoolError) -> stat? {
        var status = stat()
        let outcome = name.withPointer { fstatat(descriptor, $0, &status, AT_SYMLINK_NOFOLLOW) }
        if outcome == 0 { return status }
        if errno == ENOENT { return nil }
        throw failure(errno, name, "cannot look at")
    }

    /// Returns true if the name of this directory in `parent` still leads to it.
    func isStill(_ name: String, in parent: Directory) throws(SpoolError) -> Bool {
        guard let status = try parent.status(name) else { return false }
        return FileIdentity(status) == identity
    }

    func make(_ name: String, mode: mode_t) throws(SpoolError) {
        guard mkdirat(descriptor, name, mode) == 0 else { throw failure(errno, name, "cannot make the directory") }
    }

    /// Opens a file for reading; never follows a link, never waits for a FIFO's writer.
    func openFile(_ name: some NamePointing) throws(SpoolError) -> OpenFile {
        let descriptor = retrying {
            name.withPointer { Glibc.openat(self.descriptor, $0, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) }
        }
        guard descriptor >= 0 else { throw failure(errno, name, "cannot open") }
        return OpenFile(adopting: descriptor, path: path + "/" + name.shown)
    }

    /// Makes a file that was not there, for writing and reading.
    func createFile(_ name: String, mode: mode_t) throws(SpoolError) -> OpenFile {
        let descriptor = retrying {
            Glibc.openat(self.descriptor, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        }
        guard descriptor >= 0 else { throw failure(errno, name, "cannot make the file") }
        return OpenFile(adopting: descriptor, path: path + "/" + name)
    }

    /// Opens a file for appending, making it where it is missing.
    func openForAppending(_ name: String, mode: mode_t) throws(SpoolError) -> OpenFile {
        let descriptor = retrying {
            Glibc.openat(
                self.descriptor, name, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, mode)
        }
        guard descriptor >= 0 else { throw failure(errno, name, "cannot open for appending") }
        return OpenFile(adopting: descriptor, path: path + "/" + name)
    }

    /// Removes a file; one that is not there is as good.
    /// - Returns: false when it was not there.
    @discardableResult
    func unlink(_ name: some NamePointing) throws(SpoolError) -> Bool {
        if name.withPointer({ unlinkat(descriptor, $0, 0) }) == 0 { return true }
        guard errno == ENOENT else { throw failure(errno, name, "cannot remove") }
        return false
    }

    /// Removes an empty directory.
    /// - Returns: false when it is not empty; one that is not there is as good as removed.
    @discardableResult
    func removeDirectory(_ name: String) throws(SpoolError) -> Bool {
        guard unlinkat(descriptor, name, AT_REMOVEDIR) != 0 else { return true }
        switch errno {
        case ENOENT: return true
        case ENOTEMPTY, EEXIST: return false
        default: throw failure(errno, name, "cannot remove the directory")
        }
    }

    /// Returns true if names may be added to and removed from this directory.
    func isWritable() throws(SpoolError) -> Bool {
        if faccessat(descriptor, ".", W_OK | X_OK, AT_EACCESS) == 0 { return true }
        guard [EACCES, EPERM, EROFS].contains(errno) else { throw failure(errno, ".", "cannot look at the directory") }
        return false
    }

    enum RenameOutcome { case done, missing, exists }

    /// Renames without replacing.
    func rename(
        _ name: some NamePointing, to target: Directory, _ newName: some NamePointing
    ) throws(SpoolError) -> RenameOutcome {
        let outcome = name.withPointer { old in
            newName.withPointer { clinux_rename_without_replacing(descriptor, old, target.descriptor, $0) }
        }
        if outcome == 0 { return .done }
        switch errno {
        case ENOENT: return .missing
        case EEXIST: return .exists
        default: throw failure(errno, name, "cannot move to \(target.path)/\(newName.shown) the file")
        }
    }

    /// Takes the lock on this directory, held until it is closed.
    /// - Returns: false when somebody else has it.
    func tryLock() throws(SpoolError) -> Bool {
        if retrying({ flock(descriptor, LOCK_EX | LOCK_NB) }) == 0 { return true }
        if errno == EWOULDBLOCK { return false }
        throw SpoolError(.system, path: path, errno: errno, "cannot lock the directory")
    }

    func failure(_ errno: CInt, _ name: some NamePointing, _ what: String) -> SpoolError {
        SpoolError(.system, path: path + "/" + name.shown, errno: errno, what)
    }

    private static func openError(_ path: String, _ errno: CInt) -> SpoolError {
        switch errno {
        case ENOENT:
            SpoolError(
                .layout, path: path, errno: errno, "a directory of the spool is missing (`ses init` makes it)")
        case ELOOP, ENOTDIR:
            SpoolError(
                .layout, path: path, errno: errno,
                "a directory of the spool is a symbolic link or no directory; put a real one in its place")
        default: SpoolError(.system, path: path, errno: errno, "cannot open a directory of the spool")
        }
    }
}

/// Device and inode: what a name leads to.
struct FileIdentity: Hashable, Sendable {
    let device: UInt
    let inode: UInt

    init(_ status: stat) {
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
    }
}

/// A name as the system takes it.
protocol NamePointing {
    func withPointer<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result
    var shown: String { get }
}

extension String: NamePointing {
    func withPointer<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result { withCString(body) }
    var shown: String { self }
}

extension FileName: NamePointing {
    func withPointer<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result { withCString(body) }
    var shown: String { description }
}

/// Repeats a call that a signal interrupted.
func retrying(_ call: () -> CInt) -> CInt {
    while true {
        let outcome = call()
        if outcome >= 0 || errno != EINTR { return outcome }
    }
}
