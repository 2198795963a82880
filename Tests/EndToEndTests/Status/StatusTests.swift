import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    /// Each code of docs/monitoring.md is brought about, seen, mended and seen to be lifted.
    @Suite("ses status: each reason while it is true, and no longer")
    struct Status {
        // MARK: - The spool

        @Test("spool-missing")
        func spoolMissing() async throws {
            var bench = try await StatusBench()
            let other = bench.fixture.scratch.file("other")
            bench.options = ["--spool", other]
            let report = try await bench.shows("spool-missing", "CRITICAL")
            #expect(report.codes == ["spool-missing"])
            #expect(try await bench.fixture.ses(["init", other]).status == 0)
            try await bench.lifts("spool-missing")
        }

        @Test("folder-missing, and the command makes no folder itself")
        func folderMissing() async throws {
            let bench = try await StatusBench()
            try bench.remove("blocked")
            let report = try await bench.shows("folder-missing", "CRITICAL")
            #expect(report.texts.contains { $0.contains("blocked") })
            #expect(!FileManager.default.fileExists(atPath: bench.spool + "/blocked"))
            #expect(try await bench.fixture.ses(["init", bench.spool]).status == 0)
            try await bench.lifts("folder-missing")
        }

        @Test("folder-unwritable")
        func folderUnwritable() async throws {
            let bench = try await StatusBench()
            try bench.setMode(0o550, "retry/new")
            let report = try await bench.shows("folder-unwritable", "CRITICAL")
            #expect(report.texts.contains { $0.contains("retry/new") && $0.contains("550") })
            try bench.setMode(0o750, "retry/new")
            try await bench.lifts("folder-unwritable")
        }

        @Test("write-failed, and the attempt leaves nothing behind")
        func writeFailed() async throws {
            var bench = try await StatusBench()
            let fault = try LastingFault("write", on: "/outgoing", EIO)
            bench.environment = try await fault.environment(program: "ses")
            try fault.begin()
            try await bench.shows("write-failed", "CRITICAL")
            try fault.lift()
            try await bench.lifts("write-failed")
            let all = try FileManager.default.subpathsOfDirectory(atPath: bench.spool)
            #expect(!all.contains { $0.contains("status") || $0.hasPrefix("outgoing/#") }, "\(all)")
        }

        @Test("disk-space: below the reserve, and full", .enabled(if: geteuid() == 0, "mounting needs root"))
        func diskSpace() async throws {
            let bench = try await StatusBench()
            let disk = try await SmallFileSystem(.tmpfs)
            let spool = disk.path + "/spool"
            #expect(try await bench.fixture.ses(["init", spool]).status == 0)
            let here = ["--spool", spool]
            try await bench.lifts("disk-space", here)
            try disk.fill(leaving: 1_000)
            try await bench.shows("disk-space", "WARNING", here)
            try disk.fill(leaving: 100)
            try await bench.shows("disk-space", "CRITICAL", here)
            try disk.empty()
            try await bench.lifts("disk-space", here)
            try await bench.shows("disk-space", "WARNING", here + ["--min-free", "100"])
        }

        @Test("disk-inodes", .enabled(if: geteuid() == 0, "mounting needs root"))
        func diskInodes() async throws {
            let bench = try await StatusBench()
            let folder = try ScratchDirectory()
            #expect(chmod(folder.path, 0o755) == 0)
            let mounted = try await RunningProgram.run(
                "/bin/mount", ["-t", "tmpfs", "-o", "size=16m,nr_inodes=200", "ses-test", folder.path], asRoot: true)
            try #require(mounted.status == 0, "\(mounted)")
            defer { umount2(folder.path, CInt(MNT_DETACH)) }
            try SpoolFixture.own(folder.path)
            let spool = folder.file("spool")
            #expect(try await bench.fixture.ses(["init", spool]).status == 0)
            let here = ["--spool", spool]
            try await bench.lifts("disk-inodes", here)
            var made = 0
            while FileManager.default.createFile(atPath: folder.file("f\(made)"), contents: Data()) { made += 1 }
            try await bench.shows("disk-inodes", "CRITICAL", here)
            for number in 0..<5 { try FileManager.default.removeItem(atPath: folder.file("f\(number)")) }
            try await bench.shows("disk-inodes", "WARNING", here)
            for number in 5..<made { try FileManager.default.removeItem(atPath: folder.file("f\(number)")) }
            try await bench.lifts("disk-inodes", here)
        }

        @Test("not-visible: another user is told what is not seen", .enabled(if: geteuid() == 0, "needs root"))
        func notVisible() async throws {
            let bench = try await StatusBench()
            try #require(chmod(bench.fixture.scratch.path, 0o755) == 0)
            let code = "not-visible"
            func ask(_ group: UInt32) async throws -> String {
                try await RunningProgram.run(
                    "/usr/bin/setpriv",
                    [
                        "--reuid=61001", "--regid=\(group)", "--clear-groups", "--", try Programs.path("ses"), "status",
                        "--spool", bench.spool, "--json",
                    ], asRoot: true
                ).output
            }
            #expect(try await ask(61_002).contains(code))
            let account = try #require(Programs.unprivileged)
            #expect(try await !ask(account.group).contains(code), "the group of the spool")
        }

        @Test(
            "who may only list the folders, as the group ses-monitor by access lists, sees the whole status",
            .enabled(if: geteuid() == 0 && access("/usr/bin/setfacl", X_OK) == 0, "needs root and setfacl (acl)"))
        func monitor() async throws {
            let bench = try await StatusBench()
            try #require(chmod(bench.fixture.scratch.path, 0o755) == 0)
            let daemon = try await bench.fixture.watch()
            try await bench.fixture.drop(MailSamples.plain(), to: .outgoing)
            _ = try await bench.fixture.arrived(in: "delivered")
            let granted = try await RunningProgram.run(
                "/usr/bin/find",
                [bench.spool, "-type", "d", "-exec", "/usr/bin/setfacl", "-m", "g:61002:r-x", "{}", "+"], asRoot: true)
            try #require(granted.status == 0, "\(granted)")
            let asked = try await RunningProgram.run(
                "/usr/bin/setpriv",
                [
                    "--reuid=61001", "--regid=61002", "--clear-groups", "--", try Programs.path("ses"), "status",
                    "--config", bench.fixture.configurationPath, "--spool", bench.spool, "--json",
                ], asRoot: true)
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(asked.output.utf8)) as? [String: Any], "\(asked)")
            #expect(object["status"] as? String == "OK", "\(asked)")
            #expect((object["processes"] as? [[String: Any]])?.count == 1)
            let dropped = try await RunningProgram.run(
                "/usr/bin/setpriv",
                [
                    "--reuid=61001", "--regid=61002", "--clear-groups", "--", try Programs.path("ses"), "drop",
                    "--spool", bench.spool, "--to", "outgoing", "-f", "a@example.test", "--", "b@x.test",
                ], input: MailSamples.plain(), asRoot: true)
            #expect(dropped.status != 0, "it may not drop mail")
            try await daemon.terminate()
        }

        @Test("clock-off: files from the future")
        func clockOff() async throws {
            let bench = try await StatusBench()
            let ahead =
                "blocked/new/" + StatusBench.name(seconds: Int(Date.now.timeIntervalSince1970) + 7_300, ",O=out")
            try bench.fixture.place(MailSamples.plain(), in: "blocked/new", named: String(ahead.dropFirst(12)))
            let report = try await bench.shows("clock-off", "WARNING")
            #expect(report.texts.contains { $0.contains("2 h in the future") }, "\(report.texts)")
            try bench.remove(ahead)
            try await bench.lifts("clock-off")
        }

        @Test("clock-off: a signing server whose clock differs, and a state from the future")
        func otherClocks() async throws {
            let bench = try await StatusBench()
            let clock = try ShiftedClock()
            try clock.shift(by: 600)
            let daemon = try await bench.fixture.watch(environment: try await clock.environment(program: "ses"))
            func tells(_ words: String) async throws -> Bool {
                try await bench.report().texts.contains { $0.contains(words) }
            }
            try await bench.fixture.drop(MailSamples.plain(), to: .outgoing)
            try await eventually("the server's clock is told of") {
                try await tells("behind the one of this machine") ? () : nil
            }
            try clock.shift(by: 0)
            try await bench.fixture.drop(MailSamples.plain(), to: .outgoing)
            try await eventually("it is lifted") { try await tells("behind the one of this machine") ? nil : () }
            daemon.signal(SIGSTOP)
            var times = [timeval](repeating: timeval(tv_sec: time(nil) + 3_600, tv_usec: 0), count: 2)
            #expect(utimes(bench.spool + "/state/ses-\(daemon.pid).json", &times) == 0)
            try await eventually("the state is told of") { try await tells("the clock was set back") ? () : nil }
            daemon.signal(SIGCONT)
            try await eventually("it is lifted") { try await tells("the clock was set back") ? nil : () }
            try await daemon.terminate()
        }

        // MARK: - Mail that does not move

        @Test("mail-waits and unfinished-work: what nobody takes, and what a killed process left")
        func waits() async throws {
            let silent = try SilentServer()
            let bench = try await StatusBench { $0.signing = [silent.address + "/adss/signing/dss"] }
            try await bench.fixture.drop(MailSamples.plain(), to: .outgoing)
            let soon = ["--max-age", "1s"]
            let report = try await bench.shows("mail-waits", nil, soon)
            #expect(report.texts.contains { $0.hasPrefix("outgoing holds 1 that should have been taken") })
            let run = try RunningProgram(
                try Programs.path("ses"), ["process", "--config", bench.fixture.configurationPath])
            try await eventually("it is in work") { try bench.fixture.names(in: "work").isEmpty ? nil : () }
            try await run.crash()
            try await bench.shows("unfinished-work", "WARNING", soon)
            try await bench.lifts("mail-waits", soon)
            var good = SESXML(servers: [try await DSSFixture.shared.address])
            good.outgoing = SESXML.sign(alias: Samples.aliceKey)
            try bench.fixture.configure(good)
            try await bench.fixture.process()
            try await bench.lifts("unfinished-work", soon)
        }

        @Test("not-taken: a file that nobody takes, while it lies there")
        func notTaken() async throws {
            var bench = try await StatusBench()
            try bench.fixture.place(MailSamples.plain(), in: "outgoing", named: "letter.txt")
            let clock = try ShiftedClock()
            bench.environment = try await clock.environment(program: "ses")
            try clock.shift(by: 660)
            let report = try await bench.shows("not-taken", "WARNING")
            #expect(report.texts.contains { $0.contains("outgoing/letter.txt") })
            try bench.remove("outgoing/letter.txt")
            try await bench.lifts("not-taken")
        }

        @Test("unreadable-file: told by the daemon that cannot take it, and no longer once it can")
        func unreadable() async throws {
            let bench = try await StatusBench()
            let daemon = try await bench.fixture.watch()
            let aside = try bench.fixture.place(MailSamples.plain(), in: "outgoing/tmp", named: "1.M1.host")
            #expect(chmod(aside, 0) == 0)
            #expect(rename(aside, bench.spool + "/outgoing/new/1.M1.host") == 0)
            let report = try await bench.shows("unreadable-file", "WARNING")
            #expect(report.texts.contains { $0.contains("1.M1.host") })
            #expect(chmod(bench.spool + "/outgoing/new/1.M1.host", 0o640) == 0)
            try await bench.lifts("unreadable-file")
            try await daemon.terminate()
        }

        @Test("foreign-file: what lies in work and is none of ours, and it is gone as soon as it is removed")
        func foreignFile() async throws {
            let bench = try await StatusBench()
            #expect(mkdir(bench.spool + "/work/foo", 0o755) == 0)
            try SpoolFixture.own(bench.spool + "/work/foo")
            try await bench.shows("foreign-file", "WARNING")
            let daemon = try await bench.fixture.watch()
            try await bench.shows("foreign-file", "WARNING")
            #expect(rmdir(bench.spool + "/work/foo") == 0)
            let begin = ContinuousClock.now
            try await bench.lifts("foreign-file")
            #expect(ContinuousClock.now - begin < .seconds(3), "at once, whatever the daemon remembers")
            try await daemon.terminate()
        }

        @Test("repaired-state: what cannot come about by itself, until the daemon has been started anew")
        func repairedState() async throws {
            let bench = try await StatusBench()
            let name = StatusBench.name()
            #expect(mkdir(bench.spool + "/publish/" + name, 0o750) == 0)
            try SpoolFixture.own(bench.spool + "/publish/" + name)
            try bench.fixture.place(
                MailSamples.plain(), in: "publish/" + name, named: "delivered~" + StatusBench.name(",O=out"))
            #expect(mkdir(bench.spool + "/work/" + name, 0o750) == 0)
            try SpoolFixture.own(bench.spool + "/work/" + name)
            try bench.fixture.place(MailSamples.plain(), in: "work/" + name, named: "message,O=out,N=0,C=1")
            let daemon = try await bench.fixture.watch()
            let report = try await bench.shows("repaired-state", "WARNING")
            #expect(report.texts.contains { $0.contains("(S8)") || $0.contains("(S9)") }, "\(report.texts)")
            try await daemon.terminate()
            let next = try await bench.fixture.watch()
            try await bench.lifts("repaired-state")
            try await next.terminate()
        }

        @Test("failed-mail and corrupt-files: as long as there are any", arguments: ["failed", "corrupt"])
        func keptFiles(_ folder: String) async throws {
            let bench = try await StatusBench()
            let code = folder == "failed" ? "failed-mail" : "corrupt-files"
            let name = StatusBench.name(",O=out")
            try bench.fixture.place(MailSamples.plain(), in: folder, named: name)
            try await bench.shows(code, "WARNING")
            try bench.remove(folder + "/" + name)
            try await bench.lifts(code)
        }
    }
}

extension StatusBench {
    static func name(_ facts: String) -> String { name(seconds: Int(Date.now.timeIntervalSince1970), facts) }
}
