import CMSSignatures
import Octets
import SigningServer
import TestSupport
import Testing

@Suite("The signing server over HTTP")
struct ServerTests {
    private let entity = Array(SignedMail.entity.utf8)

    @Test("signs a mail that OpenSSL accepts, and verifies it, with any case in the domain of the alias")
    func mail() async throws {
        let server = try await RunningServer()
        let signed = try await server.sign(entity, alias: "alice@EXAMPLE.Test")
        #expect(signed.status == 200)
        #expect(signed.text(of: "ResultMajor")?.hasSuffix(":Success") == true, "\(signed)")
        let signature = try #require(signed.text(of: "Base64Signature"))
        let message = SignedMail.clearSigned(signature)
        #expect(try await OpenSSL.verify(message, anchor: server.site + "/ca.pem").status == 0)

        let verified = try await server.verify(message)
        #expect(verified.text(of: "ResultMinor")?.hasSuffix(":OnAllDocuments") == true, "\(verified)")
        #expect(verified.text(of: "SignerIdentity") == "CN=Alice,O=SES demonstration")
        #expect(verified.text(of: "SigningTime")?.hasSuffix("Z") == true)

        let changed = String(decoding: message, as: UTF8.self).replacing("Hello", with: "Jello")
        let refused = try await server.verify(Array(changed.utf8))
        #expect(refused.text(of: "ResultMinor")?.hasSuffix(":IncorrectSignature") == true, "\(refused)")
        #expect(refused.body.contains("InvalidDetail"))
    }

    @Test("compares signer and author if the profile says so")
    func identity() async throws {
        let server = try await RunningServer { $0.replacing(" signerIdentity=\"report\"", with: "") }
        let signature = try #require(try await server.sign(entity).text(of: "Base64Signature"))
        let own = try await server.verify(SignedMail.clearSigned(signature))
        #expect(own.text(of: "ResultMinor")?.hasSuffix(":OnAllDocuments") == true, "\(own)")
        let forged = try await server.verify(SignedMail.clearSigned(signature, from: "mallory@example.test"))
        #expect(forged.text(of: "ResultMinor")?.hasSuffix(":IncorrectSignature") == true, "\(forged)")
    }

    @Test("signs and verifies files apart from their signature")
    func files() async throws {
        let server = try await RunningServer()
        let signed = try await server.sign(
            Array("any bytes".utf8), profile: "adss:signing:profile:008", alias: "alice_document_signing")
        let signature = try #require(signed.text(of: "Base64Signature"))
        let good = try await server.verify(Array("any bytes".utf8), signature: signature)
        #expect(good.text(of: "ResultMinor")?.hasSuffix(":OnAllDocuments") == true, "\(good)")
        let bad = try await server.verify(Array("any other".utf8), signature: signature)
        #expect(bad.text(of: "ResultMinor")?.hasSuffix(":IncorrectSignature") == true, "\(bad)")
    }

    @Test("takes the default key when none is named")
    func defaultKey() async throws {
        let server = try await RunningServer()
        let signature = try #require(try await server.sign(entity, alias: nil).text(of: "Base64Signature"))
        let facts = try CMSInspection.facts(of: OctetString(try Base64.decode(signature)))
        #expect(facts.signers.first?.addresses == ["signing@example.test"])
    }

    @Test("signs by the default profile if the request names none, and refuses if there is no default")
    func defaultProfile() async throws {
        let server = try await RunningServer()
        #expect(try await server.sign(entity, profile: nil).text(of: "Base64Signature") != nil)
        let without = try await RunningServer {
            $0.replacing("format=\"smime\" default=\"true\"", with: "format=\"smime\"")
        }
        let refused = try await without.sign(entity, profile: nil)
        #expect(refused.text(of: "Base64Signature") == nil)
        #expect(refused.text(of: "ResultMajor")?.hasSuffix(":RequesterError") == true)
    }

    @Test("refuses in the words of the protocol, without revealing what exists")
    func refusals() async throws {
        let server = try await RunningServer {
            $0.replacing("    <Key ref=\"bob@example.test\"/>\n", with: "")
                .replacing("    <Profile ref=\"adss:signing:profile:008\"/>\n", with: "")
        }
        let unknown = try await server.sign(entity, client: "nobody")
        #expect(unknown.text(of: "ResultMinor") == "urn:ses-gateway:dss:extensions:1.0:resultminor:UnknownClient")
        let keys = [
            try await server.sign(entity, alias: "nobody@example.test"),
            try await server.sign(entity, alias: "bob@example.test"),
        ]
        #expect(keys[0].text(of: "ResultMajor")?.hasSuffix(":ResponderError") == true)
        #expect(keys[0].text(of: "ResultMinor")?.hasSuffix(":invalid:KeyLookupFailed") == true)
        #expect(keys[0].body == keys[1].body)
        let profiles = [
            try await server.sign(entity, profile: "adss:signing:profile:999").body
                .replacing("profile:999", with: "profile:008"),
            try await server.sign(entity, profile: "adss:signing:profile:008").body,
        ]
        #expect(profiles[0] == profiles[1])
        #expect(profiles[0].contains("RequesterError"))
        let pdf = try await server.sign(entity, profile: "adss:signing:profile:006", alias: "alice_document_signing")
        #expect(pdf.text(of: "ResultMinor")?.hasSuffix(":NotSupported") == true)
        let unsigned = try await server.verify(Array("From: a@example.test\r\n\r\nHello\r\n".utf8))
        #expect(unsigned.text(of: "ResultMinor")?.hasSuffix(":Inappropriate:signature") == true)
    }

