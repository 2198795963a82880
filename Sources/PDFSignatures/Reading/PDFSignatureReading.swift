public import Octets
import PDFStructure

/// Finds the signatures of a PDF and judges what its structure says of them.
///
/// It reads the file strictly. The signed content is compared with the shown content: after a signed revision only
/// further signatures with their fields, document timestamps and validation data may follow (``ChangeReview``).
///
/// Everything else is invalid, whatever DocMDP would allow, because the verdict is read as "this document was signed".
public enum PDFSignatureReading {
    /// All signatures, in the order of their revisions; empty when the document has none.
    ///
    /// A dictionary that carries a /ByteRange but is not the value of a signature field is returned too, as invalid, so
    /// that a signature cannot be overlooked. So is one that the cross-references omit, unless somebody signed the
    /// document so later. A document whose structure is broken but that holds such a dictionary gives signatures that
    /// are invalid; without one it is an error.
    ///
    /// Time is linear in the document's size and bounded by a budget of work; the document is not copied. An encrypted
    /// document is read as far as that needs no key: its strings are left out, and one whose structure is encrypted too
    /// (object streams) is an error when it holds a signature.
    /// - Throws: ``PDFError``: `notPDF`, `damaged`, `encrypted`, `tooComplex`, `unsupported`.
    public static func signatures(in document: OctetString) throws(PDFError) -> [PDFSignature] {
        guard document.count <= Int32.max else {
            throw PDFError(.tooComplex, "a document of more than \(Int32.max) octets")
        }
        do throws(PDFSyntaxError) {
            let file = try PDFFile(document, budget: WorkBudget())
            return try SignatureCollection(file: file).signatures()
        } catch {
            let isSigned = ByteRangeName.offset(in: document) != nil
            // Names are not encrypted, and a signature stands outside of object streams, so there is none.
            if error.kind == .encrypted, !isSigned { return [] }
            guard error.kind == .damaged, isSigned else { throw PDFError(error) }
            // Somebody signed it once: that this cannot be read any more is a verdict, not a technical matter.
            var signature = PDFSignature()
            signature.isInvalid("the document was damaged or changed after signing: \(error.reason)")
            return [signature]
        }
    }
}

extension PDFError {
    init(_ error: PDFSyntaxError) {
        let kind: Kind =
            switch error.kind {
            case .notPDF: .notPDF
            case .damaged: .damaged
            case .tooComplex: .tooComplex
            case .unsupported: .unsupported
            case .encrypted: .encrypted
            }
        self.init(kind, error.reason)
    }
}
