import DSSProtocol
import DSSXML
import Octets
import TestSupport
import Testing

@Suite("Answers of a signing server")
struct AnswerTests {
    @Test("are read in each of their forms", arguments: signing + verifying + odd)
    func form(_ given: AnswerCase) throws {
        let outcome = decode(try given.octets, given.question, status: given.status, fields: given.fields)
        #expect(AnswerCase.expectation(of: outcome, for: given.expected) == given.expected, "\(outcome)")
    }

    @Test("are read alike however they are cut into pieces", arguments: signing + verifying + odd)
    func pieces(_ given: AnswerCase) throws {
        for size in [1, 7, 64] {
            let outcome = decode(
                try given.octets, given.question, status: given.status, fields: given.fields, size: size)
            #expect(AnswerCase.expectation(of: outcome, for: given.expected) == given.expected, "pieces of \(size)")
        }
    }

    @Test("about a trusted signature give signer and time")
    func texts() throws {
        let octets = try AnswerCase("verify-trusted", AnswerCase.verification, .verdict(.trusted)).octets
        guard case .verified(let answer) = decode(octets, AnswerCase.verification) else {
            Issue.record("no verdict")
            return
        }
        #expect(answer.signerIdentities == ["CN=Alice,O=Example,C=GB"])
        #expect(answer.signingTimes == ["2026-01-15T09:30:00Z"])
        #expect(answer.raw.array == octets)
    }

    @Test("bring no control characters and no line ends into texts")
    func nastyTexts() throws {
        let octets = try AnswerCase("verify-nasty-texts", AnswerCase.verification, .verdict(.notTrusted)).octets
        guard case .verified(let answer) = decode(octets, AnswerCase.verification) else {
            Issue.record("no verdict")
            return
        }
        #expect(answer.messages == ["a Bcc: b <script> end"])
        #expect(answer.signerIdentities == ["CN=Eve Mallory"])
    }

    @Test("of a revocation service that is down are distinguished from other doubts")
    func revocation() throws {
        let octets = try AnswerCase("verify-revocation-and-issuer", AnswerCase.verification, .noAnswer).octets
        guard case .verified(let answer) = decode(octets, AnswerCase.verification) else {
            Issue.record("no verdict")
            return
        }
        #expect(answer.verdict == .indeterminate && !answer.isRevocationUnreachable)
    }

