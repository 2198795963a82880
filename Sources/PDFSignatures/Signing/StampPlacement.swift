/// Where a stamp goes on the page as it is seen. Measures are in points.
struct StampPlacement {
    let view: PageView
    /// Other signatures of the page, in the page's coordinates: a stamp goes beside them where there is room.
    let taken: [Box]

    /// A stamp is no wider and higher than this, nor than these shares of the page.
    private static let largest = (width: 200.0, height: 64.0)
    private static let share = (width: 0.45, height: 0.18)
    private static let margin = 28.0
    /// Below this nothing can be read.
    private static let smallest = (width: 24.0, height: 10.0)

    /// - Throws: ``PDFError`` of kind `page` when the page is too small.
    func box(for area: PDFSignatureOptions.Area) throws(PDFError) -> Box {
        let width = min(Self.largest.width, view.width * Self.share.width)
        let height = min(Self.largest.height, view.height * Self.share.height)
        guard width >= Self.smallest.width, height >= Self.smallest.height else {
            throw PDFError(
                .page,
                "the page is too small for a visible signature: \(Int(view.width)) by \(Int(view.height)) points")
        }
        let margin = min(Self.margin, min(view.width, view.height) * 0.05)
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
        let step = (height + 4) * (isAtTop ? -1 : 1)
        var place = first
        while taken.contains(where: { $0.overlaps(view.onPage(place)) }) {
            place = Box(left: place.left, bottom: place.bottom + step, right: place.right, top: place.top + step)
            guard place.bottom >= margin, place.top <= view.height - margin else { return first }
        }
        return place
    }
}
