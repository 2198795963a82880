import Foundation
import Octets
import Testing

@testable import XMLSignatures

@Suite("What a signature covers")
struct CoverageTests {
    private static let root = "<a Id=\"r\">x</a>"
    private static let xpath = "http://www.w3.org/TR/1999/REC-xpath-19991116"

    private func only(_ document: String, known: [OctetString] = []) throws -> XMLSignature {
        let found = try XMLSignatureReading.signatures(in: OctetString(document), known: known)
        #expect(found.count == 1)
        return try #require(found.first)
    }

    /// A document with an enveloped signature.
    private func enveloped(
        _ attributes: String = "URI=\"\"", root: String = Self.root, transforms: String = PartSignature.enveloped,
        content: String? = nil, keyInfo: String? = nil, objects: String = ""
    ) throws -> String {
        let reference = try PartSignature.reference(attributes, transforms: transforms, content: content ?? root)
        let signature = try PartSignature.sign(references: reference, objects: objects, keyInfo: keyInfo)
        return root.replacing("</a>", with: signature + "</a>")
    }

    private func isGood(_ signature: XMLSignature) -> Bool { signature.isGood && signature.coversWholeDocument }

    @Test(
        "an instruction outside the root is signed by a reference to the document, not by one to the root",
        arguments: ["<?xml-stylesheet href='x'?>", "<?xml-model href='x'?>", "<?x?>", "<!-- c --><?x y?>"])
    func instructions(_ instruction: String) throws {
        let byRoot = try enveloped("URI=\"#r\"")
        #expect(try isGood(only(byRoot)))
        for document in [instruction + byRoot, byRoot + instruction, byRoot + "\n" + instruction + "\n"] {
            #expect(try only(document).findings.map(\.level) == [.invalid], "\(document)")
        }
        let canonical = instruction.replacing("<!-- c -->", with: "").replacing("<?x?>", with: "<?x?>")
        let byDocument = try enveloped(content: canonical + "\n" + Self.root)
        #expect(try isGood(only(instruction + byDocument)))
        let enveloping = try PartSignature.make("<ds:Object Id=\"o\">x</ds:Object>", of: "o")
        #expect(try only(instruction + enveloping).findings.map(\.level) == [.invalid])
    }

