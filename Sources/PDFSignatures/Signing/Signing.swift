import FontEmbedding
import Octets
import PDFStructure

/// One signature on its way into one document.
struct Signing {
    let source: SigningSource
    let form: FormReading
    let options: PDFSignatureOptions
    let fonts: FontStack
    private var update: IncrementalUpdate
    /// The field to be added to the form.
    private var newField: IndirectReference?
    /// Arrays that more than one object refers to. One array may be the annotations of two pages, or of a page and the
    /// fields of the form too. It stays unchanged, and a longer one is put in its place where it is meant.
    private var sharedArrays: Set<Int> = []

    init(source: SigningSource, form: FormReading, options: PDFSignatureOptions, fonts: FontStack) {
        self.source = source
        self.form = form
        self.options = options
        self.fonts = fonts
        update = IncrementalUpdate(source, freeNumbers: [])
    }

    /// - Parameter isFirst: True if the document has no signature yet.
    mutating func sign(_ target: Target, isFirst: Bool) throws(PDFError) -> PreparedPDFSignature {
        try look(atReferencesFor: target, isFirst: isFirst)
        let signature = update.reserve()
        let value = try signatureDictionary(target)
        update.set(signature, value.octets)
        let appearance = try appearance(target)
        switch target.place {
        case .existing(let field): try fill(field, with: signature, appearance)
        case .new(let page): try addField(target, on: page, signature, appearance)
        }
        try declare(isFirst: isFirst)

        var written = update.written()
        guard let body = written.bodies[signature] else {
            throw PDFError(.failed, "the signature was left out of the update")
        }
        let place = body + value.contents.lowerBound..<body + value.contents.upperBound
        let begin = source.document.count
        let gap = begin + place.lowerBound..<begin + place.upperBound
        let range = Array(
            "[0 \(gap.lowerBound) \(gap.upperBound) \(begin + written.octets.count - gap.upperBound)]".utf8)
        let slot = body + value.byteRange.lowerBound
        written.octets.replaceSubrange(slot..<slot + range.count, with: range)
        return PreparedPDFSignature(
            document: source.document, update: written.octets, place: place, fieldName: target.name)
    }

    /// Finds numbers for new objects, and arrays that must not be changed.
    private mutating func look(atReferencesFor target: Target, isFirst: Bool) throws(PDFError) {
        var arrays: Set<Int> = []
        if case .new(let page) = target.place {
            for value in [page.dictionary["Annots"], form.form["Fields"]] {
                if let number = value.reference?.number { arrays.insert(number) }
            }
        }
        let (free, census) = try source.freeNumbers(IncrementalUpdate.maximumObjects, counting: arrays)
        // A verifier of a signature with later updates must read all of the signed content.
        if !isFirst, let number = census.unreadable.min() {
            throw PDFError(
                .damaged,
                "object \(number) of the PDF cannot be read, so that a further signature would break those that are there"
            )
        }
        update = IncrementalUpdate(source, freeNumbers: free)
        sharedArrays = arrays.filter { census.references[$0] ?? 0 > 1 }
    }

    /// Returns the signature dictionary with blanks for /ByteRange and zeros for /Contents, and the places of these in
    /// it.
    private func signatureDictionary(
        _ target: Target
    ) throws(PDFError) -> (octets: [UInt8], byteRange: Range<Int>, contents: Range<Int>) {
        var entries: [String: [UInt8]] = [
            "Filter": PDFSyntax.name("Adobe.PPKLite"), "SubFilter": PDFSyntax.name(PDFSigner.subFilter),
            "M": PDFSyntax.date(CalendarTime(unix: options.time)), "Name": PDFSyntax.text(options.signerName),
        ]
        if let reason = options.reason { entries["Reason"] = PDFSyntax.text(reason) }
        if let location = options.location { entries["Location"] = PDFSyntax.text(location) }
        if let contactInfo = options.contactInfo { entries["ContactInfo"] = PDFSyntax.text(contactInfo) }
        if case .existing(let field) = target.place, let lock = try source.dictionary(field.dictionary["Lock"]) {
            entries["Reference"] = try FieldLock.transforms(for: lock, source)
        }
        var octets = Array("<< /Type /Sig /ByteRange ".utf8)
        let byteRange = octets.count..<octets.count + 48
        octets += [UInt8](repeating: 0x20, count: byteRange.count)
        octets += Array(" /Contents ".utf8)
        let contents = octets.count..<octets.count + 2 * max(0, options.reservedOctets) + 2
        octets += PDFSyntax.hexadecimalString([UInt8](repeating: 0, count: max(0, options.reservedOctets)))
        octets += PDFSyntax.dictionary(entries).dropFirst(2)
        return (octets, byteRange, contents)
    }

    private mutating func appearance(_ target: Target) throws(PDFError) -> IndirectReference {
        guard let box = target.box, let view = target.view else { return StampDrawing.addEmpty(to: &update) }
        let size = view.seenSize(box)
        let lines = options.look.lines(
            name: options.signerName, reason: options.reason, location: options.location,
            time: CalendarTime(unix: options.time).readable)
        return try StampDrawing(
            width: size.width, height: size.height, rotation: view.rotation, texts: lines, look: options.look,
            fonts: fonts
        ).add(to: &update)
    }

