/// One thing that is wrong in a configuration and keeps it from being used.
public struct ConfigurationFault: Sendable, Hashable, Encodable {
    public enum Code: String, Sendable, Hashable, Encodable, CaseIterable {
        /// The file, or a file that it names, cannot be read or must not be trusted.
        case file
        /// Not well-formed XML, or XML that is refused.
        case xml
        case unknownElement = "unknown-element"
        case unknownAttribute = "unknown-attribute"
        /// A word, number or address that the place does not take.
        case badValue = "bad-value"
        /// Text where only elements stand.
        case strayText = "stray-text"
        case repeated
        case missing
        /// Two things that exclude each other.
        case conflict
        /// A secret that cannot be had.
        case secret
    }
    public let file: String
    /// Counted from 1; 0 for the file as a whole.
    public let line: Int
    public let code: Code
    /// The fault itself.
    public let text: String
    /// The values that are accepted there.
    public let expected: String?
    /// The known word that is most like the unknown one.
    public let nearest: String?
}

extension ConfigurationFault: CustomStringConvertible {
    /// `conf/ses.xml:41: … ; expected …; did you mean …?`
    public var description: String {
        var sentence = (line > 0 ? "\(file):\(line): " : "\(file): ") + text
        if let expected { sentence += "; expected \(expected)" }
        if let nearest { sentence += "; did you mean \(nearest)?" }
        return sentence
    }
}

/// All that is wrong in a configuration, in the order of its lines; at least one fault.
public struct ConfigurationFaults: Error, Sendable, Hashable {
    public let faults: [ConfigurationFault]
    /// The warnings of the same reading.
    public let warnings: [ConfigurationWarning]
}

extension ConfigurationFaults: CustomStringConvertible {
    /// One line a fault.
    public var description: String { faults.map(\.description).joined(separator: "\n") }
}

/// A setting that works, but probably not as intended.
public struct ConfigurationWarning: Sendable, Hashable, Encodable {
    public enum Code: String, Sendable, Hashable, Encodable, CaseIterable {
        /// Two workflows of one direction have the same filter.
        case equalFilters = "equal-filters"
        /// An earlier workflow takes every message that this one could.
        case shadowedWorkflow = "shadowed-workflow"
        /// A rule looks for a signature to verify, but its filter demands that there is none.
        case nothingToVerify = "nothing-to-verify"
        case signsSignedMail = "signs-signed-mail"
        /// A signing workflow says nothing of mail that is signed or encrypted already.
        case protectedMail = "protected-mail"
        /// One key signs mail of many senders, and no OrganisationSigner names it.
        case organisationKey = "organisation-key"
        /// A key whose alias is another address than the one sender it signs for.
        case otherSender = "other-sender"
        /// Attachments that the filter selects and no SignAttachment is for.
        case unsignedAttachments = "unsigned-attachments"
        case signsAllAttachments = "signs-all-attachments"
        /// Attachments that are changed after the mail around them was signed: that always fails.
        case signsAfterMail = "signs-after-mail"
        case signAndVerify = "sign-and-verify"
        case sameSecondary = "same-secondary"
        case responseNotShown = "response-not-shown"
        case sameName = "same-name"
        /// A From pattern of a signing workflow that no address of our own domains fits.
        case foreignSender = "foreign-sender"
        /// Criteria that exclude each other, or that no address fits.
        case neverHolds = "never-holds"
        /// One profile for mail and attachments.
        case sharedProfile = "shared-profile"
        case emptyBlock = "empty-block"
        /// A file with a secret that others can read.
        case looseMode = "loose-mode"
        case unreadableFile = "unreadable-file"
        /// A certificate that ends soon.
        case certificateExpires = "certificate-expires"
        /// The spool is not there, or the user of the daemon cannot work in it.
        case spool
        /// An earlier route takes every message that this one could.
        case shadowedRoute = "shadowed-route"
    }
    public let file: String
    /// Counted from 1; 0 for the file as a whole.
    public let line: Int
    public let code: Code
    /// The observation, why it matters, and what to do.
    public let text: String

    /// True if `check --strict` makes it a fault: secrets that others can read, and equal filters, which the original
    /// refuses.
    public var isRefusedWhenStrict: Bool { code == .looseMode || code == .equalFilters }

    /// A warning about a file that is found elsewhere than in this reading of it.
    package init(file: String, line: Int = 0, code: Code, text: String) {
        self.file = file
        self.line = line
        self.code = code
        self.text = text
    }
}

extension ConfigurationWarning: CustomStringConvertible {
    public var description: String { (line > 0 ? "\(file):\(line): " : "\(file): ") + text }
}
