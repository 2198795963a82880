import PDFStructure

/// The catalog, the form and the validation data.
extension ChangeReview {
    mutating func reviewCatalog() throws(PDFSyntaxError) {
        let before = try file.catalog(in: revision)
        let after = try file.catalog(in: 0)
        guard !after.hasDuplicates else { return fault("the catalog has a key twice") }
        let allowed: Set<String> = ["AcroForm", "DSS", "Extensions", "Metadata", "Version"]
        let others = differences(before, after).subtracting(allowed)
        guard others.isEmpty else {
            return fault("the catalog's /\(others.sorted().joined(separator: ", /")) was changed")
        }
        if before["Version"] != after["Version"] {
            // Raised by a writer that uses something newer; of what was there, nothing looks different for it.
            guard let version = after["Version"].name, ["1.4", "1.5", "1.6", "1.7", "2.0"].contains(version),
                version > before["Version"].name ?? ""
            else { return fault("the catalog's /Version was changed") }
        }
        if let root = file.sections[0].trailer["Root"].reference { approved.insert(root.number) }
        if let new = file.sections[0].trailer["Info"].reference, file.sections[revision].trailer["Info"] == .null {
            try approveNew(in: .reference(new))
        }
        try reviewForm(before["AcroForm"], after["AcroForm"])
        try reviewValidationData(before["DSS"], after["DSS"], depth: 0)
        try reviewValidationData(before["Extensions"], after["Extensions"], depth: 0)
        try reviewMetadata(before["Metadata"], after["Metadata"])
    }

    // MARK: The form (§12.7.2)

    private mutating func reviewForm(_ before: PDFValue, _ after: PDFValue) throws(PDFSyntaxError) {
        let old = try file.resolved(before, in: revision)
        let new = try file.resolved(after, in: 0)
        if old == .null, new == .null { return }
        guard let new = new.dictionary, !new.hasDuplicates, old == .null || old.dictionary != nil else {
            return fault("the document's form was removed")
        }
        let former = old.dictionary ?? PDFDictionary()
        // Where there was no form there is no field whose look these could change.
        let allowed: Set<String> =
            old == .null ? ["Fields", "SigFlags", "DA", "DR"] : ["Fields", "SigFlags"]
        let others = differences(former, new).subtracting(allowed)
        guard others.isEmpty else {
            return fault("the form's /\(others.sorted().joined(separator: ", /")) was changed")
        }
        let flags = (former["SigFlags"].integer ?? 0, new["SigFlags"].integer ?? 0)
        guard flags.0 & ~flags.1 == 0, (flags.1 & ~flags.0) & ~3 == 0 else {
            return fault("the form's /SigFlags was changed")
        }
        if let number = after.reference?.number, changed.contains(number) {
            approved.insert(number)
            if old == .null { try approveNew(in: new["DR"]) }
        }
        let fields = (former["Fields"], new["Fields"])
        guard let added = try appended(fields.0, fields.1) else {
            return fault("the form's fields were removed or reordered, or their array is used elsewhere")
        }
        for field in added { try reviewNewField(field) }
    }

    /// What the array `after` has more than `before`; nil when it is not the same array with more at its end.
    ///
    /// The arrays' own objects are approved, those of their items are not.
    mutating func appended(_ before: PDFValue, _ after: PDFValue) throws(PDFSyntaxError) -> [PDFValue]? {
        let old = try file.resolved(before, in: revision)
        let new = try file.resolved(after, in: 0)
        guard old == .null || old.array != nil, let items = new.array ?? (new == .null ? [] : nil) else { return nil }
        let former = old.array ?? []
        guard items.starts(with: former) else { return nil }
        if let number = after.reference?.number, changed.contains(number) {
            guard !existing.contains(number) || before == after && isReferredToOnce(number) else { return nil }
            approved.insert(number)
        }
        return Array(items.dropFirst(former.count))
    }

    // MARK: Validation data

    /// /DSS and, of the same form, /Extensions: dictionaries and arrays that may get more, streams that may not change.
    private mutating func reviewValidationData(
        _ before: PDFValue, _ after: PDFValue, depth: Int
    ) throws(PDFSyntaxError) {
        // /DSS, /VRI, an entry of it, its array.
        guard depth < 8 else { return }
        if let number = after.reference?.number, changed.contains(number) {
            guard existing.contains(number) else { return try approveNew(in: after) }
            guard !approved.contains(number) else { return }
            if try !isSame(number) {
                // A stream is what it was: only what holds the streams together may change.
                guard before == after, isReferredToOnce(number), try file.object(number, in: 0)?.stream == nil,
                    try file.object(number, in: revision)?.stream == nil
                else { return }
            }
            approved.insert(number)
        }
        let old = try file.resolved(before, in: revision)
        let new = try file.resolved(after, in: 0)
        switch new {
        case .dictionary(let entries):
            for (key, value) in entries.entries {
                try reviewValidationData(old.dictionary?[key] ?? .null, value, depth: depth + 1)
            }
        case .array(let items):
            let former = old.array ?? []
            for (index, item) in items.enumerated() {
                let counterpart = index < former.count ? former[index] : .null
                try reviewValidationData(counterpart, item, depth: depth + 1)
            }
        default: break
        }
    }

    private mutating func reviewMetadata(_ before: PDFValue, _ after: PDFValue) throws(PDFSyntaxError) {
        guard let number = after.reference?.number else {
            if after != before { fault("the catalog's /Metadata was changed") }
            return
        }
        guard changed.contains(number) else {
            // Some other object of the signed revision has become the metadata.
            if after != before { fault("the catalog's /Metadata was changed") }
            return
        }
        guard let object = try file.object(number, in: 0), object.stream != nil,
            let dictionary = object.value.dictionary,
            dictionary["Type"].name == "Metadata", dictionary["Subtype"].name == "XML",
            !existing.contains(number) || before == after && isReferredToOnce(number)
        else { return fault("the catalog's /Metadata was changed into something else") }
        approved.insert(number)
        try approveNew(in: .dictionary(dictionary))
    }
}
