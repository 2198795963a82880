import PDFStructure

/// The place of the signature.
extension Signing {
    /// The field that is signed.
    struct Target {
        enum Place {
            case existing(SignatureField)
            case new(page: PDFPage)
        }
        let place: Place
        let name: String
        /// Of a stamp, in the page's coordinates; nil when none shows.
        let box: Box?
        let view: PageView?

        var isNew: Bool { if case .new = place { true } else { false } }
    }

    /// - Throws: ``PDFError`` of kind `field`, `page` or `constraint` if the requested place cannot be signed.
    func target() throws(PDFError) -> Target {
        guard let field = try existingField() else { return try newTarget() }
        if let seedValues = try source.dictionary(field.dictionary["SV"]) {
            try SeedValues(values: seedValues, field: field.name, source: source).check(options)
        }
        let shown = try shownBox(of: field)
        if shown == nil, options.isVisible == true {
            throw PDFError(
                .field,
                "the signature field '\(field.name)' has no visible rectangle; give an area in place of the field, or no visibility"
            )
        }
        let isVisible = options.isVisible ?? (shown != nil)
        return Target(
            place: .existing(field), name: field.name, box: isVisible ? shown?.box : nil, view: shown?.view)
    }

    private func existingField() throws(PDFError) -> SignatureField? {
        if let name = options.fieldName {
            guard options.area == nil else {
                throw PDFError(
                    .field, "a signature field and an area cannot both be asked for: the field has its place")
            }
            guard let field = form.signatureFields.first(where: { $0.name == name }) else {
                throw PDFError(.field, "the PDF has no signature field '\(name)'; it has \(names)")
            }
            guard field.value == .null else {
                throw PDFError(.field, "the signature field '\(name)' is signed already")
            }
            return field
        }
        guard options.area == nil, options.page == nil else { return nil }
        let empty = form.signatureFields.filter { $0.value == .null }
        guard empty.count == 1, let field = empty.first else { return nil }
        // A stamp that is asked for and has no place there is put into a new field.
        if options.isVisible == true, try shownBox(of: field) == nil { return nil }
        return field
    }

    private var names: String {
        let names = form.signatureFields.prefix(8).map { "'\($0.name)'" }
        return names.isEmpty ? "none" : names.joined(separator: ", ")
    }

    private func newTarget() throws(PDFError) -> Target {
        let page = try source.page(options.page ?? 1)
        guard !page.dictionary.hasDuplicates else {
            throw PDFError(.damaged, "the page \(page.reference) of the PDF has a key twice")
        }
        let place = Target.Place.new(page: page)
        guard options.isVisible ?? (options.area != nil || options.page != nil) else {
            return Target(place: place, name: form.freeName, box: nil, view: nil)
        }
        let view = try source.view(of: page)
        var taken: [Box] = []
        for field in form.signatureFields {
            guard let widget = field.widget, widget.dictionary["P"].reference == page.reference,
                let box = Box(try source.numbers(widget.dictionary["Rect"])), !box.isEmpty
            else { continue }
            taken.append(box)
        }
        let signed = form.signatureFields.contains { $0.value != .null } ? try ink(of: page, view) : []
        let seen = try StampPlacement(
            view: view, taken: taken, signed: signed, width: options.look.width, height: options.look.height
        ).box(for: options.area ?? .bottomRight)
        return Target(place: place, name: form.freeName, box: view.onPage(seen), view: view)
    }

    /// Returns the places where the page shows content of earlier signatures.
    private func ink(of page: PDFPage, _ view: PageView) throws(PDFError) -> [Box] {
        do throws(PDFSyntaxError) {
            let covering = Covering(file: source.file, revision: 0, drawings: [])
            return try covering.marks(of: page.dictionary, within: [view.box]).filter(\.isInk).map(\.bounds)
        } catch {
            throw PDFError(
                .page,
                "it cannot be told where page object \(page.reference) has room for a visible signature that hides nothing"
                    + " of what is signed already: \(error.reason); ask for a signature that does not show")
        }
    }

    /// The rectangle of a field that shows, with its page.
    private func shownBox(of field: SignatureField) throws(PDFError) -> (box: Box, view: PageView)? {
        // Hidden, or not on the screen (§12.5.3).
        guard let widget = field.widget?.dictionary, let box = Box(try source.numbers(widget["Rect"])), !box.isEmpty,
            try (source.resolved(widget["F"]).integer ?? 0) & (1 << 1 | 1 << 5) == 0
        else { return nil }
        if let reference = widget["P"].reference, let page = try source.dictionary(widget["P"]) {
            return (box, try source.view(of: PDFPage(reference: reference, dictionary: page)))
        }
        // Without its page nothing says how it is turned.
        return (box, PageView(box: box, rotation: 0, unit: 1))
    }
}
