public import MailEnvelope
import Composition
import InternetMessage
public import Octets
public import Workflows

/// A claimed message, as processing sees it: octets and the facts that ride in its name.
public struct Entry: Sendable {
    /// 32 hexadecimal digits, kept for life.
    public let id: String
    /// The unique part of the name of what is written from it, new with every start.
    public let uniqueName: String
    public let direction: Direction
    /// Put into the folder as a bare `*.eml` by a person, not delivered into `new/`.
    public let isBare: Bool
    /// Transient attempts completed.
    public let attempts: Int
    /// `A=release`: an operator's order to pass it on as it arrived.
    public let isReleased: Bool
    /// `A=hold`: an operator's order to keep it, which was interrupted.
    public let isHeld: Bool
    /// The envelope block at the head of the file, nil without one.
    public let block: OctetString?
    /// The message as it stands in the file, after the block.
    public let raw: OctetString
    /// The same with CRLF line ends.
    public let canonical: OctetString
    public let lineEnding: LineEnding

    public init(
        id: String, uniqueName: String, direction: Direction, isBare: Bool, attempts: Int, isReleased: Bool,
        isHeld: Bool = false, block: OctetString?, raw: OctetString, canonical: OctetString, lineEnding: LineEnding
    ) {
        self.id = id
        self.uniqueName = uniqueName
        self.direction = direction
        self.isBare = isBare
        self.attempts = attempts
        self.isReleased = isReleased
        self.isHeld = isHeld
        self.block = block
        self.raw = raw
        self.canonical = canonical
        self.lineEnding = lineEnding
    }
}

/// The result for an entry: where it goes.
public struct Outcome: Sendable {
    public enum Disposal: Sendable {
        /// All of these are published together, and the entry is done. Never empty.
        case publish([Output])
        /// Nothing can be done until a fault of this machine is gone; no attempt is counted.
        case putBack(errno: Int32)
        /// Tried again as soon as the signing server has room; no attempt is counted.
        case waitForTurn
        /// Tried again later.
        case `defer`(attempts: Int, delay: Int)
    }
    public let disposal: Disposal
    /// For the journal and the log.
    public let account: Account

    public init(_ disposal: Disposal, account: Account) {
        self.disposal = disposal
        self.account = account
    }

    /// The reasons for the outcome, for people.
    public struct Account: Sendable, Hashable {
        public var workflow: String?
        /// The line of the workflow in `ses.xml`.
        public var workflowLine: Int?
        /// The beginning of ``reason`` that follows from the workflow alone; nil if there is more to the decision.
        public var matchReason: String?
        /// The address in From, where it is not the envelope sender.
        public var author: String?
        /// The addresses in To and Cc that are no recipients of the envelope, at most ``maximumAddressees``.
        public var addressees: [String] = []
        /// As decoded.
        public var subject: String?
        /// `trusted`, `not trusted`, `indeterminate`, `not signed`; nil when nothing was verified.
        public var verdict: String?
        public var reason: String
        public var messageID: String?
        /// The envelope; nil before it was read.
        public var envelope: Envelope?
        /// The signing server's message, in one line.
        public var serverAnswer: String?
        /// The failure behind it, when there was one.
        public var failure: Failure?
        /// True if the signing server gave a result, whatever it is: it is reached, and knows us.
        public var hasServerResult = false
        /// The fields that were removed on intake, for the log.
        public var removed: [String]

        /// The number of addresses of the header that are told.
        public static let maximumAddressees = 50

        public init(
            workflow: String? = nil, verdict: String? = nil, reason: String = "", messageID: String? = nil,
            serverAnswer: String? = nil, failure: Failure? = nil, removed: [String] = []
        ) {
            self.workflow = workflow
            self.verdict = verdict
            self.reason = reason
            self.messageID = messageID
            self.serverAnswer = serverAnswer
            self.failure = failure
            self.removed = removed
        }
    }
}

/// One file to be published.
public struct Output: Sendable {
    public enum Folder: String, Sendable, Hashable { case delivered, admin, blocked }

    public let folder: Folder
    public let envelope: Envelope
    /// The way it travels from here: a notice to one of the organisation's own goes in.
    public let direction: Direction
    /// `X-SES-Outcome`.
    public let word: OutcomeWord
    public let workflow: String?
    public let reason: String
    public let content: OctetRope
    /// True if the claimed file itself is published, unchanged; ``content`` is empty then.
    public let isClaimedFile: Bool
    /// True for the copy that is kept beside a notice with which somebody got the message: a notice may be lost.
    public let isKeptBesideNotice: Bool

    public init(
        folder: Folder, envelope: Envelope, direction: Direction, word: OutcomeWord, workflow: String?,
        reason: String, content: OctetRope, isClaimedFile: Bool = false, isKeptBesideNotice: Bool = false
    ) {
        self.isKeptBesideNotice = isKeptBesideNotice
        self.folder = folder
        self.envelope = envelope
        self.direction = direction
        self.word = word
        self.workflow = workflow
        self.reason = reason
        self.content = content
        self.isClaimedFile = isClaimedFile
    }
}

/// The kind of an output, in one word, for the relay and for people.
public enum OutcomeWord: String, Sendable, Hashable {
    case signed, verified, passed, released, blocked, failed
    case notTrusted = "not-trusted"
    case indeterminate
    case notSigned = "not-signed"
    case notice
}
