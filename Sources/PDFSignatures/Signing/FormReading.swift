import PDFStructure

/// A signature field before signing (ISO 32000-1 §12.7.4.5).
struct SignatureField {
    let reference: IndirectReference
    let dictionary: PDFDictionary
    /// The names from the root on, with full stops between (§12.7.3.2).
    let name: String
    /// Its /V, which a field may have from above.
    let value: PDFValue
    /// The place where it is drawn: the field itself if it is merged with its only widget, or the first of its kids.
    let widget: PDFPage?

    var isMerged: Bool { widget?.reference == reference }
}

/// The document's form, with all its signature fields.
struct FormReading {
    /// The form; empty if there is none.
    let form: PDFDictionary
    /// The place of the form, if it is not in the catalog.
    let reference: IndirectReference?
    private(set) var signatureFields: [SignatureField] = []
    /// The names of all fields at the root.
    private(set) var rootNames: Set<String> = []

    private static let maximumFields = 100_000
    private static let deepest = 64

    /// The properties that a field inherits.
    private struct Node {
        let value: PDFValue
        var name = ""
        var type: String?
        var filled = PDFValue.null
        var depth = 0
    }

    init(_ source: SigningSource) throws(PDFError) {
        let form = try source.resolved(source.catalog["AcroForm"])
        guard form == .null || form.dictionary != nil, form.dictionary?.hasDuplicates != true else {
            throw PDFError(.damaged, "the /AcroForm of the PDF is no sound dictionary")
        }
        self.form = form.dictionary ?? PDFDictionary()
        reference = form == .null ? nil : source.catalog["AcroForm"].reference
        var seen: Set<Int> = []
        var open = try source.array(self.form["Fields"], "/Fields of the form").reversed().map { Node(value: $0) }
        while let node = open.popLast() {
            guard let reference = node.value.reference else {
                throw PDFError(.damaged, "the form of the PDF has a field that is no object of its own")
            }
            guard let dictionary = try source.dictionary(node.value) else { continue }
            // A field that two lead to, as some writers have it, is one field.
            guard seen.insert(reference.number).inserted else { continue }
            guard node.depth <= Self.deepest, seen.count <= Self.maximumFields else {
                throw PDFError(.tooComplex, "the form of the PDF has too many fields, or fields too deep in others")
            }
            open += try visit(reference, dictionary, node, source).reversed()
        }
    }

    /// Notes a field; returns the fields below.
    private mutating func visit(
        _ reference: IndirectReference, _ dictionary: PDFDictionary, _ node: Node, _ source: SigningSource
    ) throws(PDFError) -> [Node] {
        let part = try source.resolved(dictionary["T"]).string.map { PDFText.text($0.octets) } ?? ""
        if node.depth == 0 { rootNames.insert(part) }
        var below = node
        below.name = [node.name, part].filter { !$0.isEmpty }.joined(separator: ".")
        below.type = try source.resolved(dictionary["FT"]).name ?? node.type
        if try source.resolved(dictionary["V"]) != .null { below.filled = dictionary["V"] }
        below.depth += 1
        var widgets: [PDFPage] = []
        var fields: [Node] = []
        for kid in try source.array(dictionary["Kids"], "/Kids of a form field") {
            guard let entries = try source.dictionary(kid), let number = kid.reference else { continue }
            // A kid without a name of its own is a widget of this field (§12.7.3.1).
            if entries["T"] == .null, entries["Kids"] == .null {
                widgets.append(PDFPage(reference: number, dictionary: entries))
            } else {
                fields.append(
                    Node(
                        value: kid, name: below.name, type: below.type, filled: below.filled, depth: below.depth))
            }
        }
        if fields.isEmpty, below.type == "Sig" {
            let own = dictionary["Subtype"].name == "Widget"
            signatureFields.append(
                SignatureField(
                    reference: reference, dictionary: dictionary, name: below.name, value: below.filled,
                    widget: own ? PDFPage(reference: reference, dictionary: dictionary) : widgets.first))
        }
        return fields
    }

    /// A name at the root that no field has: Signature1 and so on.
    var freeName: String {
        var number = 1
        while rootNames.contains("Signature\(number)") { number += 1 }
        return "Signature\(number)"
    }
}
