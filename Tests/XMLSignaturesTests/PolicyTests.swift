import Foundation
import Octets
import TestSupport
import Testing

@testable import XMLSignatures

@Suite("Requirements on a signature")
struct PolicyTests {
    private static let names = "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\""

    private func only(_ document: String, known: [OctetString] = []) throws -> XMLSignature {
        let found = try XMLSignatureReading.signatures(in: OctetString(document), known: known)
        #expect(found.count == 1)
        return try #require(found.first)
    }

    private func isGood(_ signature: XMLSignature) -> Bool { signature.isGood && signature.coversWholeDocument }

    /// `<a>…</a>` with an enveloped signature whose reference has these attributes and transforms.
    private func enveloped(
        _ attributes: String = "URI=\"\"", root: String = "<a>x</a>", transforms: String = PartSignature.enveloped,
        content: String? = nil, objects: String = "", keyInfo: String? = nil,
        method: String = SignatureMethod.rsaSHA256.uri,
        more: String = ""
    ) throws -> String {
        let reference = try PartSignature.reference(attributes, transforms: transforms, content: content ?? root)
        let signature = try PartSignature.sign(
            references: reference + more, objects: objects, keyInfo: keyInfo, method: method)
        return root.replacing("</a>", with: signature + "</a>")
    }

    @Test("forms that our signer does not make are valid too, if they cover the whole")
    func good() throws {
        #expect(try isGood(only(enveloped())))
        #expect(try isGood(only(enveloped("URI=\"#r\"", root: "<a Id=\"r\">x</a>"))))
        #expect(try isGood(only(enveloped("URI=\"#r\"", root: "<a xml:id=\"r\">x</a>"))))
        #expect(try isGood(only(enveloped(transforms: PartSignature.enveloped + PartSignature.exclusive))))
        let filter =
            "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\">"
            + "<ds:XPath>not(ancestor-or-self::ds:Signature)</ds:XPath></ds:Transform>"
        #expect(try isGood(only(enveloped(transforms: filter))))
        #expect(try isGood(only(PartSignature.make("<ds:Object Id=\"o\">x</ds:Object>", of: "o"))))
        let coded = try PartSignature.sign(
            references: PartSignature.reference(
                "URI=\"#o\"", transforms: "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#base64\"/>",
                content: "text"),
            objects: "<ds:Object Id=\"o\">dGV4dA==</ds:Object>")
        #expect(try isGood(only(coded)))
    }

