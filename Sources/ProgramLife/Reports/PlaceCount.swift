import HostProcess
import Monitoring

/// The number of messages in one place of a spool, for a report.
public struct PlaceCount: Encodable, Sendable {
    let count: Int
    /// Age of the oldest file in seconds; nil when there is none.
    @OrNull var oldest: Int?
    /// Unix seconds of the next attempt, where messages wait for one; nil elsewhere.
    @OrNull var next: Int?

    package init(count: Int, oldest: Int?, next: Int? = nil) {
        self.count = count
        self.oldest = oldest
        self.next = next
    }

    /// An age or a wait in words: `5 min`.
    package static func span(_ seconds: Int) -> String { StatusWords.span(seconds) }
}
