import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    /// Conduct of all three programs towards whoever starts, stops and watches them.
    @Suite("Signals, log readers and memory of the three programs")
    struct ProgramConduct {
        /// A program that runs until it is stopped, with what it takes to start it.
        private enum Daemon: String, CaseIterable {
            case ses, relay = "ses-relay", dss = "ses-dss"
        }

        /// The files that a daemon is started on; kept while it runs.
        private struct Start {
            let spool: SpoolFixture
            let relay: RelayFixture
            let server: DSSFixture
            let port: Int

            init() async throws {
                server = try await DSSFixture.shared
                var configuration = SESXML(servers: [server.address])
                configuration.outgoing = SESXML.sign(alias: Samples.aliceKey)
                spool = try await SpoolFixture(configuration)
                port = try DSSFixture.deadPort()
                relay = try RelayFixture(beside: spool, RelayFixture.gateway(port))
            }

            func command(_ daemon: Daemon) throws -> [String] {
                let program = try Programs.path(daemon.rawValue)
                switch daemon {
                case .ses: return [program, "watch", "--config", spool.configurationPath]
                case .relay: return [program, "run", "--config", relay.configurationPath]
                case .dss: return [program, "run", "--config", server.site.configuration, "--port", "0"]
                }
            }

            func run(_ daemon: Daemon, environment: [String: String] = [:]) throws -> RunningProgram {
                let command = try command(daemon)
                return try RunningProgram(command[0], Array(command.dropFirst()), environment: environment)
            }
        }

        /// Waits until `program` has taken the place of the commands that start it.
        private func isThere(_ daemon: Daemon, _ program: RunningProgram) async throws {
            try await eventually("\(daemon) is there: \(program.text(.error))") {
                guard program.isRunning else { throw HarnessError("it ended: \(program.text(.error))") }
                let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(program.pid)/exe")
                return path?.hasSuffix("/" + daemon.rawValue) == true ? () : nil
            }
        }

        // MARK: - Descriptors

        @Test(
            "each program names itself and its release",
            arguments: ["ses", "ses-relay", "ses-dss", "ses-lmtp", "ses-drop"])
        func version(_ program: String) async throws {
            let run = try await RunningProgram.run(try Programs.path(program), ["--version"])
            #expect(run.status == 0, "\(run)")
            #expect(try run.output.wholeMatch(of: Regex(program + #" \d+\.\d+\.\d+\n"#)) != nil, "\(run)")
        }

        @Test(
            "with too few file descriptors each program refuses to start, and says how many it needs",
            arguments: Daemon.allCases)
        private func fewDescriptors(_ daemon: Daemon) async throws {
            let start = try await Start()
            let command = try start.command(daemon)
            for limit in [4, 5, 6, 8, 11, 14, 16, 20, 24, 32, 40, 48, 64, 80] {
                let program = try RunningProgram(
                    "/bin/sh", ["-c", "ulimit -n \(limit); exec \"$@\"", "sh"] + command)
                let finished = try await program.finished(within: .seconds(20))
                #expect(finished.status == 71, "\(limit): \(finished)")
                #expect(finished.error.contains("\(limit) file descriptors are too few"), "\(limit): \(finished)")
            }
            withExtendedLifetime(start) {}
        }

        @Test("without a libcurl that can be loaded ses watch ends with the reason and the package that is missing")
        func noLibrary() async throws {
            let start = try await Start()
            let scratch = try ScratchDirectory()
            let library = try scratch.write([], to: "libcurl.so.4")
            let folder = String(library.dropLast("/libcurl.so.4".count))
            try #require(chmod(folder, 0o755) == 0)
            let finished = try await RunningProgram.run(
                "/usr/bin/env", ["LD_LIBRARY_PATH=" + folder] + (try start.command(.ses)))
            #expect(finished.status == 71, "\(finished)")
            #expect(finished.error.contains("libcurl cannot be loaded: "), "\(finished)")
            #expect(finished.error.contains("the package libcurl4"), "\(finished)")
            withExtendedLifetime(start) {}
        }

        // MARK: - Signals

        @Test("SIGTERM ends each program whenever it comes after its start", arguments: Daemon.allCases)
        private func early(_ daemon: Daemon) async throws {
            let start = try await Start()
            // From before the first line of its own to after it is ready.
            for step in 0..<(EndToEnd.isSecondLevel ? 200 : 24) {
                let program = try start.run(daemon)
                try await isThere(daemon, program)
                let end = ContinuousClock.now + .microseconds(step * step * 200)
                while ContinuousClock.now < end {}
                program.signal(SIGTERM)
                let finished = try await program.finished(within: .seconds(20))
                // Before it could listen to the signal it ends as any program does.
                #expect([0, 128 + SIGTERM].contains(finished.status), "step \(step): \(finished)")
                #expect(!finished.error.contains("Fatal"), "\(finished)")
            }
            #expect(try start.spool.counts().isEmpty)
        }

        @Test(
            "SIGHUP that comes while it starts does not end a program that re-reads its configuration",
            arguments: Daemon.allCases)
        private func hangup(_ daemon: Daemon) async throws {
            let start = try await Start()
            for step in 0..<(EndToEnd.isSecondLevel ? 100 : 12) {
                let program = try start.run(daemon)
                try await eventually("SIGHUP is caught") {
                    guard program.isRunning else { throw HarnessError("it ended: \(program.text(.error))") }
                    let status = (try? TestMaterial.octets("/proc/\(program.pid)/status")) ?? []
                    let lines = String(decoding: status, as: UTF8.self).split(separator: "\n")
                    let caught = lines.first { $0.hasPrefix("SigCgt:") }.flatMap {
                        UInt64($0.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16)
                    }
                    return caught.map { $0 & 1 == 1 } == true ? () : nil
                }
                let end = ContinuousClock.now + .microseconds(step * step * 300)
                while ContinuousClock.now < end {}
                program.signal(SIGHUP)
                _ = try await program.line(containing: "configuration re-read")
                #expect(try await program.terminate().status == 0)
            }
        }

        // MARK: - Readers of the log

        /// Starts a command whose output and log go where nobody reads any more.
        private func unread(_ command: [String], in scratch: ScratchDirectory, input: [UInt8] = []) throws
            -> RunningProgram
        {
            let pipe = scratch.file("pipe-" + UUID().uuidString)
            guard mkfifo(pipe, 0o600) == 0 else { throw HarnessError("mkfifo: \(errno)") }
            try SpoolFixture.own(pipe)
            let script =
                "pipe=$1; shift; exec 3<>\"$pipe\" 4>\"$pipe\" 3<&-; exec \"$@\" >&4 2>&4 4>&-"
            return try RunningProgram("/bin/sh", ["-c", script, "sh", pipe] + command, input: input)
        }

        @Test("ses watch goes on signing when the reader of its log has gone away")
        func watch() async throws {
            let start = try await Start()
            let daemon = try unread(try start.command(.ses), in: start.spool.scratch)
            for number in 1...3 {
                try await start.spool.drop(MailSamples.plain(), to: .outgoing)
                _ = try await start.spool.arrived(number, in: "delivered")
            }
            #expect(try await daemon.terminate().status == 0)
        }

        @Test("ses drop says by its exit code what became of the message when nobody reads its words")
        func drop() async throws {
            let start = try await Start()
            func drop(_ recipient: String) async throws -> Int32 {
                let command = [
                    try Programs.path("ses"), "drop", "--spool", start.spool.spool, "--to", "outgoing", "-f",
                    MailSamples.alice, "--", recipient,
                ]
                return try await unread(command, in: start.spool.scratch, input: MailSamples.plain()).finished().status
            }
            #expect(try await drop("no address") == 65)
            #expect(try await drop(MailSamples.bob) == 0)
            #expect(try start.spool.counts() == ["outgoing/new": 1])
        }

        @Test("ses-relay keeps and tries mail when the reader of its log has gone away")
        func relay() async throws {
            let start = try await Start()
            let daemon = try unread(try start.command(.relay), in: start.spool.scratch)
            try start.relay.put("From: a@example.test\nSubject: x\n\nx\n", to: ["b@x.test"])
            try await eventually("it is deferred") {
                try start.relay.counts() == ["relay/deferred": 1] ? () : nil
            }
            #expect(try await daemon.terminate().status == 0)
        }

        @Test("ses-dss goes on serving when the reader of its log has gone away")
        func server() async throws {
            let scratch = try ScratchDirectory()
            try SpoolFixture.own(scratch.path)
            let site = scratch.file("dss")
            let made = try await RunningProgram.run(try Programs.path("ses-dss"), ["init", site])
            try #require(made.status == 0, "\(made)")
            let server = try unread(
                [try Programs.path("ses-dss"), "run", "--config", site + "/dss.xml"], in: scratch)
            try await eventually("it listens") {
                guard server.isRunning else { throw HarnessError("it ended") }
                return FileManager.default.fileExists(atPath: site + "/socket") ? () : nil
            }
            var configuration = SESXML(servers: ["http://unix:\(site)/socket:"])
            configuration.outgoing = SESXML.sign(alias: Samples.aliceKey)
            let fixture = try await SpoolFixture(configuration)
            for number in 1...2 {
                try await fixture.drop(MailSamples.plain(), to: .outgoing)
                try await fixture.process()
                #expect(try fixture.files(in: "delivered").count == number)
            }
            #expect(try await server.terminate().status == 0)
        }

        // MARK: - Memory

        @Test("no other process of the user may look into a program's memory", arguments: Daemon.allCases)
        private func memory(_ daemon: Daemon) async throws {
            let start = try await Start()
            func owner(_ environment: [String: String]) async throws -> uid_t {
                let program = try start.run(daemon, environment: environment)
                try await isThere(daemon, program)
                switch daemon {
                case .ses, .relay:
                    let folder = daemon == .relay ? "relay" : "state"
                    try await eventually("it is ready: \(program.text(.error))") {
                        try start.spool.names(in: folder).contains { $0.hasSuffix("-\(program.pid).json") } ? () : nil
                    }
                case .dss: _ = try await program.line(containing: "listening on")
                }
                // The files of a process that cannot be dumped belong to root (proc(5)).
                var status = stat()
                guard stat("/proc/\(program.pid)/mem", &status) == 0 else { throw HarnessError("stat: \(errno)") }
                try await program.terminate()
                return status.st_uid
            }
            #expect(try await owner([:]) == 0)
            // Else the test would say the same of a program that protects nothing.
            let own = Programs.unprivileged?.user ?? getuid()
            #expect(try await owner(["SES_ALLOW_CORE": "1"]) == own)
        }
    }
}
