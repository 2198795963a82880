import PDFStructure

/// Signature fields, their widgets, and the pages these are on.
extension ChangeReview {
    private static let widgetKeys: Set<String> = [
        "Type", "Subtype", "Rect", "F", "P", "AP", "AS", "MK", "BS", "Border", "M", "NM", "H", "DA", "StructParent",
    ]
    /// /DA, /DR and /Q are defaults for text, of which a signature field has none.
    private static let fieldKeys: Set<String> = [
        "FT", "T", "TU", "TM", "Ff", "V", "Lock", "SV", "DA", "DR", "Q",
    ]
    /// Of a field that was there, what changes when it is signed. /Ff is whether it may be edited.
    private static let signingKeys: Set<String> = ["V", "AP", "AS", "M", "F", "Ff", "DA", "DR", "Q"]
    /// More widgets than a signature has.
    private static let maximumWidgets = 16

    // MARK: New fields

    mutating func reviewNewField(_ value: PDFValue) throws(PDFSyntaxError) {
        guard let number = value.reference?.number, changed.contains(number), !existing.contains(number),
            let object = try file.object(number, in: 0), object.stream == nil, let field = object.value.dictionary,
            !field.hasDuplicates
        else { return fault("a form field was added that is no new object") }
        guard field["FT"].name == "Sig", let name = field["T"].string.map({ PDFText.text($0.octets) }) else {
            return fault("a form field was added that is no signature field")
        }
        // Some writers give the signature as the value that a reset of the form brings back, too.
        let keys = Set(field.entries.keys).subtracting(field["DV"] == field["V"] ? ["DV"] : [])
        if field["Kids"] != .null {
            guard keys.isSubset(of: Self.fieldKeys.union(["Kids"])),
                let kids = try file.resolved(field["Kids"], in: 0).array, (1...Self.maximumWidgets).contains(kids.count)
            else { return fault("the signature field \(name) was added in an unusual form") }
            for kid in kids { try reviewKid(kid, of: number, name) }
            try approveNew(in: field["Kids"])
        } else {
            guard keys.isSubset(of: Self.fieldKeys.union(Self.widgetKeys)) else {
                return fault("the signature field \(name) was added in an unusual form")
            }
            try reviewWidget(number, field, name)
        }
        approved.insert(number)
        try approveNew(in: field["Lock"])
        try approveNew(in: field["SV"])
        try approveNew(in: field["DR"])
        try reviewSigning(field["V"], name)
    }

    /// A widget that is an object of its own, below its field.
    private mutating func reviewKid(_ value: PDFValue, of field: Int, _ name: String) throws(PDFSyntaxError) {
        guard let number = value.reference?.number, changed.contains(number), !existing.contains(number),
            let widget = try file.object(number, in: 0)?.value.dictionary, !widget.hasDuplicates,
            // Some writers leave the way back to the field out (§12.7.3.1). The field's /Kids is what counts.
            widget["Parent"] == .null || widget["Parent"].reference?.number == field,
            Set(widget.entries.keys).isSubset(of: Self.widgetKeys.union(["Parent", "DR", "Q"]))
        else { return fault("the signature field \(name) was added in an unusual form") }
        approved.insert(number)
        try reviewWidget(number, widget, name)
    }

    /// The signature that fills a field: one of the document's, made after the signed revision.
    private mutating func reviewSigning(_ value: PDFValue, _ name: String) throws(PDFSyntaxError) {
        guard let number = value.reference?.number, signatures.contains(number) else {
            return fault("the signature field \(name) was added without a signature")
        }
        guard changed.contains(number), !existing.contains(number) else {
            return fault("the signature field \(name) was given a signature that was there before")
        }
        if rules.locks(name) { return fault("the signature field \(name) is locked and was signed") }
        if rules.forbidsSignatures {
            let signature = try file.object(number, in: 0)?.value.dictionary
            guard signature?["Type"].name == "DocTimeStamp", signature?["SubFilter"].name == "ETSI.RFC3161" else {
                return fault("the document is certified against any change and was signed again")
            }
        }
        try approveNew(in: value)
    }

