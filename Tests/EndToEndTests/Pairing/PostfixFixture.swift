import Foundation
import Glibc
import TestSupport

/// A Postfix of a test's own: configuration, queue and log in one scratch directory, all ports on the loopback.
final class PostfixFixture: Sendable {
    let scratch: ScratchDirectory
    /// The port for mail from outside.
    let port: Int
    private let program: RunningProgram

    var configuration: String { scratch.file("etc") }
    var log: String { (try? String(contentsOfFile: scratch.file("maillog"), encoding: .utf8)) ?? "" }

    /// A configuration directory and a queue, with no Postfix running.
    struct Site {
        let scratch: ScratchDirectory
        let port: Int
        var configuration: String { scratch.file("etc") }
        var queue: String { scratch.file("queue") }
        /// The service of master.cf where mail of others arrives.
        var service: String { "127.0.0.1:\(port)" }

        /// - Parameters:
        ///   - port: A free one.
        ///   - settings: Lines of main.cf.
        init(host: String, port: Int, settings: [String]) async throws {
            try MailServers.requireRoot()
            scratch = try ScratchDirectory()
            self.port = port
            for folder in ["etc", "queue", "data"] { try make(folder) }
            let own = [
                "compatibility_level = 3.6", "queue_directory = \(queue)", "data_directory = \(scratch.file("data"))",
                "command_directory = /usr/sbin", "daemon_directory = /usr/lib/postfix/sbin",
                "meta_directory = /etc/postfix", "mail_owner = postfix", "setgid_group = postdrop",
                "myhostname = \(host)", "mydestination =", "mynetworks = 127.0.0.0/8", "inet_interfaces = 127.0.0.1",
                "inet_protocols = ipv4", "alias_maps =", "alias_database =", "append_dot_mydomain = no",
                "maillog_file = \(scratch.file("maillog"))", "maillog_file_prefixes = \(scratch.path)",
                "smtp_dns_support_level = disabled", "notify_classes =",
                // No name server is asked for the client's name.
                "smtpd_peername_lookup = no",
            ]
            try scratch.write(Array(((own + settings).joined(separator: "\n") + "\n").utf8), to: "etc/main.cf")
            let services = """
                postlog unix-dgram n - n - 1 postlogd
                \(service) inet n - n - - smtpd
                pickup unix n - n 60 1 pickup
                cleanup unix n - n - 0 cleanup
                qmgr unix n - n 300 1 qmgr
                tlsmgr unix - - n 1000? 1 tlsmgr
                rewrite unix - - n - - trivial-rewrite
                bounce unix - - n - 0 bounce
                defer unix - - n - 0 bounce
                trace unix - - n - 0 bounce
                proxymap unix - - n - - proxymap
                smtp unix - - n - - smtp
                error unix - - n - - error
                retry unix - - n - - error
                virtual unix - n n - - virtual
                anvil unix - - n - 1 anvil

                """
            try scratch.write(Array(services.utf8), to: "etc/master.cf")
            let checked = try await RunningProgram.run(
                try MailServers.program("/usr/sbin/postfix"), ["-c", configuration, "check"], asRoot: true)
            guard checked.status == 0 else { throw HarnessError("postfix check: \(checked)") }
        }

        private func make(_ folder: String) throws {
            try FileManager.default.createDirectory(
                atPath: scratch.file(folder), withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755]
            )
            guard chmod(scratch.path, 0o755) == 0 else { throw HarnessError("chmod: \(errno)") }
            guard folder == "data" else { return }
            guard let postfix = getpwnam("postfix") else { throw HarnessError("there is no user postfix") }
            guard chown(scratch.file(folder), postfix.pointee.pw_uid, postfix.pointee.pw_gid) == 0 else {
                throw HarnessError("chown: \(errno)")
            }
        }
    }

    /// Starts Postfix on a site.
    init(_ site: Site) async throws {
        scratch = site.scratch
        port = site.port
        // In the foreground it must lead a session; its children end with it.
        program = try RunningProgram(
            "/usr/bin/setsid",
            [try MailServers.program("/usr/lib/postfix/sbin/master"), "-s", "-c", site.configuration], asRoot: true)
        try await MailServers.listening(on: port, by: program, "Postfix")
    }

    func stop() async throws { try await program.terminate() }

    /// Has it try again what waits in the queue.
    func flush() async throws {
        let flushed = try await RunningProgram.run("/usr/sbin/postqueue", ["-c", configuration, "-f"], asRoot: true)
        guard flushed.status == 0 else { throw HarnessError("postqueue: \(flushed)") }
    }

    /// Returns the number of messages in the queue.
    func waiting() async throws -> Int {
        let listed = try await RunningProgram.run("/usr/sbin/postqueue", ["-c", configuration, "-j"], asRoot: true)
        guard listed.status == 0 else { throw HarnessError("postqueue: \(listed)") }
        return listed.output.split(separator: "\n").count
    }
}
