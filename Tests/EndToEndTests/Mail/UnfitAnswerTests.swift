import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    /// A signing server that signs with a certificate that nobody will accept. `ses-dss` never does; another may.
    @Suite("Answers of a signing server that are signed with an unfit certificate")
    struct UnfitAnswers {
        private static let keys = TestMaterial.fixtures + "/cases/pki/keys/"

        struct Key: CustomTestStringConvertible, Sendable {
            let name: String
            /// The words of the refusal; nil if nothing is wrong.
            let reason: String?
            var testDescription: String { name }
            /// True if the reason holds for documents too.
            var isForAnything: Bool { reason?.contains("mail") != true }
        }

        static let all = [
            Key(name: "expired@example.test", reason: "expired"), Key(name: "future@example.test", reason: "valid"),
            Key(name: "tls@example.test", reason: "mail"), Key(name: "encipher@example.test", reason: "key usage"),
            Key(name: "unfit-critical@example.test", reason: "critical"),
            Key(name: "unfit-code-signing@example.test", reason: "mail"),
            Key(name: "alice@example.test", reason: nil),
        ]

        /// A server that signs whatever it gets with OpenSSL and the key at `pem`, certificate and key.
        private func server(_ pem: String, _ scratch: ScratchDirectory) throws -> ScriptedPeer {
            try ScriptedPeer.answering { request in
                let text = String(decoding: request.body, as: UTF8.self)
                do {
                    guard let id = text.firstMatch(of: #/RequestID="([^"]*)"/#)?.1,
                        let profile = text.firstMatch(of: #/Profile="([^"]*)"/#)?.1,
                        let encoded = text.firstMatch(of: #/Base64Data[^>]*>([^<]*)</#)?.1,
                        let document = Data(base64Encoded: String(encoded), options: .ignoreUnknownCharacters)
                    else { throw HarnessError("no document in \(text.prefix(2_000))") }
                    let signature = try signature(over: document, by: pem, in: scratch)
                    return ScriptedPeer.answer(
                        200, ["Content-Type: text/xml"],
                        body: """
                            <dss:SignResponse xmlns:dss="urn:oasis:names:tc:dss:1.0:core:schema" RequestID="\(id)" \
                            Profile="\(profile)"><dss:Result>\
                            <dss:ResultMajor>urn:oasis:names:tc:dss:1.0:resultmajor:Success</dss:ResultMajor></dss:Result>\
                            <dss:SignatureObject><dss:Base64Signature Type="urn:ietf:rfc:3369">\
                            \(signature.base64EncodedString())</dss:Base64Signature></dss:SignatureObject></dss:SignResponse>
                            """)
                } catch {
                    return ScriptedPeer.answer(500, body: "\(error)")
                }
            }
        }

        private func signature(over document: Data, by pem: String, in scratch: ScratchDirectory) throws -> Data {
            let name = UUID().uuidString
            let content = try scratch.write(Array(document), to: name)
            let openssl = Process()
            openssl.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
            openssl.arguments = [
                "cms", "-sign", "-binary", "-in", content, "-signer", pem, "-outform", "DER", "-md", "sha256",
                "-out", scratch.file(name + ".p7s"),
            ]
            try openssl.run()
            openssl.waitUntilExit()
            guard openssl.terminationStatus == 0 else { throw HarnessError("openssl cms -sign failed") }
            return Data(try TestMaterial.octets(scratch.file(name + ".p7s")))
        }

        /// Certificate and key of a fixture in one PEM file.
        private func pem(_ name: String, in scratch: ScratchDirectory) async throws -> String {
            let pem = scratch.file("signer.pem")
            let made = try await RunningProgram.run(
                "/usr/bin/openssl",
                [
                    "pkcs12", "-in", Self.keys + name + ".p12", "-passin", "pass:secret", "-nodes", "-clcerts", "-out",
                    pem,
                ],
                asRoot: true)
            guard made.status == 0 else { throw HarnessError("openssl pkcs12: \(made)") }
            return pem
        }

        private func processed(_ outgoing: String, _ mail: [UInt8], _ key: Key) async throws -> SpoolFixture {
            let scratch = try ScratchDirectory()
            let server = try server(try await pem(key.name, in: scratch), scratch)
            var configuration = SESXML(servers: [server.address])
            configuration.outgoing = outgoing
            configuration.emailErrorAction = "EMAIL_TO_ADMINISTRATOR"
            let fixture = try await SpoolFixture(configuration)
            try await fixture.drop(mail, to: .outgoing)
            try await fixture.process()
            #expect(!server.requests.isEmpty)
            return fixture
        }

        private func expect(_ key: Key, _ fixture: SpoolFixture) throws {
            guard let reason = key.reason else {
                #expect(try fixture.counts() == ["delivered/new": 1])
                return
            }
            #expect(try fixture.counts() == ["admin/new": 1, "blocked/new": 1], "nothing is sent")
            let notice = String(decoding: try fixture.onlyFile(in: "admin").message, as: UTF8.self)
            #expect(notice.contains(reason), "\(notice.prefix(3_000))")
        }

        @Test("a mail is not sent with such a signature", arguments: all)
        func mail(_ key: Key) async throws {
            let sign = SESXML.sign(alias: "")
            let outgoing = sign.replacing("<SignEmail alias=\"\"/>", with: "<SignEmail alias=\"fixed\"/>")
            try expect(key, try await processed(outgoing, MailSamples.plain(), key))
        }

        @Test("a mail is not sent with a file that has such a signature", arguments: all.filter { $0.isForAnything })
        func file(_ key: Key) async throws {
            let outgoing = SESXML.signAttachments(alias: "fixed", profile: "files")
            try expect(key, try await processed(outgoing, MailSamples.withFiles([.other()]), key))
        }

        /// `ses-dss` on a clock that stands in 2020, when the key was valid.
        private func serverOfThePast(_ scratch: ScratchDirectory) async throws -> (RunningProgram, address: String) {
            try SpoolFixture.own(scratch.path)
            let key = try scratch.write(try TestMaterial.octets(Self.keys + "expired@example.test.p12"), to: "key.p12")
            let configuration = try scratch.write(
                Array(
                    """
                    <DSS><Listen address="127.0.0.1" port="0"/>
                    <Key alias="expired@example.test" pfx="key.p12" password="secret"/>
                    <SigningProfile id="mail" format="smime"/><SigningProfile id="files" format="auto" level="B"/>
                    <Client id="samples_test_client"><Profile ref="mail"/><Profile ref="files"/>
                    <Key ref="expired@example.test"/></Client></DSS>
                    """.utf8), to: "dss.xml")
            for path in [key, configuration] {
                try SpoolFixture.own(path)
                guard chmod(path, 0o600) == 0 else { throw HarnessError("chmod: \(errno)") }
            }
            let clock = try ShiftedClock()
            try clock.shift(by: 1_590_000_000 - Int(time(nil)))
            let server = try RunningProgram(
                try Programs.path("ses-dss"), ["run", "--config", configuration, "--allow-readable-secrets"],
                environment: try await clock.environment(program: "ses-dss"))
            let line = try await server.line(containing: "listening on http://", within: .seconds(30))
            let address = try #require(line.firstRange(of: "http://").map { String(line[$0.lowerBound...]) })
            return (server, address)
        }

        @Test(
            "a PDF, an XML document and a mail that a server signed with a key that had expired are not sent, and wait",
            arguments: ["pdf", "xml", "mail"])
        func past(_ kind: String) async throws {
            let scratch = try ScratchDirectory()
            let (server, address) = try await serverOfThePast(scratch)
            var configuration = SESXML(servers: [address])
            configuration.outgoing =
                kind == "mail"
                ? SESXML.sign(alias: "expired@example.test", profile: "mail")
                : SESXML.signAttachments(alias: "expired@example.test", profile: "files")
            configuration.emailErrorAction = "EMAIL_TO_ADMINISTRATOR"
            let fixture = try await SpoolFixture(configuration)
            let files: [AttachedFile] = kind == "pdf" ? [.pdf()] : kind == "xml" ? [.xml()] : [.other()]
            try await fixture.drop(MailSamples.withFiles(files), to: .outgoing)
            let run = try await fixture.process()
            // One of the two clocks is wrong; until it is set, nobody knows which certificates are valid.
            #expect(try fixture.counts() == ["retry/new": 1])
            #expect(run.error.contains("expired on 2021"), "\(run)")
            #expect(run.error.contains("set the one that is wrong"), "\(run)")
            #expect(try await server.terminate().status == 0)
        }
    }
}
