import Foundation
import Octets
import TestSupport
import Testing

@testable import XMLSignatures

@Suite("Hostile XML before signing and verifying")
struct HostileTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let document: OctetString
        let kind: XMLSignatureError.Kind
        let line: Int

        init(_ description: String, _ text: String, _ kind: XMLSignatureError.Kind, line: Int) {
            self.init(description, Array(text.utf8), kind, line: line)
        }

        init(_ description: String, _ octets: [UInt8], _ kind: XMLSignatureError.Kind, line: Int) {
            testDescription = description
            document = OctetString(octets)
            self.kind = kind
            self.line = line
        }

        static let all = [
            Case("nothing", "", .malformed, line: 1), Case("white space", "\n\n", .malformed, line: 3),
            Case("text", "text", .malformed, line: 1),
            Case("a document type", "<?xml version='1.0'?>\n<!DOCTYPE a>\n<a/>", .documentType, line: 2),
            Case(
                "an external entity", "\n<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>\n<a>&e;</a>",
                .documentType, line: 2),
            Case(
                "a parameter entity", "<!DOCTYPE a [<!ENTITY % e SYSTEM 'http://127.0.0.1:9/'>%e;]><a/>", .documentType,
                line: 1),
            Case("an external subset", "<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/x.dtd'><a/>", .documentType, line: 1),
            Case(
                "a billion laughs",
                "<!DOCTYPE a [<!ENTITY b 'xxxxxxxxxx'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]><a>&c;</a>",
                .documentType, line: 1),
            Case("an unknown entity", "<a>\n&e;</a>", .malformed, line: 2),
            Case("two roots", "<a/>\n<b/>", .malformed, line: 2),
            Case("text behind the root", "<a/>\nx", .malformed, line: 2),
            Case("an open root", "<a>\n<b></b>\n", .malformed, line: 3),
            Case("an attribute twice", "<a>\n<b c='' c=''/></a>", .malformed, line: 2),
            Case(
                "an attribute twice by name space", "<a xmlns:x='u' xmlns:y='u'>\n<b x:c='' y:c=''/></a>", .malformed,
                line: 2),
            Case("an undeclared prefix", "<a>\n<x:b/></a>", .malformed, line: 2),
            Case("a NUL", [0x3C, 0x61, 0x3E, 0, 0x3C, 0x2F, 0x61, 0x3E], .malformed, line: 1),
            Case("no UTF-8", [0x3C, 0x61, 0x3E, 0x0A, 0xC3, 0x28, 0x3C, 0x2F, 0x61, 0x3E], .malformed, line: 2),
            Case("UTF-7", "<?xml version='1.0' encoding='UTF-7'?><a/>", .unsupported, line: 1),
            Case("Shift_JIS", "<?xml version='1.0' encoding='Shift_JIS'?><a/>", .unsupported, line: 1),
            Case("an unknown encoding", "<?xml version='1.0' encoding='x-none'?><a/>", .unsupported, line: 1),
            Case("100,000 deep", String(repeating: "<a>\n", count: 100_000), .limit, line: 201),
            Case(
                "300 attributes", "<a\n " + (0..<300).map { "a\($0)=''" }.joined(separator: " ") + "/>", .limit, line: 2
            ),
            Case(
                "300 declarations", "<a\n " + (0..<300).map { "xmlns:a\($0)='u'" }.joined(separator: " ") + "/>",
                .limit, line: 2),
            Case("500,000 elements", "<a>" + String(repeating: "<b/>", count: 500_000) + "</a>", .limit, line: 1),
            Case("500,000 instructions", "<a>" + String(repeating: "<?b?>", count: 500_000) + "</a>", .limit, line: 1),
            Case(
                "200,001 attributes", "<a>" + String(repeating: "<b c='' d=''/>", count: 100_001) + "</a>", .limit,
                line: 1),
            Case(
                "a text of 12 MB", "<a>" + String(repeating: "0123456789ab", count: 1_000_000) + "</a>", .malformed,
                line: 1),
            Case("25 MB", "<a>" + String(repeating: "<b>0123456789</b>", count: 1_500_000) + "</a>", .limit, line: 0),
            Case(
                "200 declarations over 10,000 elements",
                "<a " + (0..<200).map { "xmlns:a\($0)='urn:\($0)'" }.joined(separator: " ") + ">"
                    + String(repeating: "<b/>", count: 10_000) + "</a>", .limit, line: 1),
        ]
    }

    @Test("is refused with the line, quickly, by every entry point", arguments: Case.all)
    func refused(_ given: Case) throws {
        let refusals: [XMLSignatureError?] = [
            #expect(throws: XMLSignatureError.self) { try XMLSignatureReading.signatures(in: given.document) },
            #expect(throws: XMLSignatureError.self) {
                try XMLSigner(key: Signers.shared.rsa, form: .xades).sign(given.document, signingTime: 0)
            },
            #expect(throws: XMLSignatureError.self) {
                try XMLComparison.difference(original: OctetString("<a/>"), signed: given.document)
            },
            #expect(throws: XMLSignatureError.self) {
                try XMLComparison.difference(original: given.document, signed: OctetString("<a/>"))
            },
        ]
        for refusal in refusals {
            #expect(refusal?.kind == given.kind, "\(refusal?.description ?? "")")
            #expect(refusal?.line == given.line, "\(refusal?.description ?? "")")
            #expect(refusal?.reason.isEmpty == false)
        }
        let spent = ThreadTime.measure { _ = try? XMLSignatureReading.signatures(in: given.document) }
        #expect(spent < .seconds(2))
    }

    @Test("a relative namespace name, which has no canonical form, cannot be signed")
    func relativeNamespace() {
        let refusal = #expect(throws: XMLSignatureError.self) { try Signers.shared.sign("<a xmlns='b'/>") }
        #expect(refusal?.kind == .unsupported)
    }

    struct Heavy: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let make: @Sendable () throws -> String

        init(_ description: String, _ make: @escaping @Sendable () throws -> String) {
            testDescription = description
            self.make = make
        }

        /// A signature with this many references to the whole document, whose digests are wrong.
        static func signature(references: Int, prefixes: Int = 0) throws -> String {
            let list = (0..<prefixes).map { "p\($0)" }.joined(separator: " ")
            let transform =
                prefixes == 0
                ? ""
                : "<ds:Transform Algorithm=\"\(Canonicalisation.exclusiveURI)\"><e:InclusiveNamespaces "
                    + "xmlns:e=\"\(Namespace.exclusive)\" PrefixList=\"\(list)\"/></ds:Transform>"
            let reference = try PartSignature.reference(
                "URI=\"\"", transforms: PartSignature.enveloped + transform, content: "")
            return try PartSignature.sign(references: String(repeating: reference, count: references))
        }

        static let all = [
            Heavy("16 signatures of 10 references over 300,000 elements") {
                let signatures = String(repeating: try signature(references: 10), count: 16)
                return "<a>" + String(repeating: "<b/>", count: 300_000) + signatures + "</a>"
            },
            Heavy("16 signatures of 10 references over 15 MiB of text") {
                let signatures = String(repeating: try signature(references: 10), count: 16)
                return "<a>" + String(repeating: "<b>" + String(repeating: "x", count: 1 << 20) + "</b>", count: 15)
                    + signatures + "</a>"
            },
            Heavy("180 levels above 300,000 elements") {
                String(repeating: "<a>", count: 180) + String(repeating: "<b/>", count: 300_000)
                    + (try signature(references: 1))
                    + String(repeating: "</a>", count: 180)
            },
            Heavy("180 levels above 300,000 elements, and 64 prefixes to look for") {
                String(repeating: "<a>", count: 180) + String(repeating: "<b/>", count: 300_000)
                    + (try signature(references: 1, prefixes: 64)) + String(repeating: "</a>", count: 180)
            },
            Heavy("60 declarations over 50,000 elements") {
                "<a " + (0..<60).map { "xmlns:a\($0)='urn:\($0)'" }.joined(separator: " ") + ">"
                    + String(repeating: "<b/>", count: 50_000) + (try signature(references: 1)) + "</a>"
            },
            Heavy("250 declarations, 180 levels and 1,500 elements") {
                "<a " + (0..<250).map { "xmlns:a\($0)='urn:\($0)'" }.joined(separator: " ") + ">"
                    + String(repeating: "<b>", count: 180) + String(repeating: "<b/>", count: 1_500)
                    + (try signature(references: 1)) + String(repeating: "</b>", count: 180) + "</a>"
            },
            Heavy("750 elements of 250 attributes in falling order") {
                let attributes = (100..<350).reversed().map { "a\($0)=''" }.joined(separator: " ")
                return "<a>" + String(repeating: "<b \(attributes)/>", count: 750) + (try signature(references: 1))
                    + "</a>"
            },
            Heavy("50,000 ways to a certificate") {
                let retrieval = "<ds:RetrievalMethod Type=\"\(Namespace.signature)X509Data\" URI=\"#x\"/>"
                let reference = try PartSignature.reference(
                    "URI=\"\"", transforms: PartSignature.enveloped, content: "")
                return "<a>x"
                    + (try PartSignature.sign(
                        references: reference, keyInfo: String(repeating: retrieval, count: 50_000))) + "</a>"
            },
            Heavy("one reference to an Id among 190,000 attributes") {
                let signature = try PartSignature.sign(
                    references: PartSignature.reference("URI=\"#x\"", content: ""))
                return "<a>" + String(repeating: "<b Id='y'/>", count: 130_000) + signature + "</a>"
            },
        ]
    }

    @Test("documents that require much work end within two seconds", arguments: Heavy.all)
    func heavy(_ given: Heavy) throws {
        let document = OctetString(try given.make())
        let spent = try ThreadTime.measure {
            for signature in try XMLSignatureReading.signatures(in: document) {
                #expect(signature.integrity != .intact)
            }
        }
        #expect(spent < .seconds(2))
    }

    @Test("more than 16 signatures are refused")
    func many() throws {
        let one = try PartSignature.make("<ds:Object Id='part'>x</ds:Object>", of: "part")
        let document = OctetString("<a>" + String(repeating: one, count: 17) + "</a>")
        let refusal = #expect(throws: XMLSignatureError.self) { try XMLSignatureReading.signatures(in: document) }
        #expect(refusal?.kind == .limit)
    }

    @Test("a library's message about a document goes into the error, not to standard error, and in one line")
    func quiet() throws {
        let refusal = #expect(throws: XMLSignatureError.self) {
            try XMLSignatureReading.signatures(in: OctetString("<a>\u{202E}\n<b c='\u{1B}[31m'></d></a>"))
        }
        #expect(refusal?.reason.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x202E } == true)
    }
}
