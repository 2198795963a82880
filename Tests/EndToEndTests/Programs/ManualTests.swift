import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The manual")
    struct Manual {
        private static let pages = TestMaterial.project + "/conf/man"
        private static let schemas = TestMaterial.project + "/conf"

        /// The folder of all programs, for a script that starts them.
        private func programs() throws -> String {
            let paths = try ["ses", "ses-relay", "ses-dss", "ses-lmtp", "ses-drop"].map(Programs.path)
            let folders = Set(paths.map { URL(fileURLWithPath: $0).deletingLastPathComponent().path })
            return try #require(folders.count == 1 ? folders.first : nil, "\(folders)")
        }

        private func differences(_ what: String, pages: String = pages) async throws -> [String] {
            let other = what == "commands" ? try programs() : Self.schemas
            return try await TestPython.run("endtoend/manual.py", [what, pages, other]).split(separator: "\n")
                .map(String.init)
        }

        @Test("has each command and option of the programs, and no other")
        func commands() async throws { #expect(try await differences("commands") == []) }

        @Test("has each element and attribute of the schemas, and no other")
        func settings() async throws { #expect(try await differences("settings") == []) }

        @Test("is compared in both directions")
        func bothDirections() async throws {
            let scratch = try ScratchDirectory()
            for page in try FileManager.default.contentsOfDirectory(atPath: Self.pages) {
                var text = String(decoding: try TestMaterial.octets(Self.pages + "/" + page), as: UTF8.self)
                switch page {
                case "ses.8":
                    text = text.replacing(".Op Fl -probe\n", with: ".Op Fl -prove\n")
                    text = text.replacing(".Cm sweep\n", with: ".Cm swept\n")
                case "ses-lmtp.8": text = text.replacing(".It Fl -max-waiting Ar number\n", with: "")
                case "relay.xml.5":
                    text = text.replacing(".It Ic Sendmail Cm path Cm dsn", with: ".It Ic Sendmail Cm path")
                case "dss.xml.5": text = text.replacing(".It Ic CRL\n", with: ".It Ic CRLs\n")
                default: break
                }
                try scratch.write(Array(text.utf8), to: page)
            }
            // Beside those of the manual itself, which another test reports.
            let own = try await differences("commands") + differences("settings")
            #expect(
                try await differences("commands", pages: scratch.path).filter { !own.contains($0) } == [
                    "ses: the manual lacks command sweep",
                    "ses: the manual has command swept, the program has not",
                    "ses check: the manual lacks option --probe",
                    "ses check: the manual has option --prove, the program has not",
                    "ses-lmtp: the manual lacks option --max-waiting",
                ])
            #expect(
                try await differences("settings", pages: scratch.path).filter { !own.contains($0) } == [
                    "relay.xml <Sendmail>: the manual lacks attribute dsn",
                    "dss.xml: the manual lacks element CRL",
                    "dss.xml: the manual has element CRLs, the program has not",
                ])
        }

        @Test("has no fault that mandoc knows")
        func lint() async throws {
            let pages = try FileManager.default.contentsOfDirectory(atPath: Self.pages).sorted()
            #expect(pages.count == 10)
            let run = try await RunningProgram.run(
                "/usr/bin/mandoc", ["-T", "lint"] + pages.map { Self.pages + "/" + $0 }, asRoot: true)
            // Whether other manuals are installed here says nothing about these.
            let faults = (run.output + run.error).split(separator: "\n")
                .filter { !$0.contains("referenced manual not found") && !$0.contains("mandoc.db") }
            #expect(faults == [])
        }
    }

    @Suite("What the package is made of")
    struct PackageParts {
        private static let home = TestMaterial.project + "/scripts/package.d"

        private static let units = ["ses", "ses-relay", "ses-dss", "ses-lmtp", "ses-sweep"]

        @Test("a service unit leaves its program little to do harm with", arguments: units)
        func exposure(_ unit: String) async throws {
            let run = try await RunningProgram.run(
                "/usr/bin/systemd-analyze",
                ["security", "--offline=yes", "--no-pager", "--threshold=24", "\(Self.home)/\(unit).service"],
                asRoot: true)
            #expect(run.status == 0, "an exposure of 2.5 or more: \(run.output.suffix(200)) \(run.error)")
        }

        @Test("each unit that runs on has its check, its reload, its watchdog, and no core file", arguments: units)
        func settings(_ unit: String) throws {
            let text = String(decoding: try TestMaterial.octets("\(Self.home)/\(unit).service"), as: UTF8.self)
            let lines = Set(text.split(separator: "\n").map(String.init))
            #expect(lines.contains("LimitCORE=0"))
            #expect(lines.contains { $0.hasPrefix("ExecStartPre=") })
            guard unit != "ses-sweep" else { return }
            #expect(lines.contains("Type=notify") && lines.contains { $0.hasPrefix("WatchdogSec=") })
            // kill(1) is a package of its own; the shell has it.
            #expect(lines.contains("ExecReload=/bin/sh -c 'kill -HUP ${MAINPID}'") == (unit != "ses-lmtp"))
        }

        private func validate(_ file: String) async throws -> RunningProgram.Finished {
            try await RunningProgram.run(
                "/usr/bin/xmllint",
                ["--noout", "--nonet", "--schema", TestMaterial.project + "/conf/dss.xsd", file], asRoot: true)
        }

        @Test("dss.xsd accepts what ses-dss init writes, and the example")
        func schema() async throws {
            for file in [try await DSSFixture.demo.configuration, TestMaterial.project + "/conf/dss.xml"] {
                let run = try await validate(file)
                #expect(run.status == 0, "\(run)")
            }
        }

        @Test(
            "dss.xsd and ses-dss check refuse the same faults",
            arguments: [
                ("<Listen unix=\"socket\"/>", "<Listen unix=\"socket\" mode=\"666\"/>"),
                ("<Listen unix=\"socket\"/>", "<Listen unix=\"socket\" modus=\"600\"/>"),
                ("format=\"pdf\"", "format=\"doc\""), ("level=\"B\"", "level=\"C\""),
                ("<Anchor>", "<Anchor kind=\"x\">"),
                ("signerIdentity=\"report\"", "signerIdentity=\"maybe\""), ("<Client id=", "<Client name="),
                (" default=\"true\"", " default=\"yes\""), ("<Profile ref=", "<Profil ref="),
                ("profile:008\" format", "profile:007\" format"),
            ])
        func refused(_ old: String, _ new: String) async throws {
            let site = try await DSSFixture.demo
            let good = String(decoding: try TestMaterial.octets(site.configuration), as: UTF8.self)
            let bad = good.replacing(old, with: new)
            try #require(bad != good)
            let scratch = try ScratchDirectory()
            try SpoolFixture.own(scratch.path)
            let copied = try await RunningProgram.run(
                "/bin/cp", ["-a", site.directory, scratch.file("dss")], asRoot: true)
            try #require(copied.status == 0, "\(copied)")
            try scratch.write(Array(bad.utf8), to: "dss/dss.xml")
            #expect(try await validate(scratch.file("dss/dss.xml")).status == 3)
            let check = try await RunningProgram.run(
                try Programs.path("ses-dss"), ["check", "--config", scratch.file("dss/dss.xml")])
            #expect(check.status == 78, "\(check)")
        }

        @Test("ses-dss does not run as root, and says so")
        func dssAsRoot() async throws {
            guard Programs.unprivileged != nil else { return }
            let site = try await DSSFixture.demo
            let run = try await RunningProgram.run(
                try Programs.path("ses-dss"), ["run", "--config", site.configuration, "--port", "0"], asRoot: true)
            #expect(run.status == 77 && run.error.contains("does not run as root"), "\(run)")
        }

        @Test("in a directory with the set-group-id bit, ses-dss init lets its group use the socket")
        func sharedSocket() async throws {
            let scratch = try ScratchDirectory()
            try SpoolFixture.own(scratch.path)
            let site = scratch.file("dss")
            try FileManager.default.createDirectory(atPath: site, withIntermediateDirectories: false)
            try SpoolFixture.own(site)
            try #require(chmod(site, 0o2750) == 0)
            let made = try await RunningProgram.run(try Programs.path("ses-dss"), ["init", site])
            try #require(made.status == 0, "\(made)")
            let server = try RunningProgram(try Programs.path("ses-dss"), ["run", "--config", site + "/dss.xml"])
            _ = try await server.line(containing: "listening on http://unix:", within: .seconds(30))
            let mode = try FileManager.default.attributesOfItem(atPath: site + "/socket")[.posixPermissions] as? Int
            #expect(mode == 0o660)
            #expect(try await server.terminate().status == 0)
        }
    }
}
