import Foundation

enum UnixTime {
    /// Unix seconds of a time such as 2026-06-01T00:00:00Z.
    static func of(_ text: String) -> Int? {
        (try? Date(text, strategy: .iso8601)).map { Int($0.timeIntervalSince1970) }
    }
}
