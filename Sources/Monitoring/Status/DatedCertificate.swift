/// A certificate or revocation list that the house rests on, and its end.
public struct DatedCertificate: Codable, Sendable, Hashable {
    /// Its part in the house, such as `client certificate`.
    public let use: String
    public let subject: String
    /// The file that it stands in.
    public let file: String
    /// Unix seconds; nil for one that never ends.
    public let notAfter: Int?
    /// The beginning of its time, Unix seconds; nil if it does not matter.
    public let notBefore: Int?

    public init(use: String, subject: String, file: String, notAfter: Int?, notBefore: Int? = nil) {
        self.notBefore = notBefore
        self.use = use
        self.subject = subject
        self.file = file
        self.notAfter = notAfter
    }

    /// Whole days that are left, rounded down; negative once it has expired.
    public func daysLeft(now: Int) -> Int? { notAfter.map { Int((Double($0 - now) / 86_400).rounded(.down)) } }

    /// Days before the end from which a status warns, and from which it is critical.
    public static let warningDays = 30
    public static let criticalDays = 3

    /// The urgency of its end. What lives shortly, such as a revocation list of a week, would always be near its end:
    /// the days count only within the last third of its time.
    public func level(now: Int) -> StatusLevel {
        guard let notAfter, let days = daysLeft(now: now) else { return .ok }
        guard notAfter > now else { return .critical }
        guard days < Self.warningDays else { return .ok }
        if let notBefore, notAfter - now > (notAfter - notBefore) / 3 { return .ok }
        return days < Self.criticalDays ? .critical : .warning
    }

    /// Returns the reason for a status that it ends soon, or has ended; nil if it does not.
    public func reason(now: Int, remedy: String) -> StatusReason? {
        let level = level(now: now)
        guard let notAfter, let days = daysLeft(now: now), level != .ok else { return nil }
        let name = "the \(use) \(subject) (\(file))"
        guard notAfter > now else {
            return StatusReason(
                .certificateExpired, .critical, "\(name) expired on \(StatusWords.date(notAfter))",
                remedy: remedy)
        }
        return StatusReason(
            .certificateExpires, level,
            "\(name) expires on \(StatusWords.date(notAfter)), in \(days) \(days == 1 ? "day" : "days")",
            remedy: remedy)
    }
}
