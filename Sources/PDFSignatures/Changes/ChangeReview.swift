import Octets
import PDFStructure

/// Compares a signed revision with the whole file: nothing may have changed but what later signatures need.
///
/// It goes by object numbers, not by what is reachable. Everything that the later cross-references say of a number
/// differently must have one of these roles; the rest of the graph is then the signed one, octet by octet:
///
/// - the catalog with another /AcroForm, /DSS, /Extensions, /Metadata or a higher /Version, nothing else; it may be a
///   new object in place of the former one;
/// - the form with signature fields added at the end, /SigFlags, and defaults for text that change no text (/DA, /DR);
/// - a signature field that was empty and is now signed by one of the document's signatures, with its appearance, or a
///   new one; a page, or its array of annotations, with the widgets of such fields at the end;
/// - the validation data of /DSS (ISO 32000-2 §12.8.4.3), which nobody is shown;
/// - XMP metadata, and in the information dictionary /ModDate and /Producer, which signing writers bring up to date.
///   They are properties beside the pages, not what the pages show;
/// - what is new and only these lead to, or nothing at all;
/// - what was written again and means the same.
///
/// What later signatures draw may not hide what was signed: see ``Covering``.
///
/// Filling in forms and adding annotations is refused at every DocMDP level: a reader of the verdict cannot see what of
/// the page is from whom. So is a new signature field that is left empty.
///
/// A number that the signed revision refers to without defining it, and that the update defines, changes what was
/// signed: all references of the signed revision are looked through for that. The same pass finds an object that a role
/// lets change and that is referred to from elsewhere too, so that it cannot be a page's content in disguise.
struct ChangeReview {
    /// The rules that the signature itself sets.
    struct Rules {
        /// Certified at level 1: document timestamps and validation data only (ISO 32000-2 table 257).
        var forbidsSignatures = false
        var locks: [Lock] = []

        func locks(_ name: String) -> Bool {
            locks.contains { lock in
                // A name stands for the fields below it too (§12.8.2.4).
                func covers(_ names: Set<String>) -> Bool {
                    names.contains { name == $0 || name.hasPrefix($0 + ".") }
                }
                switch lock {
                case .only(let names): return covers(names)
                case .allBut(let names): return !covers(names)
                }
            }
        }
    }

    /// FieldMDP (§12.8.2.4): fields that must stay as they are.
    enum Lock {
        case only(Set<String>), allBut(Set<String>)
    }

    let file: PDFFile
    /// The signed revision, and where it ends.
    let revision: Int
    let end: Int
    /// The objects that are values of the document's signature fields; each is judged by itself.
    let signatures: Set<Int>
    let rules: Rules

    var found: [String] = []
    /// The reasons why the meaning of a change cannot be determined.
    var doubts: [String] = []
    /// Numbers that changed, and those of them that were in use before.
    var changed: Set<Int> = []
    var existing: Set<Int> = []
    /// Numbers whose change was found to be allowed.
    var approved: Set<Int> = []
    /// Of those, the streams that have other data than before and are never drawn: metadata and cross-references.
    var properties: Set<Int> = []
    /// References in the signed revision to each changed number, and to each appearance that was replaced.
    var references: [Int: Int] = [:]
    /// The object streams of the signed revision. They change when one of their objects does, although nothing refers
    /// to them.
    var containers: Set<Int> = []
    /// True if the signed revision has text that a reader may draw anew from the form's defaults.
    var hasVariableText = true
    /// The widgets of later signatures, with the pages that they say to be on, or 0 when they name none.
    var widgets: [Int: Int] = [:]
    /// The drawings of later signatures.
    var drawings: [Covering.Drawing] = []

    init(file: PDFFile, revision: Int, end: Int, signatures: Set<Int>, rules: Rules) {
        self.file = file
        self.revision = revision
        self.end = end
        self.signatures = signatures
        self.rules = rules
    }

    /// Returns the changes that are not allowed; empty if there are none.
    mutating func faults() throws(PDFSyntaxError) -> [String] {
        do throws(PDFSyntaxError) {
            found = try UpdateLayout(file: file, revision: revision, end: end).faults()
            // Where the update's own structure is in doubt there is no sense in comparing.
            guard found.isEmpty else { return found }
            try compare()
        } catch {
            guard error.kind == .damaged else { throw error }
            found.append(error.reason)
        }
        return found
    }

