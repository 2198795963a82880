import CMSSignatures
import DocumentKinds
import Fuzzing
import InternetMessage
import MessageInspection
import Octets
import Workflows
import XMLSignatures

/// Reads the input as an XML document with signatures, looks for them as the mail's reader does, and signs it.
@main
enum XMLDocumentTarget {
    private static let now = 1_790_000_000

    static func main() throws {
        let validity = now - 86_400...now + 86_400
        let issued = try DemoAuthority(commonName: "Fuzz", validity: validity).issue(
            commonName: "Documents", for: .document, validity: validity)
        let key = try XMLSigningKey(privateKeyPEM: issued.privateKeyPEM(), certificate: issued.certificate.der)
        let known = [issued.certificate.der]
        Fuzzing.run { octets in
            let found = read(octets, known)
            for signature in found ?? [] {
                // The key was made for this run: whatever it seems to have signed was not signed by it.
                Fuzzing.require(
                    signature.signer != known[0] || !signature.isGood, "a signature of our key, from nowhere")
            }
            if found?.isEmpty == false {
                Fuzzing.require(isSignedAttachment(octets), "a signature is read that is not seen in an attachment")
            }
            // Signing costs a hundred times what reading does.
            if found != nil, octets.count % 4 == 0 { sign(octets, XMLSigner(key: key, form: .xades)) }
        }
    }

    private static func read(_ octets: OctetString, _ known: [OctetString]) -> [XMLSignature]? {
        do throws(XMLSignatureError) {
            return try XMLSignatureReading.signatures(in: octets, known: known)
        } catch {
            Fuzzing.require(!error.reason.isEmpty, "a refusal without a reason")
            return nil
        }
    }

    private static func sign(_ octets: OctetString, _ signer: XMLSigner) {
        do throws(XMLSignatureError) {
            let signed = try signer.sign(octets, signingTime: now, identifier: "f0f0")
            // At most the end of an empty element's tag is written anew.
            let isWithin = zip(octets, signed).prefix { $0 == $1 }.count
            Fuzzing.require(signed.count > octets.count && isWithin + 16 > 0, "the document got shorter")
            let ours = read(signed, [])?.last { $0.signer == signer.key.certificate }
            Fuzzing.require(ours?.isGood == true, "what was signed does not verify")
            Fuzzing.require(isSignedAttachment(signed), "what was signed is not seen to be")
        } catch {
            Fuzzing.require(error.kind != .failed, "a document that can be read cannot be signed: \(error)")
        }
    }

    private static func isSignedAttachment(_ octets: OctetString) -> Bool {
        let head = "Content-Type: application/xml; name=a.xml\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        do throws(MessageSyntaxError) {
            let message = try Message(reading: OctetRope([OctetString(head), octets]).collected())
            let facts = InspectedMessage(message, recipients: [], sender: nil).attachments
            return facts.contains { $0.contentKinds.contains(.xml) && $0.isSigned }
        } catch {
            return false
        }
    }
}
