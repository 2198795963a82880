import Foundation
import Glibc
import SigningServer
import TestSupport

/// A site of its own, on which the built `ses-dss` works.
final class SiteProgram: Sendable {
    let scratch: ScratchDirectory
    private let environment: [String: String]
    var site: String { scratch.file("site") }
    var path: String { scratch.file("site/dss.xml") }

    init(environment: [String: String] = [:]) throws {
        scratch = try ScratchDirectory()
        self.environment = environment
        try FileManager.default.copyItem(atPath: try Self.made.get().file("site"), toPath: scratch.file("site"))
    }

    /// Keys are slow to make: one site for all tests, which each gets a copy of.
    private static let made: Result<ScratchDirectory, any Error> = Result {
        let scratch = try ScratchDirectory()
        try DemonstrationSite.make(in: scratch.file("site"), now: Int(Date().timeIntervalSince1970))
        return scratch
    }

    /// Runs a command of `ses-dss` on the site.
    func run(
        _ arguments: [String], environment more: [String: String] = [:], input: String = ""
    ) async throws -> RunningProgram.Finished {
        try await RunningProgram.run(
            try Programs.path("ses-dss"), arguments + ["--config", path],
            environment: environment.merging(more) { $1 }, input: Array(input.utf8), asRoot: true)
    }

    /// Runs a command that must succeed.
    @discardableResult
    func succeed(_ arguments: String..., input: String = "") async throws -> String {
        let finished = try await run(arguments, input: input)
        guard finished.status == 0 else { throw HarnessError("\(arguments): \(finished)") }
        return finished.output
    }

    /// Runs a command that must fail.
    func refusal(_ arguments: String...) async throws -> String {
        let finished = try await run(arguments)
        guard finished.status != 0 else { throw HarnessError("\(arguments) succeeded: \(finished)") }
        return finished.error
    }

    @discardableResult
    func openssl(_ arguments: String...) async throws -> String {
        let finished = try await RunningProgram.run("/usr/bin/openssl", arguments, asRoot: true)
        guard finished.status == 0 else { throw HarnessError("openssl \(arguments): \(finished)") }
        return finished.output + finished.error
    }

    func text(_ name: String) throws -> String {
        String(decoding: try TestMaterial.octets(scratch.file(name)), as: UTF8.self)
    }

    func mode(_ name: String) -> mode_t {
        var status = stat()
        return stat(scratch.file(name), &status) == 0 ? status.st_mode & 0o777 : 0
    }

    /// The authority of the site as OpenSSL's command wants it: its certificate, and its key in a file.
    func authority() async throws -> (certificate: String, key: String) {
        let password = try text("site/authority/ca.password").trimmingCharacters(in: .newlines)
        let key = scratch.file("ca.key")
        try await openssl(
            "pkcs12", "-in", site + "/authority/ca.p12", "-passin", "pass:" + password, "-nodes", "-nocerts", "-out",
            key)
        return (site + "/ca.pem", key)
    }

    /// Starts the server on its Unix socket.
    func serve() async throws -> RunningProgram {
        let running = try RunningProgram(
            try Programs.path("ses-dss"), ["run", "--config", path],
            environment: environment.merging(["SES_ALLOW_ROOT": "1"]) { $1 }, asRoot: true)
        _ = try await running.line(containing: "listening on http", within: .seconds(30))
        return running
    }

    /// Asks the running server to sign.
    func sign(
        _ document: [UInt8], profile: String = "007", alias: String, limit: Int = 30
    ) async throws -> RunningServer.Answer {
        let key =
            "<KeySelector><ds:KeyInfo xmlns:ds='http://www.w3.org/2000/09/xmldsig#'><ds:KeyName>\(alias)</ds:KeyName>"
            + "</ds:KeyInfo></KeySelector>"
        return try await post(
            "/adss/signing/dss",
            RunningServer.request(
                "SignRequest RequestID='SES-1' Profile='adss:signing:profile:\(profile)'",
                client: "samples_test_client", inputs: key, document), limit)
    }

    func verify(_ document: [UInt8]) async throws -> RunningServer.Answer {
        try await post(
            "/adss/verification/dss",
            RunningServer.request(
                "VerifyRequest RequestID='SES-2'", client: "samples_test_client", inputs: "", document),
            30)
    }

    private func post(_ path: String, _ request: String, _ limit: Int) async throws -> RunningServer.Answer {
        let own = try ScratchDirectory()
        let run = try await RunningProgram.run(
            "/usr/bin/curl",
            [
                "-s", "--unix-socket", site + "/socket", "-H", "Content-Type: text/xml", "-H", "Expect:",
                "--max-time", "\(limit)", "--data-binary", "@" + (try own.write(Array(request.utf8), to: "request")),
                "http://localhost" + path,
            ], asRoot: true)
        return RunningServer.Answer(status: run.status == 0 ? 200 : 0, fields: "", body: run.output)
    }
}
