import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite("A signing server behind a Unix socket")
    struct UnixSocket {
        @Test("ses has mail signed over the address that ses-dss prints, as ses-dss init sets it up")
        func signing() async throws {
            let scratch = try ScratchDirectory()
            try SpoolFixture.own(scratch.path)
            let site = scratch.file("dss")
            let made = try await RunningProgram.run(try Programs.path("ses-dss"), ["init", site])
            try #require(made.status == 0, "\(made)")
            let server = try RunningProgram(
                try Programs.path("ses-dss"), ["run", "--config", site + "/dss.xml"])
            let line = try await server.line(containing: "listening on http://unix:", within: .seconds(30))
            let address = try #require(line.firstRange(of: "http://unix:").map { String(line[$0.lowerBound...]) })
            #expect(made.output.contains(address + "/adss/signing/dss"), "\(made.output)")
            var configuration = SESXML(servers: [address])
            configuration.outgoing = SESXML.sign(alias: MailSamples.alice)
            let fixture = try await SpoolFixture(configuration)
            try await fixture.drop(MailSamples.plain(from: MailSamples.alice), to: .outgoing)
            let run = try await fixture.ses([
                "process", "--config", fixture.configurationPath, "--spool", fixture.spool,
            ])
            try #require(run.status == 0, "\(run)")
            let signed = try fixture.onlyFile(in: "delivered")
            #expect(try await OpenSSL.verify(signed.message, anchor: site + "/ca.pem").status == 0)
            #expect(try await server.terminate().status == 0)
            #expect(!FileManager.default.fileExists(atPath: site + "/socket"))
        }
    }
}
