/// A path (ISO 32000-1 §8.5), in the page's coordinates.
struct PaintedPath {
    /// Pieces of lines, by parts of the path.
    var parts: [[Point]] = []
    var current: Point?
    var isClipping = false

    mutating func move(to point: Point) {
        parts.append([point])
        current = point
    }

    mutating func line(to point: Point) {
        if parts.isEmpty { parts.append([current ?? point]) }
        parts[parts.count - 1].append(point)
        current = point
    }

    /// The curve in some straight pieces.
    mutating func curve(_ first: Point, _ second: Point, to end: Point) {
        let start = current ?? first
        for step in 1...8 {
            let t = Double(step) / 8
            let s = 1 - t
            func value(_ part: KeyPath<Point, Double>) -> Double {
                s * s * s * start[keyPath: part] + 3 * s * s * t * first[keyPath: part]
                    + 3 * s * t * t * second[keyPath: part] + t * t * t * end[keyPath: part]
            }
            line(to: Point(x: value(\.x), y: value(\.y)))
        }
    }

    mutating func close() {
        guard let start = parts.last?.first else { return }
        line(to: start)
    }

    static func bounds(_ points: [Point]) -> Box? {
        guard let first = points.first else { return nil }
        var box = Box(left: first.x, bottom: first.y, right: first.x, top: first.y)
        for point in points {
            box.left = min(box.left, point.x)
            box.right = max(box.right, point.x)
            box.bottom = min(box.bottom, point.y)
            box.top = max(box.top, point.y)
        }
        return box.sides.allSatisfy(\.isFinite) ? box : nil
    }

    /// Returns true if all its lines are vertical or horizontal.
    static func isRectangular(_ points: [Point]) -> Bool {
        points.count <= 6
            && zip(points, points.dropFirst()).allSatisfy { abs($0.x - $1.x) < 0.01 || abs($0.y - $1.y) < 0.01 }
    }
}

/// Paths: what is filled, stroked and clipped.
extension ContentPainter {
    /// A fill as light as this is paper, whatever its shape.
    private static let white = 0.98
    /// So is a rectangle as light as this: the ground of a table or a form.
    private static let light = 0.8
    /// A line at most as wide and at least as long as this is one to write or sign on, or of a table (points).
    private static let thin = 2.0
    private static let long = 36.0

    /// - Returns: True if the operator is one of paths.
    mutating func interpretPath(_ name: String, _ numbers: [Double]) -> Bool {
        func point(_ place: Int) -> Point { state.matrix.apply(numbers[place], numbers[place + 1]) }
        switch (name, numbers.count) {
        case ("m", 2): path.move(to: point(0))
        case ("l", 2): path.line(to: point(0))
        case ("c", 6): path.curve(point(0), point(2), to: point(4))
        case ("v", 4): path.curve(path.current ?? point(0), point(0), to: point(2))
        case ("y", 4): path.curve(point(0), point(2), to: point(2))
        case ("h", _): path.close()
        case ("re", 4):
            let (x, y, width, height) = (numbers[0], numbers[1], numbers[2], numbers[3])
            path.move(to: state.matrix.apply(x, y))
            path.line(to: state.matrix.apply(x + width, y))
            path.line(to: state.matrix.apply(x + width, y + height))
            path.line(to: state.matrix.apply(x, y + height))
            path.close()
        case ("W", _), ("W*", _): path.isClipping = true
        case ("f", _), ("F", _), ("f*", _): end(fills: true)
        case ("S", _): end(strokes: true)
        case ("s", _):
            path.close()
            end(strokes: true)
        case ("B", _), ("B*", _): end(fills: true, strokes: true)
        case ("b", _), ("b*", _):
            path.close()
            end(fills: true, strokes: true)
        case ("n", _): end()
        default: return false
        }
        return true
    }

    private mutating func end(fills: Bool = false, strokes: Bool = false) {
        if fills { fill() }
        if strokes { stroke() }
        if path.isClipping {
            let bounds = path.parts.compactMap(PaintedPath.bounds)
            if let first = bounds.first {
                state.narrow(
                    to: bounds.reduce(first) {
                        Box(
                            left: min($0.left, $1.left), bottom: min($0.bottom, $1.bottom),
                            right: max($0.right, $1.right), top: max($0.top, $1.top))
                    })
            }
        }
        path = PaintedPath()
    }

    private mutating func fill() {
        for part in path.parts {
            guard let box = PaintedPath.bounds(part) else { continue }
            if state.isPatternFill {
                painting.add(PaintedMark(.picture, Quad(box), clip: state.clip, opacity: state.fillOpacity))
                continue
            }
            add(
                box, lightness: state.fillLightness, opacity: state.fillOpacity,
                isRectangular: PaintedPath.isRectangular(part))
        }
    }

    private mutating func stroke() {
        let width = max(0.25, state.lineWidth * state.matrix.scale)
        for part in path.parts {
            for (start, end) in zip(part, part.dropFirst()) {
                guard let box = PaintedPath.bounds([start, end]) else { continue }
                let isStraight = box.width < 0.01 || box.height < 0.01
                // A slanting line is not the rectangle around it: it is cut into short pieces.
                let pieces = isStraight ? 1 : min(64, max(1, Int(max(box.width, box.height) / 2)))
                for piece in 0..<pieces {
                    func point(_ place: Int) -> Point {
                        let t = Double(place) / Double(pieces)
                        return Point(x: start.x + t * (end.x - start.x), y: start.y + t * (end.y - start.y))
                    }
                    guard let bounds = PaintedPath.bounds([point(piece), point(piece + 1)]) else { continue }
                    add(
                        bounds.grown(by: width / 2), lightness: state.isPatternStroke ? nil : state.strokeLightness,
                        opacity: state.strokeOpacity, isRectangular: isStraight)
                }
            }
        }
    }

    private mutating func add(_ box: Box, lightness: Double?, opacity: Double, isRectangular: Bool) {
        let isLine = isRectangular && min(box.width, box.height) <= Self.thin && max(box.width, box.height) >= Self.long
        var mark = PaintedMark(isLine ? .rule : .drawing, Quad(box), clip: state.clip, opacity: opacity)
        if let lightness { mark?.isPaper = lightness >= Self.white || isRectangular && lightness >= Self.light }
        painting.add(mark)
    }
}
