import DSSProtocol
import DocumentKinds
import Octets

/// The kinds of answer, recognised by their beginning.
enum ContentKind: Hashable {
    case document(DocumentFormat)
    case cms, mime

    /// nil for anything else.
    init?(_ octets: OctetString) {
        let opening = DocumentOpening(of: octets)
        if opening.isSignedData {
            self = .cms
        } else if opening.pdfOffset == 0 {
            self = .document(.pdf)
        } else if opening.beginsWithField {
            self = .mime
        } else if opening.pdfOffset != nil {
            self = .document(.pdf)
        } else if opening.isMarkup {
            self = .document(.xml)
        } else {
            return nil
        }
    }

    /// The answer that these octets are for a document of `kind`; nil when they do not fit.
    static func answer(_ octets: OctetString, for kind: DocumentKind) -> SigningAnswer? {
        let found = ContentKind(octets)
        return switch kind {
        case .pdf: found == .document(.pdf) ? .document(octets) : nil
        case .xml: found == .document(.xml) ? .document(octets) : nil
        case .email: found == .mime ? .document(octets) : found == .cms ? .cms(octets) : nil
        case .cms: found == .cms ? .cms(octets) : nil
        }
    }
}
