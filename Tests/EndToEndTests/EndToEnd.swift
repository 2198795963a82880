import Foundation
import TestSupport
import Testing

/// The built programs on real spools. One after another: each test starts processes and needs its time limits to mean
/// something on a small machine.
@Suite("The built programs", .serialized)
enum EndToEnd {
    /// True if the suites of the second level run in full.
    static let isSecondLevel = ProcessInfo.processInfo.environment["SES_TEST_ALL"] == "1"
}
