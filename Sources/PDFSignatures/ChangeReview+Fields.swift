import PDFStructure

/// Signature fields, their widgets, and the pages these are on.
extension ChangeReview {
    /// How much of its page the widget of a later signature may cover.
    ///
    /// A later signature's appearance is somebody else's picture on the signed page. It is let pass because the signature
    /// it belongs to is judged too and answers for it, the worst verdict counting; but one that could stand in for the
    /// page is not a mark of signing any more.
    static let largestShare = 0.25

    private static let widgetKeys: Set<String> = [
        "Type", "Subtype", "Rect", "F", "P", "AP", "MK", "BS", "Border", "M", "NM", "H", "DA", "StructParent",
    ]
    private static let fieldKeys: Set<String> = ["FT", "T", "TU", "TM", "Ff", "V", "Lock", "SV", "Q"]
    /// Of a field that was there, what changes when it is signed.
    private static let signingKeys: Set<String> = ["V", "AP", "M", "F"]

    // MARK: New fields

    mutating func reviewNewField(_ value: PDFValue) throws(PDFSyntaxError) {
        guard let number = value.reference?.number, changed.contains(number), !existing.contains(number),
            let object = try file.object(number, in: 0), object.stream == nil, let field = object.value.dictionary,
            !field.hasDuplicates
        else { return fault("a form field was added that is no new object") }
        guard field["FT"].name == "Sig", let name = field["T"].string.map({ PDFText.text($0.octets) }) else {
            return fault("a form field was added that is no signature field")
        }
        let keys = Set(field.entries.keys)
        if field["Kids"] != .null {
            guard keys.isSubset(of: Self.fieldKeys.union(["Kids"])),
                let kids = try file.resolved(field["Kids"], in: 0).array, kids.count == 1,
                let kid = kids[0].reference?.number, changed.contains(kid), !existing.contains(kid),
                let widget = try file.object(kid, in: 0)?.value.dictionary, !widget.hasDuplicates,
                widget["Parent"].reference?.number == number,
                Set(widget.entries.keys).isSubset(of: Self.widgetKeys.union(["Parent"]))
            else { return fault("the signature field \(name) was added in an unusual form") }
            approved.insert(kid)
            try approveNew(in: field["Kids"])
            try reviewWidget(kid, widget, name)
        } else {
            guard keys.isSubset(of: Self.fieldKeys.union(Self.widgetKeys)) else {
                return fault("the signature field \(name) was added in an unusual form")
            }
            try reviewWidget(number, field, name)
        }
        approved.insert(number)
        try approveNew(in: field["Lock"])
        try approveNew(in: field["SV"])
        try reviewSigning(field["V"], name)
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
        if let page = widget["P"].reference?.number { widgets[number] = page }
        try reviewAppearance(widget, name)
        for key in ["MK", "BS", "Border"] { try approveNew(in: widget[key]) }
    }

    /// The appearance: one stream for the normal state, in a rectangle that leaves the page its own.
    private mutating func reviewAppearance(_ widget: PDFDictionary, _ name: String) throws(PDFSyntaxError) {
        let sides = (try file.resolved(widget["Rect"], in: 0).array ?? []).compactMap(\.number)
        let isEmpty = sides.count == 4 && (sides[0] == sides[2] || sides[1] == sides[3])
        guard widget["AP"] != .null else { return }
        guard let appearance = try file.resolved(widget["AP"], in: 0).dictionary, !appearance.hasDuplicates,
            Set(appearance.entries.keys).isSubset(of: ["N"])
        else { return fault("the appearance of the signature field \(name) is unusual") }
        if let number = widget["AP"].reference?.number, existing.contains(number), changed.contains(number) {
            return fault("the appearance of the signature field \(name) took the place of something else")
        }
        if let normal = appearance["N"].reference?.number {
            guard let object = try file.object(normal, in: 0), object.stream != nil else {
                return fault("the appearance of the signature field \(name) is no drawing")
            }
        } else if appearance["N"] != .null {
            return fault("the appearance of the signature field \(name) is no drawing")
        }
        try approveNew(in: widget["AP"])
        if isEmpty { return }
        guard sides.count == 4, widget["P"].reference != nil, let box = try box(ofPage: widget["P"]) else {
            return fault("the signature field \(name) is visible at no known place")
        }
        let area = abs((sides[2] - sides[0]) * (sides[3] - sides[1]))
        guard area <= Self.largestShare * box else {
            return fault("the signature field \(name) covers more than a quarter of its page")
        }
    }

    /// The area of what is seen of the page: its /CropBox, else its /MediaBox, both inherited (§7.7.3.4).
    private func box(ofPage page: PDFValue) throws(PDFSyntaxError) -> Double? {
        var media: Double?
        var next = page
        for _ in 0..<64 {
            guard let node = try file.resolved(next, in: revision).dictionary else { break }
            func area(_ key: String) throws(PDFSyntaxError) -> Double? {
                let sides = (try file.resolved(node[key], in: revision).array ?? []).compactMap(\.number)
                guard sides.count == 4 else { return nil }
                return abs((sides[2] - sides[0]) * (sides[3] - sides[1]))
            }
            if let crop = try area("CropBox") { return crop }
            if media == nil { media = try area("MediaBox") }
            next = node["Parent"]
        }
        return media
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
        guard differences(before, after).isSubset(of: Self.signingKeys) else {
            return fault("the signature field \(full) was changed")
        }
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
        approved.insert(number)
        if before["AP"] != after["AP"] || after["AP"].reference.map({ changed.contains($0.number) }) == true {
            try reviewAppearance(after, full)
        }
    }

    // MARK: Pages

    mutating func reviewPage(
        _ number: Int, _ before: PDFDictionary, _ after: PDFDictionary
    ) throws(PDFSyntaxError) {
        let others = differences(before, after).subtracting(["Annots"])
        guard others.isEmpty else {
            return fault("/\(others.sorted().joined(separator: ", /")) of page object \(number) was changed")
        }
        try reviewAnnotations(before["Annots"], after["Annots"], page: number)
        approved.insert(number)
    }

    /// An array that is an object of its own: the annotations of a page that a later signature says to be on.
    mutating func reviewAnnotationArray(_ number: Int) throws(PDFSyntaxError) {
        for page in Set(widgets.values) {
            guard let annotations = try file.object(page, in: revision)?.value.dictionary?["Annots"],
                annotations.reference?.number == number
            else { continue }
            return try reviewAnnotations(annotations, annotations, page: page)
        }
    }

    private mutating func reviewAnnotations(
        _ before: PDFValue, _ after: PDFValue, page: Int
    ) throws(PDFSyntaxError) {
        guard let added = try appended(before, after) else {
            return fault(
                "the annotations of page object \(page) were removed or reordered, or their array is used elsewhere")
        }
        for annotation in added {
            guard let number = annotation.reference?.number, widgets[number] == page else {
                return fault("an annotation was added to page object \(page)")
            }
        }
    }
}
