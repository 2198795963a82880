import Foundation
import Glibc

/// The share of a suite's points that a run tries, and the table of what came of them.
///
/// All points with `SES_TEST_ALL=1`, else a share by the seed `SES_TEST_SEED` (1). `SES_TEST_POINT` chooses those whose
/// description contains it: a failure names its point, and is repeated so.
public enum FaultShare {
    public static let isWhole = ProcessInfo.processInfo.environment["SES_TEST_ALL"] == "1"
    public static let seed = ProcessInfo.processInfo.environment["SES_TEST_SEED"].flatMap { UInt64($0) } ?? 1
    /// Points at a time.
    public static let width = ProcessInfo.processInfo.environment["SES_TEST_WIDTH"].flatMap { Int($0) } ?? 3
    private static let wanted = ProcessInfo.processInfo.environment["SES_TEST_POINT"]
    private static let table = ProcessInfo.processInfo.environment["SES_TEST_TABLE"]

    /// - Parameter most: The number of points that a whole run tries; nil for all.
    public static func of<Point>(_ points: [Point], normally count: Int, most: Int? = nil) -> [Point] {
        if let wanted { return points.filter { "\($0)".contains(wanted) } }
        let count = isWhole ? most ?? points.count : count
        // In the order of the seed also when all are tried: a run that is broken off has tried a fair share.
        var numbers = SeededNumbers(seed: seed)
        return Array(points.shuffled(using: &numbers).prefix(count))
    }

    /// Prints one row of the table, and adds it to the file `SES_TEST_TABLE`, from which `scripts/test` prints all.
    public static func tell(
        _ suite: String, points: Int, of all: Int, failures: Int, leftOut: [String] = [], note: String = ""
    ) {
        let rest =
            (leftOut.isEmpty ? [] : ["left out: " + leftOut.joined(separator: ", ")]) + (note.isEmpty ? [] : [note])
        let row = "| \(suite) | \(points) of \(all) | \(seed) | \(failures) | \(rest.joined(separator: "; ")) |\n"
        print(row, terminator: "")
        guard let table else { return }
        let descriptor = open(table, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return print("cannot write \(table): errno \(errno)") }
        defer { close(descriptor) }
        _ = Array(row.utf8).withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    }

    /// Runs `attempt` on each point, several at a time: a point is mostly the start of programs and the wait for their
    /// ends.
    /// - Returns: The deviations from the expected outcome, each with its point.
    public static func faults<Point: Sendable>(
        of points: [Point], width: Int = Self.width, _ attempt: @escaping @Sendable (Point) async throws -> [String]
    ) async -> [(point: Point, faults: [String])] {
        @Sendable func result(_ point: Point) async -> (Point, [String]) {
            do { return (point, try await attempt(point)) } catch { return (point, ["\(error)"]) }
        }
        return await withTaskGroup(of: (Point, [String]).self) { group in
            var rest = points.makeIterator()
            var found: [(point: Point, faults: [String])] = []
            var count = 0
            for _ in 0..<width {
                if let point = rest.next() { group.addTask { await result(point) } }
            }
            while let (point, faults) = await group.next() {
                count += 1
                if !faults.isEmpty {
                    found.append((point, faults))
                    print("\(point): \(faults.joined(separator: "; "))")
                }
                if count.isMultiple(of: 500) { print("\(count) of \(points.count) points, \(found.count) failures") }
                if let point = rest.next() { group.addTask { await result(point) } }
            }
            return found
        }
    }
}
