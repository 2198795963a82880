import Foundation
import Glibc
import SigningServer
import TestSupport
import Testing

@Suite("ses-dss takes a renewed TLS certificate and another address on SIGHUP", .serialized)
struct RenewalTests {
    /// A server over TLS on a port of the loopback.
    private final class Program: Sendable {
        let scratch: ScratchDirectory
        let running: RunningProgram
        let port: Int
        private var path: String { scratch.file("site/dss.xml") }

        init() async throws {
            scratch = try ScratchDirectory()
            try DemonstrationSite.make(in: scratch.file("site"), now: Int(Date().timeIntervalSince1970))
            for name in ["first", "second", "client-a", "client-b"] { try await Self.make(name, scratch) }
            port = try Self.freePort()
            try Self.copy("first.pem", "site/tls.pem", scratch)
            try Self.copy("client-a.crt", "site/clients.pem", scratch)
            let text = String(decoding: try TestMaterial.octets(scratch.file("site/dss.xml")), as: UTF8.self)
            let listen =
                "<Listen address=\"127.0.0.1\" port=\"\(port)\"/><TLS pem=\"tls.pem\" clientCA=\"clients.pem\"/>"
            try scratch.write(
                Array(text.replacing("<Listen unix=\"socket\"/>", with: listen).utf8), to: "site/dss.xml")
            running = try RunningProgram(
                try Programs.path("ses-dss"), ["run", "--config", scratch.file("site/dss.xml")],
                environment: ["SES_ALLOW_ROOT": "1"], asRoot: true)
            _ = try await running.line(containing: "listening on https://127.0.0.1:", within: .seconds(30))
        }

        /// A port that nobody listens on now.
        static func freePort() throws -> Int {
            let (descriptor, port) = try LoopbackPlace().boundSocket(Int32(SOCK_STREAM.rawValue), backlog: nil)
            close(descriptor)
            return port
        }

        private static func make(_ name: String, _ scratch: ScratchDirectory) async throws {
            let made = try await RunningProgram.run(
                "/usr/bin/openssl",
                [
                    "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", scratch.file(name + ".key"), "-out",
                    scratch.file(name + ".crt"), "-days", "90", "-subj", "/CN=" + name, "-addext",
                    "subjectAltName=IP:127.0.0.1",
                ], asRoot: true)
            guard made.status == 0 else { throw HarnessError("\(made)") }
            let both =
                try TestMaterial.octets(scratch.file(name + ".key"))
                + TestMaterial.octets(scratch.file(name + ".crt"))
            try scratch.write(both, to: name + ".pem")
        }

        private static func copy(_ name: String, _ target: String, _ scratch: ScratchDirectory) throws {
            try scratch.write(try TestMaterial.octets(scratch.file(name)), to: target)
            guard chmod(scratch.file(target), 0o600) == 0 else { throw HarnessError("chmod: \(errno)") }
        }

        func copy(_ name: String, _ target: String) throws { try Self.copy(name, target, scratch) }

        func edit(_ change: (String) -> String) throws {
            let text = String(decoding: try TestMaterial.octets(path), as: UTF8.self)
            try scratch.write(Array(change(text).utf8), to: "site/dss.xml")
        }

        /// Sends SIGHUP and waits for the word in the log.
        func hangUp(until word: String = "configuration re-read") async throws {
            let before = running.text(.error).ranges(of: word).count
            running.signal(SIGHUP)
            try await eventually("\(word): \(running.text(.error))", within: .seconds(30)) {
                running.text(.error).ranges(of: word).count > before ? () : nil
            }
        }

        /// The subject of the certificate that the server shows, by OpenSSL's client.
        func subject(_ port: Int, _ client: String) async throws -> String {
            try await RunningProgram.run(
                "/usr/bin/openssl",
                [
                    "s_client", "-connect", "127.0.0.1:\(port)", "-cert", scratch.file(client + ".crt"), "-key",
                    scratch.file(client + ".key"),
                ], asRoot: true
            ).output.split(separator: "\n").first { $0.hasPrefix("subject=") }.map(String.init) ?? ""
        }

