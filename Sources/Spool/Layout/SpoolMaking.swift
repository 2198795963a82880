import Glibc

extension Spool {
    /// Makes a spool, or repairs the folders, owners and modes of one. Correct ones are left alone, and mail is never
    /// touched.
    ///
    /// As root it gives the spool to the user `ses` and the groups `ses-drop` and `ses-relay` if they exist. Otherwise
    /// everything belongs to the caller and its group.
    /// - Returns: Notes for an administrator, such as a group that does not exist.
    /// - Throws: ``SpoolError`` of kind `layout` for a directory that has something else in it and is no spool; of
    ///   another kind if a folder cannot be made, or an owner or mode cannot be set.
    public static func make(
        at path: String, random: SpoolRandom = .system
    ) throws(SpoolError) -> [String] {
        var notes: [String] = []
        if mkdir(path, Layout.rootMode) != 0 && errno != EEXIST {
            throw SpoolError(.system, path: path, errno: errno, "cannot make the spool's directory")
        }
        let root = try Directory(path: path)
        try refuseForeign(root)
        let owners = Owners(&notes)
        try owners.setOwner(of: root, mode: Layout.rootMode, .own)
        for item in Layout.items {
            if try root.status(item.path) == nil { try root.make(item.path, mode: 0o700) }
            try owners.setOwner(of: root.descend(item.path), mode: item.mode, item.group)
        }
        if try FileSystemType(of: root).isExtWithoutJournal {
            for program in Program.allCases { try root.descend(program.territory.workPath).spreadDirectories() }
        }
        if try root.status(Layout.secretName) == nil {
            try makeSecret(in: root, owners, random)
        } else {
            try owners.setOwner(ofSecretIn: root)
        }
        return notes
    }

    /// Refuses a directory with something in it that no spool has, such as `/etc/postfix` by a slip of the hand: its
    /// owner and mode would be changed. What has a secret is a spool, whatever lies beside it.
    private static func refuseForeign(_ root: Directory) throws(SpoolError) {
        guard try root.status(Layout.secretName) == nil else { return }
        let ours = Set(Layout.items.map { String($0.path.prefix { $0 != "/" }) })
        let foreign = try root.names().first { name in
            // The first belongs to the file system, the second to an `ses init` that was killed.
            !ours.contains(name.shown) && name.shown != "lost+found" && !name.hasPrefix(".secret.")
        }
        guard let foreign else { return }
        throw SpoolError(
            .layout, path: root.path,
            "the directory is no spool and not empty (\(foreign.shown) is in it): name an empty directory, or one that"
                + " does not exist")
    }

    /// Written beside its place and moved there without replacing, so that no start ever sees half of it.
    private static func makeSecret(in root: Directory, _ owners: Owners, _ random: SpoolRandom) throws(SpoolError) {
        let temporary = ".secret." + EntryID(random: random).digits
        let file = try root.createFile(temporary, mode: 0o600)
        do throws(SpoolError) {
            var outcome: Result<Void, SpoolError> = .success(())
            random.octets(Layout.secretOctets).withUnsafeBytes { octets in
                do throws(SpoolError) { try file.write(octets) } catch { outcome = .failure(error) }
            }
            try outcome.get()
            guard fchmod(file.descriptor, 0o600) == 0, fchown(file.descriptor, owners.user, owners.group(.own)) == 0
            else {
                throw file.failure(errno, "cannot give the secret to the spool's user")
            }
            let durability = Durability()
            try durability.sync(file: file)
            // Another `ses init` at the same time may have been faster; then its secret is the spool's.
            if case .done = try root.rename(temporary, to: root, Layout.secretName) {
                try durability.sync(directory: root)
            }
        } catch {
            try root.unlink(temporary)
            throw error
        }
        try root.unlink(temporary)
    }
}

/// To whom the parts of a spool belong.
private struct Owners {
    /// `uid_t.max` leaves the owner unchanged.
    let user: uid_t
    private let own: gid_t
    private let drop: gid_t
    private let relay: gid_t

    init(_ notes: inout [String]) {
        let isRoot = geteuid() == 0
        let ses = isRoot ? Self.user("ses") : nil
        if isRoot && ses == nil { notes.append("there is no user `ses`: the spool belongs to root") }
        user = ses?.user ?? uid_t.max
        own = ses?.group ?? getegid()
        drop = Self.group("ses-drop", isRoot: isRoot, else: own, "may drop messages", &notes)
        relay = Self.group("ses-relay", isRoot: isRoot, else: own, "may take away results", &notes)
    }

    func group(_ group: Layout.Group) -> gid_t {
        switch group {
        case .own: own
        case .drop: drop
        case .relay: relay
        }
    }

    /// Gives `directory` its owner, group and mode where they differ.
    func setOwner(of directory: Directory, mode: mode_t, _ group: Layout.Group) throws(SpoolError) {
        var status = stat()
        guard fstat(directory.descriptor, &status) == 0 else {
            throw SpoolError(.system, path: directory.path, errno: errno, "cannot look at the directory")
        }
        let wanted = self.group(group)
        let wantedUser = user == uid_t.max ? status.st_uid : user
        if status.st_gid != wanted || status.st_uid != wantedUser {
            guard fchown(directory.descriptor, wantedUser, wanted) == 0 else {
                throw SpoolError(
                    .system, path: directory.path, errno: errno,
                    "cannot give the directory to the spool's user and group")
            }
        }
        if status.st_mode & 0o7777 != mode || status.st_gid != wanted {
            guard fchmod(directory.descriptor, mode) == 0 else {
                throw SpoolError(.system, path: directory.path, errno: errno, "cannot set the directory's mode")
            }
        }
    }

    /// The same for the secret, which nobody but its owner may read.
    func setOwner(ofSecretIn root: Directory) throws(SpoolError) {
        let file = try root.openFile(Layout.secretName)
        let status = try file.status()
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw SpoolError(.layout, path: file.path, "the spool's secret is no regular file: remove it")
        }
        let wantedUser = user == uid_t.max ? status.st_uid : user
        if status.st_uid != wantedUser || status.st_gid != own {
            guard fchown(file.descriptor, wantedUser, own) == 0 else {
                throw file.failure(errno, "cannot give the secret to the spool's user")
            }
        }
        guard status.st_mode & 0o7777 == 0o600 || fchmod(file.descriptor, 0o600) == 0 else {
            throw file.failure(errno, "cannot set the secret's mode")
        }
    }

    private static func user(_ name: String) -> (user: uid_t, group: gid_t)? {
        var record = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard getpwnam_r(name, &record, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        return (record.pw_uid, record.pw_gid)
    }

    private static func group(
        _ name: String, isRoot: Bool, else own: gid_t, _ purpose: String, _ notes: inout [String]
    ) -> gid_t {
        var record = Glibc.group()
        var found: UnsafeMutablePointer<Glibc.group>?
        var buffer = [CChar](repeating: 0, count: 65_536)
        guard getgrnam_r(name, &record, &buffer, buffer.count, &found) == 0, found != nil else {
            notes.append("there is no group `\(name)`: only the spool's own group \(purpose)")
            return own
        }
        guard isRoot || isMember(record.gr_gid) else {
            notes.append("you are not a member of the group `\(name)`: only the spool's own group \(purpose)")
            return own
        }
        return record.gr_gid
    }

    private static func isMember(_ group: gid_t) -> Bool {
        if group == getegid() { return true }
        let count = getgroups(0, nil)
        guard count > 0 else { return false }
        var groups = [gid_t](repeating: 0, count: Int(count))
        let read = getgroups(count, &groups)
        return read > 0 && groups.prefix(Int(read)).contains(group)
    }
}
