/// Collects what a verification answer says of the signatures; the worst word wins.
///
/// An answer that says nothing is indeterminate, never trusted.
public struct SignalJudge: Sendable {
    /// One of the lists in ProcessingDetails.
    public enum Detail: Sendable, Hashable { case valid, indeterminate, invalid }

    private let words: VerdictWords
    private var worst: Verdict?
    private var isRevocationMissing = false
    private var isSomethingElseMissing = false
    private var isSignerWrong = false
    private var isSomethingElseWrong = false

    public init(words: VerdictWords) { self.words = words }

    /// The verdict of all that was taken so far.
    public var verdict: Verdict { worst ?? .indeterminate }

    /// True if a revocation service's answer, and nothing else that has a name, is missing for a verdict.
    public var isRevocationUnreachable: Bool {
        verdict == .indeterminate && isRevocationMissing && !isSomethingElseMissing
    }

    /// True if the only objection to the signatures is that their signer is not the message's author.
    ///
    /// The minor of a Result only sums up, and says nothing of its own here.
    public var isOnlySignerWrong: Bool {
        verdict == .notTrusted && isSignerWrong && !isSomethingElseWrong && !isRevocationMissing
            && !isSomethingElseMissing
    }

    /// The Result of the answer itself; one that is neither Success nor InsufficientInformation is no verdict and must
    /// not come here.
    public mutating func record(major: ResultMajor, minor: ResultMinor?) {
        if major == .insufficientInformation {
            note(.indeterminate)
            if let minor { noteMissing(isRevocation: minor.isRevocationUnavailable) }
        } else if let minor, let signal = minor.signal {
            note(signal)
            if signal == .indeterminate { noteMissing(isRevocation: minor.isRevocationUnavailable) }
        }
    }

    /// The Result of one signature in a DSS-X verification report.
    public mutating func record(reportMajor major: ResultMajor, minor: ResultMinor?) {
        switch major {
        case .success, .insufficientInformation: record(major: major, minor: minor)
        case .unknown(let uri): noteWord(words[uri])
        case .requesterError, .responderError, .pending: noteWord(nil)
        }
    }

    /// An AssertionStatus; nil for a signature without one.
    public mutating func record(assertionStatus word: String?) {
        noteWord(word.flatMap { words[$0] })
    }

    /// An entry of ProcessingDetails.
    /// - Parameter type: Its Type, as the server wrote it.
    public mutating func record(_ detail: Detail, type: String?) {
        switch detail {
        case .valid: break
        case .invalid:
            note(.notTrusted)
            if type == DSSWord.signerIdentityDetail { isSignerWrong = true } else { isSomethingElseWrong = true }
        case .indeterminate:
            note(.indeterminate)
            if type == nil { isSomethingElseWrong = true }
            if let type { noteMissing(isRevocation: URIWord.lastPart(of: type).lowercased() == "revocationstatus") }
        }
    }

    /// A word for one signature as a whole; nil where it means nothing.
    private mutating func noteWord(_ verdict: Verdict?) {
        note(verdict ?? .indeterminate)
        if verdict != .trusted { isSomethingElseWrong = true }
    }

    private mutating func note(_ verdict: Verdict) { worst = max(worst ?? verdict, verdict) }

    private mutating func noteMissing(isRevocation: Bool) {
        if isRevocation { isRevocationMissing = true } else { isSomethingElseMissing = true }
    }
}
