import CMSSignatures
import Octets
import Testing

@Suite("Digests and codes")
struct DigestTests {
    @Test("HMAC-SHA256 gives the values of RFC 4231")
    func hmac() {
        let first = MessageAuthentication.hmacSHA256(
            key: [UInt8](repeating: 0x0B, count: 20), OctetString("Hi There"))
        #expect(first.hexadecimal == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
        let second = MessageAuthentication.hmacSHA256(
            key: Array("Jefe".utf8), OctetString("what do ya want for nothing?"))
        #expect(second.hexadecimal == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }

    @Test("an empty key and an empty message have a code too")
    func emptyHMAC() {
        let code = MessageAuthentication.hmacSHA256(key: [], OctetString())
        #expect(code.hexadecimal == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test("SHA-256 of a source in pieces is that of the whole")
    func digest() throws {
        let rope = OctetRope([OctetString("a"), OctetString("b"), OctetString("c")])
        #expect(
            try DigestAlgorithm.sha256.digest(of: rope).hexadecimal
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test("random octets have the requested count, and differ")
    func random() throws {
        #expect(try RandomOctets.make(32).count == 32)
        #expect(try RandomOctets.make(32) != RandomOctets.make(32))
    }
}
