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

        @Test("the shipped configurations work with the embedded server as the README sets it up")
        func shipped() async throws {
            let scratch = try ScratchDirectory()
            try SpoolFixture.own(scratch.path)
            // In the place of /var/lib/ses-dss: nothing else is changed.
            let directory = scratch.file("ses-dss")
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
            try SpoolFixture.own(directory)
            let program = try Programs.path("ses-dss")
            let made = try await RunningProgram.run(program, ["init", directory])
            try #require(made.status == 0, "\(made)")
            let server = try RunningProgram(program, ["run", "--config", directory + "/dss.xml"])
            _ = try await server.line(containing: "listening on", within: .seconds(30))

            func passed(
                _ mail: [UInt8], _ direction: SpoolFixture.Direction, through file: String
            ) async throws -> SpoolFile {
                let text = String(
                    decoding: try TestMaterial.octets(TestMaterial.project + "/conf/" + file), as: UTF8.self)
                let fixture = try await SpoolFixture { _ in text.replacing("/var/lib/ses-dss", with: directory) }
                let checked = try await fixture.ses(["check", "--config", fixture.configurationPath])
                #expect(checked.status == 0, "\(checked)")
                try await fixture.drop(mail, to: direction)
                let run = try await fixture.ses([
                    "process", "--config", fixture.configurationPath, "--spool", fixture.spool,
                ])
                try #require(run.status == 0, "\(run)")
                return try fixture.onlyFile(in: "delivered")
            }
            let invoice = MailSamples.withFiles([.pdf(PDFSamples.plain(emptyField: "Signature1"))])
            let pdf = try await passed(
                invoice, .outgoing, through: "samples/Sign_Outgoing_Email_PDF_Attachment.xml")
            let ordinary = try await passed(MailSamples.plain(), .outgoing, through: "ses.xml")
            let back = try await passed(ordinary.message, .incoming, through: "ses.xml")
            #expect(back.envelopeField("X-SES-Outcome") == "verified", "\(back)")
            #expect(String(decoding: back.message, as: UTF8.self).contains("Signature check: trusted"))
            let one = try await passed(MailSamples.plain(), .outgoing, through: "samples/Sign_Outgoing_Email.xml")
            let own = try await passed(
                MailSamples.plain(), .outgoing, through: "samples/Sign_Outgoing_Email_From_Selected_Senders.xml")
            for file in [pdf, ordinary, one, own] {
                #expect(file.envelopeField("X-SES-Outcome") == "signed", "\(file)")
            }
            for name in ["Verify_Incoming_Emails", "Verify_Incoming_Emails_And_Attachments"] {
                let file = try await passed(own.message, .incoming, through: "samples/\(name).xml")
                #expect(file.envelopeField("X-SES-Outcome") == "verified", "\(file)")
            }
            #expect(try await server.terminate().status == 0)
        }
    }
}
