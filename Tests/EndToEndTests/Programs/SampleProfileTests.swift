import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// `conf/samples` as shipped: with the embedded server's demo keys, and nothing but its address changed.
    @Suite("The shipped profiles")
    struct SampleProfiles {
        /// A spool under one of the profiles.
        private func spool(_ profile: String) async throws -> SpoolFixture {
            let server = try await DSSFixture.shared
            let fixture = try await SpoolFixture(SESXML(servers: [server.address]))
            let shipped = String(
                decoding: try TestMaterial.octets(TestMaterial.project + "/conf/samples/\(profile).xml"), as: UTF8.self)
            let shippedServer = "http://unix:/var/lib/ses-dss/socket:/"
            try #require(shipped.contains(shippedServer))
            try fixture.configure(
                shipped.replacingOccurrences(of: shippedServer, with: "http://127.0.0.1:\(server.port)/"))
            return fixture
        }

        private func passed(
            _ message: [UInt8], _ direction: SpoolFixture.Direction, from sender: String = MailSamples.alice,
            through profile: String
        ) async throws -> SpoolFixture {
            let fixture = try await spool(profile)
            try await fixture.drop(message, to: direction, from: sender)
            let run = try await fixture.ses([
                "process", "--config", fixture.configurationPath, "--spool", fixture.spool,
            ])
            try #require(run.status == 0, "\(run)")
            return fixture
        }

        /// Returns a message of `sender` that went out through a profile, and came in through the same profile.
        private func returned(
            _ message: [UInt8], from sender: String = MailSamples.alice, through profile: String
        ) async throws -> SpoolFile {
            let sent = try await passed(message, .outgoing, from: sender, through: profile).onlyFile(in: "delivered")
            return try await passed(sent.message, .incoming, from: sender, through: profile).onlyFile(in: "delivered")
        }

        @Test("mail that a profile signs is trusted when it comes in through the same profile")
        func bothDirections() async throws {
            for sender in [MailSamples.alice, "bob@example.test", "dora@example.test"] {
                let file = try await returned(
                    MailSamples.plain(from: sender), from: sender, through: "Sign_Outgoing_Email")
                #expect(file.envelopeField("X-SES-Outcome") == "verified", "\(file)")
                #expect(try await isWrapped(file))
            }
            for sender in [MailSamples.alice, "bob@example.test"] {
                let file = try await returned(
                    MailSamples.plain(from: sender), from: sender, through: "Sign_Outgoing_Email_From_Selected_Senders")
                #expect(file.envelopeField("X-SES-Outcome") == "verified", "\(file)")
            }
            let invoice = MailSamples.withFiles([.pdf(PDFSamples.plain(emptyField: "Signature1")), .other()])
            let pdf = try await returned(invoice, through: "Sign_Outgoing_Email_PDF_Attachment")
            #expect(pdf.envelopeField("X-SES-Outcome") == "verified", "\(pdf)")
            #expect(try await isWrapped(pdf))
        }

        @Test("a profile that only verifies lets mail out as it is, and calls it not signed when it comes in")
        func verifyingOnly() async throws {
            for profile in ["Verify_Incoming_Emails", "Verify_Incoming_Emails_And_Attachments"] {
                let plain = try await returned(MailSamples.plain(), through: profile)
                #expect(plain.envelopeField("X-SES-Outcome") == "passed", "\(plain)")
                let signed = try await returned(try await Samples.signedByAlice, through: profile)
                #expect(signed.envelopeField("X-SES-Outcome") == "verified", "\(signed)")
            }
        }

        private func isWrapped(_ file: SpoolFile) async throws -> Bool {
            let reading = try await PythonReading.of(file.message)
            return reading.part("message/rfc822") != nil
                && reading.parts.contains { $0.text?.contains("VerifyResponse") == true }
        }

        @Test("Sign_Outgoing_Email signs what is not signed yet with the organisation's one key")
        func signEmail() async throws {
            let profile = "Sign_Outgoing_Email"
            let signed = try await passed(MailSamples.plain(from: "bob@example.test"), .outgoing, through: profile)
                .onlyFile(in: "delivered")
            let anchor = try await DSSFixture.demo.anchor
            #expect(try await OpenSSL.verify(signed.message, anchor: anchor).status == 0)
            #expect(try await OpenSSL.signerAddresses(signed.message, anchor: anchor) == ["signing@example.test"])
            let again = try await passed(try await Samples.signedByAlice, .outgoing, through: profile)
            #expect(
                try again.onlyFile(in: "delivered").header("Content-Type").first?.hasPrefix("multipart/signed") == true)
            let received = try await passed(try await Samples.signedByAlice, .incoming, through: profile)
            #expect(try await isWrapped(try received.onlyFile(in: "delivered")))
        }

        @Test("Sign_Outgoing_Email_From_Selected_Senders signs for those it names, each with an own key")
        func selectedSenders() async throws {
            let profile = "Sign_Outgoing_Email_From_Selected_Senders"
            let anchor = try await DSSFixture.demo.anchor
            for sender in [MailSamples.alice, "bob@example.test"] {
                let signed = try await passed(MailSamples.plain(from: sender), .outgoing, through: profile)
                    .onlyFile(in: "delivered")
                #expect(try await OpenSSL.signerAddresses(signed.message, anchor: anchor) == [sender])
            }
            let other = try await passed(MailSamples.plain(from: "dora@example.test"), .outgoing, through: profile)
                .onlyFile(in: "delivered")
            #expect(other.header("Content-Type").first?.hasPrefix("text/plain") == true)
        }

        @Test("Sign_Outgoing_Email_PDF_Attachment signs a PDF into its blank field, and nothing else of the mail")
        func pdfAttachment() async throws {
            let profile = "Sign_Outgoing_Email_PDF_Attachment"
            let invoice = PDFSamples.plain(emptyField: "Signature1")
            let mail = MailSamples.withFiles([.pdf(invoice), .other()])
            let result = try await passed(mail, .outgoing, through: profile).onlyFile(in: "delivered")
            let files = try await MailParts.files(of: result.message)
            #expect(files.map(\.name) == ["invoice.pdf", "terms.doc"])
            #expect(files[0].octets.starts(with: invoice) && files[0].octets.count > invoice.count)
            #expect(files[1].octets == AttachedFile.other().octets)
            let report = try await PDFOracle.of(files[0].octets, anchor: try await DSSFixture.demo.anchor)
            #expect(report.signatures.map(\.field) == ["Signature1"] && report.isValid, "\(report)")
            #expect(report.signatures.first?.reason == "I certify this document")
            #expect(report.signatures.first?.location == "Guildford, Surrey")
            let without = try await passed(
                MailSamples.withFiles([.pdf(PDFSamples.plain())]), .outgoing, through: profile)
            let withoutCounts = try without.counts()
            #expect(withoutCounts == ["admin/new": 1, "blocked/new": 1])
        }

        @Test("Verify_Incoming_Emails and its sibling with attachments judge what arrives", arguments: [false, true])
        func verify(_ withAttachments: Bool) async throws {
            let profile = withAttachments ? "Verify_Incoming_Emails_And_Attachments" : "Verify_Incoming_Emails"
            let good = try await passed(try await Samples.signedByAlice, .incoming, through: profile)
            let goodCounts = try good.counts()
            #expect(goodCounts == ["delivered/new": 1])
            let bad = try await passed(try await Samples.tampered, .incoming, through: profile)
            #expect(try bad.counts()["delivered/new"] == nil)
            guard withAttachments else { return }
            let signed = try await Documents.signed(PDFSamples.plain(), profile: "adss:signing:profile:006")
            let trusted = try await passed(MailSamples.withFiles([.pdf(signed)]), .incoming, through: profile)
            let trustedCounts = try trusted.counts()
            #expect(trustedCounts == ["delivered/new": 1])
            let changed = try MailSamples.changed(signed, "Invoice 4711", to: "Invoice 4712")
            let untrusted = try await passed(MailSamples.withFiles([.pdf(changed)]), .incoming, through: profile)
            #expect(try untrusted.counts()["delivered/new"] == nil)
        }
    }
}
