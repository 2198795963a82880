import Octets
import Testing

@testable import XMLSignatures

@Suite("A signature beside what it signs, in a container")
struct InternallyDetachedTests {
    private static let data = "<data Id=\"d\">Pay 100</data>"
    private static let more = "<data Id=\"e\">to Carol</data>"

    /// A signature over the elements with these identifiers.
    private static func signature(_ signed: [(id: String, content: String)]) throws -> String {
        try PartSignature.sign(
            references: signed.map { try PartSignature.reference("URI=\"#\($0.id)\"", content: $0.content) }.joined())
    }

    private func found(_ document: String) throws -> XMLSignature {
        try #require(try XMLSignatureReading.signatures(in: OctetString(document)).first)
    }

    private func isTrusted(_ document: String) throws -> Bool {
        let signature = try found(document)
        return signature.integrity == .intact && signature.coversWholeDocument && signature.isGood
    }

    @Test(
        "is one of the whole document where everything else is signed",
        arguments: [
            "<root>DS</root>", "<root>SD</root>", "<root>\n  D\n  S\n</root>",
            "<?xml version=\"1.0\"?>\n<root>DS</root>\n",
            "<internally-detached>DS</internally-detached>", "<root><!-- c -->DS</root>",
        ])
    func whole(_ form: String) throws {
        let signature = try Self.signature([("d", Self.data)])
        let document = form.replacing("D", with: Self.data).replacing("S", with: signature)
        #expect(try isTrusted(document))
        #expect(try found(document.replacing("Pay 100", with: "Pay 900")).integrity != .intact)
    }

    @Test("is one of the whole document with several elements, if each is signed")
    func several() throws {
        let both = try Self.signature([("d", Self.data), ("e", Self.more)])
        #expect(try isTrusted("<root>\(Self.data)\(Self.more)\(both)</root>"))
        let one = try Self.signature([("d", Self.data)])
        #expect(try !isTrusted("<root>\(Self.data)\(Self.more)\(one)</root>"))
        let other = try Self.signature([("e", Self.more)])
        for document in ["<root>\(Self.data)\(Self.more)\(one)\(other)</root>", "<root>\(one)\(Self.data)<x/></root>"] {
            #expect(try !isTrusted(document), "neither of two signatures signs it all: \(document)")
        }
    }

