public import Octets
import PDFStructure

/// The protection in a document that forbids to sign it once more.
public enum PDFProtection {
    /// The reason in words; nil when a further signature may be added.
    ///
    /// It is encrypted, or certified so that nothing may be changed any more (DocMDP level 1, ISO 32000-1 §12.8.2.2).
    /// - Throws: ``PDFError`` when the document cannot be read strictly: its signatures could not be checked either.
    public static func obstacle(in document: OctetString) throws(PDFError) -> String? {
        do throws(PDFSyntaxError) {
            let file = try PDFFile(document, budget: WorkBudget())
            if file.sections.contains(where: { $0.trailer["Encrypt"] != .null }) { return "it is encrypted" }
        } catch {
            throw PDFError(error)
        }
        let certification = try PDFSignatureReading.signatures(in: document).first { $0.certificationLevel == 1 }
        return certification.map { signature in
            "it is certified against every change"
                + (signature.fieldName.map { " by the signature \"\($0)\"" } ?? "")
        }
    }
}
