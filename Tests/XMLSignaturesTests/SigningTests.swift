import CMSSignatures
import Foundation
import Octets
import TestSupport
import Testing

@testable import XMLSignatures

@Suite("Signing XML")
struct SigningTests {
    @Test(
        "an enveloped signature is the last child of the root, and all else stays octet for octet",
        arguments: XMLSignatureForm.allCases)
    func place(_ form: XMLSignatureForm) throws {
        let front = "<?xml version=\"1.0\"?>\n<!-- <a> --><a b='/>'><![CDATA[</a>]]><c/>x &amp; y\r\n"
        let back = "</a >\n<?p </a>?><!-- </a> -->\n"
        let signed = try Signers.shared.sign(front + back, form)
        #expect(signed.text.hasPrefix(front + "<ds:Signature "))
        #expect(signed.text.hasSuffix("</ds:Signature>" + back))
        try expectGood(signed, form, of: OctetString(front + back))
    }

    private func expectGood(
        _ signed: OctetString, _ form: XMLSignatureForm, of original: OctetString,
        key: XMLSigningKey = Signers.shared.rsa
    ) throws {
        let found = try XMLSignatureReading.signatures(in: signed)
        let signature = try #require(found.last)
        #expect(signature.integrity == .intact)
        #expect(signature.findings == [])
        #expect(signature.coversWholeDocument)
        #expect(signature.form == form)
        #expect(signature.signer == key.certificate)
        #expect(signature.certificates == [key.certificate] + key.chain)
        #expect(signature.weaknesses == [])
        #expect(signature.claimedTime == (form == .xades ? Signers.now : nil))
        #expect(try XMLComparison.difference(original: original, signed: signed) == nil)
    }

    struct Form: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let octets: [UInt8]

        init(_ description: String, _ text: String, _ octets: (String) -> [UInt8] = { Array($0.utf8) }) {
            testDescription = description
            self.octets = octets(text)
        }