    @Test(
        "is one of a part where anything of the container could say how its content is meant",
        arguments: [
            "<order>DS</order>", "<Root>DS</Root>", "<roots>DS</roots>", "<cancelled>DS</cancelled>",
            "<root status=\"cancelled\">DS</root>", "<root xml:lang=\"de\">DS</root>", "<root Id=\"r\">DS</root>",
            "<root xmlns=\"urn:x\">DS</root>", "<root xmlns:x=\"urn:x\">DS</root>",
            "<x:root xmlns:x=\"urn:x\">DS</x:root>", "<root>not: DS</root>", "<root>DS cancelled</root>",
            "<root><![CDATA[cancelled]]>DS</root>", "<root>DS<?cancelled?></root>",
            "<root>DS<data>Pay 900</data></root>",
            "<root><box>D</box>S</root>", "<root>D<box>S</box></root>", "<root><root>DS</root></root>",
            "<?xml-stylesheet href='x'?><root>DS</root>", "<root>DS</root><?x?>", "<root>S</root>", "<root/>",
        ])
    func part(_ form: String) throws {
        let signature = try Self.signature([("d", Self.data)])
        let document = form.replacing("D", with: Self.data).replacing("S", with: signature)
            .replacing("C\(Self.data)ATA", with: "CDATA")
        let signatures = try XMLSignatureReading.signatures(in: OctetString(document))
        #expect(
            signatures.allSatisfy { !($0.integrity == .intact && $0.coversWholeDocument && $0.isGood) }, "\(document)")
    }

    /// A signature over a document as base64 text, and over XAdES properties that give `type` as its media type.
    private static func encodedSignature(_ type: String?) throws -> String {
        let xades = Namespace.xades
        let format =
            type.map { type in
                "<xades:SignedDataObjectProperties><xades:DataObjectFormat ObjectReference=\"#r\">"
                    + "<xades:MimeType>\(type)</xades:MimeType></xades:DataObjectFormat>"
                    + "</xades:SignedDataObjectProperties>"
            } ?? ""
        let properties = "<xades:SignedProperties xmlns:xades=\"\(xades)\" Id=\"p\">\(format)</xades:SignedProperties>"
        let base64 = "<ds:Transform Algorithm=\"\(TransformChain.base64)\"/>"
        return try PartSignature.sign(
            references: try PartSignature.reference(
                "Id=\"r\" URI=\"#d\"", transforms: base64, content: "Pay 100")
                + PartSignature.reference(
                    "Type=\"http://uri.etsi.org/01903#SignedProperties\" URI=\"#p\"", content: properties),
            objects: "<ds:Object><xades:QualifyingProperties xmlns:xades=\"\(xades)\" Target=\"#own\">"
                + properties + "</xades:QualifyingProperties></ds:Object>")
    }

    @Test(
        "is one of the whole document where the container of a known platform holds it as base64 text",
        arguments: [
            ("<AFIRMA><CONTENT Id=\"d\">D</CONTENT>S</AFIRMA>", nil, true),
            (
                "<AFIRMA><CONTENT Id=\"d\" MimeType=\"text/plain\" Encoding=\"E\">D</CONTENT>S</AFIRMA>", "text/plain",
                true
            ),
            ("<AFIRMA><CONTENT Id=\"d\" MimeType=\"text/html\">D</CONTENT>S</AFIRMA>", "text/plain", false),
            ("<AFIRMA><CONTENT Id=\"d\" MimeType=\"text/plain\">D</CONTENT>S</AFIRMA>", nil, false),
            ("<AFIRMA><CONTENT Id=\"d\" Encoding=\"gzip\">D</CONTENT>S</AFIRMA>", nil, false),
            ("<AFIRMA><CONTENT Id=\"d\" Status=\"void\">D</CONTENT>S</AFIRMA>", nil, false),
            ("<AFIRMA><VOID Id=\"d\">D</VOID>S</AFIRMA>", nil, false),
            ("<AFIRMA><CONTENT Id=\"d\">D<!-- c --></CONTENT>S</AFIRMA>", nil, false),
            ("<AFIRMA><CONTENT Id=\"d\">D</CONTENT><CONTENT>D</CONTENT>S</AFIRMA>", nil, false),
            ("<AFIRMA Id=\"a\"><CONTENT Id=\"d\">D</CONTENT>S</AFIRMA>", nil, false),
            ("<AFIRMA xmlns:x=\"urn:x\"><CONTENT Id=\"d\">D</CONTENT>S</AFIRMA>", nil, false),
            ("<root><CONTENT Id=\"d\">D</CONTENT>S</root>", nil, false),
            ("<CONTENT><CONTENT Id=\"d\">D</CONTENT>S</CONTENT>", nil, false),
        ] as [(String, String?, Bool)])
    func encoded(_ form: String, _ type: String?, _ isWhole: Bool) throws {
        let signature = try Self.encodedSignature(type)
        let document = form.replacing(">D<", with: ">UGF5IDEwMA==<").replacing(
            "\"E\"", with: "\"\(TransformChain.base64)\""
        )
        .replacing(">S<", with: ">\(signature)<")
        #expect(try isTrusted(document) == isWhole, "\(document)")
        #expect(try !isTrusted(document.replacing("UGF5IDEwMA==", with: "UGF5IDkwMA==")))
    }

    @Test(
        "is one of the whole document in a container of a known platform with a namespace of its own",
        arguments: [
            ("<u:DocUniversitario xmlns:u=\"U\">DS</u:DocUniversitario>", true),
            ("<DocUniversitario xmlns=\"U\">DS</DocUniversitario>", true),
            ("<u:DocUniversitario xmlns:u=\"U\" xmlns:x=\"urn:x\">DS</u:DocUniversitario>", false),
            ("<u:DocUniversitario xmlns:u=\"U\" Id=\"x\">DS</u:DocUniversitario>", false),
            ("<u:Documento xmlns:u=\"U\">DS</u:Documento>", false),
            ("<u:DocUniversitario xmlns:u=\"urn:other\">DS</u:DocUniversitario>", false),
            ("<DocUniversitario>DS</DocUniversitario>", false),
        ])
    func namespaced(_ form: String, _ isWhole: Bool) throws {
        let space = "urn:umu:eadmin:docuniversitario:schema"
        let signed = "<u:Documento xmlns:u=\"\(space)\" Id=\"d\">Pay 100</u:Documento>"
        let signature = try Self.signature([("d", signed)])
        let document = form.replacing(">DS<", with: ">\(signed)\(signature)<").replacing("\"U\"", with: "\"\(space)\"")
        #expect(try isTrusted(document) == isWhole, "\(document)")
        #expect(try !isTrusted(document.replacing("Pay 100", with: "Pay 900")))
    }

    @Test("a changed octet outside the signed element and the signature is never trusted")
    func flips() throws {
        let signature = try Self.signature([("d", Self.data)])
        let document = Array("<root>\(Self.data)\(signature)</root>".utf8)
        let outside = Array(0..<6) + Array((document.count - 7)..<document.count)
        for index in outside {
            for bit in 0..<8 {
                var changed = document
                changed[index] ^= 1 << bit
                let found = (try? XMLSignatureReading.signatures(in: OctetString(changed))) ?? []
                let isTrusted = found.contains { $0.integrity == .intact && $0.coversWholeDocument && $0.isGood }
                #expect(!isTrusted, "octet \(index), bit \(bit): \(String(decoding: changed, as: UTF8.self))")
            }
        }
    }
}
