/// The times at which a transient failure is tried again: delays in order, and the largest number of attempts.
///
/// Written as `delayTime` elements of one delay each (`5 minutes`) or as one comma list (`3*10 minutes, 2 hours`).
public struct RetrySchedule: Sendable, Hashable {
    /// Seconds, in order; at least one.
    public let delays: [Int]
    /// At least as many as there are delays.
    public let maxRetries: Int

    /// 5, 10, 45 minutes, 2, 3, 6 hours, 25 retries.
    public static let standard = RetrySchedule(delays: [300, 600, 2700, 7200, 10800, 21600], maxRetries: 25)

    /// - Parameters:
    ///   - delays: Seconds, at least 1 each; an empty list stands for the standard one.
    ///   - maxRetries: Greater than the list, the last delay repeats; smaller, it is raised to the list.
    public init(delays: [Int], maxRetries: Int) {
        self.delays = delays.isEmpty ? [300, 600, 2700, 7200, 10800, 21600] : delays.map { max(1, $0) }
        self.maxRetries = max(self.delays.count, maxRetries)
    }

    /// Seconds to wait after attempt `n`, counted from 1; nil when the attempts are used up.
    public func delay(afterAttempt n: Int) -> Int? {
        guard n <= maxRetries else { return nil }
        return delays[min(max(n, 1), delays.count) - 1]
    }

    /// The longest of the delays, in seconds.
    public var maximumDelay: Int { delays.max() ?? 0 }

    /// Seconds from the first attempt to the last.
    public var total: Int {
        let listed = delays.prefix(maxRetries).reduce(0, +)
        return listed + max(0, maxRetries - delays.count) * (delays.last ?? 0)
    }

    // MARK: - Grammar

    /// The delays of one `delayTime` text: `[count *] number unit`, separated by commas.
    /// - Returns: Seconds; nil when the text is not of this form, a delay is over 365 days or there are over 1,000.
    static func delays(in text: String) -> [Int]? {
        var delays: [Int] = []
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            var rest = item
            var count = 1
            if let star = item.firstIndex(of: "*") {
                guard let times = number(item[..<star]), times >= 1 else { return nil }
                count = times
                rest = item[item.index(after: star)...]
            }
            guard count <= 1_000 - delays.count, let seconds = seconds(rest) else { return nil }
            delays += Array(repeating: seconds, count: count)
        }
        return delays
    }

    private static func seconds(_ text: Substring) -> Int? {
        let trimmed = text.drop { $0.isWhitespace }
        let digits = trimmed.prefix { $0.isNumber }
        let unit = trimmed.dropFirst(digits.count).filter { !$0.isWhitespace }
        guard let amount = number(digits), amount >= 1, let factor = units[unit.lowercased()] else { return nil }
        let (seconds, overflow) = amount.multipliedReportingOverflow(by: factor)
        return overflow || seconds > 365 * 86_400 ? nil : seconds
    }

    private static func number(_ text: Substring) -> Int? {
        let trimmed = text.filter { !$0.isWhitespace }
        guard !trimmed.isEmpty, trimmed.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(trimmed)
    }

    static let unitWords = ["seconds", "minutes", "hours", "days"]

    private static let units: [String: Int] = [
        "sec": 1, "secs": 1, "second": 1, "seconds": 1, "min": 60, "mins": 60, "minute": 60, "minutes": 60,
        "hour": 3600, "hours": 3600, "day": 86_400, "days": 86_400,
    ]
}
