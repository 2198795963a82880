import Foundation
import Octets
import TestSupport
import Testing

@testable import XMLSignatures

@Suite("Mutated signed XML")
struct MutationTests {
    private static let seconds = TestLevel.isSecond ? 60.0 : 3.0

    @Test("never end the process, take long, or make another content valid", arguments: [1, 2] as [UInt64])
    func mutated(_ seed: UInt64) throws {
        var seeds = [
            try Signers.shared.sign("<?xml version='1.0'?><a xmlns='urn:a' b='c'><d>e</d><!-- f -->g</a><?h?>", .xades),
            try Signers.shared.sign("<a Id='r'/>", .xmldsig),
            OctetString(try PartSignature.make("<ds:Object Id=\"o\">x</ds:Object>", of: "o")),
            try XMLSigner(key: Signers.shared.ecdsa, form: .xades).sign(OctetString("<a>x</a>"), signingTime: 1) {
                _ in OctetString([0x30, 0])
            },
        ]
        if let shared = TestMaterial.shared {
            for row in try TestMaterial.table(shared + "/corpora/xml-signatures/expected.tsv") {
                let octets = try TestMaterial.octets(shared + "/corpora/xml-signatures/" + (row["file"] ?? ""))
                if octets.count < 20_000 { seeds.append(OctetString(octets)) }
            }
        }
        let own = try seeds.prefix(4).map(Self.content)
        var generator = SeededNumbers(seed: seed)
        let end = ContinuousClock.now + .seconds(Self.seconds)
        var (runs, read) = (0, 0)
        while ContinuousClock.now < end {
            let place = Int.random(in: seeds.indices, using: &generator)
            let document = Self.mutated(seeds[place].array, with: seeds, &generator)
            runs += 1
            let spent = ThreadTime.measure {
                guard let found = try? XMLSignatureReading.signatures(in: document) else { return }
                read += 1
                let isGood = { (signature: XMLSignature) in
                    signature.isGood && signature.coversWholeDocument
                        && [Signers.shared.rsa.certificate, Signers.shared.ecdsa.certificate].contains(signature.signer)
                }
                guard found.contains(where: isGood) else { return }
                // Good is only what some seed of ours says.
                #expect((try? Self.content(document)).map(own.contains) == true, "\(document.text)")
            }
            #expect(spent < .seconds(1))
            _ = try? XMLComparison.difference(original: seeds[place], signed: document)
            if runs.isMultiple(of: 8) {
                _ = try? XMLSigner(key: Signers.shared.ecdsa, form: .xades).sign(document, signingTime: 0)
            }
        }
        #expect(runs > 50 && read > 10, "\(runs) runs, \(read) read")
    }

    /// All but the signatures, canonical; for a document that is a signature, its objects.
    private static func content(_ document: OctetString) throws -> OctetString {
        let parsed = try ParsedDocument(document)
        guard parsed.root.isElement("Signature") else {
            // What a signature of ours covers: all but itself.
            return try Canonicalisation.inclusive.octets(parsed, .documentWithout(Set(try parsed.signatures())))
        }
        let objects = try parsed.root.elements("Object").map {
            try Canonicalisation.inclusive.octets(parsed, .element($0))
        }
        return OctetString(objects.flatMap(\.array))
    }

    private static let words = [
        "<", ">", "/>", "\"", "&", "<!--", "-->", "]]>", "<?", "Id=\"r\"", "ID='own'", "#o", "URI=\"\"", "URI=\"#r\"",
        "<ds:Object>", "</ds:Object>", "<evil/>", "<ds:Reference/>", "xmlns:ds=\"urn:x\"", " ", "\u{0}", "é",
        "<![CDATA[",
        "http://www.w3.org/2000/09/xmldsig#sha1", "<!DOCTYPE a>", "=", "AAAA",
    ].map { Array($0.utf8) }

    private static func mutated(
        _ given: [UInt8], with seeds: [OctetString], _ generator: inout SeededNumbers
    ) -> OctetString {
        var octets = given
        for _ in 0..<Int.random(in: 1...3, using: &generator) where !octets.isEmpty {
            let place = Int.random(in: octets.indices, using: &generator)
            let end = min(octets.count, place + Int.random(in: 1...200, using: &generator))
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: octets[place] ^= UInt8(1 << Int.random(in: 0..<8, using: &generator))
            case 1: octets.removeSubrange(place..<end)
            case 2: octets.insert(contentsOf: words.randomElement(using: &generator) ?? [], at: place)
            case 3: octets.insert(contentsOf: octets[place..<end], at: place)
            case 4:
                let other = seeds.randomElement(using: &generator)?.array ?? []
                guard !other.isEmpty else { continue }
                let start = Int.random(in: other.indices, using: &generator)
                let part = other[start..<min(other.count, start + Int.random(in: 1...1_000, using: &generator))]
                octets.insert(contentsOf: part, at: place)
            default: moveElement(&octets, &generator)
            }
        }
        return OctetString(octets)
    }

    /// Takes what stands between two tags somewhere else, which keeps a document well-formed more often.
    private static func moveElement(_ octets: inout [UInt8], _ generator: inout SeededNumbers) {
        let starts = octets.indices.filter { octets[$0] == UInt8(ascii: "<") }
        guard starts.count > 2, let first = starts.randomElement(using: &generator),
            let second = starts.randomElement(using: &generator), let target = starts.randomElement(using: &generator)
        else { return }
        let part = octets[min(first, second)..<max(first, second)]
        octets.insert(contentsOf: part, at: target)
    }
}
