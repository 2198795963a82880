/// The operation that a document is sent for.
public enum DocumentOperation: String, Sendable, Hashable, CaseIterable {
    case sign, verify
}

/// The wrapping of one document in `InputDocuments/Document`.
public struct DocumentForm: Sendable, Hashable {
    public enum Element: String, Sendable, Hashable, CaseIterable {
        case base64Data = "Base64Data"
        case base64XML = "Base64XML"
    }
    public var element: Element
    /// The MimeType attribute; only Base64Data has one. ADSS takes bare words such as `PDF`.
    public var mimeType: String?

    public init(_ element: Element, mimeType: String? = nil) {
        self.element = element
        self.mimeType = mimeType
    }
}

/// The wrapping of each kind of document for each operation; complete.
public struct DocumentTable: Sendable, Hashable {
    private struct Key: Sendable, Hashable {
        let kind: DocumentKind
        let operation: DocumentOperation
    }
    /// The forms that differ from Base64Data without a media type.
    private var forms: [Key: DocumentForm] = [:]

    public init() {}

    public subscript(kind: DocumentKind, operation: DocumentOperation) -> DocumentForm {
        get { forms[Key(kind: kind, operation: operation)] ?? DocumentForm(.base64Data) }
        set { forms[Key(kind: kind, operation: operation)] = newValue }
    }

    /// As ADSS was seen to be spoken to; no word where none was seen.
    public static let adss: DocumentTable = {
        var table = DocumentTable()
        table[.pdf, .sign] = DocumentForm(.base64Data, mimeType: "PDF")
        table[.pdf, .verify] = DocumentForm(.base64Data, mimeType: "PDF")
        table[.xml, .sign] = DocumentForm(.base64XML)
        return table
    }()

    /// By the standard: IANA media types, XML as Base64XML.
    public static let dss10: DocumentTable = {
        var table = DocumentTable()
        for operation in DocumentOperation.allCases {
            table[.pdf, operation] = DocumentForm(.base64Data, mimeType: "application/pdf")
            table[.xml, operation] = DocumentForm(.base64XML)
            table[.cms, operation] = DocumentForm(.base64Data, mimeType: "application/octet-stream")
            table[.email, operation] = DocumentForm(.base64Data, mimeType: "application/octet-stream")
        }
        return table
    }()
}
