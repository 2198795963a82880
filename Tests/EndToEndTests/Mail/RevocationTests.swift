import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Whole mails whose signers' certificates lead to responders, lists and authorities on the loopback.
    @Suite("Trust that depends on other servers")
    struct Revocation {
        /// A mail that OpenSSL signed for one of the fixture's signers.
        private func mail(by signer: TrustFixture.Signer, _ trust: TrustFixture) async throws -> [UInt8] {
            let scratch = try ScratchDirectory()
            let entity = try scratch.write(
                Array("Content-Type: text/plain\r\n\r\nThe price is 100 euro.\r\n".utf8), to: "entity")
            let signed = scratch.file("signed.eml")
            let run = try await RunningProgram.run(
                "/usr/bin/openssl",
                [
                    "cms", "-sign", "-in", entity, "-crlfeol", "-signer", trust.certificate(signer), "-inkey",
                    trust.key,
                    "-certfile", trust.issuing, "-md", "sha256", "-out", signed, "-from", signer.address, "-to",
                    MailSamples.bob, "-subject", "Signed",
                ], asRoot: true)
            guard run.status == 0 else { throw HarnessError("openssl cms -sign: \(run)") }
            return try TestMaterial.octets(signed).filter { $0 != 0x0D }.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] }
        }

        /// The server's configuration: trusts the fixture's root and asks for revocation.
        static func configuration(_ trust: TrustFixture, time: String? = nil, signer: TrustFixture.Signer? = nil) throws
            -> ScratchDirectory
        {
            let scratch = try ScratchDirectory()
            try SpoolFixture.own(scratch.path)
            let key = signer.map {
                "<Key alias='signer' default='true' pfx='\(trust.pfx($0))' password='\(TrustFixture.password)'/>"
                    + "<SigningProfile id='timestamped' format='auto' level='T' tsa='\(trust.address(.tsa))'/>"
                    + "<SigningProfile id='plain' format='auto' level='B'/>"
                    + "<SigningProfile id='lasting' format='auto' level='LT' tsa='\(trust.address(.tsa))'"
                    + " validation='trust'/>"
                    + "<SigningProfile id='timestamped-mail' format='smime' level='T' tsa='\(trust.address(.tsa))'/>"
                    + "<SigningProfile id='plain-mail' format='smime'/>"
            }
            let grants =
                signer == nil
                ? ""
                : ["timestamped", "plain", "lasting", "timestamped-mail", "plain-mail"]
                    .map { "<Profile ref='\($0)'/>" }.joined() + "<Key ref='signer'/>"
            // At another time than now what the lists say is out of date; there the timestamp is looked at alone.
            let text = """
                <DSS>\(key ?? "")
                <VerificationProfile id='trust' default='true' revocation='\(time == nil ? "present" : "none")'>
                <Anchor>\(trust.root)</Anchor><Intermediate>\(trust.issuing)</Intermediate>
                \(time.map { "<VerificationTime>\($0)</VerificationTime>" } ?? "")</VerificationProfile>
                <Client id='samples_test_client'><Profile ref='trust'/>\(grants)</Client></DSS>
                """
            let path = try scratch.write(Array(text.utf8), to: "dss.xml")
            try SpoolFixture.own(path)
            return scratch
        }

        private func received(_ message: [UInt8], from sender: String, _ server: DSSFixture, attempts: Int = 0)
            async throws -> SpoolFixture
        {
            var configuration = SESXML(servers: [server.address])
            configuration.incoming = SESXML.verify()
            configuration.processing = "<ResponseIndeterminateAction>BLOCK_EMAIL</ResponseIndeterminateAction>"
            let fixture = try await SpoolFixture(configuration)
            try await fixture.drop(message, to: .incoming, from: sender)
            try await fixture.process()
            return fixture
        }

        @Test(
            "the statement of a responder or a list about the signer decides where the mail goes",
            arguments: [
                (TrustFixture.Signer.good, "delivered/new"), (.revoked, "admin/new"), (.unknown, "retry/new"),
                (.listed, "delivered/new"), (.listedRevoked, "admin/new"), (.fallback, "delivered/new"),
                (.expired, "admin/new"), (.unreachable, "retry/new"), (.listUnreachable, "retry/new"),
            ])
        func decided(_ signer: TrustFixture.Signer, _ place: String) async throws {
            let trust = try await TrustFixture.shared
            let configuration = try Self.configuration(trust)
            let server = try await DSSFixture(configuration: configuration.file("dss.xml"))
            let fixture = try await received(
                try await mail(by: signer, trust), from: signer.address, server)
            let fixtureCounts = try fixture.counts()
            #expect(fixtureCounts == (place == "admin/new" ? [place: 1, "blocked/new": 1] : [place: 1]))
            if place == "retry/new" {
                // Nobody could tell: at the last attempt that is the verdict.
                try makeDue(fixture, attempts: 25)
                try await fixture.sweep()
                let lastCounts = try fixture.counts()
                #expect(lastCounts == ["blocked/new": 1])
            }
            try await server.stop()
        }

        /// Makes the one message that waits due now, with so many attempts behind it.
        private func makeDue(_ fixture: SpoolFixture, attempts: Int) throws {
            let waiting = try fixture.names(in: "retry/new")[0]
            let due = waiting.replacing(/D=\d+/, with: "D=0").replacing(/N=\d+/, with: "N=\(attempts)")
            try #require(rename(fixture.spool + "/retry/new/" + waiting, fixture.spool + "/retry/new/" + due) == 0)
        }

        @Test("a responder that answers again is asked again, and the mail is delivered")
        func comesBack() async throws {
            let trust = try await TrustFixture()
            let configuration = try Self.configuration(trust)
            let server = try await DSSFixture(configuration: configuration.file("dss.xml"))
            try trust.setDown(true)
            let fixture = try await received(
                try await mail(by: .good, trust), from: TrustFixture.Signer.good.address, server)
            #expect(try fixture.counts() == ["retry/new": 1])
            try trust.setDown(false)
            // The server leaves a responder alone for a while that did not answer; a fresh one does not know that.
            let port = server.port
            try await server.stop()
            let next = try await DSSFixture(port: port, configuration: configuration.file("dss.xml"))
            try makeDue(fixture, attempts: 1)
            try await fixture.sweep()
            let fixtureCounts = try fixture.counts()
            #expect(fixtureCounts == ["delivered/new": 1])
            try await next.stop()
            try await trust.stop()
        }

        @Test(
            "a signature with a timestamp outlives the certificate, for mail and files alike, and one without does not",
            arguments: [
                ("timestamped", "delivered/new"), ("plain", "blocked/new"), ("timestamped-mail", "delivered/new"),
                ("plain-mail", "blocked/new"),
            ])
        func outlives(_ profile: String, _ place: String) async throws {
            let trust = try await TrustFixture.shared
            let later = ISO8601DateFormatter().string(from: Date().addingTimeInterval(30 * 86_400))
            let configuration = try Self.configuration(trust, time: later, signer: .expiring)
            let server = try await DSSFixture(configuration: configuration.file("dss.xml"))
            var gateway = SESXML(servers: [server.address])
            let isMail = profile.hasSuffix("-mail")
            gateway.outgoing =
                isMail
                ? SESXML.sign(alias: "signer", profile: profile)
                : SESXML.signAttachments(alias: "signer", profile: profile)
            gateway.incoming = SESXML.verify(operations: isMail ? "VERIFY_EMAIL" : "VERIFY_ATTACHMENT")
            gateway.processing = "<ResponseIndeterminateAction>BLOCK_EMAIL</ResponseIndeterminateAction>"
            let sending = try await SpoolFixture(gateway)
            let sender = TrustFixture.Signer.expiring.address
            try await sending.drop(
                MailSamples.withFiles([.pdf(), .xml(), .other()], from: sender), to: .outgoing, from: sender)
            try await sending.process()
            let receiving = try await SpoolFixture(gateway)
            try await receiving.drop(try sending.onlyFile(in: "delivered").message, to: .incoming, from: sender)
            try await receiving.process()
            let counts = try receiving.counts()
            #expect(counts == [place: 1])
            try await server.stop()
        }

        @Test(
            "a PDF of level LT passes when no source can be asked any more, one of level T waits",
            arguments: [("lasting", "delivered/new"), ("timestamped", "retry/new")])
        func lasting(_ profile: String, _ place: String) async throws {
            let trust = try await TrustFixture()
            let configuration = try Self.configuration(trust, signer: .good)
            let signing = try await DSSFixture(configuration: configuration.file("dss.xml"))
            var gateway = SESXML(servers: [signing.address])
            gateway.outgoing = SESXML.signAttachments(alias: "signer", profile: profile)
            let sending = try await SpoolFixture(gateway)
            let sender = TrustFixture.Signer.good.address
            try await sending.drop(MailSamples.withFiles([.pdf()], from: sender), to: .outgoing, from: sender)
            try await sending.process()
            let sent = try sending.onlyFile(in: "delivered").message
            try await signing.stop()
            try trust.setDown(true)
            let verifying = try await DSSFixture(configuration: configuration.file("dss.xml"))
            gateway = SESXML(servers: [verifying.address])
            gateway.incoming = SESXML.verify(operations: "VERIFY_ATTACHMENT")
            let receiving = try await SpoolFixture(gateway)
            try await receiving.drop(sent, to: .incoming, from: sender)
            try await receiving.process()
            let counts = try receiving.counts()
            #expect(counts == [place: 1])
            try await verifying.stop()
            try await trust.stop()
        }
    }
}
