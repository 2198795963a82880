import CMSSignatures
import Octets
import TestSupport
import Testing

@Suite("Enclosed content (X.690 §8.7)")
struct BERTests {
    private let demonstration: Demonstration

    init() throws { demonstration = try Demonstration.shared.get() }

    /// A SignedData over `content` whose content is a constructed string of `segments` (DER or BER), indefinite
    /// lengths.
    private func segmented(_ content: OctetString, _ segments: [UInt8]) throws -> OctetString {
        let rope = try CMSSigner(key: demonstration.alice).sign(enclosing: content, signingTime: Demonstration.now)
        let octets = rope.collected().array
        // `openssl cms -sign -stream` writes OpenSSL's own form of streamed output; here it is put together by hand.
        let digests = try #require(octets.firstRange(of: [0x31, 0x0D, 0x30, 0x0B]))
        let inner = try #require(
            octets.firstRange(of: [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01]))
        let enclosed = try #require(octets[inner.upperBound...].firstRange(of: content.array))
        var built: [UInt8] = [0x30, 0x80, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02, 0xA0, 0x80]
        built += [0x30, 0x80, 0x02, 0x01, 0x01]
        built += octets[digests.lowerBound..<digests.lowerBound + 15]
        built += [0x30, 0x80]
        built += octets[inner]
        built += [0xA0, 0x80, 0x24, 0x80]
        built += segments
        built += [0, 0, 0, 0, 0, 0]
        built += octets[enclosed.upperBound...]
        built += [0, 0, 0, 0, 0, 0]
        return OctetString(built)
    }

    @Test("in segments is the same content")
    func segments() throws {
        let content = OctetString("segmented content")
        var parts: [UInt8] = [0x04, 0x03]
        parts += content.array[0..<3]
        parts += [0x04, 0x00, 0x24, 0x80, 0x04, 0x05]
        parts += content.array[3..<8]
        parts += [0, 0, 0x24, 0x0B, 0x04, 0x09]
        parts += content.array[8...]
        let signature = try segmented(content, parts)
        #expect(try CMSInspection.facts(of: signature).enclosesContent)
        #expect(try CMSInspection.check(signature, content: nil) == .intact)
    }

    @Test(
        "with damaged segments is refused",
        arguments: [
            [0x04, 0x7F, 0x41], [0x05, 0x00], [0x04, 0x80], [0x24, 0x03, 0x04, 0x05, 0x41], [0x04],
            [0x24, 0x80],
        ] as [[UInt8]])
    func damagedSegments(_ segments: [UInt8]) throws {
        let signature = try segmented(OctetString("segmented content"), segments)
        let finding = try? CMSInspection.check(signature, content: nil)
        #expect(finding != .intact)
    }

    @Test("nested very deeply is refused quickly")
    func deep() throws {
        let nested = [UInt8]((0..<200_000).flatMap { _ in [0x24, 0x80] as [UInt8] })
        let signature = try segmented(OctetString("x content"), nested)
        #expect(throws: CryptographyError.self) { try CMSInspection.facts(of: signature) }
    }

    @Test("as OpenSSL streams it is read")
    func openSSLStream() async throws {
        let scratch = try ScratchDirectory()
        let content = OctetString(count: 100_000) { buffer in
            for index in buffer.indices { buffer[index] = UInt8(truncatingIfNeeded: index) }
        }
        let key = try scratch.write(try demonstration.alice.privateKeyPEM(), to: "key.pem")
        let certificate = try scratch.write(Array(demonstration.alice.certificate.pem.utf8), to: "certificate.pem")
        let made = try await RunningProgram.run(
            "/usr/bin/openssl",
            [
                "cms", "-sign", "-binary", "-stream", "-nodetach", "-outform", "DER", "-inkey", key, "-signer",
                certificate,
            ]
                + ["-in", try scratch.write(content, to: "content"), "-out", scratch.file("signature")], asRoot: true)
        #expect(made.status == 0, "\(made)")
        let signature = OctetString(try TestMaterial.octets(scratch.file("signature")))
        #expect(try CMSInspection.facts(of: signature).enclosesContent)
        #expect(try CMSInspection.check(signature, content: nil) == .intact)
    }
}