    @Test(
        "a prefix in a value, whose namespace the exclusive form does not write, leaves the document in doubt",
        arguments: [
            ("<a xmlns:q=\"urn:1\" t=\"q:x\">x</a>", "<a t=\"q:x\">x</a>", false),
            ("<a xmlns:q=\"urn:1\">q:x</a>", "<a>q:x</a>", false),
            ("<a xmlns:q=\"urn:1\">at q:x/y</a>", "<a>at q:x/y</a>", false),
            ("<q:b xmlns:q=\"urn:1\" xmlns=\"urn:2\"><c t=\"q:x\"/><a/></q:b>", nil, true),
            ("<q:a xmlns:q=\"urn:1\" t=\"q:x\">x</q:a>", nil, true),
            ("<a xmlns:q=\"urn:1\">12:30</a>", "<a>12:30</a>", true),
            ("<a xmlns:q=\"urn:1\" q:t=\"q:x\">x</a>", nil, true), ("<a xmlns:q=\"urn:1\">x</a>", "<a>x</a>", true),
            ("<a xmlns:q=\"urn:1\" t=\"q:x\"><q:b/></a>", nil, true),
            ("<a xmlns:q=\"urn:2\" t=\"q:x\"><q:b xmlns:q=\"urn:1\"/></a>", nil, false),
            ("<a xmlns:q=\"urn:1\"><b xmlns:q=\"urn:2\" t=\"q:x\"/><q:b/></a>", nil, false),
            ("<a xmlns:q=\"\(Namespace.schema)\" t=\"q:string\">x</a>", nil, true),
            ("<a xmlns:http=\"urn:1\">see http://x.test</a>", "<a>see http://x.test</a>", true),
        ] as [(String, String?, Bool)])
    func prefixes(_ root: String, _ canonical: String?, _ isGood: Bool) throws {
        let parsed = try ParsedDocument(OctetString(root))
        let content = try Canonicalisation.exclusive.octets(parsed, .document).text
        if let canonical { #expect(content == canonical) }
        let reference = try PartSignature.reference(
            "URI=\"\"", transforms: PartSignature.enveloped + PartSignature.exclusive, content: content)
        let end = try #require(root.range(of: "</", options: .backwards))
        let document = try root[..<end.lowerBound] + PartSignature.sign(references: reference) + root[end.lowerBound...]
        let found = try only(String(document))
        #expect(found.integrity == .intact && found.coversWholeDocument)
        #expect(found.findings.map(\.level) == (isGood ? [] : [.indeterminate]), "\(document)")
    }

    @Test(
        "the type of an element in no namespace leaves the document in doubt where the form does not write that there is none"
    )
    func defaultNamespace() throws {
        let root = "<p:a xmlns:p=\"urn:p\" xmlns=\"urn:1\" xmlns:i=\"\(Namespace.schemaInstance)\" i:type=\"T\">x</p:a>"
        let content = try Canonicalisation.exclusive.octets(ParsedDocument(OctetString(root)), .document).text
        let reference = try PartSignature.reference(
            "URI=\"\"", transforms: PartSignature.enveloped + PartSignature.exclusive, content: content)
        let document = try root.replacing("</p:a>", with: PartSignature.sign(references: reference) + "</p:a>")
        #expect(try only(document).findings.map(\.level) == [.indeterminate])
        #expect(try only(document.replacing(" xmlns=\"urn:1\"", with: "")).findings.isEmpty)
    }

    @Test(
        "data in the signature that are not one of its parts leave the document in doubt",
        arguments: [
            ("</ds:KeyInfo>", "<?pay 900?></ds:KeyInfo>"), ("</ds:Signature>", "<?pay 900?></ds:Signature>"),
            ("<ds:KeyInfo>", "<ds:KeyInfo>pay 900"), ("<ds:X509Data>", "<ds:X509Data>pay 900"),
            ("<ds:KeyInfo>", "<ds:KeyInfo total=\"900\">"),
            ("<ds:KeyInfo>", "<ds:KeyInfo xmlns:h=\"urn:h\" h:href=\"900\">"),
            ("</ds:KeyInfo>", "<h xmlns=\"urn:h\"/></ds:KeyInfo>"),
            ("</ds:Signature>", "<ds:Object><pay xmlns=\"\">900</pay></ds:Object></ds:Signature>"),
        ])
    func stray(_ wanted: String, _ other: String) throws {
        let changed = try enveloped().replacing(wanted, with: other, maxReplacements: 1)
        let found = try only(changed)
        #expect(found.integrity == .intact)
        #expect(found.coversWholeDocument)
        #expect(found.findings.map(\.level) == [.indeterminate])
    }

    @Test(
        "parts of signatures that other programs make are accepted",
        arguments: [
            "<ds:KeyName>Carol</ds:KeyName>",
            "<ds:KeyValue><m:ECDSAKeyValue xmlns:m=\"http://www.w3.org/2001/04/xmldsig-more#\"><m:PublicKey/>"
                + "</m:ECDSAKeyValue></ds:KeyValue>",
            "<ds:KeyValue><e:ECKeyValue xmlns:e=\"http://www.w3.org/2009/xmldsig11#\"><e:NamedCurve "
                + "URI=\"urn:oid:1.2.840.10045.3.1.7\"/><e:PublicKey>AQAB</e:PublicKey></e:ECKeyValue></ds:KeyValue>",
        ])
    func keyForms(_ keyInfo: String) throws {
        let certificate = Signers.shared.rsa.certificate
        let document = try enveloped(keyInfo: keyInfo)
        let unknown = try only(document)
        #expect(unknown.integrity == .unknown("there is no certificate to check it with"))
        #expect(unknown.lacksOnlyCertificate)
        #expect(try isGood(only(document, known: [certificate])))
        let changed = try only(document.replacing(">x<", with: ">y<"))
        #expect(changed.integrity == .broken("the document was changed after it was signed"))
        #expect(!changed.lacksOnlyCertificate)
    }

    @Test(
        "filters that leave out signatures and nothing else cover the whole",
        arguments: [
            ("subtract", "/descendant::ds:Signature"), ("subtract", "//ds:Signature"),
            ("subtract", " //*[local-name()='Signature' and namespace-uri()='\(Namespace.signature)'] "),
            ("subtract", "here()/ancestor::ds:Signature[1]"), ("subtract", "/descendant :: ds:Signature"),
        ])
    func filters(_ kind: String, _ expression: String) throws {
        #expect(try isGood(only(enveloped(transforms: Self.filter([(kind, expression)])))))
        #expect(
            try isGood(
                only(enveloped(transforms: Self.filter([(kind, expression)]) + PartSignature.exclusive))))
        #expect(
            try isGood(
                only(
                    enveloped("URI=\"#r\"", transforms: Self.filter([(kind, expression), (kind, expression)])))))
    }

    @Test(
        "a filter that chooses anything else is refused",
        arguments: [
            ("intersect", "/descendant::ds:Signature"), ("union", "//ds:Signature"), ("subtract", "//total"),
            ("subtract", "//Signature"), ("subtract", "//x:Signature"), ("subtract", "//ds:Signature | //total"),
            ("subtract", "//ds:Signature/.."), ("subtract", "//ds:SignatureValue"), ("subtract", "/"),
            ("subtract", "//*[local-name()='Signature']"), ("Subtract", "//ds:Signature"),
        ])
    func otherFilters(_ kind: String, _ expression: String) throws {
        for list in [[(kind, expression)], [("subtract", "//ds:Signature"), (kind, expression)]] {
            let document = try enveloped(transforms: Self.filter(list))
            #expect(try only(document).integrity != .intact, "\(document)")
        }
    }

    @Test("the expression that stands for the enveloped-signature transform is recognised")
    func counting() throws {
        let expression =
            "count(ancestor-or-self::ds:Signature | here()/ancestor::ds:Signature[1]) > "
            + "count(ancestor-or-self::ds:Signature)"
        let escaped = expression.replacing(">", with: "&gt;")
        let transform =
            "<ds:Transform Algorithm=\"\(Self.xpath)\"><ds:XPath>\(escaped)</ds:XPath></ds:Transform>"
        #expect(try isGood(only(enveloped(transforms: transform))))
        #expect(
            try only(enveloped(transforms: transform.replacing("&gt;", with: "&lt;"))).integrity != .intact)
    }

    @Test("an XPointer to the document or an identifier is followed, with the comments that it keeps")
    func pointers() throws {
        let withComments = "<ds:Transform Algorithm=\"\(Canonicalisation.inclusiveURI)#WithComments\"/>"
        let root = "<a Id=\"r\">x<!-- c -->y</a>"
        for uri in ["#xpointer(/)", "#xpointer(id('r'))", "#xpointer(id(&quot;r&quot;))"] {
            let document = try enveloped(
                "URI=\"\(uri)\"", root: root, transforms: PartSignature.enveloped + withComments)
            #expect(try isGood(only(document)), "\(uri)")
            let changed = try only(document.replacing("<!-- c -->", with: ""))
            #expect(changed.integrity != .intact, "\(uri)")
        }
        for uri in ["#xpointer(id('x'))", "#xpointer(//a)", "#xpointer(id('r')/b)"] {
            #expect(try only(enveloped("URI=\"\(uri)\"")).integrity != .intact, "\(uri)")
        }
    }

    @Test("a list of former SigningCertificate has no order, that of the present one begins with the signer's")
    func namedCertificates() throws {
        let own = try DigestMethod.sha256.digest(of: Signers.shared.rsa.certificate)
        let other = try DigestMethod.sha256.digest(of: Signers.shared.ecdsa.certificate)
        for (name, order, isRight) in [
            ("SigningCertificate", [own, other], true), ("SigningCertificate", [other, own], true),
            ("SigningCertificate", [other], false), ("SigningCertificateV2", [own, other], true),
            ("SigningCertificateV2", [other, own], false),
        ] {
            #expect(try isGood(only(Self.withProperties(name, order))) == isRight, "\(name) \(order.count)")
        }
    }

    private static let base64 = "<ds:Transform Algorithm=\"\(Namespace.signature)base64\"/>"

    @Test("a bare element around enveloping signatures, as some programs write it, does no harm")
    func wrapper() throws {
        let signature = try PartSignature.make("<ds:Object Id=\"o\">x</ds:Object>", of: "o")
        for document in ["<w>\(signature)</w>", "<w xmlns='urn:w'>\n<!-- c -->\(signature)\n</w>"] {
            #expect(try isGood(only(document)), "\(document)")
        }
        for document in [
            "<w total='900'>\(signature)</w>", "<w>900\(signature)</w>", "<w><total/>\(signature)</w>",
            "<w><?pay 900?>\(signature)</w>", "<w><v>\(signature)</v></w>", "<?pay 900?><w>\(signature)</w>",
        ] {
            #expect(try !isGood(only(document)), "\(document)")
        }
        // A second one of other content leaves each of them with content that it does not sign.
        let other = try PartSignature.make("<ds:Object Id=\"p\">y</ds:Object>", of: "p")
            .replacing("Id=\"own\"", with: "Id=\"other\"")
        let found = try XMLSignatureReading.signatures(in: OctetString("<w>\(signature)\(other)</w>"))
        #expect(found.count == 2)
        #expect(found.allSatisfy { !$0.isGood })
    }

    @Test(
        "the content of an object is signed by an XPointer or a filter to it",
        arguments: ["'", "&quot;"])
    func contentOfObject(_ quote: String) throws {
        let object = "<ds:Object Id=\"o\"><x>1</x><y/>z</ds:Object>"
        // Each child is an apex of its own, and declares the prefixes that are in force (Canonical XML 1.0 §2.4).
        let names = "xmlns:ds=\"\(Namespace.signature)\""
        let content = "<x \(names)>1</x><y \(names)></y>z"
        let pointer = "#xpointer(id(\(quote)o\(quote))/node())"
        let reference = try PartSignature.reference("URI=\"\(pointer)\"", transforms: "", content: content)
        let document = try PartSignature.sign(references: reference, objects: object)
        #expect(try isGood(only(document)))
        #expect(try only(document.replacing("z</ds:Object>", with: "a</ds:Object>")).integrity != .intact)
        #expect(try !isGood(only(document.replacing("Id=\"o\"", with: "Id=\"o\" total=\"900\""))))
        let filter = Self.filter([("intersect", "id(\(quote)o\(quote))/node()")])
        let filtered = try PartSignature.reference("URI=\"\"", transforms: filter, content: content)
        #expect(try isGood(only(PartSignature.sign(references: filtered, objects: object))))
        let coded = try PartSignature.reference("URI=\"\"", transforms: filter + Self.base64, content: "text")
        let text = "<ds:Object Id=\"o\">dGV4dA==</ds:Object>"
        #expect(try isGood(only(PartSignature.sign(references: coded, objects: text))))
        let other = try PartSignature.reference("URI=\"#o\"", transforms: filter, content: content)
        #expect(try only(PartSignature.sign(references: other, objects: object)).integrity != .intact)
        // The content of the root leaves its attributes unsigned.
        let root = try PartSignature.reference(
            "URI=\"#xpointer(id('r')/node())\"", transforms: PartSignature.enveloped, content: "x")
        let part = try only("<a Id=\"r\" total=\"1\">x" + PartSignature.sign(references: root) + "</a>")
        #expect(!part.coversWholeDocument)
    }

    @Test("the references of a manifest that is signed count like those of the signature")
    func manifest() throws {
        let names = "xmlns:ds=\"\(Namespace.signature)\""
        func document(_ list: String, _ content: String = "x") throws -> String {
            let manifest = "<ds:Manifest \(names) Id=\"m\">\(list)</ds:Manifest>"
            let parsed = try ParsedDocument(OctetString(manifest))
            let canonical = try Canonicalisation.exclusive.octets(parsed, .element(parsed.root)).text
            return try PartSignature.sign(
                references: PartSignature.reference("URI=\"#m\"", content: canonical),
                objects: "<ds:Object>\(manifest)</ds:Object><ds:Object Id=\"o\">\(content)</ds:Object>")
        }
        let object = "<ds:Object \(names) Id=\"o\">x</ds:Object>"
        let reference = try PartSignature.reference("URI=\"#o\"", content: object)
        #expect(try isGood(only(document(reference))))
        #expect(try only(document(reference, "y")).integrity == .broken("#o was changed after it was signed"))
        let elsewhere = try PartSignature.reference("URI=\"urn:elsewhere\"", content: object)
        #expect(try !isGood(only(document(elsewhere))))
        #expect(try only(document(elsewhere)).integrity != .intact)
        #expect(try !isGood(only(document(""))))
    }

    @Test("a certificate that stands in another ds:KeyInfo of the document is found by a reference to it")
    func keyInfoReference() throws {
        let certificate = Base64.encode(Signers.shared.rsa.certificate)
        let place =
            "<d:KeyInfoReference xmlns:d=\"\(Namespace.signature11)\" URI=\"#k\"/>"
        let info = { (id: String) in
            "<ds:Object><ds:KeyInfo Id=\"\(id)\"><ds:X509Data><ds:X509Certificate>\(certificate)"
                + "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Object>"
        }
        #expect(try isGood(only(enveloped(keyInfo: place, objects: info("k")))))
        #expect(try !isGood(only(enveloped(keyInfo: place, objects: info("k") + info("k")))))
        #expect(try only(enveloped(keyInfo: place, objects: info("l"))).lacksOnlyCertificate)
    }

    @Test("a signature without a certificate is left to the server only where it covers the whole")
    func lacksCertificate() throws {
        let part = "<b Id=\"p\">x</b>"
        let reference = try PartSignature.reference("URI=\"#p\"", content: part)
        let partly = try only("<a>\(part)" + PartSignature.sign(references: reference, keyInfo: "") + "</a>")
        #expect(!partly.lacksOnlyCertificate)
        #expect(partly.leavesPartOpen)
        let properties = "<ds:SignatureProperties Id=\"p\"></ds:SignatureProperties>"
        let about = try PartSignature.sign(
            references: PartSignature.reference(
                "URI=\"#p\"",
                content: properties.replacing("<ds:S", with: "<ds:S", maxReplacements: 1)
                    .replacing(" Id", with: " xmlns:ds=\"\(Namespace.signature)\" Id")),
            objects: "<ds:Object>\(properties)</ds:Object><ds:Object>900</ds:Object>", keyInfo: "")
        #expect(try !only(about).lacksOnlyCertificate)
        #expect(try !only(about, known: [Signers.shared.rsa.certificate]).isGood)
    }

    @Test("signed properties without an identifier are found in their object")
    func propertiesByPointer() throws {
        let properties =
            "<e:SignedProperties xmlns:e=\"\(Namespace.xades)\"><e:SignedSignatureProperties/></e:SignedProperties>"
        let object =
            "<ds:Object Id=\"q\"><e:QualifyingProperties xmlns:e=\"\(Namespace.xades)\" Target=\"#own\">\(properties)"
            + "</e:QualifyingProperties></ds:Object>"
        let canonical =
            "<e:SignedProperties xmlns:e=\"\(Namespace.xades)\"><e:SignedSignatureProperties>"
            + "</e:SignedSignatureProperties></e:SignedProperties>"
        let pointer =
            "#xmlns(e=\(Namespace.xades.replacing("#", with: "%23")))%20xpointer(id('q')/child::e:QualifyingProperties"
            + "/child::e:SignedProperties)"
        let references =
            try PartSignature.reference("URI=\"\"", transforms: PartSignature.enveloped, content: "<a>x</a>")
            + PartSignature.reference(
                "Type=\"http://uri.etsi.org/01903/v1.1.1#SignedProperties\" URI=\"\(pointer)\"", content: canonical)
        let document = "<a>x" + (try PartSignature.sign(references: references, objects: object)) + "</a>"
        let found = try only(document)
        #expect(isGood(found))
        #expect(found.form == .xades)
        #expect(try !isGood(only(document.replacing("xpointer(id('q')", with: "xpointer(id('z')"))))
    }

    private static func filter(_ parts: [(kind: String, expression: String)]) -> String {
        "<ds:Transform Algorithm=\"\(Namespace.filter2)\">"
            + parts.map {
                "<f:XPath xmlns:f=\"\(Namespace.filter2)\" xmlns:x=\"urn:x\" Filter=\"\($0.kind)\">"
                    + "\($0.expression)</f:XPath>"
            }.joined() + "</ds:Transform>"
    }

    /// An enveloped signature whose properties, referred to without a type, name certificates by these digests.
    private static func withProperties(_ list: String, _ digests: [OctetString]) throws -> String {
        let named = digests.map { digest in
            "<xades:Cert><xades:CertDigest>\(PartSignature.digestMethod)<ds:DigestValue>\(Base64.encode(digest))"
                + "</ds:DigestValue></xades:CertDigest></xades:Cert>"
        }
        let properties =
            "<xades:SignedProperties xmlns:xades=\"\(Namespace.xades)\" xmlns:ds=\"\(Namespace.signature)\" Id=\"p\">"
            + "<xades:SignedSignatureProperties><xades:\(list)>\(named.joined())</xades:\(list)>"
            + "</xades:SignedSignatureProperties></xades:SignedProperties>"
        let parsed = try ParsedDocument(OctetString(properties))
        let canonical = try Canonicalisation.exclusive.octets(parsed, .element(parsed.root)).text
        let references =
            try PartSignature.reference("URI=\"\"", transforms: PartSignature.enveloped, content: "<a>x</a>")
            + PartSignature.reference("URI=\"#p\"", content: canonical)
        let object =
            "<ds:Object><xades:QualifyingProperties xmlns:xades=\"\(Namespace.xades)\" Target=\"#own\">\(properties)"
            + "</xades:QualifyingProperties></ds:Object>"
        return "<a>x" + (try PartSignature.sign(references: references, objects: object)) + "</a>"
    }
}
