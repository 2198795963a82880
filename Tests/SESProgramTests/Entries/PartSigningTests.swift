import DocumentKinds
import Octets
import Processing
import TestSupport
import Testing

@testable import SESProgram

@Suite("A signing server that signs less than the document")
struct PartSigningTests {
    /// Signatures of xmlsec1, which signs what the first template says.
    private struct Signatory {
        private static let exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"
        private let scratch: ScratchDirectory

        init() async throws {
            scratch = try ScratchDirectory()
            let run = try await RunningProgram.run(
                "/usr/bin/openssl",
                [
                    "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Part", "-days", "30", "-keyout",
                    scratch.file("key"), "-out", scratch.file("certificate"),
                ], asRoot: true)
            guard run.status == 0 else { throw HarnessError("openssl: \(run)") }
        }

        /// `document` with a signature at its beginning, made with these transforms of what `uri` means.
        func sign(_ document: OctetString, _ uri: String, _ transforms: String = "") async throws -> OctetString {
            let template =
                "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo>"
                + "<ds:CanonicalizationMethod Algorithm=\"\(Self.exclusive)\"/>"
                + "<ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/>"
                + "<ds:Reference URI=\"\(uri)\"><ds:Transforms>\(transforms)"
                + "<ds:Transform Algorithm=\"\(Self.exclusive)\"/></ds:Transforms>"
                + "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><ds:DigestValue/>"
                + "</ds:Reference></ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data>"
                + "<ds:X509Certificate/></ds:X509Data></ds:KeyInfo></ds:Signature>"
            let unsigned = document.text.replacing("<invoice>", with: "<invoice>" + template)
            let path = try scratch.write(Array(unsigned.utf8), to: "template.xml")
            let run = try await RunningProgram.run(
                "/usr/bin/xmlsec1",
                [
                    "--sign", "--privkey-pem", scratch.file("key") + "," + scratch.file("certificate"), "--id-attr:Id",
                    "total", "--output", scratch.file("signed.xml"), path,
                ], asRoot: true)
            guard run.status == 0 else { throw HarnessError("xmlsec1: \(run)") }
            return OctetString(try TestMaterial.octets(scratch.file("signed.xml")))
        }
    }

    @Test("is refused, also if another has signed the whole before; for incoming mail it is reported")
    func part() async throws {
        let signatory = try await Signatory()
        let inspecting = DocumentInspecting()
        let plain = OctetString("<invoice><total Id=\"t\">100</total></invoice>")
        // It leaves out every signature, so that more of them do it no harm.
        let whole =
            "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\">"
            + "<ds:XPath>not(ancestor-or-self::ds:Signature)</ds:XPath></ds:Transform>"
        let once = try await signatory.sign(plain, "", whole)
        let refusal = SignatureIntegrity.broken("only a part of the document is signed")
        for original in [plain, once] {
            let good = try inspecting.check(await signatory.sign(original, "", whole), from: original, as: .xml)
                .integrity
            #expect(good == .intact)
            let part = try await signatory.sign(original, "#t")
            #expect(try inspecting.check(part, from: original, as: .xml).integrity == refusal)
            let told = try inspecting.signatures(in: part, as: .xml).map(\.coverage)
            let isPart = told.map { if case .part = $0 { true } else { false } }
            #expect(isPart == (original == plain ? [true] : [true, false]), "\(told)")
        }
    }
}
