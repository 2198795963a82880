/// A point in some coordinates of a page.
struct Point: Hashable {
    var x: Double
    var y: Double
}

/// A transformation of coordinates (ISO 32000-1 §8.3.3).
struct Matrix: Hashable {
    var a = 1.0
    var b = 0.0
    var c = 0.0
    var d = 1.0
    var e = 0.0
    var f = 0.0

    /// - Returns: nil if there are not six numbers, or some are unusable for drawing.
    init?(_ numbers: [Double]?) {
        guard let numbers, numbers.count == 6, numbers.allSatisfy({ $0.isFinite && abs($0) <= 1e9 }) else { return nil }
        (a, b, c, d, e, f) = (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5])
    }

    init(a: Double = 1, d: Double = 1, e: Double = 0, f: Double = 0) { (self.a, self.d, self.e, self.f) = (a, d, e, f) }

    /// This one first, then `next`.
    func then(_ next: Matrix) -> Matrix {
        var result = Matrix()
        result.a = a * next.a + b * next.c
        result.b = a * next.b + b * next.d
        result.c = c * next.a + d * next.c
        result.d = c * next.b + d * next.d
        result.e = e * next.a + f * next.c + next.e
        result.f = e * next.b + f * next.d + next.f
        return result
    }

    func apply(_ x: Double, _ y: Double) -> Point { Point(x: a * x + c * y + e, y: b * x + d * y + f) }

    /// The factor by which a length grows, approximately and at most.
    var scale: Double { max((a * a + b * b).squareRoot(), (c * c + d * d).squareRoot()) }
}

/// A parallelogram: a corner, and the two beside it.
struct Quad: Hashable {
    let origin: Point
    let right: Point
    let up: Point

    init(_ box: Box, _ matrix: Matrix = Matrix()) {
        origin = matrix.apply(box.left, box.bottom)
        right = matrix.apply(box.right, box.bottom)
        up = matrix.apply(box.left, box.top)
    }

    /// The smallest upright rectangle around it; nil if there is nothing to draw.
    var bounds: Box? {
        let far = Point(x: right.x + up.x - origin.x, y: right.y + up.y - origin.y)
        let xs = [origin.x, right.x, up.x, far.x]
        let ys = [origin.y, right.y, up.y, far.y]
        guard let left = xs.min(), let rightmost = xs.max(), let bottom = ys.min(), let top = ys.max(),
            [left, rightmost, bottom, top].allSatisfy({ $0.isFinite && abs($0) < 1e7 })
        else { return nil }
        return Box(left: left, bottom: bottom, right: rightmost, top: top)
    }

    /// The point at `u` and `v` of its sides, from 0 to 1.
    func point(_ u: Double, _ v: Double) -> Point {
        Point(
            x: origin.x + u * (right.x - origin.x) + v * (up.x - origin.x),
            y: origin.y + u * (right.y - origin.y) + v * (up.y - origin.y))
    }

    func contains(_ point: Point) -> Bool {
        let (ux, uy) = (right.x - origin.x, right.y - origin.y)
        let (vx, vy) = (up.x - origin.x, up.y - origin.y)
        let determinant = ux * vy - uy * vx
        guard determinant != 0 else { return false }
        let (x, y) = (point.x - origin.x, point.y - origin.y)
        let u = (x * vy - y * vx) / determinant
        let v = (ux * y - uy * x) / determinant
        return (0...1).contains(u) && (0...1).contains(v)
    }
}

extension Box {
    var area: Double { max(0, width) * max(0, height) }

    func grown(by margin: Double) -> Box {
        Box(left: left - margin, bottom: bottom - margin, right: right + margin, top: top + margin)
    }

    /// The area that `boxes` have together, overlaps counted once.
    static func united(_ boxes: [Box]) -> Double {
        let edges = Set(boxes.flatMap { [$0.left, $0.right] }).sorted()
        var area = 0.0
        for (left, right) in zip(edges, edges.dropFirst()) {
            let spans = boxes.filter { $0.left <= left && $0.right >= right }.map { ($0.bottom, $0.top) }
                .sorted { $0.0 < $1.0 }
            var covered = 0.0
            var reach = -Double.infinity
            for (bottom, top) in spans where top > reach {
                covered += top - max(bottom, reach)
                reach = top
            }
            area += covered * (right - left)
        }
        return area
    }
}
