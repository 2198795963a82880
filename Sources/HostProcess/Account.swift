import Glibc
import Octets

/// The accounts of the machine.
package enum Account {
    /// The name of the person behind this process: the user who logged in, as the kernel's audit knows it; else the
    /// caller of sudo; else the real user. Somebody with the rights of the process can pretend to be another.
    package static func person(_ environment: [String: String]) -> String {
        if let login = loginUser(), let name = name(of: login) { return name }
        if let name = environment["SUDO_USER"], !name.isEmpty { return name }
        return name(of: getuid()) ?? "uid \(getuid())"
    }

    /// The user of the login session (credentials(7)); nil where there is none, as for a daemon.
    private static func loginUser() -> uid_t? {
        guard case .success(let octets) = SmallFile.read("/proc/self/loginuid", limit: 32),
            let number = uid_t(String(decoding: octets.array.prefix { $0 != 0x0A }, as: UTF8.self)),
            number != uid_t.max
        else { return nil }
        return number
    }

    /// Refuses root: a program that reads what strangers send has no use for its rights.
    /// - Parameters:
    ///   - isAllowed: True if the command line allows it; `SES_ALLOW_ROOT=1` in the environment does, too.
    ///   - program: The name of the program, which is that of its user.
    /// - Throws: ``ProgramError`` if the process runs as root and nothing allows it.
    package static func refuseRoot(isAllowed: Bool, program: String) throws(ProgramError) {
        let setting = getenv("SES_ALLOW_ROOT").map { String(cString: $0) }
        guard geteuid() == 0, !isAllowed, setting != "1" else { return }
        throw ProgramError(
            .noPermission,
            "\(program) does not run as root: start it as its own user (such as \(program)), or say --allow-root or"
                + " SES_ALLOW_ROOT=1")
    }

    /// Takes on the rights of the owner of `directory` for good, with all groups of that user, if this process has
    /// those of root and the owner is another user: what it writes then belongs to the owner.
    /// - Returns: The reason why that is not possible; nil if it was done, or nothing had to be done.
    package static func becomeOwner(of directory: String) -> String? {
        guard geteuid() == 0 else { return nil }
        var status = stat()
        // A missing directory is reported by whoever opens it.
        guard stat(directory, &status) == 0, status.st_uid != 0 else { return nil }
        guard let entry = getpwuid(status.st_uid) else {
            return "the owner of \(directory), uid \(status.st_uid), has no account"
        }
        guard initgroups(entry.pointee.pw_name, entry.pointee.pw_gid) == 0, setgid(entry.pointee.pw_gid) == 0,
            setuid(status.st_uid) == 0
        else {
            return "the rights of the owner of \(directory) cannot be taken on: \(String(cString: strerror(errno)))"
        }
        return nil
    }

    private static func name(of user: uid_t) -> String? {
        guard let entry = getpwuid(user), let name = entry.pointee.pw_name else { return nil }
        return String(cString: name)
    }
}

extension Account {
    /// Takes on the rights of a user for good, if this process has those of root and there is such a user.
    /// - Returns: True if it has them now.
    package static func become(_ name: String) -> Bool {
        guard geteuid() == 0, let entry = getpwnam(name), entry.pointee.pw_uid != 0 else { return false }
        let (user, group) = (entry.pointee.pw_uid, entry.pointee.pw_gid)
        return initgroups(name, group) == 0 && setgid(group) == 0 && setuid(user) == 0
    }
}
