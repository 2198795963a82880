import Octets
import PDFStructure

/// The form's defaults for variable text (ISO 32000-1 §12.7.2, §12.7.3.3), which writers give to a form that had none
/// when they sign or timestamp it.
extension ChangeReview {
    /// Returns true if another value of `key` changes no appearance.
    mutating func isHarmlessDefault(
        _ key: String, _ before: PDFDictionary, _ after: PDFDictionary
    ) throws(PDFSyntaxError) -> Bool {
        switch key {
        case "NeedAppearances":
            // False is what a form without it says.
            return before[key] == .null && after[key] == .boolean(false)
        case "DA":
            // A document whose only fields are signatures has no text that this could concern.
            return !hasVariableText || before[key] == .null && isBlackText(after[key])
        case "Q": return !hasVariableText
        case "DR": return try isAddition(before[key], after[key])
        default: return false
        }
    }

    /// `/Helv 0 Tf 0 g` and the same in other colour spaces: black, in a size that the field may have anyway.
    private func isBlackText(_ value: PDFValue) -> Bool {
        guard let octets = value.string?.octets, octets.count <= 128 else { return false }
        let words = String(decoding: octets, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard words.count >= 4, words[0].hasPrefix("/"), words[2] == "Tf", let size = Double(words[1]),
            size == 0 || (4...24).contains(size)
        else { return false }
        let colour = words[3...].joined(separator: " ")
        return ["0 g", "0 0 0 rg", "0 0 0 1 k", "0.0 g", "0 0 0 RG 0 0 0 rg"].contains(colour)
    }

    /// Returns true if the value is an object that was written again.
    func isChanged(_ value: PDFValue) -> Bool { value.reference.map { changed.contains($0.number) } ?? false }

    /// Resources with more names than before, and the same ones under those that were there.
    ///
    /// A reader that draws a field's text anew may find a font there. So if there is such text, only fonts may be added
    /// that every reader has and that show each character as itself.
    private mutating func isAddition(_ before: PDFValue, _ after: PDFValue) throws(PDFSyntaxError) -> Bool {
        let old = try file.resolved(before, in: revision)
        let new = try file.resolved(after, in: 0)
        guard let new = new.dictionary, !new.hasDuplicates, old == .null || old.dictionary != nil else { return false }
        let former = old.dictionary ?? PDFDictionary()
        for kind in try differences(former, new).union(new.entries.filter { isChanged($0.value) }.keys) {
            let oldNames = try file.resolved(former[kind], in: revision)
            let newNames = try file.resolved(new[kind], in: 0)
            // The list of procedures is obsolete (§14.2).
            if kind == "ProcSet", oldNames == .null { continue }
            // Some writers put the forms of their appearances here too. The appearances have resources of their own.
            if kind == "XObject", let forms = newNames.dictionary, !forms.hasDuplicates,
                try !isMissing(try differences(oldNames.dictionary ?? PDFDictionary(), forms))
            {
                if let number = new[kind].reference?.number, changed.contains(number), !existing.contains(number) {
                    approved.insert(number)
                }
                continue
            }
            // Colours and patterns are no defaults of text.
            guard kind == "Font" || kind == "Encoding", let names = newNames.dictionary, !names.hasDuplicates,
                oldNames == .null || oldNames.dictionary != nil
            else { return false }
            let formerNames = oldNames.dictionary ?? PDFDictionary()
            for name in try differences(formerNames, names) {
                guard formerNames[name] == .null else { return false }
                guard hasVariableText else { continue }
                // An encoding by itself draws nothing.
                if kind == "Encoding" { continue }
                guard try isPlainFont(names[name]) else { return false }
            }
            if let number = new[kind].reference?.number, changed.contains(number) {
                guard !existing.contains(number) || former[kind] == new[kind] && isReferredToOnce(number) else {
                    return false
                }
                approved.insert(number)
            }
        }
        if let number = after.reference?.number, changed.contains(number) {
            guard !existing.contains(number) || before == after && isReferredToOnce(number) else { return false }
            approved.insert(number)
        }
        return true
    }

    /// Returns true if an appearance of the signed revision draws one of `names` without having it among its own
    /// resources, so that a reader could look for it in those of the form.
    private func isMissing(_ names: Set<String>) throws(PDFSyntaxError) -> Bool {
        let covering = Covering(file: file, revision: revision, drawings: [])
        for (page, _) in try covering.annotatedPages() {
            let annotations = try file.object(page, in: revision)?.value.dictionary?["Annots"] ?? .null
            for value in try file.resolved(annotations, in: revision).array ?? [] {
                guard let annotation = try file.resolved(value, in: revision).dictionary else { continue }
                for appearance in try covering.appearances(annotation)
                where try isMissing(names, in: appearance, depth: 0) { return true }
            }
        }
        return false
    }

    private func isMissing(
        _ names: Set<String>, in form: IndirectObject, depth: Int
    ) throws(PDFSyntaxError) -> Bool {
        guard depth < 16 else { return true }
        let resources = try file.resolved(form.value.dictionary?["Resources"] ?? .null, in: revision).dictionary
        let own = try file.resolved(resources?["XObject"] ?? .null, in: revision).dictionary ?? PDFDictionary()
        let content: [UInt8]
        do throws(PDFSyntaxError) { content = try file.content(of: form, in: revision) } catch { return true }
        var stream = ContentStream(OctetString(content))
        while let item = try stream.next() {
            guard case .operation("Do", let operands) = item, let name = operands.last?.name else { continue }
            guard let number = own[name].reference?.number else {
                if names.contains(name) { return true }
                continue
            }
            if let object = try file.object(number, in: revision), object.value.dictionary?["Subtype"].name == "Form",
                try isMissing(names, in: object, depth: depth + 1)
            {
                return true
            }
        }
        return false
    }

    private static let standardFonts: Set<String> = [
        "Helvetica", "Helvetica-Bold", "Helvetica-Oblique", "Helvetica-BoldOblique", "Times-Roman", "Times-Bold",
        "Times-Italic", "Times-BoldItalic", "Courier", "Courier-Bold", "Courier-Oblique", "Courier-BoldOblique",
        "Symbol", "ZapfDingbats",
    ]

    /// One of the fourteen standard fonts (§9.6.2.2), not embedded, with a standard encoding or the one of forms.
    private func isPlainFont(_ value: PDFValue) throws(PDFSyntaxError) -> Bool {
        guard let font = try file.resolved(value, in: 0).dictionary, !font.hasDuplicates,
            font["Subtype"].name == "Type1", let name = font["BaseFont"].name, Self.standardFonts.contains(name),
            font["FontDescriptor"] == .null, font["ToUnicode"] == .null
        else { return false }
        let encoding = try file.resolved(font["Encoding"], in: 0)
        if encoding == .null || encoding.name != nil { return true }
        // PDFDocEncoding is written as differences, which leave ASCII alone: they begin at 24 or at 128, and there are
        // none of the letters and digits among them.
        guard let differences = try file.resolved(encoding.dictionary?["Differences"] ?? .null, in: 0).array else {
            return false
        }
        var code = 0
        for item in differences {
            if let next = item.integer {
                code = next
            } else {
                guard let glyph = item.name, !(0x20...0x7E).contains(code) || Self.asciiGlyphs[code] == glyph else {
                    return false
                }
                code += 1
            }
        }
        return true
    }

    /// Of those that PDFDocEncoding names in ASCII's range.
    private static let asciiGlyphs: [Int: String] = [0x27: "quotesingle", 0x60: "grave"]
}
