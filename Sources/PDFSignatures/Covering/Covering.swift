import PDFStructure

/// The signed content that the appearances of later signatures hide.
///
/// A later signature's appearance is somebody else's picture on a signed page. On empty paper it is a mark of signing.
/// On a text it shows something that the first signer did not sign. So everything drawn after a signed revision is laid
/// on each page together. It must not cover more than a part of the page, and must cover only lines and paper.
struct Covering {
    /// A widget that is seen since a later signature.
    struct Drawing {
        /// Of the signature field.
        let name: String
        /// The widget's object.
        let widget: Int
        let rectangle: Box
        /// The page that the widget says to be on.
        let page: Int?
        /// The appearance stream; nil when the reader draws it, from the field's colours.
        let appearance: PDFValue?
        /// True if it does not turn with its page (§12.5.3, bit 5).
        let isUpright: Bool
    }

    /// The share of a page that later signatures may cover in all. A label or a receipt may be large. A cover that is
    /// larger than half of a page shows another page.
    static let maximumShare = 0.5
    /// Of a character or a part of a drawing: less than the dot of a number.
    private static let smallPart = 0.03
    /// As much of a picture is only its edge, in square points.
    private static let edge = 4.0
    /// A cover that is more transparent than this does not count.
    private static let opaque = 0.5
    private static let maximumPages = 100_000
    private static let deepest = 64

    let file: PDFFile
    let revision: Int
    let drawings: [Drawing]
    /// The hidden content, and the places where it cannot be determined.
    private(set) var faults: [String] = []
    private(set) var doubts: [String] = []

    init(file: PDFFile, revision: Int, drawings: [Drawing]) {
        self.file = file
        self.revision = revision
        self.drawings = drawings
    }

    mutating func run() throws(PDFSyntaxError) {
        let widgets = Set(drawings.map(\.widget))
        var pages = Set(drawings.compactMap(\.page))
        var listed: [Int: Set<Int>] = [:]
        for (page, annotations) in try annotatedPages() {
            for widget in annotations.intersection(widgets) {
                listed[page, default: []].insert(widget)
                pages.insert(page)
            }
        }
        for page in pages.sorted() {
            let shown = drawings.filter { $0.page == page || listed[page]?.contains($0.widget) == true }
            try judge(shown, page)
        }
        for drawing in drawings
        where drawing.page == nil && !listed.values.contains(where: { $0.contains(drawing.widget) }) {
            faults.append("the signature field \(drawing.name) is visible at no known place")
        }
    }

    /// Returns all pages of the present document, with the numbers of their annotations.
    func annotatedPages() throws(PDFSyntaxError) -> [(page: Int, annotations: Set<Int>)] {
        var pages: [(Int, Set<Int>)] = []
        var open = [(try file.catalog(in: 0)["Pages"], 0)]
        var seen: Set<Int> = []
        while let (value, depth) = open.popLast() {
            guard let number = value.reference?.number, seen.insert(number).inserted, depth < Self.deepest,
                seen.count <= Self.maximumPages, let node = try file.object(number, in: 0)?.value.dictionary
            else { continue }
            for kid in try file.resolved(node["Kids"], in: 0).array ?? [] { open.append((kid, depth + 1)) }
            let annotations = try file.resolved(node["Annots"], in: 0).array ?? []
            if !annotations.isEmpty { pages.append((number, Set(annotations.compactMap { $0.reference?.number }))) }
        }
        return pages
    }

    // MARK: One page

    private mutating func judge(_ drawings: [Drawing], _ page: Int) throws(PDFSyntaxError) {
        guard let dictionary = try file.object(page, in: revision)?.value.dictionary, let view = try box(of: dictionary)
        else {
            return faults.append("the signature field \(drawings.first?.name ?? "") is visible on no page")
        }
        let names = drawings.map(\.name).joined(separator: ", ")
        if drawings.contains(where: \.isUpright), try inherited("Rotate", dictionary).number ?? 0 != 0 {
            return faults.append("what the signature fields \(names) show is not turned with the page object \(page)")
        }
        let boxes = drawings.compactMap { $0.rectangle.intersection(view) }
        guard Box.united(boxes) <= Self.maximumShare * view.area else {
            return faults.append(
                "what the signature fields \(names) show covers more than half of the page object \(page)")
        }
        guard !boxes.isEmpty else { return }
        let signed: [PaintedMark]
        do throws(PDFSyntaxError) {
            signed = try marks(of: dictionary, within: boxes, besides: Set(drawings.map(\.widget)))
        } catch {
            return doubts.append(
                "it cannot be told what of page object \(page) the signature fields \(names) hide: \(error.reason)")
        }
        var covers: [PaintedMark] = []
        for drawing in drawings { covers += try self.covers(of: drawing) }
        judge(signed, covers, page, names)
    }

    private mutating func judge(_ signed: [PaintedMark], _ covers: [PaintedMark], _ page: Int, _ names: String) {
        for mark in signed where mark.isInk {
            let near = covers.filter { $0.bounds.overlaps(mark.bounds) }
            guard !near.isEmpty else { continue }
            if mark.kind == .picture {
                let parts = near.compactMap { $0.bounds.intersection(mark.bounds) }
                guard Box.united(parts) > Self.edge else { continue }
                doubts.append(
                    "the signature fields \(names) are drawn over a picture on page object \(page), and it cannot be told"
                        + " what they hide of it")
                return
            }
            guard Self.share(of: mark, hiddenBy: near) > Self.smallPart else { continue }
            let what = mark.kind == .glyph ? "text" : "a drawing"
            faults.append(
                "the signature fields \(names) are drawn over \(what) on page object \(page), which they hide")
            return
        }
    }

