import Foundation
import Glibc
import SigningServer
import Synchronization
import TestSupport
import Testing

/// The built program, whose configuration is changed while it serves.
@Suite("ses-dss reads its configuration again on SIGHUP", .serialized)
struct RereadingTests {
    /// A server on a site of its own.
    private final class Program: Sendable {
        let scratch: ScratchDirectory
        let running: RunningProgram
        let address: String
        var path: String { scratch.file("site/dss.xml") }

        init() async throws {
            scratch = try ScratchDirectory()
            try DemonstrationSite.make(in: scratch.file("site"), now: Int(Date().timeIntervalSince1970))
            running = try RunningProgram(
                try Programs.path("ses-dss"),
                ["run", "--config", scratch.file("site/dss.xml"), "--port", "0", "--allow-root"],
                asRoot: true)
            let line = try await running.line(containing: "listening on http://127.0.0.1:", within: .seconds(30))
            let start = try #require(line.firstRange(of: "http://")).lowerBound
            address = String(line[start...]) + "/adss/signing/dss"
        }

        /// Changes `dss.xml` as an editor does, tells the server, and waits for its word.
        func change(_ edit: (String) -> String, until word: String = "configuration re-read") async throws {
            let text = String(decoding: try TestMaterial.octets(path), as: UTF8.self)
            let edited = edit(text)
            #expect(edited != text)
            try scratch.write(Array(edited.utf8), to: "site/dss.xml.new")
            try #require(chmod(scratch.file("site/dss.xml.new"), 0o600) == 0 && rename(path + ".new", path) == 0)
            let before = count(word)
            running.signal(SIGHUP)
            try await eventually("\(word): \(running.text(.error))", within: .seconds(30)) {
                count(word) > before ? () : nil
            }
        }

        private func count(_ word: String) -> Int { running.text(.error).ranges(of: word).count }

        /// Returns the first result words of the answer to a request to sign.
        func sign(as client: String = "samples_test_client", alias: String = "alice@example.test") async throws
            -> String
        {
            let key =
                "<KeySelector><ds:KeyInfo xmlns:ds='http://www.w3.org/2000/09/xmldsig#'><ds:KeyName>\(alias)</ds:KeyName>"
                + "</ds:KeyInfo></KeySelector>"
            let request = RunningServer.request(
                "SignRequest RequestID='SES-1' Profile='adss:signing:profile:007'", client: client, inputs: key,
                Array(SignedMail.entity.utf8))
            let own = try ScratchDirectory()
            let run = try await RunningProgram.run(
                "/usr/bin/curl",
                [
                    "-s", "--noproxy", "*", "--max-time", "30", "-H", "Content-Type: text/xml", "-H", "Expect:",
                    "--data-binary",
                    "@" + (try own.write(Array(request.utf8), to: "request")), address,
                ], asRoot: true)
            let text = run.status == 0 ? run.output : "\(run)"
            return text.firstMatch(of: #/result(?:major|minor):([A-Za-z:]+)<\/[a-z0-9]*:?ResultM/#).map { String($0.1) }
                ?? text
        }
    }

    private final class Flag: Sendable { let isSet = Atomic(false) }

    private static let client = "<Client id=\"samples_test_client\">"

    @Test("clients, keys and profiles come and go with the file, and the first request after it knows")
    func changes() async throws {
        let program = try await Program()
        #expect(try await program.sign() == "Success")
        #expect(try await program.sign(as: "second") != "Success")
        try await program.change { $0.replacing(Self.client, with: "<Client id=\"second\">") }
        #expect(try await program.sign(as: "second") == "Success")
        #expect(try await program.sign() != "Success", "a client that is not there any more")
        try await program.change {
            $0.replacing("alias=\"alice@example.test\"", with: "alias=\"carol@example.test\"")
                .replacing("ref=\"alice@example.test\"", with: "ref=\"carol@example.test\"")
        }
        #expect(try await program.sign(as: "second", alias: "carol@example.test") == "Success")
        #expect(try await program.sign(as: "second") != "Success", "an alias that is not there any more")
        #expect(try await program.running.terminate().status == 0)
    }

    @Test(
        "a configuration with faults changes nothing, and each fault is in the log with its line",
        arguments: [
            "<Key alias=\"x\" pfx=\"absent.p12\" password=\"y\"/><Strange/>",
            "<SigningProfile id=\"x\" format=\"odd\"/>",
            "<Client id=\"x\"><Key ref=\"nobody\"/></Client>", "<Unfinished",
        ])
    func faults(_ wrong: String) async throws {
        let program = try await Program()
        let good = String(decoding: try TestMaterial.octets(program.path), as: UTF8.self)
        try await program.change(
            { $0.replacing("</DSS>", with: wrong + "</DSS>") }, until: "the former one stays in force")
        #expect(program.running.text(.error).contains("/dss.xml:"), "\(program.running.text(.error))")
        #expect(try await program.sign() == "Success")
        try await program.change { _ in good.replacing(Self.client, with: "<Client id=\"second\">") }
        #expect(try await program.sign(as: "second") == "Success")
        #expect(try await program.running.terminate().status == 0)
    }

    @Test("no request is lost or refused while it reads again and again")
    func underLoad() async throws {
        let program = try await Program()
        let isOver = Flag()
        let answers = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<3 {
                group.addTask {
                    var answers: [String] = []
                    repeat { answers.append(try await program.sign()) } while !isOver.isSet.load(ordering: .acquiring)
                    return answers
                }
            }
            for number in 0..<12 {
                try await program.change { text in
                    text.replacing(/<Client id="other\d*"\/>/, with: "")
                        .replacing("</DSS>", with: "<Client id=\"other\(number)\"/></DSS>")
                }
            }
            isOver.isSet.store(true, ordering: .releasing)
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(answers.count >= 12 && Set(answers) == ["Success"], "\(Set(answers)), \(answers.count)")
        #expect(try await program.running.terminate().status == 0)
    }

    @Test("another socket is listened on, the old one is given up, and the mode of the same one changes")
    func address() async throws {
        let scratch = try ScratchDirectory()
        try DemonstrationSite.make(in: scratch.file("site"), now: Int(Date().timeIntervalSince1970))
        let path = scratch.file("site/dss.xml")
        let running = try RunningProgram(
            try Programs.path("ses-dss"), ["run", "--config", path, "--allow-root"], asRoot: true)
        _ = try await running.line(containing: "listening on http://unix:", within: .seconds(30))
        let text = String(decoding: try TestMaterial.octets(path), as: UTF8.self)
        func put(_ listen: String, _ count: Int) async throws {
            try scratch.write(Array(text.replacing("<Listen unix=\"socket\"/>", with: listen).utf8), to: "site/dss.xml")
            running.signal(SIGHUP)
            try await eventually("re-read: \(running.text(.error))", within: .seconds(30)) {
                running.text(.error).ranges(of: "configuration re-read").count >= count ? () : nil
            }
        }
        try await put("<Listen unix=\"other\"/>", 1)
        #expect(FileManager.default.fileExists(atPath: scratch.file("site/other")))
        #expect(!FileManager.default.fileExists(atPath: scratch.file("site/socket")))
        try await put("<Listen unix=\"other\" mode=\"660\"/>", 2)
        let attributes = try FileManager.default.attributesOfItem(atPath: scratch.file("site/other"))
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o660)
        #expect(try await running.terminate().status == 0)
        #expect(!FileManager.default.fileExists(atPath: scratch.file("site/other")), "the socket is removed")
    }
}
