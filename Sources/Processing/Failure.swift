public import Explanations
public import Octets

/// The reason why a step of processing has no result. Every failure is transient or permanent.
public struct Failure: Error, Hashable, Sendable {
    public enum Permanence: String, Hashable, Sendable { case transient, permanent }
    public let permanence: Permanence
    /// True if the cause is likely our own configuration (401, unknown client): the status becomes unhealthy.
    public let pointsAtConfiguration: Bool
    /// The event, its place and its cause, in one line; no secrets, no message content, no control characters.
    public let summary: String
    /// The server's answer as received, if there was one worth showing.
    public let answer: String?

    /// The errno of a fault of this machine, such as a full disk: it costs the message no attempt.
    public private(set) var localFault: Int32?
    /// True if nothing was tried, because the signing server is busy with as many messages as it is given at a time: it
    /// costs the message no attempt.
    public private(set) var isOutOfTurn = false
    /// True if the signing server says that it cannot judge this one document, whichever client asks. The document then
    /// has a verdict all the same: nothing is known.
    public var refusesDocument = false
    /// True if no address of the signing server gave an answer: it is tried again as soon as one does.
    public var serverIsAway = false
    /// True if it was transient before the attempts were used up.
    public private(set) var wasTransient: Bool

    /// - Parameter advice: Advice for the person who is told.
    public init(
        _ permanence: Permanence, _ summary: String, advice: Advice? = nil, pointsAtConfiguration: Bool = false,
        answer: String? = nil
    ) {
        self.permanence = permanence
        self.summary = advice?.added(to: summary) ?? summary
        self.pointsAtConfiguration = pointsAtConfiguration
        self.answer = answer
        wasTransient = permanence == .transient
    }

    /// A fault of this machine: it costs the message no attempt.
    public init(localFault errno: Int32, _ summary: String) {
        self.init(.transient, summary)
        localFault = errno
    }

    /// The message waits for its turn at the signing server.
    public static func outOfTurn(_ summary: String) -> Failure {
        var failure = Failure(.transient, summary)
        failure.isOutOfTurn = true
        return failure
    }

    /// True if the answer is XML or HTML, as a DSS server's is.
    var isAnsweredInMarkup: Bool { answer?.drop(while: \.isWhitespace).first == "<" }

    /// Octets that could not be kept: a fault of the file system is local, too many of them is the message's own doing.
    public init(_ error: OctetCollectionError, _ subject: String) {
        switch error.kind {
        case .tooMany: self.init(.permanent, subject + ": " + error.detail)
        case .storage(let errno):
            self.init(.transient, subject + ": " + error.detail)
            localFault = errno
        }
    }

    /// The same failure, told of `subject`, which is in no need of escaping.
    func told(of subject: String) -> Failure {
        var told = Failure(
            permanence, subject + ": " + summary, pointsAtConfiguration: pointsAtConfiguration, answer: answer)
        told.localFault = localFault
        told.isOutOfTurn = isOutOfTurn
        told.refusesDocument = refusesDocument
        told.serverIsAway = serverIsAway
        told.wasTransient = wasTransient
        return told
    }

    /// A transient failure when there are no more attempts.
    func final(after attempts: Int) -> Failure {
        var final = Failure(
            .permanent, "given up after \(attempts) attempts: " + summary,
            pointsAtConfiguration: pointsAtConfiguration, answer: answer)
        final.wasTransient = wasTransient
        final.serverIsAway = serverIsAway
        return final
    }
}
