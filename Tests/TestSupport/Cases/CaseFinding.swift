import Foundation

/// The files that the programs made of one row's mail.
public struct CaseFinding: Sendable {
    /// The reason why the row could not be tried; nil where it was.
    public var failure: String?
    /// The message of `ses drop` when it refused the mail.
    public var refusal: String?
    public var delivered: [SpoolFile] = []
    public var admin: [SpoolFile] = []
    /// Other folders of the spool in which something of the mail stands.
    public var elsewhere: [String] = []
    /// The messages that a mail server got from `ses-relay`, for rows about what leaves.
    public var relayed: [[UInt8]] = []
    /// For each delivered mail the outcome word when it comes in and is verified.
    public var returned: [Returned] = []
    /// The reason in the journal.
    public var reason = ""

    public struct Returned: Sendable {
        /// `X-SES-Outcome`, or the name of the folder where no verdict was delivered.
        public let outcome: String
        public let reason: String
    }

    static func failed(_ reason: String) -> CaseFinding {
        var finding = CaseFinding()
        finding.failure = reason
        return finding
    }

    /// `X-SES-Outcome` of what was delivered, each once.
    public var outcomes: Set<String> { Set(delivered.map { $0.envelopeField("X-SES-Outcome") ?? "none" }) }
    public var recipients: Set<String> { delivered.reduce(into: []) { $0.formUnion($1.recipients) } }
}
