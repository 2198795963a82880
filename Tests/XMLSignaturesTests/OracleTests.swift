import CMSSignatures
import Foundation
import Octets
import TestSupport
import Testing

@testable import XMLSignatures

@Suite("Signed XML before other implementations")
struct OracleTests {
    static let documents: [(name: String, octets: OctetString)] = {
        var found: [(String, OctetString)] = [
            ("empty-root.xml", OctetString("<invoice xmlns='urn:i' n=\"1\"/>")),
            (
                "utf16.xml",
                OctetString(
                    "\u{FEFF}<?xml version='1.0' encoding='UTF-16'?><a b='ü'>xé😀</a>".utf16.flatMap {
                        [UInt8($0 & 255), UInt8($0 >> 8)]
                    })
            ),
            (
                "values.xml",
                OctetString("<?p q?><a xmlns:x='urn:x' t='x:y'>&lt;<![CDATA[<b>]]>&#13;<!-- c --></a>\n<?r?>")
            ),
        ]
        guard let shared = TestMaterial.shared else { return found }
        let folder = shared + "/corpora/xml-plain/"
        for row in (try? TestMaterial.table(folder + "expected.tsv")) ?? [] where row["expected"] == "not signed" {
            guard let name = row["file"], let octets = try? TestMaterial.octets(folder + name) else { continue }
            found.append((name, OctetString(octets)))
        }
        return found
    }()

    private static func name(_ name: String, _ key: String, _ form: XMLSignatureForm) -> String {
        "\(name.dropLast(4))-\(key).\(form.rawValue).xml"
    }

    private static func signed(
        _ key: XMLSigningKey, _ keyName: String, only wanted: Int = .max
    ) throws -> [String: OctetString] {
        var made: [String: OctetString] = [:]
        for (name, octets) in documents.prefix(wanted) {
            for form in XMLSignatureForm.allCases {
                let document = try XMLSigner(key: key, form: form).sign(octets, signingTime: Signers.now)
                made[Self.name(name, keyName, form)] = document
            }
        }
        return made
    }

