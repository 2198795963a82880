import DSSProtocol
import DSSXML
import Foundation
import Octets
import TestSupport
import Testing

@Suite("Answers as a server writes them")
struct ServerAnswerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let answer: DSSServerAnswer
        var testDescription: String { name }

        static let all: [Case] = {
            func answer(
                _ operation: DSSServerRequest.Operation, _ major: DSSServerAnswer.Major,
                _ minor: DSSServerAnswer.Minor?,
                _ message: String? = nil
            ) -> DSSServerAnswer {
                DSSServerAnswer(
                    operation, envelope: .none, requestID: "id & \"1\"", profile: "urn:p", major: major, minor: minor,
                    message: message)
            }
            var cms = answer(.sign, .success, nil)
            cms.output = .cms(OctetString("cms"))
            var document = answer(.sign, .success, nil)
            document.output = .document(.base64Data, mimeType: "PDF", OctetString("%PDF-"))
            var trusted = answer(.verify, .success, .onAllDocuments)
            trusted.signingTime = "2026-01-15T09:30:00Z"
            trusted.verificationTime = "2026-01-15T09:31:00Z"
            trusted.signers = ["CN=Alice <a&b>"]
            var reported = trusted
            reported.hasReport = true
            var bad = answer(.verify, .success, .incorrectSignature, "changed \u{1} & <broken>")
            bad.details = [
                .init(isInvalid: true, kind: "Signature", message: "digest"),
                .init(isInvalid: false, kind: "IssuerTrust", message: "no path"),
            ]
            var prefixed = bad
            prefixed.prefixes = .init(core: "", soap: "s")
            return [
                Case(name: "cms", answer: cms), Case(name: "document", answer: document),
                Case(name: "trusted", answer: trusted), Case(name: "reported", answer: reported),
                Case(name: "not trusted", answer: bad), Case(name: "default namespace", answer: prefixed),
                Case(name: "refused", answer: answer(.sign, .requesterError, .unknownClient, "unknown")),
            ]
        }()
    }

    @Test(
        "are valid against the schemas", .enabled(if: TestMaterial.shared != nil, "needs ../shared"),
        arguments: Case.all)
    func schema(_ given: Case) async throws {
        let shared = try #require(TestMaterial.shared)
        let scratch = try ScratchDirectory()
        let path = try scratch.write(given.answer.octets.collected(), to: "answer.xml")
        let run = try await RunningProgram.run(
            "/usr/bin/xmllint",
            ["--noout", "--nonet", "--schema", shared + "/dss-schemas/oasis-dss-core-schema-v1.0-os.xsd", path],
            asRoot: true)
        #expect(run.status == 0, "\(run)\n\(given.answer.octets.collected().text)")
    }

    @Test("are understood by our own client in every envelope and with any prefixes", arguments: ["", "ns2"])
    func understood(_ prefix: String) throws {
        for envelope in [DSSServerRequest.Envelope.soap11, .soap12, .none] {
            var answer = DSSServerAnswer(
                .sign, envelope: envelope, requestID: "SES-1", profile: "p", major: .success)
            answer.output = .document(.base64Data, mimeType: nil, OctetString("%PDF-1.7"))
            answer.prefixes = .init(core: prefix, soap: prefix == "" ? "" : "e")
            let octets = answer.octets.collected()
            #expect(answer.octets.count == octets.count)
            let decoder = AnswerDecoder(
                .signing(.pdf, requestID: "SES-1"), dialect: .adss, answers: MemoryCollecting(limit: 1_000))
            decoder.begin(status: 200, fields: [("Content-Type", answer.contentType)])
            #expect(octets.withUnsafeBytes { decoder.decode($0) })
            guard case .signed(.document(let document)) = decoder.finish() else {
                Issue.record("not understood: \(octets.text)")
                continue
            }
            #expect(document.text == "%PDF-1.7")
        }
    }

    @Test("to clients that did not reach the DSS layer are SOAP faults")
    func faults() {
        let fault = DSSServerFault(.client, "a <b>\u{7}")
        #expect(fault.octets.text.contains("<faultcode>soap:Client</faultcode><faultstring>a &lt;b&gt;</faultstring>"))
        let newer = DSSServerFault(.server, "x", envelope: .soap12)
        #expect(newer.octets.text.contains("<soap:Value>soap:Receiver</soap:Value>"))
        #expect(newer.contentType.hasPrefix("application/soap+xml"))
    }
}
