public import HostProcess
import Composition
import InternetMessage
import MailEnvelope
import MessageInspection
import Octets
import Processing
import ProgramLife
import SESConfiguration
public import Workflows

/// The decision about a message, and the reasons for it: the same value that processing follows.
public struct ExplainReport: ConsoleReport, Sendable {
    public var status: ExitStatus { .success }

    public struct Envelope: Encodable, Sendable {
        /// nil: unknown; empty: the null sender.
        @OrNull var sender: String?
        let recipients: [String]
        /// The source of the envelope: the block, the trace fields or the address fields.
        let source: String
        /// Text in which no recipient can be made out, each with the name of its field; left out when there is none.
        let unreadable: [String]?
    }

    public struct Criterion: Encodable, Sendable {
        let workflow: String
        let line: Int
        let criterion: String
        let value: String
        /// nil: not looked at.
        @OrNull var holds: Bool?
        let because: String
    }

    /// One that an operation on attachments is for.
    public struct Attachment: Encodable, Sendable {
        /// The place of the part, counted from 1, such as `2.1`; empty for a message that is one file.
        let part: String
        /// Untrusted text, as decoded; nil without a name.
        @OrNull var name: String?
        let mediaType: String
        /// The kinds that its first octets indicate.
        let kinds: [String]
        let signed: Bool
        /// The signing instruction, in words; nil if it is not to be signed.
        @OrNull var signing: String?

        init(_ facts: AttachmentFacts, _ operations: [Workflows.Operation]) {
            part = facts.path.map { String($0 + 1) }.joined(separator: ".")
            name = facts.fileName
            mediaType = facts.mediaType
            kinds = facts.contentKindWords
            signed = facts.isSigned
            for case .signAttachment(let instructions) in operations {
                signing =
                    instructions.instruction(for: facts).map(Self.words)
                    ?? "stays as it is, because no SignAttachment is for it"
            }
        }

        private static func words(_ instruction: SigningInstruction) -> String {
            let key =
                switch instruction.key {
                case .alias(let alias): alias
                case .fromAddress: "FROM_EMAIL_ADDRESS"
                case .profileDefault: "NONE"
                }
            return "profile \(instruction.profile ?? "of the server"), key \(key)"
                + (instruction.format == .cms ? ", as CMS" : "")
        }

        var words: String {
            let shown = name.map { "\"\(UntrustedText.plainTextLine($0, limit: 80))\"" } ?? "without a name"
            return "\(shown) (\(UntrustedText.plainTextLine(mediaType, limit: 60)))\(signed ? ", signed" : "")"
                + (signing.map { ": " + $0 } ?? "")
        }
    }

    let v = 1
    let direction: String
    let envelope: Envelope
    @OrNull var workflow: String?
    let criteria: [Criterion]
    let operations: [String]
    /// Left out where no operation is on attachments.
    let attachments: [Attachment]?
    @OrNull var action: String?
    let reason: String
    /// The objections to the signature that would be made, a sentence each; left out if there are none.
    let warnings: [String]?
    /// Octets of the message, and whether `MaxMessageSize` allows them.
    @OrNull var octets: Int?
    @OrNull var isTooLarge: Bool?
    /// The profile and the key that the signing server would be asked for first.
    @OrNull var profile: String?
    @OrNull var key: String?
    /// The reason why an operation would be refused before anything is sent; nil if none would.
    @OrNull var refusal: String?
    /// The loop that would be found, in words; nil if none would, or it cannot be looked for (``looksForLoops``).
    @OrNull var loop: String?
    @OrNull var looksForLoops: Bool?
    /// The request to the signing server, if it was asked for.
    @OrNull var request: String?

    init(_ decision: Decision, envelope: MailEnvelope.Envelope, warnings: [String] = []) {
        direction = decision.direction.rawValue
        self.envelope = Envelope(
            sender: envelope.sender.map(\.shown),
            recipients: envelope.recipients.map(\.description), source: envelope.source.rawValue,
            unreadable: envelope.unreadable.isEmpty ? nil : envelope.unreadable.map(\.words))
        workflow = decision.workflow?.name
        criteria = decision.criteria.map {
            Criterion(
                workflow: $0.workflow, line: $0.line, criterion: $0.criterion, value: $0.value, holds: $0.holds,
                because: $0.because)
        }
        operations = decision.operations.map(\.word)
        attachments =
            decision.operations.contains(where: \.isOnAttachments)
            ? decision.attachments.map { Attachment($0, decision.operations) } : nil
        action = decision.action?.rawValue
        reason = decision.reason
        self.warnings = warnings.isEmpty ? nil : warnings.map { UntrustedText.plainTextLine($0) }
    }

