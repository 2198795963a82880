public import Octets
import PDFStructure

/// Finds the signatures of a PDF and judges what its structure says of them.
///
/// It reads the file strictly. What is signed is compared with what is shown: after a signed revision only further
/// signatures with their fields, document timestamps and validation data may follow (``ChangeReview``); everything
/// else is invalid, whatever DocMDP would allow, because the verdict is read as "this document was signed".
public enum PDFSignatureReading {
    /// All signatures, in the order of their revisions; empty when the document has none.
    ///
    /// A dictionary that carries a /ByteRange but is not the value of a signature field is among them, as invalid, so that
    /// a signature cannot be overlooked. A document whose structure is broken but that holds such a dictionary gives
    /// signatures that are invalid; without one it is an error.
    ///
    /// Time is linear in the document's size and bounded by a budget of work; the document is not copied. An encrypted
    /// document is read as far as that needs no key.
    /// - Throws: ``PDFError``: `notPDF`, `damaged`, `encrypted` (structure that only the key reveals), `tooComplex`,
    ///   `unsupported`.
    public static func signatures(in document: OctetString) throws(PDFError) -> [PDFSignature] {
        guard document.count <= Int32.max else {
            throw PDFError(.tooComplex, "a document of more than \(Int32.max) octets")
        }
        do throws(PDFSyntaxError) {
            let file = try PDFFile(document, budget: WorkBudget())
            return try SignatureCollection(file: file).signatures()
        } catch {
            guard error.kind == .damaged, ByteRangeName.occurs(in: document) else { throw PDFError(error) }
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

/// Looks for the name /ByteRange anywhere, for documents that have no structure left.
enum ByteRangeName {
    static func occurs(in document: OctetString) -> Bool {
        document.withUnsafeBytes { octets in
            var index = 0
            while let slash = octets.firstOffset(of: UInt8(ascii: "/"), from: index) {
                index = slash + 1
                if isByteRange(octets, index) { return true }
            }
            return false
        }
    }

    private static func isByteRange(_ octets: UnsafeRawBufferPointer, _ start: Int) -> Bool {
        var index = start
        for expected in "ByteRange".utf8 {
            guard index < octets.count else { return false }
            if octets[index] == expected {
                index += 1
            } else if octets[index] == UInt8(ascii: "#"), index + 2 < octets.count,
                UInt8(String(decoding: octets[(index + 1)...(index + 2)], as: UTF8.self), radix: 16) == expected
            {
                index += 3
            } else {
                return false
            }
        }
        return true
    }
}
