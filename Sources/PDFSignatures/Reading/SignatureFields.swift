import PDFStructure

/// A signature field with a value (ISO 32000-1 §12.7.4.5).
struct FilledField {
    /// The number of the field's object; nil when it is written within another.
    let number: Int?
    let name: String
    /// /V as written: a reference, or a dictionary.
    let value: PDFValue
}

/// Finds the signature fields of a revision from its /AcroForm.
struct SignatureFields {
    /// Of fields of all kinds; and how deep they stand.
    static let most = 100_000
    static let deepest = 64

    let file: PDFFile
    private var seen: Set<Int> = []
    private(set) var filled: [FilledField] = []

    private struct Node {
        let value: PDFValue
        let prefix: String?
        let type: String?
        let inherited: PDFValue
        let depth: Int
    }

    static func filled(in file: PDFFile, revision: Int) throws(PDFSyntaxError) -> [FilledField] {
        var search = SignatureFields(file: file)
        let form = try file.resolved(file.catalog(in: revision)["AcroForm"], in: revision)
        guard let form = form.dictionary else {
            guard form == .null else { throw PDFSyntaxError(.damaged, "the /AcroForm of the catalog is no dictionary") }
            return []
        }
        let fields = try file.resolved(form["Fields"], in: revision).array ?? []
        // From the last to the first: the next one is taken from the end.
        var open = fields.reversed().map { Node(value: $0, prefix: nil, type: nil, inherited: .null, depth: 0) }
        var count = 0
        while let node = open.popLast() {
            count += 1
            guard count + open.count <= Self.most else {
                throw PDFSyntaxError(.tooComplex, "more than \(Self.most) form fields")
            }
            open += try search.visit(node, revision)
        }
        return search.filled
    }

    private init(file: PDFFile) { self.file = file }

    /// Notes a filled signature field; returns the nodes below, the last first.
    private mutating func visit(_ node: Node, _ revision: Int) throws(PDFSyntaxError) -> [Node] {
        let number = node.value.reference?.number
        // A field that two lead to is one field.
        if let number, !seen.insert(number).inserted { return [] }
        guard let field = try file.resolved(node.value, in: revision).dictionary else { return [] }
        guard node.depth <= Self.deepest else {
            throw PDFSyntaxError(.tooComplex, "form fields deeper than \(Self.deepest)")
        }
        let part = (try file.resolved(field["T"], in: revision)).string.map { PDFText.text($0.octets) }
        let name = [node.prefix, part].compactMap(\.self).joined(separator: ".")
        let type = try file.resolved(field["FT"], in: revision).name ?? node.type
        var value = field["V"] == .null ? node.inherited : field["V"]
        if type == "Sig", value != .null {
            // A reference to nothing is no value.
            let isValue = try file.resolved(value, in: revision) != .null
            if isValue {
                filled.append(FilledField(number: number, name: name, value: value))
            }
            value = .null
        }
        let kids = try file.resolved(field["Kids"], in: revision).array ?? []
        return kids.reversed().map {
            Node(value: $0, prefix: name.isEmpty ? nil : name, type: type, inherited: value, depth: node.depth + 1)
        }
    }
}
