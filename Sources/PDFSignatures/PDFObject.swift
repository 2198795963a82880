import CQPDF
import Octets

/// The number and generation of an indirect object (ISO 32000-1 §7.3.10).
struct PDFReference: Hashable, CustomStringConvertible {
    var number: Int
    var generation: Int

    var description: String { "\(number) \(generation) R" }
}

/// One object of a ``PDFDocument``: a direct one, or one that stands behind a reference, which is followed unasked.
///
/// What does not fit reads as nothing: the item of a dictionary without the key, or of what is no dictionary, is null.
/// Names and keys are without their slash and hold one Unicode scalar for each octet, so that none is lost.
struct PDFObject {
    enum Kind: Hashable {
        case null, boolean, integer, real, string, name, array, dictionary, stream
        /// An operator or what qpdf has no name for; never in a sound file.
        case other
    }

    /// Gives qpdf its handle back.
    final class Handle {
        let raw: qpdf_oh
        let document: PDFDocument

        init(_ raw: qpdf_oh, of document: PDFDocument) {
            self.raw = raw
            self.document = document
        }

        deinit { qpdf_oh_release(document.raw, raw) }
    }

    let document: PDFDocument
    private let handle: Handle?

    /// - Parameter handle: nil for a null that stands nowhere.
    init(_ handle: Handle?, of document: PDFDocument) {
        self.handle = handle
        self.document = document
    }

    private func read<Value>(_ body: (qpdf_data, qpdf_oh) -> Value?) -> Value? {
        guard let handle else { return nil }
        let value = body(document.raw, handle.raw)
        if qpdf_has_error(document.raw) == QPDF_TRUE { document.collect() }
        return value
    }

    /// Reads through the pattern of qpdf's functions that hand over octets.
    private func octets(
        _ body: (qpdf_data, qpdf_oh, UnsafeMutablePointer<UnsafePointer<CChar>?>, UnsafeMutablePointer<Int>)
            -> QPDF_BOOL
    ) -> OctetString? {
        read { raw, object in
            var start: UnsafePointer<CChar>?
            var count = 0
            guard body(raw, object, &start, &count) == QPDF_TRUE, let start else { return nil }
            return OctetString(copying: UnsafeRawBufferPointer(start: start, count: count))
        }
    }

    var kind: Kind {
        let code = read { qpdf_oh_get_type_code($0, $1) }
        return switch code {
        case nil, ot_null, ot_uninitialized: .null
        case ot_boolean: .boolean
        case ot_integer: .integer
        case ot_real: .real
        case ot_string: .string
        case ot_name: .name
        case ot_array: .array
        case ot_dictionary: .dictionary
        case ot_stream: .stream
        default: .other
        }
    }
    var isNull: Bool { kind == .null }
    var isDictionary: Bool { kind == .dictionary }
    var isArray: Bool { kind == .array }
    var isStream: Bool { kind == .stream }

    /// Where it stands, when it does not stand within another object.
    var reference: PDFReference? {
        read { raw, object in
            guard qpdf_oh_is_indirect(raw, object) == QPDF_TRUE else { return nil }
            return PDFReference(
                number: Int(qpdf_oh_get_object_id(raw, object)), generation: Int(qpdf_oh_get_generation(raw, object)))
        }
    }

    // MARK: Scalars

    var boolean: Bool? {
        read { raw, object in
            var value = QPDF_FALSE
            return qpdf_oh_get_value_as_bool(raw, object, &value) == QPDF_TRUE ? value == QPDF_TRUE : nil
        }
    }
    /// An integer; not a real number without fraction.
    var integer: Int? {
        read { raw, object in
            var value: Int64 = 0
            return qpdf_oh_get_value_as_longlong(raw, object, &value) == QPDF_TRUE ? Int(value) : nil
        }
    }
    /// An integer or a finite real number.
    var number: Double? {
        read { raw, object in
            var value = 0.0
            let isNumber = qpdf_oh_get_value_as_number(raw, object, &value) == QPDF_TRUE
            return isNumber && value.isFinite ? value : nil
        }
    }
    /// The octets of a string, decoded from literal or hexadecimal form, not decrypted.
    var string: OctetString? { octets { qpdf_oh_get_value_as_string($0, $1, $2, $3) } }
    var name: String? {
        octets { qpdf_oh_get_value_as_name($0, $1, $2, $3) }.map { PDFName.text($0.dropFirst()) }
    }

    // MARK: Arrays

