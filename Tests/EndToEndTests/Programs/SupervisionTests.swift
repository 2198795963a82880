import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    @Suite("What the daemons tell a service manager")
    struct Supervision {
        enum Daemon: String, CaseIterable, Sendable {
            case ses, relay = "ses-relay", dss = "ses-dss", lmtp = "ses-lmtp"
        }

        /// A running program with the files that it needs.
        private struct Running {
            let program: RunningProgram
            let kept: [any Sendable]
        }

        private func start(_ daemon: Daemon, _ environment: [String: String], in folder: String? = nil) async throws
            -> Running
        {
            let spool = try await SpoolFixture(SESXML(servers: ["http://127.0.0.1:9"]), in: folder)
            let program = try Programs.path(daemon.rawValue)
            let arguments: [String]
            var kept: [any Sendable] = [spool]
            switch daemon {
            case .ses: arguments = ["watch", "--config", spool.configurationPath, "--spool", spool.spool]
            case .relay:
                let relay = try RelayFixture(beside: spool, RelayFixture.gateway(9))
                kept.append(relay)
                arguments = ["run", "--config", relay.configurationPath]
            case .dss: arguments = ["run", "--config", try await DSSFixture.demo.configuration, "--port", "0"]
            case .lmtp:
                arguments = [
                    "--spool", spool.spool, "--folder", "outgoing", "--socket", spool.scratch.file("outgoing.socket"),
                ]
            }
            return Running(program: try RunningProgram(program, arguments, environment: environment), kept: kept)
        }

        @Test(
            "ready, alive again and again, re-reading, stopping, in this order",
            .timeLimit(.minutes(3)), arguments: Daemon.allCases, [false, true])
        func life(_ daemon: Daemon, isAbstract: Bool) async throws {
            let manager = try NotifySocket(isAbstract: isAbstract)
            let running = try await start(daemon, manager.environment(watchdog: .seconds(3)))
            try await manager.more("READY=1", within: .seconds(60))
            #expect(manager.notices.first { $0.contains("READY=1") }?.contains("STATUS=") == true)
            try await manager.more("WATCHDOG=1")
            try await manager.more("WATCHDOG=1", than: manager.count("WATCHDOG=1"))
            if daemon != .lmtp {
                running.program.signal(SIGHUP)
                try await manager.more("RELOADING=1")
                try await manager.more("READY=1", than: 1)
            }
            let ended = try await running.program.terminate()
            #expect(ended.status == 0, "\(ended)")
            try await manager.more("STOPPING=1")
            let first = { (line: String) in manager.notices.firstIndex { $0.contains(line) } ?? -1 }
            #expect(first("READY=1") < first("WATCHDOG=1") && first("WATCHDOG=1") < first("STOPPING=1"))
        }

        @Test("no sign of life without a watchdog, or with one for another process", arguments: Daemon.allCases)
        func noWatchdog(_ daemon: Daemon) async throws {
            let manager = try NotifySocket()
            var environment = manager.environment(watchdog: .milliseconds(300))
            environment["WATCHDOG_PID"] = "1"
            let running = try await start(daemon, environment)
            try await manager.more("READY=1", within: .seconds(60))
            #expect(try await running.program.terminate().status == 0)
            try await manager.more("STOPPING=1")
            #expect(manager.count("WATCHDOG=1") == 0)
        }

        @Test("a program that has faults in its configuration never says that it is ready")
        func neverReady() async throws {
            let manager = try NotifySocket()
            let spool = try await SpoolFixture { _ in "<SES><Filtre/></SES>" }
            let run = try await spool.ses(
                ["watch", "--config", spool.configurationPath, "--spool", spool.spool],
                environment: manager.environment())
            #expect(run.status == 78 && manager.notices == [], "\(run) \(manager.notices)")
        }

        /// The disk is frozen (fsfreeze(8)): each call that changes it hangs, while processor, clocks and sockets go on
        /// as ever. A timer of its own would go on to feed the watchdog.
        @Test(
            "no sign of life while the disk of the spool hangs, and signs again once it answers",
            .enabled(if: SmallFileSystem.obstacle(to: .ext4) == nil, "needs root and loop devices"),
            .timeLimit(.minutes(3)), arguments: [Daemon.ses, .relay])
        func hangingDisk(_ daemon: Daemon) async throws {
            let disk = try await SmallFileSystem(.ext4)
            let manager = try NotifySocket()
            let running = try await start(daemon, manager.environment(watchdog: .seconds(3)), in: disk.path)
            try await manager.more("WATCHDOG=1", within: .seconds(60))
            func freeze(_ option: String) async throws {
                let run = try await RunningProgram.run("/usr/sbin/fsfreeze", [option, disk.path], asRoot: true)
                guard run.status == 0 else { throw HarnessError("fsfreeze: \(run)") }
            }
            try await freeze("--freeze")
            do {
                // Complaints are the event that tells hanging from slowness.
                _ = try await running.program.line(containing: "no sign of life from", within: .seconds(60))
                let then = manager.count("WATCHDOG=1")
                try await eventually("the second complaint", within: .seconds(60)) {
                    running.program.text(.error).ranges(of: "no sign of life from").count > 1 ? () : nil
                }
                #expect(manager.count("WATCHDOG=1") == then)
            } catch {
                try await freeze("--unfreeze")
                throw error
            }
            try await freeze("--unfreeze")
            try await manager.more("WATCHDOG=1", than: manager.count("WATCHDOG=1"), within: .seconds(60))
            #expect(try await running.program.terminate().status == 0)
        }
    }
}
