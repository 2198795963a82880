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
