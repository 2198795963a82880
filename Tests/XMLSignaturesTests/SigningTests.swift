import Octets
import TestSupport
import Testing

@testable import XMLSignatures

@Suite("Signing XML")
struct SigningTests {
    @Test(
        "an enveloped signature is the last child of the root, and all else stays octet for octet",
        arguments: XMLSignatureForm.allCases)
    func place(_ form: XMLSignatureForm) throws {
        let (front, back) = (
            "<?xml version=\"1.0\"?>\n<!-- <a> --><a b='/>'><![CDATA[</a>]]><c/>x &amp; y\r\n",
            "</a >\n<?p </a>?><!-- </a> -->\n"
        )
        let signed = try Signers.shared.sign(front + back, form).text
        #expect(signed.hasPrefix(front + "<ds:Signature "))
        #expect(signed.hasSuffix("</ds:Signature>" + back))
        let found = try XMLSignatureReading.signatures(in: OctetString(signed))
        #expect(found.count == 1)
        #expect(found[0].integrity == .intact)
        #expect(found[0].findings == [])
        #expect(found[0].coversWholeDocument)
        #expect(found[0].form == form)
        #expect(found[0].signer == Signers.shared.rsa.certificate)
        #expect(found[0].claimedTime == (form == .xades ? Signers.now : nil))
        #expect(try XMLComparison.difference(original: OctetString(front + back), signed: OctetString(signed)) == nil)
    }
}
