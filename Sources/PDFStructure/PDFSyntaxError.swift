/// The reason why a PDF cannot be read without guessing.
package struct PDFSyntaxError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// It does not begin with `%PDF-`.
        case notPDF
        /// The structure is broken: a lenient reader would have to guess.
        case damaged
        /// More or deeper structure than is looked through; see ``WorkBudget``.
        case tooComplex
        /// Lawful, but of a form that is not read.
        case unsupported
        /// An object stream is encrypted, and there is no key.
        case encrypted
    }
    package let kind: Kind
    /// The fault and its place (octet offsets count from 0), in one line.
    package let reason: String

    package init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }

    static func damaged(_ reason: String) -> PDFSyntaxError { PDFSyntaxError(.damaged, reason) }

    package var description: String { reason }
}

/// A limit on the work that one document may cause, whatever its own numbers claim.
package final class WorkBudget {
    private var rest: Int

    /// - Parameter octets: The number of octets that may be lexed or decompressed. Those of one object count as often
    ///   as it is read.
    package init(octets: Int = 256 << 20) { rest = octets }

    /// - Throws: ``PDFSyntaxError/Kind/tooComplex`` when nothing is left.
    package func spend(_ octets: Int) throws(PDFSyntaxError) {
        rest -= octets
        if rest < 0 { throw PDFSyntaxError(.tooComplex, "reading the document takes more work than is allowed") }
    }
}
