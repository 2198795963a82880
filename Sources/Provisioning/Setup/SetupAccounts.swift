import Glibc

/// The accounts of the machine that files are given to; none of them matters for a caller who is not root.
struct SetupAccounts {
    /// The owner of the embedded server's directory.
    struct Site {
        /// The account that the server runs as; nil for the caller's.
        let user: String?
        let owner: (user: uid_t, group: gid_t)?
        /// True if `ses` is another user, and uses the socket by its group.
        let isShared: Bool
    }

    /// Returns `name` if there is such a group and it can be given.
    func group(_ name: String) -> String? { geteuid() == 0 && getgrnam(name) != nil ? name : nil }

    /// Returns `name` if there is such a user and programs can be run as it.
    func user(_ name: String) -> String? { geteuid() == 0 && getpwnam(name) != nil ? name : nil }

    /// `ses-dss` with the group `ses` where the package has made them, else `ses` itself.
    var site: Site {
        guard geteuid() == 0 else { return Site(user: nil, owner: nil, isShared: false) }
        if let own = getpwnam("ses-dss")?.pointee.pw_uid, let group = getgrnam("ses")?.pointee.gr_gid {
            return Site(user: "ses-dss", owner: (own, group), isShared: true)
        }
        if let entry = getpwnam("ses") {
            return Site(
                user: "ses", owner: (entry.pointee.pw_uid, entry.pointee.pw_gid), isShared: false)
        }
        return Site(user: nil, owner: nil, isShared: false)
    }
}