        /// The HTTP status of a request to sign; 0 if none came.
        func sign(_ port: Int, _ client: String, anchor: String, options: [String] = []) async throws -> Int {
            let key =
                "<KeySelector><ds:KeyInfo xmlns:ds='http://www.w3.org/2000/09/xmldsig#'>"
                + "<ds:KeyName>alice@example.test</ds:KeyName></ds:KeyInfo></KeySelector>"
            let body = Array(SignedMail.entity.utf8) + Array(repeating: UInt8(ascii: "a"), count: 200_000)
            let request = RunningServer.request(
                "SignRequest RequestID='SES-1' Profile='adss:signing:profile:007'", client: "samples_test_client",
                inputs: key, body)
            let own = try ScratchDirectory()
            let run = try await RunningProgram.run(
                "/usr/bin/curl",
                [
                    "-s", "--noproxy", "*", "--cacert", scratch.file(anchor + ".crt"), "--cert",
                    scratch.file(client + ".crt"), "--key", scratch.file(client + ".key"), "-H", "Expect:", "-H",
                    "Content-Type: text/xml", "--max-time", "60", "-o", own.file("answer"), "-w", "%{http_code}",
                    "--data-binary", "@" + (try own.write(Array(request.utf8), to: "request")),
                ] + options + ["https://127.0.0.1:\(port)/adss/signing/dss"], asRoot: true)
            guard run.status == 0 else { return 0 }
            let answer = String(decoding: try TestMaterial.octets(own.file("answer")), as: UTF8.self)
            return answer.contains("resultmajor:Success") ? Int(run.output) ?? 0 : -1
        }
    }

    @Test("a new connection sees the new certificate and client authority, and a request that is in flight ends well")
    func certificate() async throws {
        let program = try await Program()
        #expect(try await program.subject(program.port, "client-a").contains("first"))
        let inFlight = Task {
            try await program.sign(program.port, "client-a", anchor: "first", options: ["--limit-rate", "60k"])
        }
        try program.copy("second.pem", "site/tls.pem")
        try program.copy("client-b.crt", "site/clients.pem")
        try await eventually("the slow request has begun", within: .seconds(20)) {
            try establishedConnections(to: program.port) > 0 ? () : nil
        }
        try await program.hangUp()
        #expect(try await program.subject(program.port, "client-b").contains("second"))
        #expect(try await program.sign(program.port, "client-b", anchor: "second") == 200)
        #expect(
            try await program.sign(program.port, "client-a", anchor: "second") == 0, "the former authority's client")
        #expect(try await inFlight.value == 200)
        try program.scratch.write(Array("no certificate".utf8), to: "site/tls.pem")
        try await program.hangUp(until: "the former one stays in force")
        #expect(try await program.subject(program.port, "client-b").contains("second"))
        #expect(try await program.running.terminate().status == 0)
    }

    @Test("the server moves to another port without losing a slow request, and stays where a port is taken")
    func address() async throws {
        let program = try await Program()
        let next = try Program.freePort()
        // Longer than the seconds that a stop gives.
        let inFlight = Task {
            try await program.sign(program.port, "client-a", anchor: "first", options: ["--limit-rate", "35k"])
        }
        try await eventually("the slow request has begun", within: .seconds(20)) {
            try establishedConnections(to: program.port) > 0 ? () : nil
        }
        try program.edit { $0.replacing("port=\"\(program.port)\"", with: "port=\"\(next)\"") }
        try await program.hangUp()
        #expect(try await program.sign(next, "client-a", anchor: "first") == 200)
        #expect(try await inFlight.value == 200)
        try await eventually("the old port is given up", within: .seconds(30)) {
            try await program.sign(program.port, "client-a", anchor: "first") == 0 ? () : nil
        }
        let taken = try SilentServer()
        try program.edit { $0.replacing("port=\"\(next)\"", with: "port=\"\(taken.port)\"") }
        try await program.hangUp(until: "the former one stays in force")
        #expect(try await program.sign(next, "client-a", anchor: "first") == 200)
        #expect(try await program.running.terminate().status == 0)
    }

    /// The connections that are established to a port of the loopback, by the kernel's table.
    private func establishedConnections(to port: Int) throws -> Int {
        // Read to its end: a file of /proc has no size, and Data(contentsOf:) takes its first page only.
        let file = try #require(FileHandle(forReadingAtPath: "/proc/net/tcp"))
        let table = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
        let place = ":" + String(format: "%04X", port)
        return table.split(separator: "\n").filter { line in
            let fields = line.split(separator: " ")
            return fields.count > 3 && fields[1].hasSuffix(place) && fields[3] == "01"
        }.count
    }
}
