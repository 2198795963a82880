import DocumentKinds
import Octets
import Processing

/// Processing's look into documents that carry their signatures within: each format by its own reader.
struct DocumentInspecting: DocumentInspection {
    func obstacle(toSigning document: OctetString, as format: DocumentFormat) throws(Failure) -> String? {
        switch format {
        case .pdf: try PDFInspecting().obstacle(toSigning: document)
        case .xml: try XMLInspecting().obstacle(toSigning: document)
        }
    }

    func check(
        _ signed: OctetString, from original: OctetString, as format: DocumentFormat
    ) throws(Failure) -> MadeSignature {
        switch format {
        case .pdf: try PDFInspecting().check(signed, from: original)
        case .xml: try XMLInspecting().check(signed, from: original)
        }
    }

    func signatures(in document: OctetString, as format: DocumentFormat) throws(Failure) -> [DocumentSignature] {
        switch format {
        case .pdf: try PDFInspecting().signatures(in: document)
        case .xml: try XMLInspecting().signatures(in: document)
        }
    }
}