    private mutating func reviewWidget(
        _ number: Int, _ widget: PDFDictionary, _ name: String
    ) throws(PDFSyntaxError) {
        guard widget["Subtype"] == .null || widget["Subtype"].name == "Widget",
            widget["Type"] == .null || widget["Type"].name == "Annot"
        else { return fault("the signature field \(name) is no widget") }
        widgets[number] = widget["P"].reference?.number ?? 0
        try reviewAppearance(number, widget, name)
        for key in ["MK", "BS", "Border"] { try approveNew(in: widget[key]) }
    }

    /// The appearance: one stream for the normal state. What it hides is looked at when all are known.
    private mutating func reviewAppearance(
        _ number: Int, _ widget: PDFDictionary, _ name: String
    ) throws(PDFSyntaxError) {
        let appearance = try file.resolved(widget["AP"], in: 0)
        if appearance != .null {
            guard let entries = appearance.dictionary, !entries.hasDuplicates,
                Set(entries.entries.keys).isSubset(of: ["N"])
            else { return fault("the appearance of the signature field \(name) is unusual") }
            if let number = widget["AP"].reference?.number, existing.contains(number), changed.contains(number) {
                return fault("the appearance of the signature field \(name) took the place of something else")
            }
            let isNowhere = try hasNoArea(widget)
            if let normal = entries["N"].reference?.number {
                // In a rectangle without area nothing is drawn, whatever is written there.
                guard let object = try file.object(normal, in: 0), object.stream != nil || isNowhere else {
                    return fault("the appearance of the signature field \(name) is no drawing")
                }
            } else if entries["N"] != .null {
                return fault("the appearance of the signature field \(name) is no drawing")
            }
            try approveNew(in: widget["AP"])
        }
        try noteDrawing(number, widget, name)
    }

    private func sides(_ widget: PDFDictionary) throws(PDFSyntaxError) -> [Double] {
        (try file.resolved(widget["Rect"], in: 0).array ?? []).compactMap(\.number)
    }

    private func hasNoArea(_ widget: PDFDictionary) throws(PDFSyntaxError) -> Bool {
        let sides = try sides(widget)
        return sides.count == 4 && (sides[0] == sides[2] || sides[1] == sides[3])
    }

    /// Notes what a widget draws, if it draws anything.
    private mutating func noteDrawing(
        _ number: Int, _ widget: PDFDictionary, _ name: String
    ) throws(PDFSyntaxError) {
        let normal = try file.resolved(widget["AP"], in: 0).dictionary?["N"] ?? .null
        // Without an appearance a reader may draw the ground and the border that the field asks for.
        let colours = try file.resolved(widget["MK"], in: 0).dictionary ?? PDFDictionary()
        guard normal != .null || colours["BG"] != .null || colours["BC"] != .null else { return }
        if try hasNoArea(widget) { return }
        guard let rectangle = Box(try sides(widget)) else {
            return fault("the signature field \(name) is visible at no known place")
        }
        // An annotation that keeps its size lies elsewhere when the page is shown smaller (§12.5.3, bit 4).
        guard (widget["F"].integer ?? 0) & 1 << 3 == 0 else {
            return fault("the signature field \(name) is visible at a place that depends on how the page is shown")
        }
        drawings.append(
            Covering.Drawing(
                name: name, widget: number, rectangle: rectangle, page: widget["P"].reference?.number,
                appearance: normal == .null ? nil : normal, isUpright: (widget["F"].integer ?? 0) & 1 << 4 != 0))
    }

    /// Reviews the areas that all of these hide together.
    mutating func reviewCovering() throws(PDFSyntaxError) {
        guard !drawings.isEmpty else { return }
        var covering = Covering(file: file, revision: revision, drawings: drawings)
        try covering.run()
        for text in covering.faults { fault(text) }
        doubts += covering.doubts
    }

    // MARK: Fields that were there

