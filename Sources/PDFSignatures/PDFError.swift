/// The reason why an operation on a PDF failed. Every failure is permanent: the same document causes it again.
public struct PDFError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// There is no `%PDF-` at the beginning.
        case notPDF
        /// The structure is broken, so that a reader would have to guess.
        case damaged
        /// A password or its permissions protect the document.
        case encrypted
        /// More objects, deeper or larger ones than are looked through.
        case tooComplex
        /// A lawful document of a form that is not handled.
        case unsupported
        /// The document's own rules forbid the change: it is certified or locked.
        case forbidden
        /// The requested signature field does not exist, is filled, or is not a signature field.
        case field
        /// The page that was asked for is not there, or has no usable area.
        case page
        /// A field demands of its signature what was not offered (seed values, ISO 32000-1 §12.7.4.5).
        case constraint
        /// The signature is larger than the room kept for it.
        case room
        /// The library failed: no memory, no font.
        case failed
    }
    public let kind: Kind
    /// The fault, its place and advice, in one line.
    public let reason: String

    public init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }

    public var description: String { reason }
}