    /// The number of an array's items; 0 for what is none.
    var count: Int { isArray ? read { Int(qpdf_oh_get_array_n_items($0, $1)) } ?? 0 : 0 }
    subscript(index: Int) -> PDFObject {
        guard let handle, isArray, index >= 0, index < count else { return PDFObject(nil, of: document) }
        return document.look { qpdf_oh_get_array_item($0, handle.raw, Int32(index)) }
    }
    /// The items of an array; none for what is no array.
    var items: some Sequence<PDFObject> { (0..<count).lazy.map { self[$0] } }
    /// The numbers of an array of only numbers.
    var numbers: [Double]? {
        guard isArray, document.spend(count) else { return nil }
        var found: [Double] = []
        for item in items {
            guard let number = item.number else { return nil }
            found.append(number)
        }
        return found
    }

    // MARK: Dictionaries and streams

    /// The item of a dictionary, or of a stream's dictionary.
    subscript(key: String) -> PDFObject {
        guard let dictionary = dictionary?.handle else { return PDFObject(nil, of: document) }
        return document.look { raw in
            PDFName.octets("/" + key).withUnsafeBufferPointer { octets in
                octets.withMemoryRebound(to: CChar.self) { qpdf_oh_get_key(raw, dictionary.raw, $0.baseAddress) }
            }
        }
    }
    /// Itself when it is a dictionary, or the dictionary of a stream.
    var dictionary: PDFObject? {
        guard let handle else { return nil }
        if isDictionary { return self }
        return isStream ? document.look { qpdf_oh_get_dict($0, handle.raw) } : nil
    }
    /// The keys of a dictionary or stream, in qpdf's order; keys whose value is null are as good as absent.
    var keys: [String] {
        guard let dictionary else { return [] }
        return dictionary.read { raw, object in
            var found: [String] = []
            qpdf_oh_begin_dict_key_iter(raw, object)
            while qpdf_oh_dict_more_keys(raw) == QPDF_TRUE, let key = qpdf_oh_dict_next_key(raw), document.spend(1) {
                found.append(PDFName.text(key))
            }
            return found
        } ?? []
    }
    /// The octets of a stream as they stand in the file, before any filter.
    /// - Throws: ``PDFError`` of kind `tooComplex` when there are more than `limit`, `damaged` when it cannot be read.
    func streamOctets(upTo limit: Int) throws(PDFError) -> OctetString {
        guard let handle, isStream else { return OctetString() }
        guard let length = self["Length"].integer, length <= limit else {
            throw PDFError(.tooComplex, "a stream of the PDF is longer than \(limit) octets")
        }
        var start: UnsafeMutablePointer<UInt8>?
        var count = 0
        let status = qpdf_oh_get_stream_data(document.raw, handle.raw, qpdf_dl_none, nil, &start, &count)
        defer { cqpdf_free(start) }
        document.collect()
        guard status & cqpdf_errors == 0 else { throw PDFError(.damaged, "a stream of the PDF cannot be read") }
        return OctetString(copying: UnsafeRawBufferPointer(start: start, count: count))
    }

    // MARK: As text

    /// As PDF syntax: a reference stays one.
    var unparsed: OctetString { text { qpdf_oh_unparse($0, $1) } }
    /// As PDF syntax, without following the references within; of a stream, the reference to it.
    var unparsedResolved: OctetString { text { qpdf_oh_unparse_resolved($0, $1) } }

    private func text(_ body: (qpdf_data, qpdf_oh) -> UnsafePointer<CChar>?) -> OctetString {
        read { raw, object in
            guard let start = body(raw, object) else { return nil }
            let count = qpdf_get_last_string_length(raw)
            return OctetString(copying: UnsafeRawBufferPointer(start: start, count: count))
        } ?? OctetString("null")
    }
}

/// Names between octets and text: one scalar an octet.
enum PDFName {
    static func text(_ octets: some Sequence<UInt8>) -> String {
        var text = ""
        for octet in octets { text.unicodeScalars.append(Unicode.Scalar(octet)) }
        return text
    }

    /// Of a name as qpdf gives it: with its slash, up to a NUL.
    static func text(_ name: UnsafePointer<CChar>) -> String {
        var octets: [UInt8] = []
        var next = name
        while next.pointee != 0 {
            octets.append(UInt8(bitPattern: next.pointee))
            next += 1
        }
        return text(octets.dropFirst())
    }

    /// With a NUL at the end. A scalar above U+00FF, which no name has, becomes one that no name has either.
    static func octets(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8(exactly: $0.value) ?? 0x01 } + [0] }
}
