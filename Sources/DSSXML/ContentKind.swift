import DSSProtocol
import DocumentKinds
import Octets

/// The kinds of answer, told by their beginning.
enum ContentKind: Hashable {
    case pdf, cms, xml, mime

    /// nil for anything else.
    init?(_ octets: OctetString) {
        let opening = DocumentOpening(of: octets)
        if opening.isSignedData {
            self = .cms
        } else if opening.pdfOffset == 0 {
            self = .pdf
        } else if opening.beginsWithField {
            self = .mime
        } else if opening.pdfOffset != nil {
            self = .pdf
        } else if opening.isMarkup {
            self = .xml
        } else {
            return nil
        }
    }

    /// The answer that these octets are for a document of `kind`; nil when they do not fit.
    static func answer(_ octets: OctetString, for kind: DocumentKind) -> SigningAnswer? {
        switch (kind, ContentKind(octets)) {
        case (.pdf, .pdf), (.xml, .xml), (.email, .mime): .document(octets)
        case (.email, .cms), (.cms, .cms): .cms(octets)
        default: nil
        }
    }
}
