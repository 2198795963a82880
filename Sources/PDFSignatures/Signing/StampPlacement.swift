/// The place of a stamp in the view of the page. Measures are in points.
struct StampPlacement {
    let view: PageView
    /// Other signatures of the page, in the page's coordinates: a stamp goes beside them where there is room.
    let taken: [Box]
    /// The areas of the page that somebody has signed, in its coordinates: a stamp that hid them would break that
    /// signature.
    var signed: [Box] = []
    /// In points, where it is given; no more than fits between the margins.
    var width: Double?
    var height: Double?

    /// A stamp is no wider and higher than this, nor than these shares of the page.
    private static let largest = (width: 200.0, height: 64.0)
    private static let share = (width: 0.45, height: 0.18)
    private static let margin = 28.0
    /// Below this nothing can be read.
    private static let smallest = (width: 24.0, height: 10.0)

    /// - Throws: ``PDFError`` of kind `page` when the page is too small, or has no room for a stamp that hides nothing.
    func box(for area: PDFSignatureOptions.Area) throws(PDFError) -> Box {
        let edge = min(Self.margin, min(view.width, view.height) * 0.05)
        let width =
            self.width.map { min($0, view.width - 2 * edge) } ?? min(Self.largest.width, view.width * Self.share.width)
        let height =
            self.height.map { min($0, view.height - 2 * edge) }
            ?? min(Self.largest.height, view.height * Self.share.height)
        guard width >= Self.smallest.width, height >= Self.smallest.height else {
            throw PDFError(
                .page,
                "the page is too small for a visible signature: \(Int(view.width)) by \(Int(view.height)) points")
        }
        let margin = edge
        let left: Double =
            switch area {
            case .topLeft, .bottomLeft: margin
            case .centre: (view.width - width) / 2
            case .topRight, .bottomRight: view.width - margin - width
            }
        let bottom: Double =
            switch area {
            case .topLeft, .topRight: view.height - margin - height
            case .centre: (view.height - height) / 2
            case .bottomLeft, .bottomRight: margin
            }
        let first = Box(left: left, bottom: bottom, right: left + width, top: bottom + height)
        // From the edge inwards, one above (or below) the other.
        let isAtTop = area == .topLeft || area == .topRight
        // In small steps where something is to be kept free, else from one stamp to the next.
        let step = (signed.isEmpty ? height + 4 : 4) * (isAtTop ? -1 : 1)
        var place = first
        while (taken + signed).contains(where: { $0.overlaps(view.onPage(place)) }) {
            place = Box(left: place.left, bottom: place.bottom + step, right: place.right, top: place.top + step)
            guard place.bottom >= margin, place.top <= view.height - margin else {
                guard signed.isEmpty else {
                    throw PDFError(
                        .page,
                        "the page has no room for a visible signature in that area: it would hide what is signed"
                            + " already; ask for another area or page, or for none that shows")
                }
                return first
            }
        }
        return place
    }
}
