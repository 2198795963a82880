import Foundation
import Glibc
import TestSupport

/// The requirements of tests with real mail servers on this machine.
enum MailServers {
    /// Mail servers change users, so only root can start one.
    static func requireRoot() throws {
        guard geteuid() == 0 else {
            throw HarnessError("the tests with real mail servers start Postfix and others: run them as root")
        }
    }

    /// - Returns: The program's path.
    static func program(_ path: String) throws -> String {
        guard access(path, X_OK) == 0 else {
            throw HarnessError("no \(path): scripts/setup --test installs the mail servers of the tests")
        }
        return path
    }

    /// Runs one of the project's scripts that pair a mail server.
    @discardableResult
    static func pair(_ script: String, _ arguments: [String], input: String = "") async throws -> String {
        let run = try await RunningProgram.run(
            TestMaterial.project + "/scripts/pair/" + script, arguments, input: Array(input.utf8), asRoot: true)
        guard run.status == 0 else { throw HarnessError("scripts/pair/\(script) \(arguments): \(run)") }
        return run.output
    }

    /// Waits until somebody listens on a port of the loopback.
    static func listening(on port: Int, by server: RunningProgram, _ name: String) async throws {
        try await eventually("\(name) listens on \(port): \(server.text(.error))", within: .seconds(30)) {
            guard server.isRunning else { throw HarnessError("\(name) ended: \(server.text(.error))") }
            return isOpen(port) ? () : nil
        }
    }

    private static func isOpen(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = UInt16(port).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    /// The user and the group that everything runs as which is not a mail server's own.
    static let account = "nobody"
    static let accountAndGroup = "nobody:nogroup"
}

/// A mail client that submits by SMTP.
struct Submission {
    let port: Int
    /// Nil: without a password, as another mail server.
    var user: String?
    var password = MailHouse.password
    var usesTLS = true

    /// - Returns: The output of swaks; status 0 if the server took the message for all recipients.
    func send(_ message: [UInt8], from sender: String, to recipients: [String]) async throws
        -> RunningProgram.Finished
    {
        var arguments = [
            "--server", "127.0.0.1:\(port)", "--helo", "client.test", "--from", sender, "--to",
            recipients.joined(separator: ","), "--suppress-data", "--timeout", "20", "--data", "-",
        ]
        if let user {
            arguments += ["--auth", "PLAIN", "--auth-user", user, "--auth-password", password]
            if usesTLS { arguments.append("--tls") }
        }
        return try await RunningProgram.run(
            try MailServers.program("/usr/bin/swaks"), arguments, input: message, asRoot: true)
    }

    /// Sends what the server must take.
    func deliver(_ message: [UInt8], from sender: String, to recipients: [String]) async throws {
        let run = try await send(message, from: sender, to: recipients)
        guard run.status == 0 else { throw HarnessError("swaks: \(run)") }
    }
}
