import DSSProtocol
public import DocumentKinds
import InternetMessage
public import Workflows

extension DocumentKind {
    /// The kind that the signing server is asked about for a document of `format`.
    init(_ format: DocumentFormat) {
        switch format {
        case .pdf: self = .pdf
        case .xml: self = .xml
        }
    }

    /// The format that carries its signatures within; nil for what is signed as CMS.
    var format: DocumentFormat? { DocumentFormat.allCases.first { DocumentKind($0) == self } }
}

extension AttachmentFacts {
    /// The form in which it is signed, by its content; nil when it is not signed.
    public var signedReading: SignedReading? {
        isSigned ? SignedReading(of: contentKinds, declares: { declares($0.rawValue) }) : nil
    }

    /// Returns true if a reader would open it as `kind`, by its name or media type.
    private func declares(_ kind: String) -> Bool {
        shownFileName?.hasEnding(kind) == true || mediaType.hasSuffix("/" + kind)
            || mediaType.hasSuffix("+" + kind)
    }

    /// Returns true if it is called a document of `format`, by its name or media type.
    func claims(_ format: DocumentFormat) -> Bool {
        shownFileName?.hasEnding(format.rawValue) == true || format.isDeclared(by: mediaType)
    }
}
