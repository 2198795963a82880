import Octets
import Testing

@testable import CMSSignatures

@Suite("A signature without the attributes it is over")
struct AttributesAsContentTests {
    /// `signature` without its signed attributes, and those as the content that it fits then (RFC 5652 §5.4).
    private func stripped(_ signature: OctetString) throws -> (signature: OctetString, content: OctetString) {
        let reader = { (body: (BERReader) throws -> [OctetString]) in
            try signature.withUnsafeBytes { try body(BERReader($0)) }
        }
        let parts = try reader { reader in
            func children(_ element: BERReader.Element?) throws -> [BERReader.Element] {
                let element = try #require(element)
                return try #require(reader.children(of: element))
            }
            let info = try children(reader.element(at: 0, limit: signature.count))
            let signedData = try children(children(info[1]).first)
            let signer = try children(children(signedData.last).first)
            #expect(signer[3].tag == 0xA0)
            let octets = { (element: BERReader.Element) in signature.slice(element.range) }
            let bare = DER.element(0x30, (signer[..<3] + signer[4...]).map(octets))
            let data = DER.element(0x30, signedData.dropLast().map(octets) + [DER.element(0x31, [bare])])
            return [
                DER.element(0x30, [octets(info[0]), DER.element(0xA0, [data])]),
                DER.element(0x31, [signature.slice(signer[3].content)]),
            ]
        }
        return (parts[0], parts[1])
    }

    @Test("is not taken for a signature of the content that equals those attributes in DER")
    func attributes() throws {
        let demonstration = try Demonstration.shared.get()
        let signature = try CMSSigner(key: demonstration.alice)
            .sign(detached: OctetString("content"), signingTime: Demonstration.now)
        let (bare, content) = try stripped(signature)
        let verification = try CMSVerifier(policy: demonstration.policy, use: .mail)
            .verify(bare, content: content, now: Demonstration.now)
        #expect(verification.verdict == .notTrusted)
        #expect(verification.details.contains { $0.message.contains("signed attributes, and no document") })
    }
}