    /// Returns the share of `mark` that the covers hide, as they lie on one another.
    private static func share(of mark: PaintedMark, hiddenBy covers: [PaintedMark]) -> Double {
        let steps = 16
        var hidden = 0
        for row in 0..<steps {
            for column in 0..<steps {
                let point = mark.quad.point((Double(column) + 0.5) / Double(steps), (Double(row) + 0.5) / Double(steps))
                var light = 1.0
                for cover in covers where cover.quad.contains(point) { light *= 1 - cover.opacity }
                if 1 - light >= opaque { hidden += 1 }
            }
        }
        return Double(hidden) / Double(steps * steps)
    }

    /// Returns the visible part of the page: its /CropBox within its /MediaBox, both inherited (§7.7.3.4).
    private func box(of page: PDFDictionary) throws(PDFSyntaxError) -> Box? {
        let media = Box(try numbers(try inherited("MediaBox", page)))
        let crop = Box(try numbers(try inherited("CropBox", page)))
        return media.flatMap { media in crop.flatMap { media.intersection($0) } ?? media } ?? crop
    }

    private func inherited(_ key: String, _ page: PDFDictionary) throws(PDFSyntaxError) -> PDFValue {
        var node = page
        for _ in 0..<Self.deepest {
            if node[key] != .null { return try file.resolved(node[key], in: revision) }
            guard let parent = try file.resolved(node["Parent"], in: revision).dictionary else { break }
            node = parent
        }
        return .null
    }

    private func numbers(_ value: PDFValue) throws(PDFSyntaxError) -> [Double]? {
        try ContentPainter(file, revision: revision, within: []).numbers(value)
    }

    // MARK: What was signed

    /// Returns the marks that the page shows in the signed revision, annotations included.
    func marks(
        of page: PDFDictionary, within area: [Box], besides widgets: Set<Int> = []
    ) throws(PDFSyntaxError) -> [PaintedMark] {
        var painter = ContentPainter(file, revision: revision, within: area)
        let contents = try file.resolved(page["Contents"], in: revision)
        var octets: [UInt8] = []
        for part in contents.array ?? (page["Contents"] == .null ? [] : [page["Contents"]]) {
            guard let reference = part.reference, let object = try file.object(reference.number, in: revision) else {
                continue
            }
            octets += try file.content(of: object, in: revision) + [0x0A]
        }
        try painter.paint(octets, try inherited("Resources", page).dictionary ?? PDFDictionary())
        for value in try file.resolved(page["Annots"], in: revision).array ?? [] {
            if let number = value.reference?.number, widgets.contains(number) { continue }
            guard let annotation = try file.resolved(value, in: revision).dictionary,
                let rectangle = Box(try numbers(annotation["Rect"])), !rectangle.isEmpty
            else { continue }
            for stream in try appearances(annotation) { try painter.paintAppearance(stream, in: rectangle) }
        }
        return painter.painting.marks
    }

    /// The appearance that an annotation has, or those of all its states.
    func appearances(_ annotation: PDFDictionary) throws(PDFSyntaxError) -> [IndirectObject] {
        let normal = try file.resolved(annotation["AP"], in: revision).dictionary?["N"] ?? .null
        let values = try file.resolved(normal, in: revision).dictionary.map { Array($0.entries.values) } ?? []
        var streams: [IndirectObject] = []
        for value in [normal] + values {
            guard let number = value.reference?.number, let object = try file.object(number, in: revision),
                object.stream != nil
            else { continue }
            streams.append(object)
            if value == normal { break }
        }
        return streams
    }

    // MARK: What was drawn later

    /// Returns the marks that the drawing paints; if that cannot be determined, all of its rectangle.
    private func covers(of drawing: Drawing) throws(PDFSyntaxError) -> [PaintedMark] {
        let whole = PaintedMark(.picture, Quad(drawing.rectangle), clip: nil, opacity: 1).map { [$0] } ?? []
        // It is unknown how a reader shows an appearance without a box.
        guard let number = drawing.appearance?.reference?.number, let object = try file.object(number, in: 0),
            object.stream != nil, let entries = object.value.dictionary, Box(try numbers(entries["BBox"])) != nil
        else { return whole }
        var painter = ContentPainter(file, revision: 0, within: [drawing.rectangle])
        do throws(PDFSyntaxError) {
            try painter.paintAppearance(object, in: drawing.rectangle)
        } catch {
            return whole
        }
        return painter.painting.marks.filter { $0.opacity > 0 }
    }
}

extension ContentPainter {
    /// The appearance of an annotation, laid into its rectangle (§12.5.5, algorithm 8.1).
    mutating func paintAppearance(_ object: IndirectObject, in rectangle: Box) throws(PDFSyntaxError) {
        // Without a box, or with an empty one, everything is clipped away (§8.10.2).
        guard let dictionary = object.value.dictionary, let box = Box(try numbers(dictionary["BBox"])), !box.isEmpty
        else { return }
        let own = Matrix(try numbers(dictionary["Matrix"])) ?? Matrix()
        guard let seen = Quad(box, own).bounds, seen.width > 0, seen.height > 0 else { return }
        let (x, y) = (rectangle.width / seen.width, rectangle.height / seen.height)
        try paintForm(
            object, placed: Matrix(a: x, d: y, e: rectangle.left - seen.left * x, f: rectangle.bottom - seen.bottom * y)
        )
    }
}