    @Test(
        "a comment within a text, which anybody can add, leaves the document in doubt",
        arguments: [
            "1<!---->0", "1<!--a--><!--b-->0", "<b>1<!--a-->0</b>", "1<!--a--><![CDATA[0]]>", "<!--a-->x",
            " <!--a--> x", "<!--a--><!--b-->x",
        ])
    func commentWithinText(_ content: String) throws {
        let signed = content.replacing(/<!--.*?-->|<!\[CDATA\[|\]\]>/, with: "")
        let found = try only(enveloped(root: "<a>\(content)</a>", content: "<a>\(signed)</a>"))
        #expect(found.integrity == .intact)
        #expect(found.findings.map(\.level) == [.indeterminate])
        #expect(
            found.findings.allSatisfy {
                $0.isOlderThanSignature && $0.message.contains("stands within or before a text")
            })
    }

    @Test(
        "a comment between elements does no harm",
        arguments: ["<b/><!--a-->x", "x<!--a-->", "<b/> <!--a--> <b/>", "<!--a--><b/>"])
    func commentBeside(_ content: String) throws {
        let signed = content.replacing(/<!--.*?-->/, with: "").replacing("<b/>", with: "<b></b>")
        #expect(try isGood(only(enveloped(root: "<a>\(content)</a>", content: "<a>\(signed)</a>"))))
    }

    @Test("text beside the parts of a signature is not signed")
    func strayText() throws {
        let stray = try enveloped().replacing("</ds:SignedInfo>", with: "</ds:SignedInfo>total 900")
        #expect(try only(stray).findings.map(\.level) == [.indeterminate])
    }

    @Test("a changed content, a changed reference and a changed value are each reported")
    func broken() throws {
        let good = try enveloped()
        #expect(
            try only(good.replacing("<a>x", with: "<a>y")).integrity
                == .broken("the document was changed after it was signed"))
        for change in [
            ("xml-exc-c14n#\"/><ds:SignatureMethod", "xml-exc-c14n#WithComments\"/><ds:SignatureMethod"),
            ("<ds:Reference", "<ds:Reference Id=\"x\""),
        ] {
            let changed = good.replacing(change.0, with: change.1)
            #expect(changed != good)
            #expect(
                try only(changed).integrity == .broken("the signature value is not right for any of its certificates"))
        }
        let start = try #require(good.range(of: "<ds:SignatureValue>"))
        let empty = good[..<start.upperBound] + good[good.range(of: "</ds:SignatureValue>")!.lowerBound...]
        #expect(
            try only(String(empty)).integrity == .broken("the signature value is not right for any of its certificates")
        )
    }

    @Test("a signature of a part says nothing about the document")
    func part() throws {
        let part = "<b Id=\"p\">x</b>"
        let signature = try PartSignature.sign(
            references: PartSignature.reference("URI=\"#p\"", content: part))
        for document in [
            "<a>\(part)\(signature)</a>", "<a>\(signature)<c>\(part)</c></a>", "<a>\(part)<evil/>\(signature)</a>",
        ] {
            let found = try only(document)
            #expect(found.integrity == .intact)
            #expect(!found.coversWholeDocument)
            #expect(found.findings == [XMLFinding(.invalid, "only a part of the document is signed")])
        }
    }

    @Test("the signed root moved into the signature, or beside it, under another root")
    func wrapped() throws {
        let signed = try enveloped("URI=\"#r\"", root: "<a Id=\"r\">x</a>")
        let root = "<a Id=\"r\">x</a>"
        let signature = String(signed.dropFirst("<a Id=\"r\">x".count).dropLast("</a>".count))
        let inner = signature.replacing("</ds:Signature>", with: "<ds:Object>\(root)</ds:Object></ds:Signature>")
        for document in [
            "<a Id=\"evil\">y\(inner)</a>", "<e><a Id=\"evil\">y</a>\(signed)</e>", "<e>\(root)\(signature)</e>",
            "<a Id=\"r\">y\(inner)</a>", "<a Id=\"r\">y<b>\(signed)</b></a>", "<a ID=\"r\">y\(inner)</a>",
            "<a xml:id=\" r \">y\(inner)</a>", "<e xmlns:w=\"urn:w\" w:iD=\"r\">\(signed)</e>", "<e>\(inner)</e>",
        ] {
            let found = try only(document)
            #expect(!isGood(found), "\(document)")
            #expect(found.integrity != .intact || found.findings.contains { $0.level == .invalid }, "\(document)")
        }
    }

    @Test("unsigned content in the signature is not ignored")
    func stray() throws {
        for object in [
            "<ds:Object><invoice/></ds:Object>", "<ds:Object>pay 100</ds:Object>",
            "<ds:Object><ds:SignatureProperties><ds:SignatureProperty Target=\"#own\"><x/></ds:SignatureProperty></ds:SignatureProperties></ds:Object>",
        ] {
            let found = try only(enveloped(objects: object))
            #expect(found.integrity == .intact)
            #expect(found.findings.map(\.level) == [.indeterminate], "\(object)")
        }
        #expect(try isGood(only(enveloped(objects: "<ds:Object> \n</ds:Object>"))))
        let keyInfo =
            "<ds:X509Data><ds:X509Certificate>\(Base64.encode(Signers.shared.rsa.certificate))</ds:X509Certificate></ds:X509Data><evil/>"
        #expect(try only(enveloped(keyInfo: keyInfo)).findings.map(\.level) == [.indeterminate])
    }

    @Test("references that lead out, are chosen by content, or leave it open are not followed")
    func references() throws {
        let transform = { (uri: String) in "<ds:Transform Algorithm=\"\(uri)\"/>" }
        let xpath = "http://www.w3.org/TR/1999/REC-xpath-19991116"
        let cases: [(String, XMLFinding.Level)] = [
            (try enveloped("URI=\"http://127.0.0.1:9/x\""), .indeterminate),
            (try enveloped("URI=\"file:///etc/passwd\""), .indeterminate),
            (try enveloped("URI=\"other.xml#r\""), .indeterminate), (try enveloped("Type=\"x\""), .invalid),
            (try enveloped("URI=\"#xpointer(//a)\""), .indeterminate), (try enveloped("URI=\"#nowhere\""), .invalid),
            (try enveloped("URI=\"#a'b\"", root: "<a Id=\"a'b\">x</a>"), .invalid),
            (try enveloped("URI=\"#r\"", root: "<a iD=\"r\">x</a>"), .invalid),
            (try enveloped(transforms: transform("http://www.w3.org/TR/1999/REC-xslt-19991116")), .invalid),
            (try enveloped(transforms: transform("http://www.w3.org/2002/06/xmldsig-filter2")), .invalid),
            (try enveloped(transforms: transform(xpath)), .invalid),
            (
                try enveloped(
                    transforms: "<ds:Transform Algorithm=\"\(xpath)\"><ds:XPath>not(self::b)</ds:XPath></ds:Transform>"),
                .invalid
            ),
            (
                try enveloped(
                    transforms: "<ds:Transform Algorithm=\"\(xpath)\">"
                        + "<ds:XPath xmlns:d=\"urn:d\">not(ancestor-or-self::d:Signature)</ds:XPath></ds:Transform>"),
                .invalid
            ),
            (try enveloped(transforms: transform("urn:unknown")), .indeterminate),
            (try enveloped(transforms: PartSignature.exclusive + PartSignature.enveloped), .indeterminate),
            (try enveloped(transforms: PartSignature.enveloped + PartSignature.enveloped), .indeterminate),
            (try enveloped(transforms: transform(Namespace.signature + "base64"), content: ""), .invalid),
        ]
        for (document, level) in cases {
            let found = try only(document)
            #expect(found.integrity != .intact, "\(document)")
            #expect(found.findings.contains { $0.level == level }, "\(document)")
        }
        let part = try PartSignature.reference("URI=\"\"", transforms: PartSignature.enveloped, content: "<a>x</a>")
        #expect(try isGood(only(enveloped(more: String(repeating: part, count: 9)))))
        #expect(
            try only(enveloped(more: String(repeating: part, count: 10))).integrity
                == .broken("the signature has more than 10 references"))
    }

    @Test("a list of digests is not followed")
    func manifest() throws {
        let manifest = "<ds:Object Id=\"o\"><ds:Manifest Id=\"m\"></ds:Manifest></ds:Object>"
        let found = try only(PartSignature.make(manifest, of: "o"))
        #expect(found.integrity == .intact)
        #expect(found.findings.map(\.level) == [.indeterminate])
    }

    @Test("a duplicate or misplaced part makes the whole signature void")
    func shape() throws {
        let good = try enveloped()
        for (wanted, other) in [
            ("<ds:SignatureValue>", "<ds:SignedInfo/><ds:SignatureValue>"),
            ("<ds:SignedInfo>", "<ds:KeyInfo/><ds:SignedInfo>"),
            ("</ds:SignedInfo>", "<ds:SignatureMethod Algorithm=\"x\"/></ds:SignedInfo>"),
            ("</ds:Signature>", "<ds:KeyInfo/></ds:Signature>"),
            ("</ds:Signature>", "<b/></ds:Signature>"), ("<ds:DigestValue>", "<ds:DigestValue><!-- x -->"),
            ("<ds:DigestValue>", "<ds:DigestValue>*"), ("<ds:SignatureValue>", "<ds:SignatureValue><?x?>"),
            ("</ds:DigestValue>", "</ds:DigestValue><ds:DigestValue/>"), (" Algorithm=", " algorithm="),
        ] {
            let document = good.replacing(wanted, with: other)
            #expect(document != good)
            guard case .broken = try only(document).integrity else {
                Issue.record("not broken: \(document)")
                continue
            }
        }
        #expect(
            try only("<a><ds:Signature \(Self.names)/></a>").integrity
                == .broken("ds:Signature has no ds:SignedInfo in its place"))
    }

    @Test("only a certificate identifies the signer: a bare key, a name or a shared secret does not")
    func keys() throws {
        for keyInfo in [
            "<ds:KeyName>Alice</ds:KeyName>",
            "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>",
            "<ds:RetrievalMethod URI=\"http://127.0.0.1:9/\" Type=\"http://www.w3.org/2000/09/xmldsig#X509Data\"/>",
            "<ds:RetrievalMethod URI=\"#nowhere\" Type=\"http://www.w3.org/2000/09/xmldsig#X509Data\"/>",
        ] {
            let document = try enveloped(keyInfo: keyInfo)
            let found = try only(document)
            #expect(found.integrity == .unknown("there is no certificate to check it with"))
            #expect(found.findings.map(\.level) == [.indeterminate])
            #expect(found.signer == nil)
            // Unless somebody knows it.
            #expect(
                try isGood(only(document, known: [Signers.shared.ecdsa.certificate, Signers.shared.rsa.certificate])))
            #expect(try !isGood(only(document, known: [Signers.shared.ecdsa.certificate])))
        }
        for hmac in [
            "http://www.w3.org/2000/09/xmldsig#hmac-sha1", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
        ] {
            let found = try only(enveloped(method: hmac))
            #expect(found.integrity == .unknown("an HMAC identifies nobody"))
        }
        #expect(
            try only(enveloped(method: "urn:unknown")).integrity
                == .unknown("the signature method urn:unknown is not known here"))
        #expect(try only(enveloped(method: SignatureMethod.ecdsaSHA256.uri)).integrity != .intact)
    }

    @Test("the signer is found among several certificates, and another one is not taken for it")
    func several() throws {
        let (rsa, ecdsa) = (Signers.shared.rsa, Signers.shared.ecdsa)
        let data = { (certificates: [OctetString]) in
            "<ds:X509Data>"
                + certificates.map { "<ds:X509Certificate>\(Base64.encode($0))</ds:X509Certificate>" }.joined()
                + "</ds:X509Data>"
        }
        let found = try only(enveloped(keyInfo: data([rsa.chain[0], ecdsa.certificate, rsa.certificate])))
        #expect(isGood(found))
        #expect(found.signer == rsa.certificate)
        #expect(found.certificates.first == rsa.certificate)
        #expect(Set(found.certificates) == [rsa.chain[0], ecdsa.certificate, rsa.certificate])
        #expect(
            try only(enveloped(keyInfo: data([rsa.chain[0]]))).integrity
                == .broken("the signature value is not right for any of its certificates"))
        #expect(try only(enveloped(keyInfo: data([OctetString("no certificate")]))).integrity != .intact)
        let many = (0..<17).map { OctetString([UInt8($0)]) }
        #expect(try only(enveloped(keyInfo: data(many))).integrity != .intact)
    }

    @Test("a certificate elsewhere in the signature may be referred to, if there is only one such place")
    func retrieval() throws {
        let data =
            "<ds:X509Data Id=\"c\"><ds:X509Certificate>\(Base64.encode(Signers.shared.rsa.certificate))</ds:X509Certificate></ds:X509Data>"
        let method = "<ds:RetrievalMethod URI=\"#c\" Type=\"http://www.w3.org/2000/09/xmldsig#X509Data\"/>"
        #expect(try isGood(only(enveloped(objects: "<ds:Object>\(data)</ds:Object>", keyInfo: method))))
        let twice = try only(enveloped(objects: "<ds:Object>\(data)\(data)</ds:Object>", keyInfo: method))
        #expect(twice.findings.contains(XMLFinding(.invalid, "ds:RetrievalMethod leads to more than one place")))
    }

    @Test("weak algorithms are named")
    func weak() throws {
        let reference = try PartSignature.reference(
            "URI=\"\"", transforms: PartSignature.enveloped, content: "<a>x</a>")
        let sha1 = try DigestMethod.sha1.digest(of: OctetString("<a>x</a>"))
        let weak = reference.replacing(DigestMethod.sha256.rawValue, with: DigestMethod.sha1.rawValue)
            .replacing(
                Base64.encode(try DigestMethod.sha256.digest(of: OctetString("<a>x</a>"))), with: Base64.encode(sha1))
        let found = try only("<a>x\(PartSignature.sign(references: weak))</a>")
        #expect(isGood(found))
        #expect(found.weaknesses == [XMLWeakness(algorithm: "SHA-1", isBroken: false)])
        #expect(found.algorithms.digests == [DigestMethod.sha1.rawValue])
        #expect(found.algorithms.key == XMLKeyFacts(kind: .rsa, bits: 2_048))
    }

    @Test("the signed properties are those of this signature, signed, and name the signer's certificate")
    func properties() throws {
        let good = try Signers.shared.sign("<a/>", .xades, identifier: "1").text
        #expect(try isGood(only(good)))
        // Each of these leaves the digests right, or would be passed over by a verifier that does not look.
        let start = try #require(good.range(of: "<ds:Reference Type=\"http://uri.etsi.org/01903#SignedProperties\""))
        let close = try #require(good.range(of: "</ds:Reference>", range: start.lowerBound..<good.endIndex))
        let unsigned = try only(good.replacingCharacters(in: start.lowerBound..<close.upperBound, with: ""))
        #expect(unsigned.findings.contains(XMLFinding(.invalid, "xades:SignedProperties is there, but not signed")))
        let other = try only(good.replacing("Target=\"#signature-1\"", with: "Target=\"#signature-2\""))
        #expect(
            other.findings.first == XMLFinding(.invalid, "xades:QualifyingProperties belongs to another signature"))
        let object = try #require(good.range(of: "<ds:Object>")).lowerBound
        let end = try #require(good.range(of: "</ds:Object>")).upperBound
        let twice = good.replacing(
            "</ds:Signature>",
            with: good[object..<end].replacing("properties-1", with: "properties-2") + "</ds:Signature>")
        #expect(
            try only(twice).findings.contains(
                XMLFinding(.invalid, "the signature has xades:QualifyingProperties twice")))
        let plain = try enveloped(objects: String(good[object..<end]).replacing("#signature-1", with: "#own"))
        #expect(
            try only(plain).findings.contains(XMLFinding(.invalid, "xades:SignedProperties is there, but not signed")))
        let without = good[..<object] + good[end...]
        #expect(try only(String(without)).integrity == .broken("the reference #properties-1 leads nowhere"))

        // Another certificate of the same key: only the digest in the properties tells.
        let digest = Base64.encode(try DigestMethod.sha256.digest(of: Signers.shared.rsa.certificate))
        let wrong = Base64.encode(try DigestMethod.sha256.digest(of: Signers.shared.ecdsa.certificate))
        let properties = String(good[object..<end]).replacing(digest, with: wrong).replacing(
            "#signature-1", with: "#own")
        let parsed = try ParsedDocument(OctetString("<a \(Self.names)>\(properties)</a>"))
        let element = try #require(parsed.root.elements[0].elements[0].xadesElements("SignedProperties").first)
        let canonical = try Canonicalisation.exclusive.octets(parsed, .element(element)).text
        let swapped = try enveloped(
            objects: properties,
            more: PartSignature.reference(
                "Type=\"http://uri.etsi.org/01903#SignedProperties\" URI=\"#properties-1\"", content: canonical))
        let found = try only(swapped)
        #expect(
            found.findings == [
                XMLFinding(.invalid, "the certificate is another one than xades:SigningCertificate names")
            ])
        #expect(found.signer == nil)
    }

    @Test("two signatures beside one another: the second broke the first, and that is reported")
    func two() throws {
        let first = try enveloped()
        let canonical = try Canonicalisation.inclusive.octets(ParsedDocument(OctetString(first)), .document).text
        let second = try PartSignature.sign(
            references: PartSignature.reference("URI=\"\"", transforms: PartSignature.enveloped, content: canonical))
        let found = try XMLSignatureReading.signatures(
            in: OctetString(first.replacing("</a>", with: second.replacing("\"own\"", with: "\"second\"") + "</a>")))
        #expect(found.map(\.integrity) == [.broken("the document was changed after it was signed"), .intact])
    }

    @Test("a countersignature is judged by itself, and does not affect a document that is signed as a whole")
    func countersignature() throws {
        let good = try Signers.shared.sign("<a/>", .xades, identifier: "1").text
        let parsed = try ParsedDocument(OctetString(good))
        let value = try #require(try parsed.signatures()[0].elements("SignatureValue").first)
        let counter = try PartSignature.sign(
            references: PartSignature.reference(
                "URI=\"#value-1\" Type=\"http://uri.etsi.org/01903#CountersignedSignature\"",
                content: Canonicalisation.exclusive.octets(parsed, .element(value)).text))
        let countersigned = good.replacing(
            "</xades:QualifyingProperties>",
            with: "<xades:UnsignedProperties><xades:UnsignedSignatureProperties><xades:CounterSignature>\(counter)"
                + "</xades:CounterSignature></xades:UnsignedSignatureProperties></xades:UnsignedProperties>"
                + "</xades:QualifyingProperties>")
        let found = try XMLSignatureReading.signatures(in: OctetString(countersigned))
        #expect(found.map(\.isGood) == [true, true])
        #expect(found.map(\.coversWholeDocument) == [true, false])
        let changed = countersigned.replacing("<a>", with: "<a b=\"\">")
        let broken = try XMLSignatureReading.signatures(in: OctetString(changed))
        #expect(broken.map(\.isGood) == [false, false])
        #expect(broken.map(\.integrity) == [.broken("the document was changed after it was signed"), .intact])
    }

    @Test("any number of threads may verify and sign at once")
    func threads() async throws {
        let good = try Signers.shared.sign("<a>x</a>")
        let bad = try replacing("<a>x", with: "<a>y", in: good)
        await withTaskGroup(of: Bool.self) { group in
            for number in 0..<64 {
                group.addTask {
                    guard let found = try? XMLSignatureReading.signatures(in: number.isMultiple(of: 2) ? good : bad),
                        (try? Signers.shared.sign("<b>\(number)</b>")) != nil
                    else { return false }
                    return (found[0].integrity == .intact) == number.isMultiple(of: 2)
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }
}
