/// Why a step of processing did not come to a result. Every failure is transient or permanent (design §4).
public struct Failure: Error, Hashable, Sendable {
    public enum Permanence: String, Hashable, Sendable { case transient, permanent }
    public let permanence: Permanence
    /// Whether the cause is likely our own configuration (401, unknown client): the status becomes unhealthy.
    public let pointsAtConfiguration: Bool
    /// What, where and why, in one line; no secrets, no message content, no control characters.
    public let summary: String
    /// What the server answered, as received, where there was an answer worth showing.
    public let answer: String?

    public init(_ permanence: Permanence, _ summary: String, pointsAtConfiguration: Bool = false, answer: String? = nil) {
        self.permanence = permanence
        self.summary = summary
        self.pointsAtConfiguration = pointsAtConfiguration
        self.answer = answer
    }
}
