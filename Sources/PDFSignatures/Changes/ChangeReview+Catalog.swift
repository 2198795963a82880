import PDFStructure

/// The catalog, the form and the validation data.
extension ChangeReview {
    mutating func reviewCatalog() throws(PDFSyntaxError) {
        let before = try file.catalog(in: revision)
        let after = try file.catalog(in: 0)
        guard !after.hasDuplicates else { return fault("the catalog has a key twice") }
        let allowed: Set<String> = ["AcroForm", "DSS", "Extensions", "Metadata", "Version"]
        let others = try differences(before, after).subtracting(allowed)
        guard others.isEmpty else {
            return fault("the catalog's /\(others.sorted().joined(separator: ", /")) was changed")
        }
        if before["Version"] != after["Version"] {
            // Writers that use something newer raise the version, and writers that look at the header only set it back.
            // Readers show what they know whatever the version is. Before 1.3 there were no signatures.
            guard let version = after["Version"].name, ["1.3", "1.4", "1.5", "1.6", "1.7", "2.0"].contains(version)
            else { return fault("the catalog's /Version was changed") }
        }
        try reviewRoot()
        try reviewInformation()
        try reviewForm(before["AcroForm"], after["AcroForm"])
        try reviewValidationData(before["DSS"], after["DSS"], depth: 0)
        try reviewValidationData(before["Extensions"], after["Extensions"], depth: 0)
        try reviewMetadata(before["Metadata"], after["Metadata"])
    }

    /// The catalog stays the same object, or is a new one: one that was there before was prepared for something else.
    private mutating func reviewRoot() throws(PDFSyntaxError) {
        let before = file.sections[revision].trailer["Root"].reference
        guard let after = file.sections[0].trailer["Root"].reference else { return }
        guard after == before || changed.contains(after.number) && !existing.contains(after.number) else {
            return fault("the trailer's /Root was changed")
        }
        approved.insert(after.number)
        if let before, before != after, try isOnlyInTrailers(before.number) { approved.insert(before.number) }
    }

    /// Returns true if nothing but the trailers of the signed revision refers to the object. With another object in its
    /// place, no reader gets to it any more, and an update in between may have changed it. A trailer that is a
    /// cross-reference stream is an object too.
    private func isOnlyInTrailers(_ number: Int) throws(PDFSyntaxError) -> Bool {
        var count = 1
        for section in file.sections[revision...] {
            guard let own = section.streamNumber,
                case .offset(let offset, _) = try file.entry(own, in: revision), Int(offset) == section.offset
            else { continue }
            count += ["Root", "Info"].filter { section.trailer[$0].reference?.number == number }.count
        }
        return references[number] == count
    }

    /// Reviews the information dictionary (§14.3.3), under its number or as a new object: properties that no page
    /// shows. Signing writers update two of them and add some that were missing. Existing values, such as the author,
    /// were signed. So was the absence of a title, which readers may show above the page.
    ///
    /// An object that is something else as well, such as the page, is reviewed as that alone: properties that may be
    /// added here could be drawn there.
    private mutating func reviewInformation() throws(PDFSyntaxError) {
        let before = file.sections[revision].trailer["Info"]
        let after = file.sections[0].trailer["Info"]
        // One that was missing may be added. One that is left out is missed by nobody.
        guard after != .null else { return }
        guard before != .null else { return try approveNew(in: after) }
        if before != after, let former = before.reference?.number, try isOnlyInTrailers(former) {
            approved.insert(former)
        }
        if before == after {
            guard let number = after.reference?.number, changed.contains(number), try isOnlyInTrailers(number) else {
                return
            }
        }
        let old = try file.resolved(before, in: revision).dictionary ?? PDFDictionary()
        let new = try file.resolved(after, in: 0)
        guard let new = new.dictionary, !new.hasDuplicates,
            try !hasOtherProperties(old, new)
        else { return fault("the document's information was changed") }
        if let number = after.reference?.number, changed.contains(number) {
            guard before == after || !existing.contains(number) else {
                return fault("the trailer's /Info was changed")
            }
            approved.insert(number)
        } else if before != after {
            return fault("the trailer's /Info was changed")
        }
        try approveNew(in: .dictionary(new))
    }

    private mutating func hasOtherProperties(
        _ before: PDFDictionary, _ after: PDFDictionary
    ) throws(PDFSyntaxError) -> Bool {
        for key in try differences(before, after) where key != "ModDate" && key != "Producer" {
            if before[key] == .null, key != "Title" { continue }
            // A text may be spelled in more than one encoding.
            guard let old = try file.resolved(before[key], in: revision).string,
                let new = try file.resolved(after[key], in: 0).string,
                file.sections[revision].trailer["Encrypt"] == .null,
                PDFText.text(old.octets) == PDFText.text(new.octets)
            else { return true }
        }
        return false
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
        var others: Set<String> = []
        for key in try differences(former, new).union(isChanged(new["DR"]) ? ["DR"] : []).subtracting([
            "Fields", "SigFlags",
        ])
        where try !isHarmlessDefault(key, former, new) { others.insert(key) }
        guard others.isEmpty else {
            return fault("the form's /\(others.sorted().joined(separator: ", /")) was changed")
        }
        let flags = (former["SigFlags"].integer ?? 0, new["SigFlags"].integer ?? 0)
        guard flags.0 & ~flags.1 == 0, (flags.1 & ~flags.0) & ~3 == 0 else {
            return fault("the form's /SigFlags was changed")
        }
        if let number = after.reference?.number, changed.contains(number) {
            guard before == after || !existing.contains(number) else {
                return fault("the document's form took the place of something else")
            }
            approved.insert(number)
        }
        try approveNew(in: new["DR"])
        // The former object, which the catalog does not lead to any more, may have been changed in between.
        if before != after, let former = before.reference?.number, isReferredToOnce(former) { approved.insert(former) }
        let fields = (former["Fields"], new["Fields"])
        guard let added = try appended(fields.0, fields.1) else {
            return fault("the form's fields were removed or reordered, or their array is used elsewhere")
        }
        for field in added { try reviewNewField(field) }
    }

    /// Returns the elements that the array `after` has more than `before`; nil if it is not the same array with more at
    /// its end.
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
        properties.insert(number)
        try approveNew(in: .dictionary(dictionary))
    }
}
