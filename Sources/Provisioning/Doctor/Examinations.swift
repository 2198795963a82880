import FoundationEssentials
import Glibc
import HostProcess
import Monitoring
import Octets

/// Looks at the accounts of the house.
struct AccountExamination {
    let spool: String

    /// Nothing where the spool belongs to a user of another name: then one user does everything, as in trials.
    var findings: [DoctorFinding] {
        var status = stat()
        guard stat(spool, &status) == 0 else { return [] }
        guard let owner = getpwuid(status.st_uid).map({ String(cString: $0.pointee.pw_name) }) else {
            return [
                DoctorFinding(
                    .folders, .critical, "the spool \(spool) belongs to uid \(status.st_uid), which has no account",
                    remedy: "sudo ses init \(spool)")
            ]
        }
        if owner == "root" {
            return [
                DoctorFinding(
                    .folders, .critical, "the spool \(spool) belongs to root, and the programs do not run as root",
                    remedy: "make the users (the package does), then: sudo ses init \(spool)")
            ]
        }
        guard owner == "ses" else { return [] }
        var findings: [DoctorFinding] = []
        for name in ["ses-drop", "ses-relay"] {
            guard let group = getgrnam(name) else {
                findings.append(
                    DoctorFinding(
                        .folders, .critical, "there is no group \(name), which the folders of the spool belong to",
                        remedy: "adduser --system --group --no-create-home \(name); then sudo ses init \(spool)"))
                continue
            }
            guard !Self.isMember("ses", of: group.pointee.gr_gid) else { continue }
            findings.append(
                DoctorFinding(
                    .folders, .critical,
                    "the user ses is no member of the group \(name), and cannot work in its folders",
                    remedy: "adduser ses \(name); systemctl restart ses"))
        }
        return findings
    }

    private static func isMember(_ user: String, of group: gid_t) -> Bool {
        guard let entry = getpwnam(user) else { return false }
        var groups = [gid_t](repeating: 0, count: 256)
        var count = CInt(groups.count)
        guard getgrouplist(user, entry.pointee.pw_gid, &groups, &count) >= 0 else { return false }
        return groups.prefix(Int(count)).contains(group)
    }
}

/// Looks whether a mail server hands mail over.
struct PairingExamination {
    let sockets: String
    let places: HousePlaces

    var findings: [DoctorFinding] {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: sockets)) ?? []).sorted()
        let answering = names.filter { name in
            switch LocalSocket.unix(sockets + "/" + name) {
            case .answered?, .hidden?: true
            case .refused?, nil: false
            }
        }
        let servers = pairs.filter { SmallFile.exists(places.path($0.home)) }
        let paired = servers.filter { server in server.files.contains(where: mentionsHouse) }.map(\.name)
        if let lost = servers.first(where: { !paired.contains($0.name) }), paired.isEmpty {
            return [
                DoctorFinding(
                    .pairing, .warning, "\(lost.name) is on this machine and does not hand mail to SES",
                    remedy: "ses-pair \(lost.name.lowercased()) --dry-run, then without --dry-run")
            ]
        }
        guard !answering.isEmpty || !paired.isEmpty else {
            return [
                DoctorFinding(
                    .pairing, .warning, "nobody can hand mail over: no ses-lmtp listens in \(sockets)",
                    remedy: "systemctl start ses-lmtp, and pair the mail server (ses-pair)")
            ]
        }
        let words =
            (paired.isEmpty ? [] : [paired.joined(separator: " and ") + " hands mail over"])
            + (answering.isEmpty ? [] : ["ses-lmtp listens for " + answering.joined(separator: " and ")])
        return [DoctorFinding(.pairing, .ok, words.joined(separator: "; "))]
    }

    private var pairs: [(name: String, home: String, files: [String])] {
        [
            ("Postfix", "/etc/postfix/main.cf", ["/etc/postfix/master.cf", "/etc/postfix/main.cf"]),
            (
                "Exim", "/etc/exim4",
                ["/etc/exim4/exim4.conf.template", "/etc/exim4/exim4.conf", "/etc/exim4/conf.d/transport/ses"]
            ),
            ("OpenSMTPD", "/etc/smtpd.conf", ["/etc/smtpd.conf"]),
        ]
    }

    private func mentionsHouse(_ path: String) -> Bool {
        guard case .success(let octets) = SmallFile.read(places.path(path), limit: 4 << 20) else { return false }
        let text = String(decoding: octets.array, as: UTF8.self)
        return text.split(separator: "\n").contains { line in
            !line.hasPrefix("#")
                && (line.contains("ses-lmtp") || line.contains("ses-drop") || line.contains("ses-outgoing"))
        }
    }
}