    /// An empty signature field, or the widget of one, that was signed.
    mutating func reviewSignedField(
        _ number: Int, _ before: PDFDictionary, _ after: PDFDictionary
    ) throws(PDFSyntaxError) {
        var field = before
        var isSignature = before["FT"].name == "Sig"
        var name: [String] = []
        var owner = number
        var widgetOf: Int?
        for _ in 0..<SignatureFields.deepest {
            if let part = field["T"].string {
                name.insert(PDFText.text(part.octets), at: 0)
            } else if widgetOf == nil, owner == number {
                widgetOf = field["Parent"].reference?.number
            }
            if !isSignature, field["FT"] != .null { isSignature = field["FT"].name == "Sig" }
            guard let parent = field["Parent"].reference?.number,
                let above = try file.object(parent, in: revision)?.value.dictionary
            else { break }
            owner = parent
            field = above
        }
        let full = name.joined(separator: ".")
        guard isSignature else { return }
        // A type that was left out may be written, and the page that the widget is on.
        let others = try differences(before, after).subtracting(Self.signingKeys)
            .filter { before[$0] != .null || !["Type", "Subtype", "P"].contains($0) }
        guard others.isEmpty, before["Type"] != .null || ["Annot", nil].contains(after["Type"].name),
            before["Subtype"] != .null || ["Widget", nil].contains(after["Subtype"].name)
        else {
            return fault("the signature field \(full) was changed")
        }
        try approveNew(in: after["DR"])
        if before["V"] != after["V"] {
            guard before["V"] == .null else { return fault("the signature field \(full) was given another signature") }
            try reviewSigning(after["V"], full)
        } else if let parent = widgetOf {
            // A widget by itself changes when its field is signed.
            guard try file.object(parent, in: revision)?.value.dictionary?["V"] ?? .null == .null,
                let value = try file.object(parent, in: 0)?.value.dictionary?["V"].reference?.number,
                signatures.contains(value)
            else { return fault("the widget of the signature field \(full) was changed") }
        } else {
            return fault("the signature field \(full) was changed and not signed")
        }
        // To be printed and to be locked may be added (§12.5.3, table 165).
        let flags = (before["F"].integer ?? 0, after["F"].integer ?? 0)
        guard flags.0 & ~flags.1 == 0, (flags.1 & ~flags.0) & ~(4 | 128) == 0 else {
            return fault("the signature field \(full) was made visible")
        }
        if before["AP"] != after["AP"], let replaced = before["AP"].reference?.number, !isReferredToOnce(replaced) {
            // What else it is for in the signed revision is not known, and so not what its replacement changes.
            return fault("the appearance of the signature field \(full) is used elsewhere and was replaced")
        }
        approved.insert(number)
        if before["AP"] != after["AP"] || after["AP"].reference.map({ changed.contains($0.number) }) == true {
            try reviewAppearance(number, after, full)
        }
    }

    // MARK: Pages

    mutating func reviewPage(
        _ number: Int, _ before: PDFDictionary, _ after: PDFDictionary
    ) throws(PDFSyntaxError) {
        let others = try differences(before, after).subtracting(["Annots"])
        guard others.isEmpty else {
            return fault("/\(others.sorted().joined(separator: ", /")) of page object \(number) was changed")
        }
        try reviewAnnotations(before["Annots"], after["Annots"], page: number)
        approved.insert(number)
    }

    /// An array that is an object of its own: the annotations of a page that a later signature says to be on.
    mutating func reviewAnnotationArray(_ number: Int) throws(PDFSyntaxError) {
        for page in try pagesOfLaterSignatures() {
            guard let annotations = try file.object(page, in: revision)?.value.dictionary?["Annots"],
                annotations.reference?.number == number
            else { continue }
            return try reviewAnnotations(annotations, annotations, page: page)
        }
    }

    /// Those that the widgets of later signatures name; where one names none, all.
    private func pagesOfLaterSignatures() throws(PDFSyntaxError) -> Set<Int> {
        guard widgets.values.contains(0) else { return Set(widgets.values) }
        return Set(try Covering(file: file, revision: revision, drawings: []).annotatedPages().map(\.page))
    }

    private mutating func reviewAnnotations(
        _ before: PDFValue, _ after: PDFValue, page: Int
    ) throws(PDFSyntaxError) {
        guard let added = try appended(before, after) else {
            return fault(
                "the annotations of page object \(page) were removed or reordered, or their array is used elsewhere")
        }
        for annotation in added {
            guard let number = annotation.reference?.number, let own = widgets[number], own == page || own == 0 else {
                return fault("an annotation was added to page object \(page)")
            }
        }
    }
}
