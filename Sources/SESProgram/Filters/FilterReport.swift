public import HostProcess
public import Octets
import ProgramLife

/// The form of what a filter is given.
public enum FilterForm: String, CaseIterable, Sendable {
    case mail, pdf, xml, cms
}

/// The request to `ses sign` or `ses verify`.
public struct FilterRequest: Sendable {
    /// `--config`.
    public var configuration: String?
    public var form = FilterForm.mail
    /// The signing profile; nil leaves the choice to the workflows of the configuration.
    public var profile: String?
    /// The alias of the key, `FROM_EMAIL_ADDRESS` or `NONE`; nil leaves the choice to the profile.
    public var alias: String?
    /// The content of a detached CMS that is verified; nil for one that encloses it.
    public var content: OctetString?

    public init() {}
}

/// The result of a filter beside its output: what was done or found, and the exit status that says it.
public struct FilterReport: ConsoleReport, Sendable {
    /// The word for the result.
    public enum Result: String, Encodable, Sendable {
        case signed
        /// Nothing was to be signed: the output is the input.
        case unchanged
        case trusted, indeterminate
        case notTrusted = "not trusted"
        case notSigned = "not signed"
    }

    /// One signature that was made or found.
    public struct Signature: Encodable, Sendable {
        let verdict: String?
        let signer: String?
        let signingTime: String?
        let reasons: [String]
    }

    let v = 1
    public let result: Result
    public let reason: String
    /// The workflow that decided; nil where none did.
    @OrNull var workflow: String?
    public let signatures: [Signature]
    /// Milliseconds that the signing server and the checks took.
    public let milliseconds: Int

    private enum CodingKeys: String, CodingKey { case v, result, reason, workflow, signatures, milliseconds }

    init(
        _ result: Result, _ reason: String, workflow: String? = nil, signatures: [Signature] = [],
        since begun: ContinuousClock.Instant
    ) {
        self.result = result
        self.reason = reason
        self.signatures = signatures
        milliseconds = Int(begun.duration(to: .now) / .milliseconds(1))
        self.workflow = workflow
    }

    /// 0 for signed and trusted; 1 for what was left unchanged, is not signed, or cannot be judged; 2 for not trusted.
    public var status: ExitStatus {
        switch result {
        case .signed, .trusted: .success
        case .unchanged, .indeterminate, .notSigned: .unhealthy
        case .notTrusted: .broken
        }
    }

    /// One line for people.
    public var text: String {
        let by = signatures.compactMap(\.signer).first.map { ", by \($0)" } ?? ""
        let how = workflow.map { " (workflow \"\($0)\")" } ?? ""
        return "\(result.rawValue)\(by)\(how), \(milliseconds) ms" + (reason.isEmpty ? "" : ": " + reason)
    }
}