    @Test("finds the documents of the corpus", .enabled(if: TestMaterial.shared != nil, "needs ../shared"))
    func found() { #expect(Self.documents.count == 3 + 16) }

    @Test("documents signed with an RSA key are valid to xmlsec1, signxml and here; with an octet changed to none")
    func rsa() async throws {
        let anchor = try ScratchDirectory()
        let path = try anchor.write(Array(Signers.shared.authority.certificate.pem.utf8), to: "anchor.pem")
        try await judge(try Self.signed(Signers.shared.rsa, "rsa"), certificate: Signers.shared.rsa.certificate, path)
    }

    @Test("documents signed with an ECDSA key are valid to xmlsec1, signxml and here; with an octet changed to none")
    func ecdsa() async throws {
        let key = Signers.shared.ecdsa
        let anchor = try ScratchDirectory()
        let path = try anchor.write(Array(Certificate(der: key.certificate).pem.utf8), to: "anchor.pem")
        try await judge(try Self.signed(key, "ecdsa"), certificate: key.certificate, path)
    }

    private func judge(_ good: [String: OctetString], certificate: OctetString, _ anchor: String) async throws {
        var bad: [String: OctetString] = [:]
        for (name, document) in good { bad[name] = try Self.flipped(document) }
        for (name, document) in good {
            let signature = try #require(try XMLSignatureReading.signatures(in: document).last)
            #expect(signature.integrity == .intact && signature.findings.isEmpty, "\(name)")
        }
        for (name, document) in bad {
            let found = (try? XMLSignatureReading.signatures(in: document)) ?? []
            #expect(found.allSatisfy { $0.integrity != .intact }, "\(name)")
        }
        #expect(try await XMLOracles.xmlsec1(good, anchor: anchor) == Set(good.keys))
        #expect(try await XMLOracles.xmlsec1(bad, anchor: anchor) == [])
        for (name, reason) in try await XMLOracles.signxml(good, certificate: certificate) {
            // An empty URI means the document with the instructions around its root (XML Signature §4.4.3.3). signxml
            // digests the root alone.
            let isInstructed = name.hasPrefix("values-") || name.hasPrefix("sample-xml-stylesheet-")
            let isRight = isInstructed ? reason?.contains("Digest mismatch for reference 0") == true : reason == nil
            #expect(isRight, "\(name): \(reason ?? "valid")")
        }
        for (name, reason) in try await XMLOracles.signxml(bad, certificate: certificate) {
            #expect(reason != nil, "\(name)")
        }
    }

    /// Another letter in the last name before the signature: the end of the root's content, or the root's own name.
    private static func flipped(_ document: OctetString) throws -> OctetString {
        var octets = document.array
        let encoding = DocumentEncoding(document)
        let mark = encoding.octets(of: "<ds:Signature ")
        let width = mark.count / 14
        guard let place = octets.firstRange(of: mark)?.lowerBound else { throw HarnessError("no signature") }
        // The second octet of a name or a text is changed where it stays well-formed: a letter to a letter.
        for index in stride(from: place - width, to: 4, by: -width) {
            let letter = octets[width == 1 || octets[index] != 0 ? index : index + 1]
            let before = octets[index - width]
            guard (0x61...0x79).contains(letter), before == 0x3E || before == 0x22 || before == 0x27 else { continue }
            octets[width == 1 || octets[index] != 0 ? index : index + 1] = letter + 1
            return OctetString(octets)
        }
        for index in stride(from: place - 1, to: 0, by: -1) where (0x30...0x38).contains(octets[index]) {
            octets[index] += 1
            return OctetString(octets)
        }
        throw HarnessError("nothing to change")
    }

    @Test("200 changed octets: whatever changes the canonical form is detected")
    func flips() async throws {
        let original = OctetString(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <Invoice xmlns="urn:invoice" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Amount">
              <Number>4711</Number><Note lang='de'>Zahlbar &amp; fällig</Note><Total currency="EUR">1234.56</Total>
            </Invoice>

            """)
        let anchor = try ScratchDirectory()
        let path = try anchor.write(Array(Signers.shared.authority.certificate.pem.utf8), to: "anchor.pem")
        for form in XMLSignatureForm.allCases {
            let signed = try Signers.shared.sign(original.text, form)
            var generator = SeededNumbers(seed: 4_711)
            let canonical = try Self.canonical(signed)
            let start = try #require(signed.array.firstRange(of: Array("<ds:KeyInfo>".utf8)))
            let end = try #require(signed.array.firstRange(of: Array("</ds:KeyInfo>".utf8)))
            let keyInfo = start.lowerBound..<end.upperBound
            var kept: [String: OctetString] = [:]
            var changed: [String: OctetString] = [:]
            for number in 0..<200 {
                var octets = signed.array
                // Certificates are not signed by the form without properties; what they are good for is seen elsewhere.
                var place = octets.startIndex
                repeat { place = Int.random(in: octets.indices, using: &generator) } while keyInfo.contains(place)
                octets[place] ^= UInt8(1 << Int.random(in: 0..<7, using: &generator))
                let document = OctetString(octets)
                // What is not well-formed any more is refused, what is the same in canonical form is the same document.
                let isSame = (try? Self.canonical(document)) == canonical
                if isSame { kept["\(number).xml"] = document } else { changed["\(number).xml"] = document }
            }
            var intact: [String] = []
            for (name, document) in changed {
                let found = (try? XMLSignatureReading.signatures(in: document)) ?? []
                if found.contains(where: { $0.integrity == .intact && $0.findings.isEmpty }) { intact.append(name) }
            }
            // What is left are the Ids of the signature and its value, which are not signed.
            let asked = TestLevel.isSecond ? changed : changed.filter { intact.contains($0.key) }
            let unsigned = try await XMLOracles.xmlsec1(asked, anchor: path)
            for name in intact {
                #expect(unsigned.contains(name), "\(name): intact here only")
                let document = try #require(changed[name])
                #expect(try Self.content(document) == Self.content(signed), "\(name): the content was changed")
            }
            #expect(changed.count > 150)
            // The Ids are about 3 in 100 octets of the document, and the keys are new with every run: six of 200 on
            // average.
            #expect(intact.count < 22, "\(intact)")
        }
    }

    private static func canonical(_ document: OctetString) throws -> OctetString {
        try Canonicalisation.inclusive.octets(ParsedDocument(document), .document)
    }

    /// The document without its signature, canonical.
    private static func content(_ document: OctetString) throws -> OctetString {
        let parsed = try ParsedDocument(document)
        return try Canonicalisation.inclusive.octets(parsed, .documentWithout(Set(try parsed.signatures())))
    }
}

/// The time that a test may take.
enum TestLevel {
    static let isSecond = ProcessInfo.processInfo.environment["SES_TEST_ALL"] == "1"
}
