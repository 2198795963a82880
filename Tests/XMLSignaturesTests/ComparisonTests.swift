import Octets
import TestSupport
import Testing

@testable import XMLSignatures

@Suite("Comparison of a signed document with the one that was sent")
struct ComparisonTests {
    private static let original = "<?xml version=\"1.0\"?>\n<a b=\"1\" c=\"2\"><!-- d --><e/>f</a>\n"

    private func difference(_ signed: String, from original: String = Self.original) throws -> String? {
        try XMLComparison.difference(original: OctetString(original), signed: OctetString(signed))
    }

    @Test("the same with one signature, wherever it stands and however it is written, is the same")
    func same() throws {
        let signed = try Signers.shared.sign(Self.original).text
        #expect(try difference(signed) == nil)
        #expect(try difference(signed.replacing("<a b=\"1\" c=\"2\">", with: "<a  c='2'\n b='1' >")) == nil)
        #expect(try difference(signed.replacing("<e/>", with: "<e></e>")) == nil)
        let signature = try PartSignature.make("<ds:Object Id='o'>x</ds:Object>", of: "o")
        #expect(try difference(Self.original.replacing("<e/>", with: "<e/>\(signature)")) == nil)
        #expect(try difference(Self.original.replacing("<e/>", with: "<e>\(signature)</e>")) == nil)
    }

    @Test("one signature is distinguished from those that were there")
    func another() throws {
        let part = try PartSignature.make("<ds:Object Id='o'>x</ds:Object>", of: "o")
        let before = Self.original.replacing("<e/>", with: "<e/>\(part)")
        let signed = try Signers.shared.sign(before).text
        #expect(try difference(signed, from: before) == nil)
        // The old one is gone, the new one is there twice, or the old one was changed.
        #expect(try difference(signed.replacing(part, with: ""), from: before) == "no signature was added")
        #expect(try difference(signed) != nil)
        #expect(try difference(signed.replacing(">x<", with: ">y<"), from: before) != nil)
    }

    @Test("any other change is detected")
    func changed() throws {
        let signed = try Signers.shared.sign(Self.original).text
        let other = "without the signature the document is not the one that was sent"
        for (wanted, change) in [
            ("b=\"1\"", "b=\"2\""), ("<!-- d -->", ""), ("<!-- d -->", "<!-- D -->"), ("f<ds", "f <ds"), ("<e/>", ""),
            ("<e/>", "<e/><e/>"), ("</a>\n", "</a>\n<?p?>"), (">f<", ">F<"), ("<a b", "<a xmlns:x=\"urn:x\" b"),
            ("</a>\n", "</a>\n<!-- -->"),
        ] {
            let document = signed.replacing(wanted, with: change)
            #expect(document != signed)
            #expect(try difference(document) == other, "\(wanted)")
        }
        #expect(try difference(Self.original) == "no signature was added")
        #expect(try difference("<ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#'/>") == other)
        let signature = try PartSignature.make("<ds:Object Id='o'>x</ds:Object>", of: "o")
        let two = Self.original.replacing("<e/>", with: "\(signature)<e/>\(signature)")
        #expect(try difference(two) == "2 signatures were added")
        let nested = signature.replacing("</ds:Signature>", with: "<ds:Object>\(signature)</ds:Object></ds:Signature>")
        #expect(try difference(Self.original.replacing("<e/>", with: "<e/>\(nested)")) == "2 signatures were added")
    }

    @Test("the octets of the encoding do not matter, the characters do")
    func encodings() throws {
        let plain = "<?xml version='1.0' encoding='UTF-16'?><a>é</a>"
        let wide = OctetString(("\u{FEFF}" + plain).utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] })
        let signed = try Signers.shared.sign("<a>é</a>")
        #expect(try XMLComparison.difference(original: wide, signed: signed) == nil)
        #expect(try XMLComparison.difference(original: OctetString("<a>e</a>"), signed: signed) != nil)
    }
}
