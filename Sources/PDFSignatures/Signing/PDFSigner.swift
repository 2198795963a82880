import FontEmbedding
public import Octets
import PDFStructure

/// Prepares signatures of PDFs (ISO 32000-1 §12.8, PAdES of ETSI EN 319 142-1): everything but the cryptography.
///
/// The document stays unchanged, octet for octet, and an incremental update is appended to it (§7.5.6), so earlier
/// signatures stay valid. It must be sound: nothing is repaired. Encrypted documents, hybrid ones (/XRefStm) and those
/// whose signatures forbid it are refused.
public struct PDFSigner: Sendable {
    /// Set the text of stamps.
    private let fonts: FontStack

    static let subFilter = "ETSI.CAdES.detached"

    /// The font of Debian's package fonts-dejavu-core.
    public static let standardFontPath = FontFace.standardPath

    /// - Parameter fontPath: A font that stamps are set in and that is embedded in part; its licence bits must
    ///   allow that. For a glyph that it does not have, an installed font is used.
    /// - Throws: ``PDFError`` of kind `failed` when it cannot be used.
    public init(fontPath: String = standardFontPath) throws(PDFError) {
        do throws(FontError) {
            fonts = FontStack(try FontFace(path: fontPath))
        } catch {
            throw PDFError(.failed, error.reason)
        }
    }

    /// The characters of `text` that no installed font has, so that a stamp shows them as missing.
    public func missingCharacters(in text: String) -> [Unicode.Scalar] { fonts.missing(in: text) }

    /// Time and memory are those of the update and of reading the objects it concerns; the document is not copied.
    /// - Throws: ``PDFError``, of every kind but `room`.
    public func prepare(
        _ document: OctetString, _ options: PDFSignatureOptions
    ) throws(PDFError) -> PreparedPDFSignature {
        let source = try SigningSource(document)
        let form = try FormReading(source)
        let permission = try SigningPermission(source, form)
        var signing = Signing(source: source, form: form, options: options, fonts: fonts)
        let target = try signing.target()
        try permission.checkSigning(target.name, isNew: target.isNew, isVisible: target.box != nil)
        return try signing.sign(target, isFirst: !form.signatureFields.contains { $0.value != .null })
    }
}