    private func flags(_ former: Int) -> [UInt8] {
        // To be printed, which PDF/A wants, and not to be moved (§12.5.3).
        Array("\(former | 1 << 2 | 1 << 7)".utf8)
    }

    private mutating func fill(
        _ field: SignatureField, with signature: IndirectReference, _ appearance: IndirectReference
    ) throws(PDFError) {
        guard !field.dictionary.hasDuplicates, field.widget?.dictionary.hasDuplicates != true else {
            throw PDFError(.damaged, "the signature field '\(field.name)' of the PDF has a key twice")
        }
        var changes = ["V": Array(signature.description.utf8)]
        if let widget = field.widget {
            let drawn = [
                "AP": PDFSyntax.dictionary(["N": Array(appearance.description.utf8)]),
                "F": flags(try source.resolved(widget.dictionary["F"]).integer ?? 0),
            ]
            if field.isMerged {
                changes.merge(drawn) { $1 }
            } else {
                update.set(widget.reference, PDFSyntax.dictionary(widget.dictionary, setting: drawn))
            }
        }
        update.set(field.reference, PDFSyntax.dictionary(field.dictionary, setting: changes))
    }

    private mutating func addField(
        _ target: Target, on page: PDFPage, _ signature: IndirectReference, _ appearance: IndirectReference
    ) throws(PDFError) {
        let field = update.add(
            PDFSyntax.dictionary([
                "Type": PDFSyntax.name("Annot"), "Subtype": PDFSyntax.name("Widget"), "FT": PDFSyntax.name("Sig"),
                "T": PDFSyntax.text(target.name), "V": Array(signature.description.utf8),
                "Rect": Array(PDFSyntax.numbers(target.box?.sides ?? [0, 0, 0, 0]).utf8), "F": flags(0),
                "P": Array(page.reference.description.utf8),
                "AP": PDFSyntax.dictionary(["N": Array(appearance.description.utf8)]),
            ]))
        if let annotations = try extended(page.dictionary["Annots"], with: field, "/Annots of a page") {
            update.set(page.reference, PDFSyntax.dictionary(page.dictionary, setting: ["Annots": annotations]))
        }
        newField = field
    }

    /// The array behind `value` with `reference` at its end. One that is an object of its own is written again as that.
    /// - Returns: The replacement of `value`; nil if it stays.
    private mutating func extended(
        _ value: PDFValue, with reference: IndirectReference, _ what: String
    ) throws(PDFError) -> [UInt8]? {
        let items = try source.array(value, what)
        let extended = PDFSyntax.array(items.map(PDFSyntax.value) + [Array(reference.description.utf8)])
        guard let own = value.reference, !sharedArrays.contains(own.number), try source.resolved(value) != .null else {
            return extended
        }
        update.set(own, extended)
        return nil
    }

    /// Catalog and form: the new field, that there are signatures, and which extension of PDF they are of.
    private mutating func declare(isFirst: Bool) throws(PDFError) {
        var changes: [String: [UInt8]] = [:]
        let flags = try source.resolved(form.form["SigFlags"]).integer ?? 0
        // Signatures exist, and only appending keeps them (§12.7.2, table 219).
        if flags & 3 != 3 { changes["SigFlags"] = Array("\(flags | 3)".utf8) }
        if let newField,
            let fields = try extended(form.form["Fields"], with: newField, "/Fields of the form")
        {
            changes["Fields"] = fields
        }
        var catalog: [String: [UInt8]] = [:]
        if !changes.isEmpty {
            let octets = PDFSyntax.dictionary(form.form, setting: changes)
            if let reference = form.reference {
                update.set(reference, octets)
            } else if form.form.entries.isEmpty {
                catalog["AcroForm"] = Array(update.add(octets).description.utf8)
            } else {
                catalog["AcroForm"] = octets
            }
        }
        if isFirst, let extensions = try extensions() { catalog["Extensions"] = extensions }
        if !catalog.isEmpty { update.set(source.root, PDFSyntax.dictionary(source.catalog, setting: catalog)) }
    }

    /// PAdES in a document before PDF 2.0 is an extension of ETSI (§7.12). Only the first signature declares it: later
    /// ones change the catalog as little as possible.
    private func extensions() throws(PDFError) -> [UInt8]? {
        let header = source.document.prefix(8).dropFirst(5)
        let version = try source.resolved(source.catalog["Version"]).name
        guard header.first != UInt8(ascii: "2"), version?.hasPrefix("2") != true else { return nil }
        let former = try source.resolved(source.catalog["Extensions"])
        guard former == .null || former.dictionary != nil else { return nil }
        let extensions = former.dictionary ?? PDFDictionary()
        guard extensions["ESIC"] == .null, !extensions.hasDuplicates else { return nil }
        return PDFSyntax.dictionary(
            extensions, setting: ["ESIC": Array("<< /BaseVersion /1.7 /ExtensionLevel 1 >>".utf8)])
    }
}
