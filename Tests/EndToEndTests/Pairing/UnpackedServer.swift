import Foundation
import TestSupport

/// A mail server that cannot be installed beside Postfix: unpacked over a copy of the file system that only it sees.
///
/// The copy is an overlay in a mount namespace of its own, which ends with the server; the temporary directory is
/// shared.
final class UnpackedServer: Sendable {
    enum Kind: String, Sendable { case exim, opensmtpd }

    private let program: RunningProgram
    var log: String { program.text(.error) + program.text(.output) }

    /// - Parameters:
    ///   - configuration: The whole configuration before it is paired.
    ///   - pairing: Options of the recipe.
    ///   - directories: To be made for the server's own user.
    init(_ kind: Kind, configuration: String, pairing: [String], directories: [String], port: Int) async throws {
        try MailServers.requireRoot()
        let packages = try Self.packages(of: kind)
        let (target, option, users, start) =
            switch kind {
            case .exim:
                ("/etc/exim4/exim4.conf", "--config", "Debian-exim", "/usr/sbin/exim4 -bdf -q1s")
            case .opensmtpd:
                ("/etc/smtpd.conf", "--config", "opensmtpd opensmtpq", "/usr/sbin/smtpd -d")
            }
        // The recipe is put in, put in again, taken out and put in: the second time must change nothing, the third must
        // give back what was there.
        let script = """
            set -e
            top=/mnt/top
            mount -t tmpfs tmpfs /mnt
            mkdir /mnt/upper /mnt/work $top
            mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work $top
            mount --rbind /dev $top/dev
            mount -t proc proc $top/proc
            mount --bind "$1" "$top$1"
            for package in $2; do dpkg --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C $top; done
            number=61100
            for user in \(users); do
                echo "$user:x:$number:$number::/nonexistent:/bin/false" >>$top/etc/passwd
                echo "$user:x:$number:" >>$top/etc/group
                number=$((number + 1))
            done
            mkdir -p $top/etc/exim4 $top/var/spool/smtpd
            chmod 711 $top/var/spool/smtpd
            for made in $3; do mkdir -p $top$made; chown 61100:61100 $top$made; done
            cp "$4" $top\(target)
            recipe=$5
            shift 5
            pair() { chroot $top "$recipe" \(option) \(target) "$@"; }
            pair --dry-run "$@"
            cmp "$top\(target)" /mnt/before 2>/dev/null || cp $top\(target) /mnt/before
            pair "$@"
            pair "$@" | grep "nothing to do"
            pair --undo
            cmp $top\(target) /mnt/before
            pair "$@"
            exec chroot $top \(start)
            """
        let scratch = try ScratchDirectory()
        let path = try scratch.write(Array(configuration.utf8), to: "configuration")
        program = try RunningProgram(
            "/usr/bin/unshare",
            [
                "--mount", "/bin/bash", "-c", script, "unpacked", FileManager.default.temporaryDirectory.path,
                packages.joined(separator: " "), directories.joined(separator: " "), path,
                TestMaterial.project + "/scripts/pair/" + kind.rawValue,
            ] + pairing, asRoot: true)
        try await MailServers.listening(on: port, by: program, kind.rawValue)
    }

    func stop() async throws { try await program.terminate() }

    /// The Debian packages with the server, which set-up fetches but does not install.
    private static func packages(of kind: Kind) throws -> [String] {
        let folder =
            ProcessInfo.processInfo.environment["SES_TEST_MAIL_SERVERS"] ?? TestMaterial.project
            + "/.build/mail-servers"
        let wanted =
            switch kind {
            case .exim: ["exim4-base_", "exim4-daemon-light_", "libidn12_"]
            case .opensmtpd: ["opensmtpd_"]
            }
        let found = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return try wanted.map { prefix in
            guard let name = found.first(where: { $0.hasPrefix(prefix) && $0.hasSuffix(".deb") }) else {
                throw HarnessError("no package \(prefix)*.deb in \(folder): scripts/setup --test fetches it there")
            }
            return folder + "/" + name
        }
    }
}

/// Configurations of an organisation's Exim and OpenSMTPD, example.test, before they are paired.
enum UnpackedConfiguration {
    /// - Parameters:
    ///   - people: The table of mailboxes, as the Dovecot recipe keeps it.
    ///   - partner: The port of the server for all others.
    static func exim(people: String, mailboxRoot: String, scratch: String, door: Int, partner: Int) -> String {
        """
        primary_hostname = mail.example.test
        domainlist local_domains = example.test
        acl_smtp_mail = acl_check_mail
        acl_smtp_rcpt = acl_check_rcpt
        local_interfaces = 127.0.0.1
        log_file_path = \(scratch)/exim/log.%s
        spool_directory = \(scratch)/exim
        host_lookup =
        rfc1413_hosts =
        tls_advertise_hosts =
        never_users =

        begin acl
        acl_check_mail:
          accept
        acl_check_rcpt:
          accept authenticated = *
          accept domains = +local_domains
                 verify = recipient
          accept hosts = 127.0.0.1
                 condition = ${if !eq{$received_port}{\(door)}}
          deny message = relay not permitted

        begin routers
        house:
          driver = accept
          domains = +local_domains
          local_parts = alice : bob : dora
          transport = mailbox
        others:
          driver = manualroute
          domains = ! +local_domains
          route_list = * 127.0.0.1::\(partner)
          self = send
          transport = smtp

        begin transports
        mailbox:
          driver = appendfile
          directory = \(mailboxRoot)/${lookup{$local_part@$domain}lsearch{\(people)}}
          maildir_format
          return_path_add
          envelope_to_add
          user = nobody
        smtp:
          driver = smtp
          allow_localhost

        begin retry
        * * F,2h,15m

        begin authenticators
        plain:
          driver = plaintext
          public_name = PLAIN
          server_prompts = :
          server_condition = ${if eq{$auth3}{\(MailHouse.password)}}
          server_set_id = $auth2

        """
    }

    static func openSMTPD(door: Int, submission: Int, mailboxRoot: String, partner: Int) -> String {
        """
        table recipients { "alice@example.test", "bob@example.test", "dora@example.test" }
        table people { "alice@example.test" = "nobody", "bob@example.test" = "nobody", "dora@example.test" = "nobody" }
        listen on 127.0.0.1 port \(door)
        listen on 127.0.0.1 port \(submission) tag SUBMISSION
        action "house" maildir "\(mailboxRoot)/example.test/%{rcpt.user}" virtual <people>
        action "others" relay host smtp+notls://127.0.0.1:\(partner)
        match from any for domain "example.test" action "house"
        match from local for any action "others"

        """
    }
}
