import CQPDF
import Octets

/// The objects of one PDF as qpdf reads them. Nothing is copied: qpdf reads within `octets`, which live as long.
///
/// Reading never fails half way: what is broken reads as null, and what qpdf found is kept until ``throwFault()`` is
/// called, which must be done before anything is concluded from what was read. It is for one thread at a time.
final class PDFDocument {
    /// What to do about a structure that is broken.
    enum Reading: Hashable {
        /// It is a fault: nothing is guessed.
        case strict
        /// qpdf looks for objects where the cross-reference table fails.
        case recovering
    }

    let octets: OctetString
    let raw: qpdf_data
    /// Each look at an object costs one; when they are used up, all further looks yield null and the document is a fault.
    private var looksLeft: Int
    /// The first error, which stays.
    private var fault: PDFError?
    /// What qpdf had to say and read over, oldest first, at most ``mostWarnings``.
    private var kept: [String] = []
    private static let mostWarnings = 20

    /// - Parameter looks: How many objects may be looked at; the bound of all work with this document.
    /// - Throws: ``PDFError`` of kind `notPDF`, `encrypted` (a password is needed) or `damaged`.
    init(_ octets: OctetString, _ reading: Reading, looks: Int = 500_000) throws(PDFError) {
        self.octets = octets
        looksLeft = looks
        guard let raw = qpdf_init() else { throw PDFError(.failed, "qpdf has no memory") }
        self.raw = raw
        qpdf_silence_errors(raw)
        qpdf_set_suppress_warnings(raw, QPDF_TRUE)
        qpdf_set_attempt_recovery(raw, reading == .recovering ? QPDF_TRUE : QPDF_FALSE)
        guard octets.starts(with: Array("%PDF-".utf8)) else {
            throw PDFError(.notPDF, "this is no PDF: it does not begin with %PDF-")
        }
        // The storage behind the octets neither moves nor changes, and is held by this object until qpdf is gone.
        let status = octets.withUnsafeBytes { buffer in
            qpdf_read_memory(
                raw, "document", buffer.bindMemory(to: CChar.self).baseAddress, UInt64(buffer.count), nil)
        }
        collect()
        if let fault { throw fault }
        guard status & cqpdf_errors == 0 else { throw PDFError(.damaged, "the PDF cannot be read") }
    }

    deinit {
        var raw: qpdf_data? = raw
        withExtendedLifetime(octets) { qpdf_cleanup(&raw) }
    }

    /// The newest trailer dictionary.
    var trailer: PDFObject { look { qpdf_get_trailer($0) } }
    /// The catalog.
    var root: PDFObject { look { qpdf_get_root($0) } }
    /// The indirect object, null when there is none.
    func object(_ reference: PDFReference) -> PDFObject {
        guard let number = Int32(exactly: reference.number), let generation = Int32(exactly: reference.generation)
        else { return PDFObject(nil, of: self) }
        return look { qpdf_get_object_by_id($0, number, generation) }
    }
    /// One more than the highest object number, as the newest trailer has it; it may lie.
    var objectCount: Int { trailer["Size"].integer ?? 0 }
    var isEncrypted: Bool { qpdf_is_encrypted(raw) == QPDF_TRUE }
    /// The version in the header, "1.7".
    var headerVersion: String { qpdf_get_pdf_version(raw).map { String(cString: $0) } ?? "" }

    /// What qpdf had to say so far and read over.
    var warnings: [String] {
        collect()
        return kept
    }

    /// Throws the first error there was, if there was one. Warnings are none.
    func throwFault() throws(PDFError) {
        collect()
        if let fault { throw fault }
    }

    /// Notes a fault that reading found; the first one stays.
    func note(_ error: PDFError) { if fault == nil { fault = error } }

    /// Makes an object of what `body` finds, or null when all looks are used up.
    func look(_ body: (qpdf_data) -> qpdf_oh) -> PDFObject {
        guard spend(1) else { return PDFObject(nil, of: self) }
        let handle = body(raw)
        if qpdf_has_error(raw) == QPDF_TRUE { collect() }
        return PDFObject(PDFObject.Handle(handle, of: self), of: self)
    }

    /// Takes `looks` from what is left.
    func spend(_ looks: Int) -> Bool {
        guard looksLeft >= looks else {
            looksLeft = 0
            note(PDFError(.tooComplex, "the PDF has more objects than are looked through"))
            return false
        }
        looksLeft -= looks
        return true
    }

    /// Takes over qpdf's error and warnings.
    func collect() {
        while qpdf_has_error(raw) == QPDF_TRUE, let error = qpdf_get_error(raw) {
            let text = detail(of: error)
            switch qpdf_get_error_code(raw, error) {
            case qpdf_e_password:
                note(PDFError(.encrypted, "the PDF is encrypted and needs a password to open"))
            case qpdf_e_system, qpdf_e_internal: note(PDFError(.failed, "qpdf cannot read the PDF: \(text)"))
            case qpdf_e_unsupported:
                note(PDFError(.unsupported, "the PDF uses what is not supported here: \(text)"))
            default: note(PDFError(.damaged, "the PDF is damaged: \(text)"))
            }
        }
        while qpdf_more_warnings(raw) == QPDF_TRUE, let warning = qpdf_next_warning(raw) {
            if kept.count < Self.mostWarnings { kept.append(detail(of: warning)) }
        }
    }

    /// The message with its place, and without what could break a line.
    private func detail(of error: qpdf_error) -> String {
        let text = qpdf_get_error_message_detail(raw, error).map { String(cString: $0) } ?? "no reason given"
        let position = qpdf_get_error_file_position(raw, error)
        let plain = String(text.unicodeScalars.prefix(200).map { $0.value < 0x20 ? " " : Character($0) })
        return position > 0 ? "\(plain) (at octet \(position))" : plain
    }
}
