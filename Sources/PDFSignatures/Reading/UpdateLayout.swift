import PDFStructure

/// Checks that what follows a signed revision is nothing but updates, each octet accounted for.
///
/// So nothing is hidden between objects for a reader that repairs files, no cross-reference leads back into the signed
/// part or gives an object twice, and all trailers name the same document.
struct UpdateLayout {
    let file: PDFFile
    let revision: Int
    let end: Int
    private var found: [String] = []
    private var extents: [Range<Int>] = []
    private var places: Set<Int> = []

    init(file: PDFFile, revision: Int, end: Int) {
        self.file = file
        self.revision = revision
        self.end = end
    }

    func faults() throws(PDFSyntaxError) -> [String] {
        var layout = self
        // Oldest first; each continues the one before.
        for index in stride(from: revision - 1, through: 0, by: -1) where layout.found.isEmpty {
            try layout.append(file.sections[index], index)
        }
        if layout.found.isEmpty { layout.checkGaps() }
        return layout.found
    }

    private mutating func append(_ section: CrossReferenceSection, _ index: Int) throws(PDFSyntaxError) {
        let earlier = file.sections[index + 1]
        guard section.offset >= earlier.extent.upperBound else {
            return found.append("the cross-references at \(section.offset) stand before those that they go on from")
        }
        guard !section.isHybrid else {
            return found.append("an update has cross-references of two kinds, of which readers take one or the other")
        }
        add(section.extent)
        add(try file.endMark(of: section))
        checkTrailer(section.trailer)
        for (key, entry) in section.entries.sorted(by: { $0.key < $1.key }) where key != 0 {
            let number = Int(key)
            let before = try file.entry(number, in: revision)
            if entry == before { continue }
            switch entry {
            // Objects that were in use and are free now are reviewed with the other changes.
            case .free: break
            case .offset(let offset, let generation):
                guard offset >= end else {
                    return found.append("object \(number) was led to another place of the signed revision")
                }
                let object = try file.object(at: Int(offset), in: index)
                guard object.reference == IndirectReference(number: number, generation: Int(generation)) else {
                    return found.append("object \(number) is not where the cross-references say")
                }
                if let place = file.headerOfObject(within: object.extent) {
                    return found.append(
                        "the octets at \(place) look like the beginning of an object, and belong to object \(number)")
                }
                add(object.extent)
                if object.value.dictionary?["Type"].name == "ObjStm" { try checkMembers(of: number, index) }
            case .compressed(let stream, _):
                guard case .offset(let offset, _) = try file.entry(Int(stream), in: index), offset >= end else {
                    return found.append("object \(number) was led to another place of the signed revision")
                }
            }
        }
    }

    /// An object stream of an update holds what its cross-references say, nothing else.
    private mutating func checkMembers(of stream: Int, _ index: Int) throws(PDFSyntaxError) {
        for (place, number) in try file.members(ofStream: stream, in: index).enumerated() {
            let entry = try file.entry(number, in: index)
            guard entry == .compressed(stream: Int32(stream), index: Int32(place)) else {
                return found.append(
                    "the object stream \(stream) holds an object \(number) that is not referred to there")
            }
        }
    }

    private mutating func checkTrailer(_ trailer: PDFDictionary) {
        // /Root and /Info are reviewed with the objects that they refer to.
        let signed = file.sections[revision].trailer
        if trailer["Encrypt"] != signed["Encrypt"] { found.append("the trailer's /Encrypt was changed") }
        // The identifier (§14.4) names the file and its revision. Some writers renew both halves. Nothing of it is
        // shown; the first half of an encrypted document's identifier is part of its key.
        if signed["Encrypt"] != .null, trailer["ID"].array?.first != signed["ID"].array?.first {
            found.append("the trailer's /ID was changed")
        }
        let own: Set<String> = [
            "Size", "Prev", "Root", "Encrypt", "Info", "ID", "Type", "W", "Index", "Filter", "DecodeParms", "Length",
            "XRefStm",
            // A digest of the file that one writer adds and no reader looks at.
            "DocChecksum",
        ]
        for key in Set(trailer.entries.keys).subtracting(own) where trailer[key] != signed[key] {
            found.append("the trailer's /\(key) was changed")
        }
    }

    private mutating func add(_ extent: Range<Int>) {
        // A cross-reference stream may have an entry for itself.
        if places.insert(extent.lowerBound).inserted { extents.append(extent) }
    }

    private mutating func checkGaps() {
        var position = end
        for extent in extents.sorted(by: { $0.lowerBound < $1.lowerBound })
            + [file.document.count..<file.document.count]
        {
            guard extent.lowerBound >= position else {
                return found.append("two objects overlap at \(extent.lowerBound)")
            }
            if let ink = file.firstInk(besidesCommentsIn: position..<extent.lowerBound) {
                return found.append("the octets at \(ink) belong to no object")
            }
            position = extent.upperBound
        }
    }
}
