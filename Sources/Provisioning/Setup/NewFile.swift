import Glibc
import HostProcess
import Octets

/// A file that is made where there is none: whole or not at all, and never over another.
struct NewFile {
    let path: String
    let mode: mode_t
    /// The group of the file, if this process may give it away.
    let group: String?

    /// - Parameters:
    ///   - mode: Of a file with secrets nothing for others, such as `0o640`.
    init(_ path: String, mode: mode_t = 0o640, group: String? = nil) {
        self.path = path
        self.mode = mode
        self.group = group
    }

    /// Writes the file beside its place and links it there.
    /// - Returns: False if something is there already, which is left as it is.
    /// - Throws: ``ProgramError`` with 73 if it cannot be made.
    func make(_ octets: OctetString) throws(ProgramError) -> Bool {
        guard access(path, F_OK) != 0 else { return false }
        let temporary = "\(path).\(getpid()).new"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode & 0o600)
        guard descriptor >= 0 else { throw failure("make") }
        defer {
            close(descriptor)
            unlink(temporary)
        }
        guard DescriptorIO.writeAll(octets.array, to: descriptor) == 0 else { throw failure("write") }
        if geteuid() == 0, let group, let number = UnixSocket.group(named: group), fchown(descriptor, 0, number) != 0 {
            throw failure("give the group \(group) to")
        }
        guard fchmod(descriptor, mode) == 0, fsync(descriptor) == 0 else { throw failure("finish") }
        guard link(temporary, path) == 0 else {
            if errno == EEXIST { return false }
            throw failure("put into its place")
        }
        syncDirectory()
        return true
    }

    /// Makes the rename durable as far as the file system does that.
    private func syncDirectory() {
        let directory = open(SmallFile.directory(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { return }
        fsync(directory)
        close(directory)
    }

    private func failure(_ step: String) -> ProgramError {
        ProgramError(
            .cannotCreate,
            "cannot \(step) \(path): \(String(cString: strerror(errno)))"
                + (errno == EACCES || errno == EPERM
                    ? "; run it as root (sudo), or name another place with --root" : ""))
    }

    /// Makes a directory and those above it; one that is there is left as it is.
    /// - Parameters:
    ///   - owner: User and group, if this process may give it away.
    /// - Throws: ``ProgramError`` with 73 if it cannot be made.
    static func makeDirectory(
        _ path: String, mode: mode_t, owner: (user: uid_t, group: gid_t)? = nil
    ) throws(ProgramError) {
        guard access(path, F_OK) != 0 else { return }
        let parent = SmallFile.directory(of: path)
        if parent != path, parent != "." { try makeDirectory(parent, mode: 0o755) }
        let place = NewFile(path)
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw place.failure("make") }
        if geteuid() == 0, let owner, chown(path, owner.user, owner.group) != 0 { throw place.failure("give away") }
        // mkdir masks the mode with the umask, and drops the set-group-id bit.
        guard chmod(path, mode) == 0 else { throw place.failure("set the mode of") }
    }
}