    @Test("answers a body that is not a request with a SOAP fault", arguments: ["", "<a/>", "<SignRequest", "hello"])
    func noRequest(_ body: String) async throws {
        let server = try await RunningServer()
        let answer = try await server.post("/adss/signing/dss", Array(body.utf8))
        #expect(answer.status == 400)
        #expect(answer.text(of: "faultcode") == "soap:Client")
    }

    @Test("takes a request on its own address only")
    func wrongAddress() async throws {
        let server = try await RunningServer()
        let request = RunningServer.request(
            "VerifyRequest RequestID='x'", client: "samples_test_client", inputs: "", entity)
        #expect(try await server.post("/adss/signing/dss", Array(request.utf8)).status == 400)
        #expect(try await server.post("/elsewhere", entity).status == 404)
    }

    @Test("refuses a request of more than 400 MiB before it is sent")
    func tooLarge() async throws {
        let server = try await RunningServer()
        let answer = try await server.post(
            "/adss/signing/dss", entity, options: ["-H", "Content-Length: 500000000", "-H", "Connection: close"])
        #expect(answer.status == 413 || answer.status == 0)
    }

    @Test("signs 20 MiB, kept in a file without a name")
    func large() async throws {
        let server = try await RunningServer()
        let document = [UInt8](repeating: 0x41, count: 20 << 20)
        let signed = try await server.sign(document, profile: "adss:signing:profile:008")
        let signature = OctetString(try Base64.decode(try #require(signed.text(of: "Base64Signature"))))
        #expect(try CMSInspection.check(signature, content: OctetString(document)) == .intact)
        #expect(try server.scratch.names() == ["site"])
    }

    @Test("answers many at the same time")
    func concurrent() async throws {
        let server = try await RunningServer()
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<16 {
                group.addTask {
                    let content = Array("content \(number)".utf8)
                    let signed = try await server.sign(content, profile: "adss:signing:profile:008")
                    let signature = OctetString(try Base64.decode(signed.text(of: "Base64Signature") ?? ""))
                    return try CMSInspection.check(signature, content: OctetString(content)) == .intact
                }
            }
            for try await isGood in group { #expect(isGood) }
        }
    }

    // MARK: Wrong answers on purpose

    @Test("gives each wrong answer when asked to", arguments: InjectedFault.Kind.allCases.filter { $0 != .drip })
    func faults(_ fault: InjectedFault.Kind) async throws {
        let server = try await RunningServer(faults: [fault.rawValue])
        let answer = try await server.sign(entity)
        let major = answer.text(of: "ResultMajor")
        switch fault {
        case .empty:
            #expect(answer.status == 200 && answer.body.isEmpty)
            #expect(answer.fields.contains("ERROR_CODE: 41003"), "\(answer)")
        case .html500: #expect(answer.status == 500 && answer.body.hasPrefix("<html>"))
        case .soapfault: #expect(answer.status == 500 && answer.text(of: "faultcode") == "soap:Server")
        case .wrongid: #expect(!answer.body.contains("RequestID=\"SES-1\"") && answer.body.contains("RequestID="))
        case .nosignal:
            #expect(major?.hasSuffix(":Success") == true && answer.text(of: "Base64Signature") == nil)
            #expect(try await server.verify(entity).text(of: "ResultMinor") == nil)
        case .pending: #expect(major?.hasSuffix(":Pending") == true)
        case .cut: #expect(answer.status == 0)
        case .straysig: #expect(answer.body.contains("<ds:Signature") && answer.text(of: "Base64Signature") == nil)
        case .prefixes:
            #expect(answer.body.contains("<ns2:SignResponse"))
            #expect(answer.text(of: "Base64Signature") != nil)
        case .drip: break
        }
    }

    @Test("accepts a percentage of wrong answers, and no other words")
    func percentages() {
        #expect(InjectedFault("cut=30")?.percent == 30)
        #expect(InjectedFault("cut")?.percent == 100)
        for words in ["", "nothing", "cut=", "cut=101", "cut=-1", "cut=x"] { #expect(InjectedFault(words) == nil) }
    }
}
