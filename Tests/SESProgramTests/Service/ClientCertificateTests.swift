import HostProcess
import Foundation
import Probes
import ProgramLife
import SESConfiguration
import TestSupport
import Testing

@testable import SESProgram

@Suite("The client certificate")
struct ClientCertificateTests {
    private let scratch: ScratchDirectory

    init() throws { scratch = try ScratchDirectory() }

    private func makePFX(_ options: [String] = []) async throws -> String {
        let (key, certificate, pfx) = (scratch.file("key"), scratch.file("certificate"), scratch.file("client.pfx"))
        for arguments in [
            ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=client", "-days", "30", "-keyout", key]
                + ["-out", certificate],
            ["pkcs12", "-export", "-inkey", key, "-in", certificate, "-passout", "pass:right", "-out", pfx] + options,
        ] {
            let made = try await RunningProgram.run("/usr/bin/openssl", arguments, asRoot: true)
            #expect(made.status == 0, "\(made)")
        }
        return pfx
    }

    private func server(_ pfx: String, password: String) throws -> SESSettings {
        let text = """
            <SES><Settings><DomainName>example.test</DomainName><OriginatorId>client</OriginatorId>
            <ClientAuthPfxSettings status="enable"><PfxFilePath>\(pfx)</PfxFilePath>
            <PfxPassword>\(password)</PfxPassword></ClientAuthPfxSettings></Settings></SES>
            """
        return try SESConfiguration.load(path: try scratch.write(Array(text.utf8), to: "ses.xml"))
    }

    private var now: Int { Int(Date.now.timeIntervalSince1970) }

    @Test("is accepted while it is valid, and is a fault from the day it expires")
    func validity() async throws {
        let server = try server(try await makePFX(), password: "right")
        #expect(server.clientCertificateProblem(now: now) == nil)
        #expect(server.clientCertificateProblem(now: now + 40 * 86_400)?.contains("has expired") == true)
        #expect(server.clientCertificateProblem(now: now - 86_400)?.contains("not valid yet") == true)
    }

    @Test("with a wrong password stops the start and does not reveal the password")
    func wrongPassword() async throws {
        let server = try server(try await makePFX(), password: "hunter2")
        let problem = try #require(server.clientCertificateProblem(now: now))
        #expect(problem.contains("client.pfx") && problem.contains("password") && !problem.contains("hunter2"))
        #expect(throws: ProgramError.self) { try server.clientConfiguration() }
    }

    @Test("of an old exporter (RC2, 3DES) says how to make a new one")
    func legacy() async throws {
        let server = try server(try await makePFX(["-legacy"]), password: "right")
        let problem = try #require(server.clientCertificateProblem(now: now))
        #expect(problem.contains("pkcs12"), "\(problem)")
        #expect(throws: ProgramError.self) { try server.clientConfiguration() }
    }

    @Test("that does not exist is reported with its path")
    func missing() throws {
        let server = try server(scratch.file("nowhere.pfx"), password: "right")
        #expect(server.clientCertificateProblem(now: now)?.contains("nowhere.pfx") == true)
    }
}
