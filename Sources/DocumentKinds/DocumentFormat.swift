import InternetMessage

/// A format of document that carries its signatures within. What programs call it, and the names and types under which
/// they open it, is said here alone.
public enum DocumentFormat: String, Sendable, Hashable, CaseIterable {
    case pdf, xml

    /// The kind of its first octets.
    public var kind: DocumentOpening.Kind {
        switch self {
        case .pdf: .pdf
        case .xml: .xml
        }
    }

    /// For people.
    public var words: String {
        switch self {
        case .pdf: "PDF"
        case .xml: "XML document"
        }
    }

    /// Returns true if a program for this format opens what is declared as `mediaType`, in lower case.
    public func isDeclared(by mediaType: String) -> Bool {
        switch self {
        case .pdf: mediaType.hasSuffix("/pdf") || mediaType.hasSuffix("/x-pdf")
        // RFC 7303 §4.2.
        case .xml: mediaType.hasSuffix("/xml") || mediaType.hasSuffix("+xml")
        }
    }

    /// Returns true if a file of this format is opened as such under a name with `ending`, in lower case.
    public func opens(_ ending: String) -> Bool {
        switch self {
        case .pdf: ending == "pdf"
        // Documents of XML have many endings.
        case .xml: !Self.endingsOfOthers.contains(ending)
        }
    }

    /// The endings of programs that forgive octets which are none of theirs, or that choose by octets themselves.
    private static let endingsOfOthers: Set<String> = [
        "html", "htm", "shtml", "hta", "mht", "mhtml", "pdf", "ps", "eps", "doc", "docx", "docm", "dot", "rtf", "xls",
        "xlsx", "xlsm", "xlsb", "ppt", "pptx", "pptm", "odt", "ods", "odp", "zip", "jar", "rar", "js", "jse", "vbs",
        "wsh", "bat", "cmd", "exe", "com", "scr", "url", "lnk", "eml", "msg", "png", "jpg", "jpeg", "gif", "bmp",
        "tif", "tiff", "webp",
    ]
}

/// The way in which a document that may carry signatures is read.
public enum SignedReading: Sendable, Hashable {
    case cms
    /// It carries its signatures within.
    case document(DocumentFormat)
    /// It can be read in several ways; which.
    case ambiguous([DocumentOpening.Kind])

    /// The one reading of a document of these kinds; nil where none of them carries signatures.
    ///
    /// A CMS object may hold the octets of a PDF where a PDF reader finds them, and the other way round: unless nothing
    /// that the document says of itself speaks of the second reading, it is ambiguous.
    /// - Parameter declares: Returns true if a reader would open it as this kind, by its name or media type.
    public init?(of kinds: Set<DocumentOpening.Kind>, declares: (DocumentOpening.Kind) -> Bool) {
        let possible = DocumentOpening.Kind.allCases.filter { kinds.contains($0) && $0.signedReading != nil }
        // CMS comes first.
        let ordered = possible.filter { $0 == .cms } + possible.filter { $0 != .cms }
        guard let first = ordered.first, let reading = first.signedReading else { return nil }
        let readings = ordered.filter { $0 == first || first != .cms || declares($0) }
        self = readings.count == 1 ? reading : .ambiguous(readings)
    }

    /// The readings of an ambiguous document in words, such as `CMS and as PDF`.
    public static func words(_ readings: [DocumentOpening.Kind]) -> String {
        readings.map { $0.rawValue.uppercased() }.joined(separator: " and as ")
    }
}

extension DocumentOpening.Kind {
    /// The reading of a document of this kind alone; nil if the kind carries no signatures.
    public var signedReading: SignedReading? {
        switch self {
        case .cms: .cms
        case .pdf: .document(.pdf)
        case .xml: .document(.xml)
        case .zip, .ole, .png, .jpeg, .gif: nil
        }
    }
}