    /// The same as ``make(file:direction:configuration:)``, and what processing would do before the first call of the
    /// signing server: size, loop, owner of From, key, and the request.
    /// - Parameters:
    ///   - showsRequest: True if the report has the request.
    ///   - showsContent: True if the document stands in it.
    /// - Throws: ``ProgramError`` if the file or the configuration cannot be read.
    public static func makeInFull(
        file: String, direction: Direction, configuration option: String?, showsRequest: Bool = false,
        showsContent: Bool = false
    ) async throws(ProgramError) -> ExplainReport {
        var report = try make(file: file, direction: direction, configuration: option)
        let surroundings = Surroundings()
        let settings = try LoadedConfiguration.load(surroundings.configurationPath(option: option))
        let source = try read(file)
        report.octets = source.raw.count
        report.isTooLarge = source.raw.count > settings.processing.maxMessageSize
        guard report.isTooLarge == false else {
            report.refusal =
                "the message is too large: MaxMessageSize allows \(settings.processing.maxMessageSize) octets; it follows"
                + " EmailErrorAction unread"
            return report
        }
        let run = await DryRun.of(
            source, direction, settings, hostName: surroundings.hostName, showsContent: showsContent)
        report.profile = run.profile
        report.key = run.key
        report.refusal = run.refusal
        report.loop = run.loop
        report.looksForLoops = run.looksForLoops
        if showsRequest { report.request = run.request }
        return report
    }

    private static func read(_ file: String) throws(ProgramError) -> SourceFile {
        switch SmallFile.read(file, limit: .max) {
        case .success(let octets):
            return SourceFile(octets: octets, name: file.split(separator: "/").last.map(String.init) ?? file)
        case .failure(let error): throw ProgramError(.noInput, "the message cannot be read: \(error)")
        }
    }

    /// Decides about the message in `file`, which is only read.
    ///
    /// A name ending in `.eml` counts as put in by a person, any other as delivered into `new/`, as in the spool
    /// itself.
    /// - Throws: ``ProgramError`` if the file or the configuration cannot be read.
    public static func make(file: String, direction: Direction, configuration option: String?) throws(ProgramError)
        -> ExplainReport
    {
        let surroundings = Surroundings()
        let configuration = try LoadedConfiguration.load(surroundings.configurationPath(option: option))
        let claimed = try read(file)
        let policy = configuration.policy
        let canonical = claimed.raw.withCRLFLineEnds()
        let intake: Intake
        let layers: MessageLayers
        do {
            intake = try Intake(
                raw: claimed.raw, canonical: canonical, block: claimed.block, isBare: claimed.isBare,
                removesBcc: direction == .outgoing, authservID: policy.authservID, domains: policy.domainNames)
            layers = try MessageLayers(
                opening: Message(reading: intake.message.canonical), CMSInspecting(),
                MemoryCollecting(limit: intake.message.canonicalRope.count))
        } catch {
            throw ProgramError(.badInput, "\(file) is not a message: \(error)")
        }
        guard intake.envelope.unreadable.isEmpty else {
            return ExplainReport(
                Decision(
                    direction: direction, workflow: nil, action: .administrator,
                    reason: UnreadMessage.unreadableReason(intake.envelope.unreadable), criteria: []),
                envelope: intake.envelope)
        }
        let facts = InspectedMessage(
            layers.message, enclosed: layers.enclosed, recipients: intake.envelope.recipients,
            sender: intake.envelope.sender)
        let decision = decide(facts, direction: direction, policy: policy)
        let warnings =
            direction == .outgoing
            ? SigningForecast(policy: policy).objections(
                to: decision.operations, header: intake.header, envelope: intake.envelope) : []
        return ExplainReport(decision, envelope: intake.envelope, warnings: warnings)
    }

    /// For people.
    public var text: String {
        var lines = ["direction: \(direction)"]
        let sender = envelope.sender.map { $0.isEmpty ? "<>" : $0 } ?? "unknown"
        lines.append("envelope:  from \(sender) to \(envelope.recipients.joined(separator: ", ")) (\(envelope.source))")
        for text in envelope.unreadable ?? [] { lines.append("unread:    \(text)") }
        lines.append("workflow:  \(workflow ?? "none")")
        if !operations.isEmpty { lines.append("runs:      \(operations.joined(separator: ", "))") }
        if let attachments {
            let words = attachments.isEmpty ? ["no attachment"] : attachments.map(\.words)
            for (index, words) in words.enumerated() {
                lines.append((index == 0 ? "on:        " : "           ") + words)
            }
        }
        if let action { lines.append("action:    \(action)") }
        lines.append("reason:    \(reason)")
        lines += processing
        for warning in warnings ?? [] { lines.append("warning:   \(warning)") }
        var current: String?
        for criterion in criteria {
            if criterion.workflow != current {
                current = criterion.workflow
                lines.append("\n\(criterion.workflow)")
            }
            let mark = criterion.holds.map { $0 ? "yes" : "no " } ?? "-  "
            lines.append(
                "  \(mark) line \(criterion.line): \(criterion.criterion) \(criterion.value): \(criterion.because)")
        }
        if let request { lines.append("\nThe first request to the signing server:\n\n\(request)") }
        return lines.joined(separator: "\n")
    }

    /// The lines about what processing would do beside the decision.
    private var processing: [String] {
        var lines: [String] = []
        if let octets { lines.append("size:      \(octets) octets\(isTooLarge == true ? ", too large" : "")") }
        if let looksForLoops {
            let words = looksForLoops ? "no" : "not looked for, because only the user of the spool can read its secret"
            lines.append("loop:      \(loop ?? words)")
        }
        if let key { lines.append("key:       \(key)" + (profile.map { $0.isEmpty ? "" : ", profile \($0)" } ?? "")) }
        if let refusal { lines.append("refused:   \(UntrustedText.plainTextLine(refusal, limit: 400))") }
        return lines
    }
}
