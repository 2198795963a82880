/// A certificate or revocation list that the house rests on, and its end.
public struct DatedCertificate: Codable, Sendable, Hashable {
    /// Its part in the house, such as `client certificate`.
    public let use: String
    public let subject: String
    /// The file that it stands in.
    public let file: String
    /// Unix seconds; nil for one that never ends.
    public let notAfter: Int?

    public init(use: String, subject: String, file: String, notAfter: Int?) {
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

    /// Returns the reason for a status that it ends soon, or has ended; nil if it does not.
    public func reason(now: Int, remedy: String) -> StatusReason? {
        guard let notAfter, let days = daysLeft(now: now), days < Self.warningDays else { return nil }
        let name = "the \(use) \(subject) (\(file))"
        guard notAfter > now else {
            return StatusReason(
                .certificateExpired, .critical, "\(name) expired on \(StatusWords.date(notAfter))",
                remedy: remedy)
        }
        return StatusReason(
            .certificateExpires, days < Self.criticalDays ? .critical : .warning,
            "\(name) expires on \(StatusWords.date(notAfter)), in \(days) \(days == 1 ? "day" : "days")",
            remedy: remedy)
    }
}