    private mutating func compare() throws(PDFSyntaxError) {
        for section in file.sections[..<revision] {
            for key in section.entries.keys where key != 0 {
                let number = Int(key)
                let before = try file.entry(number, in: revision)
                guard try file.entry(number, in: 0) != before else { continue }
                changed.insert(number)
                if before != nil, before != .free { existing.insert(number) }
            }
        }
        let census = try file.census(of: revision, counting: changed.union(try replacedAppearances()))
        references = census.references
        containers = census.containers
        hasVariableText = census.hasVariableText
        if let number = census.unreadable.min() {
            return fault(
                "object \(number) of the signed revision cannot be read: what refers to the changes is not known")
        }
        try reviewCatalog()
        for number in changed.intersection(existing).subtracting(approved).sorted() { try reviewExisting(number) }
        try reviewContainers()
        try reviewStreams()
        for number in changed.subtracting(existing).sorted() where references[number] != nil {
            fault("object \(number), which the signed revision refers to and does not have, was added")
        }
        // What was found so far says it better.
        for number in changed.subtracting(approved).sorted() where found.isEmpty {
            // An object is not shown if neither the signed revision nor an allowed change refers to it. Some writers
            // leave such objects behind.
            if references[number] == nil, !containers.contains(number) { continue }
            fault("object \(number) was \(try file.object(number, in: 0) == nil ? "removed" : "changed")")
        }
        if found.isEmpty { try reviewCovering() }
    }

    /// The appearance dictionaries that widgets of the signed revision refer to and do not any more.
    private func replacedAppearances() throws(PDFSyntaxError) -> Set<Int> {
        var replaced: Set<Int> = []
        for number in existing {
            guard let (before, after) = try dictionaries(number), before["AP"] != after["AP"],
                let appearance = before["AP"].reference?.number
            else { continue }
            replaced.insert(appearance)
        }
        return replaced
    }

    mutating func fault(_ text: String) { found.append(text) }

    // MARK: What the roles share

    /// An object of the signed revision may change in its role only when nothing else refers to it.
    func isReferredToOnce(_ number: Int) -> Bool { references[number] == 1 }

    /// Approves what is new in `value` and below.
    mutating func approveNew(in value: PDFValue) throws(PDFSyntaxError) {
        var open = [value]
        while let value = open.popLast() {
            switch value {
            case .array(let items): open += items
            case .dictionary(let dictionary): open += dictionary.entries.values
            case .reference(let reference):
                let number = reference.number
                guard changed.contains(number), !existing.contains(number), approved.insert(number).inserted,
                    let object = try file.object(number, in: 0)
                else { continue }
                if object.value.dictionary?.hasDuplicates == true { fault("object \(number) has a key twice") }
                open.append(object.value)
            default: break
            }
        }
    }

    /// The dictionary before and after, when it is one both times, no stream, and has no key twice.
    func dictionaries(_ number: Int) throws(PDFSyntaxError) -> (PDFDictionary, PDFDictionary)? {
        guard let before = try file.object(number, in: revision), let after = try file.object(number, in: 0),
            before.stream == nil, after.stream == nil, before.reference == after.reference,
            let old = before.value.dictionary, let new = after.value.dictionary, !new.hasDuplicates
        else { return nil }
        return (old, new)
    }

    // MARK: Roles by what the object was

    private mutating func reviewExisting(_ number: Int) throws(PDFSyntaxError) {
        if try isSame(number) {
            approved.insert(number)
            return
        }
        guard let (before, after) = try dictionaries(number) else {
            if try file.object(number, in: revision)?.value.array != nil { try reviewAnnotationArray(number) }
            return
        }
        if before["Type"].name == "Page" {
            try reviewPage(number, before, after)
        } else if before["Subtype"].name == "Widget" || before["FT"] != .null || before["Kids"] != .null {
            try reviewSignedField(number, before, after)
        }
    }

    /// Object and cross-reference streams of the update: their contents are looked at each by itself.
    private mutating func reviewContainers() throws(PDFSyntaxError) {
        for number in changed.subtracting(approved) {
            guard let after = try file.object(number, in: 0), after.stream != nil,
                let dictionary = after.value.dictionary
            else { continue }
            let type = dictionary["Type"].name
            guard type == "XRef" || type == "ObjStm" else { continue }
            if existing.contains(number) {
                // Some writers keep the number of their cross-reference stream.
                let before = try file.object(number, in: revision)?.value.dictionary
                guard type == "XRef", before?["Type"].name == "XRef", references[number] == nil else { continue }
            }
            approved.insert(number)
            properties.insert(number)
            try approveNew(in: after.value)
        }
    }

    /// A stream that was there, or is there now in the place of something else, must have the same data, whatever role
    /// its dictionary has: a page may draw it. A container of objects is not referred to at all.
    private mutating func reviewStreams() throws(PDFSyntaxError) {
        for number in changed.intersection(existing).intersection(approved).sorted() {
            if !containers.contains(number) {
                if properties.contains(number) { continue }
                let (before, after) = (try file.object(number, in: revision), try file.object(number, in: 0))
                if before?.stream == nil, after?.stream == nil { continue }
            }
            if try isSame(number) { continue }
            fault("the data of object \(number) were changed")
        }
    }
}