        private static func big(_ text: String) -> [UInt8] { text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] } }
        private static func little(_ text: String) -> [UInt8] {
            text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
        }
        private static func latin(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8($0.value & 255) } }
        private static let bytes = "<?xml version=\"1.0\" encoding=\"UTF-16\"?>"

        static let all = [
            Form("no declaration", "<a>x</a>"), Form("an empty root", "<invoice/>"),
            Form("an empty root with attributes and white space", "<i:nvoice xmlns:i='urn:i' a=\"/>\" \n/>\n"),
            Form("an empty root that is a start and an end tag", "<a></a>"),
            Form("a mark of UTF-8", "\u{FEFF}<a>é€😀</a>"),
            Form("ISO-8859-1", "<?xml version='1.0' encoding='ISO-8859-1'?><a é='ü'>ß</a>", latin),
            Form("windows-1252", "<?xml version='1.0' encoding='windows-1252'?><a>\u{80}</a>", latin),
            Form("UTF-16, big-endian", "\u{FEFF}" + bytes + "<a b='ü'>é€😀<!-- < --></a>\n", big),
            Form("UTF-16, little-endian", "\u{FEFF}" + bytes + "<a b='ü'>é€😀\u{3C00}\u{3E00}</a>\n", little),
            Form("UTF-16, an empty root", "\u{FEFF}<é/>", little),
            Form("comments and instructions around the root", "<!--a--><?b c?>\n<a/><?d </a>?>\n<!-- </a> -->\n"),
            Form("the prefix of signatures for something else", "<ds:a xmlns:ds='urn:other'><ds:b/></ds:a>"),
            Form("a default namespace, and prefixes in values", "<a xmlns='urn:a' xmlns:x='urn:x' t='x:y'>x:z</a>"),
            Form("line ends of every kind", "<a\r\n b='1\r\n2'>\r\n\rx&#13;\n</a>\r\n"),
            Form(
                "attributes with references", "<a b='&amp;&lt;&#10;&quot;' xml:lang='de' xml:space='preserve'>&gt;</a>"),
            Form("a name of 300 letters", "<\(String(repeating: "n", count: 300))/>"),
            Form(
                "nested as deep as is allowed",
                String(repeating: "<a>", count: 190) + String(repeating: "</a>", count: 190)),
            Form("a text of 9 MiB", "<a>" + String(repeating: "0123456789abcdef", count: 9 << 16) + "</a>"),
            Form("a name that is the end of another", "<b><xb></xb><b></b></b>"),
        ]
    }

    @Test("documents of every form are signed and stay unchanged", arguments: Form.all, XMLSignatureForm.allCases)
    func forms(_ given: Form, _ form: XMLSignatureForm) throws {
        let original = OctetString(given.octets)
        let signed = try XMLSigner(key: Signers.shared.rsa, form: form).sign(original, signingTime: Signers.now)
        try expectGood(signed, form, of: original)
    }

    @Test(
        "a document whose signature would not be trusted is refused before it is signed",
        arguments: XMLSignatureForm.allCases,
        ["<a>1<!-- one -->0</a>", "<a><!-- one -->0</a>", "<a>1</a>\0", "<?xml version='1.1'?><a/>", "<a xmlns='b'/>"])
    func refused(_ form: XMLSignatureForm, _ text: String) throws {
        #expect(try XMLSigner.obstacle(to: OctetString(text)) != nil)
        #expect(throws: XMLSignatureError.self) { try Signers.shared.sign(text, form) }
    }

    @Test("beside a broken signature no other is made, because the document would not be trusted")
    func besideBroken() throws {
        let part = "<b Id=\"p\">x</b>"
        let signature = try PartSignature.sign(references: PartSignature.reference("URI=\"#p\"", content: part))
        let sound = "<a>\(part)\(signature)</a>"
        #expect(try XMLSigner.obstacle(to: OctetString(sound)) == nil)
        #expect(try XMLSignatureReading.signatures(in: try Signers.shared.sign(sound)).count == 2)
        let broken = sound.replacing(">x<", with: ">y<")
        #expect(try XMLSigner.obstacle(to: OctetString(broken))?.kind == .unsupported)
        #expect(throws: XMLSignatureError.self) { try Signers.shared.sign(broken) }
    }

    @Test("an ECDSA key signs too", arguments: XMLSignatureForm.allCases)
    func ecdsa(_ form: XMLSignatureForm) throws {
        let original = OctetString("<a/>")
        let key = Signers.shared.ecdsa
        let signed = try XMLSigner(key: key, form: form).sign(original, signingTime: Signers.now)
        try expectGood(signed, form, of: original, key: key)
        let facts = try XMLSignatureReading.signatures(in: signed)[0].algorithms
        #expect(facts.key == XMLKeyFacts(kind: .ecdsa, bits: 256))
        #expect(facts.signature.hasSuffix("#ecdsa-sha256"))
    }

    @Test("a timestamp over the canonical signature value makes level T")
    func timestamp() throws {
        var stamped: [OctetString] = []
        let signer = XMLSigner(key: Signers.shared.rsa, form: .xades)
        let original = OctetString("<a/>")
        let signed = try signer.sign(original, signingTime: Signers.now) { octets in
            stamped.append(octets)
            return OctetString([0x30, 0x03, 0x02, 0x01, 0x00])
        }
        try expectGood(signed, .xades, of: original)
        let signature = try XMLSignatureReading.signatures(in: signed)[0]
        #expect(
            signature.timestamps == [
                XMLTimestamp(token: OctetString([0x30, 0x03, 0x02, 0x01, 0x00]), stamped: stamped[0])
            ])
        #expect(
            stamped[0].text.hasPrefix("<ds:SignatureValue xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" Id=\"value-"))
        #expect(stamped[0].text.hasSuffix("</ds:SignatureValue>"))
    }

    @Test("a missing timestamp is the error that its source gives")
    func noTimestamp() throws {
        let signer = XMLSigner(key: Signers.shared.rsa, form: .xades)
        let failure = XMLSignatureError(.timestamp, "the authority does not answer")
        #expect(throws: failure) {
            try signer.sign(OctetString("<a/>"), signingTime: 0) { (_) throws(XMLSignatureError) in throw failure }
        }
        #expect(throws: XMLSignatureError.self) {
            try signer.sign(OctetString("<a/>"), signingTime: 0) { _ in OctetString() }
        }
    }

    @Test("a document that a signature covers is refused with its line; one with a signed part is signed")
    func signedBefore() throws {
        let once = try Signers.shared.sign("<a>\n\n</a>")
        let refusal = #expect(throws: XMLSignatureError.self) { try Signers.shared.sign(once.text) }
        #expect(refusal?.kind == .alreadySigned)
        #expect(refusal?.line == 3)
        let byName = once.text.replacing("URI=\"\"", with: "URI=\"#r\"").replacing("<a>", with: "<a ID='r'>")
        #expect(throws: XMLSignatureError.self) { try Signers.shared.sign(byName) }
        let itself = "<ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#'/>"
        #expect(throws: XMLSignatureError.self) { try Signers.shared.sign(itself) }

        let part = try PartSignature.make("<ds:Object Id='part'>x</ds:Object>", of: "part")
        let whole = try Signers.shared.sign("<a>y\(part)</a>")
        let found = try XMLSignatureReading.signatures(in: whole)
        #expect(found.map(\.coversWholeDocument) == [false, true])
        #expect(found.map(\.integrity) == [.intact, .intact])
        #expect(found.flatMap(\.findings) == [])
        #expect(try XMLComparison.difference(original: OctetString("<a>y\(part)</a>"), signed: whole) == nil)
    }

    @Test("a key that does not fit its certificate, and data that are not a key, are refused")
    func keys() throws {
        let issued = try Signers.shared.authority.issue(
            commonName: "Other", for: .document, validity: 1_700_000_000...Signers.now)
        let pem = try issued.privateKeyPEM()
        for (key, certificate) in [
            (pem, Signers.shared.rsa.certificate), (pem, Signers.shared.ecdsa.certificate),
            (OctetString("x"), issued.certificate.der), (OctetString(), issued.certificate.der),
            (pem, OctetString()), (pem, OctetString("x")),
        ] {
            let refusal = #expect(throws: XMLSignatureError.self) {
                try XMLSigningKey(privateKeyPEM: key, certificate: certificate)
            }
            #expect(refusal?.kind == .key)
        }
    }

    @Test("Ids have the given suffix, and otherwise a new one each time")
    func identifiers() throws {
        #expect(try Signers.shared.sign("<a/>", identifier: "x1").text.contains("Id=\"signature-x1\""))
        #expect(try Signers.shared.sign("<a/>") != Signers.shared.sign("<a/>"))
        #expect(throws: XMLSignatureError.self) { try Signers.shared.sign("<a/>", identifier: "x\"") }
        // One that the document has already would make the reference ambiguous.
        #expect(throws: XMLSignatureError.self) {
            try Signers.shared.sign("<a Id='properties-x1'/>", .xades, identifier: "x1")
        }
    }

    @Test("times are written and read as XML has them")
    func times() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0), ("2027-01-15T08:00:00Z", 1_800_000_000), ("2000-02-29T23:59:59Z", 951_868_799),
            ("1969-12-31T23:59:59Z", -1), ("2100-03-01T00:00:00Z", 4_107_542_400),
        ] {
            #expect(XMLTime.text(seconds) == text)
            #expect(XMLTime.unixSeconds(text) == seconds)
        }
        #expect(XMLTime.unixSeconds("1970-01-01T02:00:00.25+02:00") == 0)
        #expect(XMLTime.unixSeconds("1969-12-31T19:00:00-05:00") == 0)
        for wrong in [
            "", "2027-01-15", "2027-01-15T08:00:00", "2027-13-15T08:00:00Z", "2027-01-15T08:00:00+2:00",
            "2027-01-15T08:00:00Zx", "x027-01-15T08:00:00Z",
        ] {
            #expect(XMLTime.unixSeconds(wrong) == nil)
        }
    }
}
