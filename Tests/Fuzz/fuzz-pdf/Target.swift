import Fuzzing
import InternetMessage
import MessageInspection
import Octets
import PDFSignatures
import Workflows

/// Reads the input as a PDF with signatures, looks for them as the mail's reader does, and prepares it for one more.
@main
enum PDFTarget {
    /// Stands for a CMS, which is not looked into here.
    private static let cms = OctetString([0x30, 0x03, 0x02, 0x01, 0x01])

    static func main() throws {
        let signer = try PDFSigner()
        Fuzzing.run { octets in
            var signs = octets.count
            let document =
                PDFText(octets)?.written { file in
                    signs += 1
                    return sign(file, signer, variant: 0) ?? file
                } ?? octets
            let found = read(document)
            for signature in found ?? [] {
                Fuzzing.require(
                    signature.covered.count <= document.count && (signature.revisionLength ?? 0) <= document.count,
                    "a signature covers more than there is")
            }
            if found?.contains(where: { $0.findings.isEmpty }) == true {
                Fuzzing.require(isSignedAttachment(document), "a signature is read that is not seen in an attachment")
            }
            if let signed = sign(document, signer, variant: signs) {
                Fuzzing.require(signed.starts(with: document), "signing changes what was there")
                let ours = read(signed)?.last { $0.contents == cms && $0.coversWholeFile }
                guard let ours else { return Fuzzing.require(false, "what was signed cannot be read") }
                Fuzzing.require(ours.findings.isEmpty, "what was signed is found bad: \(ours.findings)")
                Fuzzing.require(isSignedAttachment(signed), "what was signed is not seen to be")
                requireLasting(signed)
            }
        }
    }

    /// Validation data behind a signature leaves it as good as it was.
    private static func requireLasting(_ signed: OctetString) {
        let data = PDFValidationData(certificates: [cms], responses: [OctetString("an answer")])
        let lasting: OctetString
        do throws(PDFError) { lasting = try data.appended(to: signed).collected() } catch {
            return Fuzzing.require(!error.reason.isEmpty, "a refusal without a reason")
        }
        let ours = read(lasting)?.last { $0.contents == cms && $0.revisionLength == signed.count }
        guard let ours else { return Fuzzing.require(false, "validation data hide the signature") }
        Fuzzing.require(ours.findings.isEmpty, "validation data break the signature: \(ours.findings)")
        do throws(PDFError) { _ = try PDFValidationData(in: lasting) } catch {
            Fuzzing.require(false, "the validation data cannot be read: \(error)")
        }
    }

    private static func read(_ document: OctetString) -> [PDFSignature]? {
        do throws(PDFError) { return try PDFSignatureReading.signatures(in: document) } catch {
            Fuzzing.require(!error.reason.isEmpty, "a refusal without a reason")
            return nil
        }
    }

    /// - Parameter variant: Chooses where the signature stands.
    /// - Returns: nil where it is refused.
    private static func sign(_ document: OctetString, _ signer: PDFSigner, variant: Int) -> OctetString? {
        var options = PDFSignatureOptions(signerName: "Alice \u{141}", time: 1_790_000_000, reservedOctets: 64)
        switch variant % 4 {
        case 1: options.area = PDFSignatureOptions.Area.allCases[variant % 5]
        case 2: options.page = 1
        case 3: options.fieldName = "Signature1"
        default: options.reason = "fuzz"
        }
        do throws(PDFError) {
            return try signer.prepare(document, options).finish(cms: cms).collected()
        } catch {
            Fuzzing.require(!error.reason.isEmpty && error.kind != .room, "a refusal without a reason")
            return nil
        }
    }

    private static func isSignedAttachment(_ octets: OctetString) -> Bool {
        let head = "Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        do throws(MessageSyntaxError) {
            let message = try Message(reading: OctetRope([OctetString(head), octets]).collected())
            return InspectedMessage(message, recipients: [], sender: nil).attachments.contains(where: \.isSigned)
        } catch {
            return false
        }
    }
}
