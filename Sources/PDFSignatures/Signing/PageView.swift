import PDFStructure

/// A rectangle with its corners in order (ISO 32000-1 §7.9.5).
struct Box: Hashable {
    var left: Double
    var bottom: Double
    var right: Double
    var top: Double

    var width: Double { right - left }
    var height: Double { top - bottom }
    var isEmpty: Bool { width <= 0 || height <= 0 }
    var sides: [Double] { [left, bottom, right, top] }

    init(left: Double, bottom: Double, right: Double, top: Double) {
        self.left = min(left, right)
        self.right = max(left, right)
        self.bottom = min(bottom, top)
        self.top = max(bottom, top)
    }

    /// - Returns: nil if there are not four numbers, or some are unusable for drawing.
    init?(_ numbers: [Double]?) {
        guard let numbers, numbers.count == 4, numbers.allSatisfy({ abs($0) <= 1e7 }) else { return nil }
        self.init(left: numbers[0], bottom: numbers[1], right: numbers[2], top: numbers[3])
    }

    /// Returns the part that both have; nil if there is none.
    func intersection(_ other: Box) -> Box? {
        guard overlaps(other) else { return nil }
        return Box(
            left: max(left, other.left), bottom: max(bottom, other.bottom), right: min(right, other.right),
            top: min(top, other.top))
    }

    func overlaps(_ other: Box) -> Bool {
        left < other.right && other.left < right && bottom < other.top && other.bottom < top
    }
}

/// The view of a page: the part of it that shows, turned.
struct PageView: Hashable {
    /// In the page's own coordinates.
    let box: Box
    /// Clockwise, in degrees: 0, 90, 180 or 270.
    let rotation: Int
    /// Points in one unit of the page's coordinates.
    let unit: Double

    /// Of what is seen, in points.
    var width: Double { (isTurned ? box.height : box.width) * unit }
    var height: Double { (isTurned ? box.width : box.height) * unit }
    private var isTurned: Bool { rotation % 180 != 0 }

    /// From points on the page as seen, counted from its lower left corner, to the page's coordinates.
    func onPage(_ seen: Box) -> Box {
        let (left, right, bottom, top) = (seen.left / unit, seen.right / unit, seen.bottom / unit, seen.top / unit)
        return switch rotation {
        case 90:
            Box(left: box.right - top, bottom: box.bottom + left, right: box.right - bottom, top: box.bottom + right)
        case 180:
            Box(left: box.right - right, bottom: box.top - top, right: box.right - left, top: box.top - bottom)
        case 270: Box(left: box.left + bottom, bottom: box.top - right, right: box.left + top, top: box.top - left)
        default:
            Box(left: box.left + left, bottom: box.bottom + bottom, right: box.left + right, top: box.bottom + top)
        }
    }

    /// Width and height as seen, in points, of a rectangle in the page's coordinates.
    func seenSize(_ rectangle: Box) -> (width: Double, height: Double) {
        let size = (width: rectangle.width * unit, height: rectangle.height * unit)
        return isTurned ? (size.height, size.width) : size
    }
}

/// A page, found in the tree of pages (§7.7.3).
struct PDFPage {
    let reference: IndirectReference
    let dictionary: PDFDictionary
}

extension SigningSource {
    private static let deepest = 64
    private static let maximumPages = 100_000

    /// - Parameter number: From 1.
    /// - Throws: ``PDFError`` of kind `page` if there is none.
    func page(_ number: Int) throws(PDFError) -> PDFPage {
        guard number >= 1 else { throw PDFError(.page, "there is no page \(number): pages are counted from 1") }
        var open: [(value: PDFValue, depth: Int)] = [(catalog["Pages"], 0)]
        var seen: Set<Int> = []
        var pages = 0
        while let node = open.popLast() {
            guard let reference = node.value.reference, let dictionary = try dictionary(node.value) else {
                throw PDFError(.damaged, "the tree of pages of the PDF has a node that is no object")
            }
            guard seen.insert(reference.number).inserted, node.depth <= Self.deepest else {
                throw PDFError(.damaged, "the tree of pages of the PDF leads back to itself, or too deep")
            }
            if dictionary["Kids"] != .null, dictionary["Type"].name != "Page" {
                open += try array(dictionary["Kids"], "/Kids of the pages").reversed().map { ($0, node.depth + 1) }
            } else {
                pages += 1
                if pages == number { return PDFPage(reference: reference, dictionary: dictionary) }
                guard pages < Self.maximumPages else { break }
            }
        }
        throw PDFError(.page, "there is no page \(number): the PDF has \(pages) \(pages == 1 ? "page" : "pages")")
    }

    /// Returns the view of `page`. Properties that it does not have itself are inherited from the nodes above
    /// (§7.7.3.4).
    /// - Throws: ``PDFError`` of kind `page` when nothing of it is seen.
    func view(of page: PDFPage) throws(PDFError) -> PageView {
        // A page without any size is shown as Letter by most readers.
        let media =
            Box(try numbers(try inherited("MediaBox", page))) ?? Box(left: 0, bottom: 0, right: 612, top: 792)
        let crop = Box(try numbers(try inherited("CropBox", page)))
        let box = crop?.intersection(media) ?? media
        guard !box.isEmpty else {
            throw PDFError(.page, "the page \(page.reference) has no area")
        }
        let turn = try resolved(try inherited("Rotate", page)).integer ?? 0
        let rotation = turn % 90 == 0 ? (turn % 360 + 360) % 360 : 0
        let unit = try resolved(page.dictionary["UserUnit"]).number ?? 1
        return PageView(box: box, rotation: rotation, unit: unit > 0 && unit <= 75_000 ? unit : 1)
    }

    private func inherited(_ key: String, _ page: PDFPage) throws(PDFError) -> PDFValue {
        var node = page.dictionary
        for _ in 0..<Self.deepest {
            if try resolved(node[key]) != .null { return node[key] }
            guard let parent = try dictionary(node["Parent"]) else { return .null }
            node = parent
        }
        return .null
    }
}
