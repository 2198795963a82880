/// The reason why a document could not be signed, or not be examined.
///
/// An invalid signature is not an error: ``XMLSignature`` reports it.
public struct XMLSignatureError: Error, Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// Not well-formed, or names a namespace prefix that is not declared.
        case malformed
        /// A document type declaration: refused whatever is in it, so that no entity is ever defined.
        case documentType
        /// Larger, deeper or with more nodes than ``XMLSignatureLimits`` says.
        case limit
        /// A charset that is not written here, or something that canonical XML cannot express.
        case unsupported
        /// A signature is there that one more would break.
        case alreadySigned
        /// The private key or the certificate cannot be used, or they do not belong together.
        case key
        /// No timestamp came back.
        case timestamp
        /// A library could not do it: no memory, a calculation that failed.
        case failed
    }
    public let kind: Kind
    /// The line of the document, counted from 1; 0 if there is none.
    public let line: Int
    /// The fault and advice, in one line without control characters; it may contain words of the document.
    public let reason: String

    public init(_ kind: Kind, line: Int = 0, _ reason: String) {
        self.kind = kind
        self.line = line
        self.reason = OneLine.of(reason)
    }
}

extension XMLSignatureError: CustomStringConvertible {
    public var description: String { line > 0 ? "line \(line): \(reason)" : reason }
}

/// Another's words as one bounded line.
enum OneLine {
    static func of(_ text: String) -> String {
        var words = ""
        var pendingSpace = false
        for scalar in text.unicodeScalars.prefix(1_000) {
            let isControl = scalar.value <= 0x20 || (0x7F...0x9F).contains(scalar.value)
            if isControl || (0x2028...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value) {
                pendingSpace = !words.isEmpty
                continue
            }
            if pendingSpace { words.append(" ") }
            pendingSpace = false
            words.unicodeScalars.append(scalar)
        }
        return words
    }
}

/// Limits on XML that is signed and verified.
///
/// The document is held as a tree of libxml2, some 125 octets a node beside its text, so the number of nodes is bounded
/// too. Measured at both limits: 65 MiB of memory to sign or verify, 85 MiB to compare; for a document of 1 MiB a
/// tenth of that.
public enum XMLSignatureLimits {
    /// The most octets of a document, signature included.
    public static let octets = 16 << 20
    /// The most nodes: elements, texts, comments and instructions count one, attributes two, declarations one.
    public static let nodes = 400_000
    /// The deepest nesting of elements; the root has depth 1.
    public static let depth = 200
    /// The most attributes of one element, and the most namespace declarations in force at one place.
    public static let attributes = 256
    /// The largest number of signatures; a document with more is refused.
    public static let signatures = 16
    /// The most references of one signature.
    public static let references = 10
    /// The most certificates of one signature.
    public static let certificates = 16
    /// The largest number of known certificates that are tried for a signature without any.
    public static let candidates = 64
    /// The most timestamps of one signature.
    public static let timestamps = 8
    /// The limit on namespace declarations that one canonicalisation may visit.
    static let namespaceWork = 200_000_000
    /// The limit on the work of canonicalisation for the signatures of one document, in nodes.
    static let work = 6_000_000
}
