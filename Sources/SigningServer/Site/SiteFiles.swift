import CMSSignatures
import Glibc
import HostProcess
import Octets

/// Writes files of a site so that a crash at any instant leaves the old file or the new one, whole.
struct SiteFiles {
    let directory: String
    /// Keeps other commands out until it is closed.
    private let lock: SiteLock
    /// The owner and group of new files; nil leaves those of the process.
    private let group: gid_t?

    /// - Throws: ``SiteError`` if the directory cannot be opened, or another command works in it.
    init(_ directory: String) throws(SiteError) {
        self.directory = directory
        lock = try SiteLock(directory)
        var status = stat()
        // A site of root, whose server runs as another user, gives the server its files by their group.
        group =
            stat(directory + "/dss.xml", &status) == 0 && status.st_uid == 0 && status.st_gid != 0 ? status.st_gid : nil
    }

    func path(_ name: String) -> String { SmallFile.resolve(name, in: directory) }

    func exists(_ name: String) -> Bool { access(path(name), F_OK) == 0 }

    func makeDirectory(_ name: String) throws(SiteError) {
        let place = path(name)
        guard mkdir(place, 0o700) == 0 else {
            if errno == EEXIST { return }
            throw SiteError("cannot make \(place)")
        }
        if let group {
            guard chown(place, uid_t.max, group) == 0, chmod(place, 0o750) == 0 else {
                throw SiteError("cannot set the group of \(place)")
            }
        }
        try sync(directoryOf: place)
    }

    /// Writes a new file, or puts it in the place of an old one.
    /// - Parameter isSecret: Only the server may read it.
    func write(_ octets: some Collection<UInt8>, to name: String, isSecret: Bool) throws(SiteError) {
        let target = path(name)
        let place = target + ".new"
        // One that a command left behind when it was ended.
        unlink(place)
        let descriptor = open(place, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw SiteError("cannot make \(place)") }
        do throws(SiteError) {
            try setModes(of: descriptor, place, like: target, isSecret)
            try Self.fill(descriptor, Array(octets), place)
            guard fsync(descriptor) == 0 else { throw SiteError("cannot make \(place) durable") }
        } catch {
            close(descriptor)
            unlink(place)
            throw error
        }
        guard close(descriptor) == 0, rename(place, target) == 0 else {
            let error = SiteError("cannot put \(target) in place")
            unlink(place)
            throw error
        }
        try sync(directoryOf: target)
    }

    /// Moves a file into `keys/old`; one outside the site stays where it is.
    func putAside(_ name: String) throws(SiteError) {
        guard Self.isWithin(name), exists(name) else { return }
        try makeDirectory("keys/old")
        let last = name.split(separator: "/").last.map(String.init) ?? name
        let target = "keys/old/" + last
        guard rename(path(name), path(target)) == 0 else { throw SiteError("cannot move \(path(name))") }
        try sync(directoryOf: path(name))
        try sync(directoryOf: path(target))
    }

    /// Returns true if the name is of a file within the site.
    static func isWithin(_ name: String) -> Bool {
        !name.hasPrefix("/") && !name.split(separator: "/").contains("..")
    }

    func remove(_ name: String) throws(SiteError) {
        guard unlink(path(name)) == 0 || errno == ENOENT else { throw SiteError("cannot remove \(path(name))") }
        try sync(directoryOf: path(name))
    }

    /// A file that is replaced keeps its modes and its group.
    private func setModes(
        of descriptor: CInt, _ place: String, like target: String, _ isSecret: Bool
    ) throws(SiteError) {
        var status = stat()
        var mode: mode_t = isSecret ? 0o600 : 0o644
        var owner = uid_t.max
        var group = self.group ?? gid_t.max
        if stat(target, &status) == 0 {
            mode = status.st_mode & 0o777
            (owner, group) = (status.st_uid, status.st_gid)
            if owner == geteuid() { owner = uid_t.max }
        } else if isSecret, self.group != nil {
            mode = 0o640
        }
        guard fchown(descriptor, owner, group) == 0 || errno == EPERM, fchmod(descriptor, mode) == 0 else {
            throw SiteError("cannot set the permissions of \(place)")
        }
    }

    private static func fill(_ descriptor: CInt, _ octets: [UInt8], _ place: String) throws(SiteError) {
        var written = 0
        while written < octets.count {
            let count = octets.withUnsafeBytes { buffer in
                Glibc.write(descriptor, buffer.baseAddress.map { $0 + written }, buffer.count - written)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw SiteError("cannot write \(place)") }
            written += count
        }
    }

    private func sync(directoryOf place: String) throws(SiteError) {
        let parent = SmallFile.directory(of: place)
        let descriptor = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SiteError("cannot open \(parent)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw SiteError("cannot make \(parent) durable") }
    }
}

/// The lock of a site: on its directory, and gone with the process that has it.
final class SiteLock {
    private let descriptor: CInt

    init(_ directory: String) throws(SiteError) {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SiteError("cannot open \(directory)") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let isBusy = errno == EWOULDBLOCK
            let error = SiteError("cannot lock \(directory)")
            close(descriptor)
            throw isBusy
                ? SiteError(words: "another ses-dss command changes \(directory) now; wait for its end") : error
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }
}

/// The reason why a site could not be made, read or changed; one line, with advice.
public struct SiteError: Error, Sendable, CustomStringConvertible {
    public let description: String

    /// With the words of the last system call.
    init(_ description: String) {
        self.description = "\(description): \(String(cString: strerror(errno)))"
    }

    init(words: String) { description = words }

    /// Runs what fails in terms of cryptography.
    static func attempt<Value>(
        _ body: () throws(CryptographyError) -> Value
    ) throws(SiteError) -> Value {
        do throws(CryptographyError) { return try body() } catch { throw SiteError(words: error.reason) }
    }
}
