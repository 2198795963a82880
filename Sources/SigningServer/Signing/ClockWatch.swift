/// Notices that the time of day was set while the server runs.
struct ClockWatch: Sendable {
    /// Seconds by which it may be corrected without doubt.
    private static let tolerance = 3_600

    private let startTime: Int
    /// By a clock that nobody can set.
    private let start: ContinuousClock.Instant

    /// - Parameter now: The time of day, Unix seconds.
    init(now: Int = RFC3339Time.now, at start: ContinuousClock.Instant = .now) {
        startTime = now
        self.start = start
    }

    /// Returns the seconds by which the time of day was set forward (or back, negative) since the server's start; nil
    /// if they are few.
    func jump(now: Int, at instant: ContinuousClock.Instant = .now) -> Int? {
        let jump = now - startTime - Int((instant - start).components.seconds)
        return abs(jump) > Self.tolerance ? jump : nil
    }
}