    @Test("with an inline document give its octets, not a copy")
    func inline() throws {
        let inline = try AnswerCase("sign-xml-inline", AnswerCase.xml, .cms).octets
        guard case .signed(.document(let document)) = decode(inline, AnswerCase.xml) else {
            Issue.record("no document")
            return
        }
        #expect(
            document.text == "<!-- a > b --><i:invoice xmlns:i=\"urn:i\" no=\"1\"  a=\"x>y\"><i:line/>"
                + "<![CDATA[</InlineXML><x>]]></i:invoice>")
    }

    @Test("with an inline document keep the namespaces that it uses, and no others")
    func inlineNamespaces() throws {
        let inline = try AnswerCase("sign-xml-inline-outer-prefix", AnswerCase.xml, .cms).octets
        guard case .signed(.document(let document)) = decode(inline, AnswerCase.xml) else {
            Issue.record("no document")
            return
        }
        #expect(
            document.text == "<x:a xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" xmlns:x=\"urn:x\">"
                + "<ds:Signature/></x:a>")
    }

    @Test("larger than the limit are refused permanently")
    func tooLarge() throws {
        let octets = try AnswerCase("sign-pdf", AnswerCase.pdf, .cms).octets
        guard case .refused(let refusal) = decode(octets, AnswerCase.pdf, limit: 4) else {
            Issue.record("not refused")
            return
        }
        #expect(!refusal.isTransient(in: .adss))
        #expect(refusal.message.contains("too large"))
    }

    @Test("of a refusal are kept for the administrator")
    func shownAnswer() throws {
        let octets = try AnswerCase("sign-refused", AnswerCase.email, .cms).octets
        guard case .refused(let refusal) = decode(octets, AnswerCase.email) else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.answer == String(decoding: octets, as: UTF8.self))
        #expect(refusal.source == .result(.requesterError, .notSupported))
    }

    @Test("that only the dialect knows to be temporary are worth another try")
    func transientMessage() throws {
        var dialect = Dialect.adss
        dialect.transientMessages = ["NOT ASSIGNED"]
        let octets = try AnswerCase("sign-refused", AnswerCase.email, .cms).octets
        #expect(decode(octets, AnswerCase.email).isTransient(in: .adss) == false)
        #expect(decode(octets, AnswerCase.email).isTransient(in: dialect))
    }

    static let signing: [AnswerCase] = [
        AnswerCase("sign-cms", AnswerCase.email, .cms),
        AnswerCase("sign-cms-plain", AnswerCase.cms, .cms),
        AnswerCase("sign-cms-soap12", AnswerCase.email, .cms),
        AnswerCase("sign-cms-white-space", AnswerCase.email, .cms),
        AnswerCase("sign-cms", AnswerCase.pdf, .permanentRefusal("no signed pdf")),
        AnswerCase("sign-cms", AnswerCase.xml, .permanentRefusal("no signed xml")),
        AnswerCase("sign-cms", AnswerCase.verification, .permanentRefusal("another sort")),
        AnswerCase("sign-entity", AnswerCase.email, .document(entity)),
        AnswerCase("sign-entity", AnswerCase.cms, .permanentRefusal("no signed cms")),
        AnswerCase("sign-pdf", AnswerCase.pdf, .document("%PDF-1.7\nsigned\n")),
        AnswerCase("sign-pdf", AnswerCase.email, .permanentRefusal("no signed email")),
        AnswerCase("sign-xml-base64", AnswerCase.xml, .document("<invoice no=\"1\"><s/></invoice>")),
        AnswerCase("sign-xml-escaped", AnswerCase.xml, .document("<invoice no=\"1\"><s/></invoice>")),
        AnswerCase(
            "sign-xml-signature", AnswerCase.xml,
            .document(
                "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" Id=\"s\"><ds:SignedInfo/></ds:Signature>"
            )),
        AnswerCase("sign-updated", AnswerCase.email, .cms),
        AnswerCase("sign-other", AnswerCase.cms, .cms),
        AnswerCase("sign-other-two", AnswerCase.cms, .permanentRefusal("holds no signature")),
        AnswerCase("sign-two-places", AnswerCase.email, .document(entity)),
        AnswerCase("sign-nothing", AnswerCase.email, .permanentRefusal("holds no signature")),
        AnswerCase("sign-empty-document", AnswerCase.pdf, .permanentRefusal("holds no signature")),
        AnswerCase("sign-damaged", AnswerCase.pdf, .permanentRefusal("not clean base64")),
        AnswerCase("sign-responder-error", AnswerCase.email, .transientRefusal("[Error-41004]")),
        AnswerCase("sign-key-lookup-failed", AnswerCase.email, .permanentRefusal("no such key")),
        AnswerCase("sign-refused", AnswerCase.pdf, .permanentRefusal("not assigned")),
        AnswerCase("sign-unknown-client", AnswerCase.email, .transientRefusal("not known")),
        AnswerCase("sign-pending", AnswerCase.email, .permanentRefusal("asynchronous")),
        AnswerCase("sign-unknown-major", AnswerCase.email, .permanentRefusal("Perhaps")),
        AnswerCase("sign-wrong-id", AnswerCase.email, .permanentRefusal("SES-of-another")),
        AnswerCase("sign-no-id", AnswerCase.email, .cms),
        AnswerCase("sign-draft-era", AnswerCase.email, .cms),
        AnswerCase("sign-stray-signature", AnswerCase.email, .cms),
        AnswerCase("sign-empty-id-response", AnswerCase.email, .cms),
        AnswerCase("fault11-server", AnswerCase.email, .transientRefusal("could not be read"), status: 500),
        AnswerCase("fault11-client", AnswerCase.email, .permanentRefusal("not with you"), status: 500),
        AnswerCase("fault12-receiver", AnswerCase.email, .transientRefusal("try later"), status: 500),
        AnswerCase("fault12-sender", AnswerCase.email, .permanentRefusal("bad request"), status: 400),
    ]

    static let verifying: [AnswerCase] = [
        verdict("verify-trusted", .trusted), verdict("verify-trusted-assertion", .trusted),
        verdict("verify-report", .trusted), verdict("verify-draft-era", .trusted),
        verdict("verify-one-bad-assertion", .notTrusted), verdict("verify-odd-assertion", .indeterminate),
        verdict("verify-report-bad", .notTrusted), verdict("verify-changed", .notTrusted),
        verdict("verify-not-trusted-issuer", .notTrusted), verdict("verify-detail-veto", .notTrusted),
        AnswerCase("verify-revocation", AnswerCase.verification, .revocationUnreachable),
        AnswerCase("verify-crl-other-spelling", AnswerCase.verification, .revocationUnreachable),
        verdict("verify-chain", .indeterminate), verdict("verify-partly", .indeterminate),
        verdict("verify-no-signal", .indeterminate), verdict("verify-bare-message", .indeterminate),
        verdict("verify-stray-signature", .indeterminate), verdict("verify-bad-timestamp", .notTrusted),
        verdict("verify-nasty-texts", .notTrusted),
        AnswerCase("verify-not-signed", AnswerCase.verification, .permanentRefusal("no signature")),
        AnswerCase("verify-responder-error", AnswerCase.verification, .transientRefusal("ResponderError")),
        AnswerCase("verify-wrong-id", AnswerCase.verification, .permanentRefusal("SES-of-another")),
        AnswerCase("verify-trusted", AnswerCase.email, .permanentRefusal("another sort")),
        // What comes with an error's status is no verdict, however good it looks.
        AnswerCase("verify-trusted", AnswerCase.verification, .unreachable(status: 500), status: 500),
    ]

    private static func verdict(_ name: String, _ verdict: Verdict) -> AnswerCase {
        AnswerCase(name, AnswerCase.verification, .verdict(verdict))
    }

    static let odd: [AnswerCase] =
        [
            AnswerCase("other-xml", AnswerCase.email, .noAnswer),
            AnswerCase("document-type", AnswerCase.email, .permanentRefusal("document type")),
            AnswerCase("cut", AnswerCase.email, .noAnswer),
            AnswerCase("page", AnswerCase.email, .noAnswer, type: "text/html"),
            AnswerCase("page", AnswerCase.email, .unreachable(status: 500), status: 500, type: "text/html"),
            AnswerCase("page-with-type", AnswerCase.email, .noAnswer),
            AnswerCase("empty", AnswerCase.email, .noAnswer, body: ""),
            AnswerCase("white space", AnswerCase.email, .noAnswer, body: " \r\n\t"),
            AnswerCase("garbage", AnswerCase.email, .noAnswer, body: "\u{1}\u{2}\u{3}nonsense"),
            AnswerCase("compressed all the same", AnswerCase.email, .noAnswer, body: "\u{1F}\u{8}\u{0}\u{0}"),
            AnswerCase(
                "empty with fields", AnswerCase.email, .transientRefusal("service is stopped"),
                fields: [
                    ("RESPONSE_STATUS", "FAILED"), ("Error_Code", "41003"),
                    ("MESSAGE", "[Error-41003] Failed to process request - Signing service is stopped"),
                ], body: ""),
            AnswerCase(
                "empty with another code", AnswerCase.email, .permanentRefusal("no such profile"),
                fields: [("ERROR_CODE", "42034"), ("MESSAGE", "no such profile")], body: ""),
            AnswerCase("empty", AnswerCase.email, .unreachable(status: 503), status: 503, body: ""),
            AnswerCase("empty", AnswerCase.email, .permanentRefusal("HTTP 400"), status: 400, body: ""),
            AnswerCase("words", AnswerCase.email, .permanentRefusal("HTTP 413: too big"), status: 413, body: "too big"),
            AnswerCase("words", AnswerCase.email, .unreachable(status: 502), status: 502, body: "bad gateway"),
            // Whoever says 403 is not, or not yet, the service, whatever else it says.
            AnswerCase("sign-refused", AnswerCase.email, .unreachable(status: 403), status: 403),
        ]
        + [301, 302, 307, 401, 403, 404, 407, 429].map {
            AnswerCase("sign-cms", AnswerCase.email, .unreachable(status: $0), status: $0)
        }

    private static let entity =
        "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=\"b1\""
        + "\r\n\r\n--b1\r\n"
}
