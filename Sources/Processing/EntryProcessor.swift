import Composition
import Explanations
import InternetMessage
public import Octets
public import Workflows

/// The life of one entry between claim and commit: parse, decide, operate, compose. Does no I/O itself.
///
/// A policy in force is a value in here: a message is handled from beginning to end under the policy that was in force
/// at its claim.
public struct EntryProcessor: Sendable {
    public let policy: Policy
    public let services: Services

    public init(policy: Policy, services: Services) {
        self.policy = policy
        self.services = services
    }

    /// Works out what becomes of `entry`. Never throws: every failure becomes an outcome.
    ///
    /// - Parameter scratch: The storage for large intermediate octets.
    public func process(_ entry: Entry, scratch: any OctetCollectorMaking) async -> Outcome {
        let intake: Intake
        do {
            intake = try Intake(
                raw: entry.raw, canonical: entry.canonical, block: entry.block, isBare: entry.isBare,
                removesBcc: entry.direction == .outgoing, authservID: policy.authservID,
                domains: policy.domainNames)
        } catch {
            return UnreadMessage.unreadable(
                entry, because: Advice.ownMessage.added(to: error.text), policy: policy, services: services)
        }
        var routing = Routing(entry: entry, intake: intake, policy: policy, services: services)
        if entry.isHeld { return routing.block(because: "held by an operator") }
        if !entry.isReleased, let loop = routing.findLoop() { return routing.block(because: loop) }
        guard intake.envelope.unreadable.isEmpty else {
            return UnreadMessage.unreadableRecipients(
                entry, intake.envelope.unreadable, policy: policy, services: services, account: routing.account)
        }
        guard !intake.envelope.recipients.isEmpty else { return routing.noRecipients() }
        if entry.isReleased { return routing.release() }
        do {
            let message = try Message(
                reading: scratch.oneRun(
                    of: intake.message.canonicalRope, "the message cannot be kept in one piece"))
            let layers = try MessageLayers(opening: message, services.inspection, scratch)
            let facts = services.facts(
                message, layers.enclosed, intake.envelope.recipients, intake.envelope.sender)
            let decision = decide(facts, direction: entry.direction, policy: policy)
            routing.account.reason = decision.reason
            guard !decision.isFailure else { return routing.conclude(Failure(.permanent, decision.reason)) }
            guard let workflow = decision.workflow else {
                return routing.route(decision.action ?? .recipients, .unmatched(decision.reason))
            }
            routing.begin(workflow)
            do {
                return try await operate(
                    workflow, on: layers, facts, attachments: decision.attachments, routing: &routing,
                    scratch: scratch)
            } catch {
                return routing.conclude(error)
            }
        } catch let error as Failure {
            return routing.conclude(error)
        } catch {
            return routing.conclude(Failure(.permanent, "the message cannot be read: \(error)", advice: .ownMessage))
        }
    }

    /// True if ``refuse(_:octets:limit:)`` requires all of a message that is too large, and not only its header.
    public var refusesWhole: Bool { Routing.passesFailed(policy) }

    /// Works out what becomes of a message that is too large to be read.
    /// - Parameters:
    ///   - entry: All of the message where ``refusesWhole``, else its beginning with the whole header.
    ///   - octets: The size of the message.
    ///   - limit: `MaxMessageSize`.
    public func refuse(_ entry: Entry, octets: Int, limit: Int) -> Outcome {
        let reason =
            "the message is too large: it has \(octets) octets, and MaxMessageSize allows \(limit); raise it, or let the"
            + " mail server refuse such messages"
        let failure = Failure(.permanent, reason)
        do {
            let intake = try Intake(
                raw: entry.raw, canonical: entry.canonical, block: entry.block, isBare: entry.isBare,
                removesBcc: entry.direction == .outgoing, authservID: policy.authservID,
                domains: policy.domainNames)
            var routing = Routing(entry: entry, intake: intake, policy: policy, services: services)
            let isAddressed = intake.envelope.unreadable.isEmpty && !intake.envelope.recipients.isEmpty
            if isAddressed || !refusesWhole { return routing.refuse(failure) }
        } catch {
            // Its header cannot be read either: the file is all there is.
        }
        return UnreadMessage.tooLarge(entry, because: failure, policy: policy, services: services)
    }

    /// Runs the operations in their order. All or nothing: their results leave only when the last operation has
    /// succeeded.
    ///
    /// - Parameter attachments: The attachments that the operations on attachments work on.
    private func operate(
        _ workflow: Workflow, on layers: MessageLayers, _ facts: any MessageFacts, attachments: [AttachmentFacts],
        routing: inout Routing, scratch: any OctetCollectorMaking
    ) async throws(Failure) -> Outcome {
        var chain = SigningChain(
            layers.message, intake: routing.intake, policy: policy, services: services, scratch: scratch)
        var mail: MailVerdict?
        var attached: AttachmentVerdicts?
        for (index, operation) in workflow.operations.enumerated() {
            switch operation {
            case .signAttachment(let instructions):
                try await chain.signAttachments(
                    attachments, instructions, isLast: index == workflow.operations.count - 1)
            case .verifyAttachment:
                attached = try await LayeredVerification(services: services, layers: layers, scratch: scratch)
                    .verify(attachments, among: facts.attachments)
            case .signEmail(let instruction):
                try await chain.signMail(instruction)
            case .verifyEmail:
                mail = try await MailVerification(policy: policy, services: services).verify(
                    layers, scratch: scratch)
            }
        }
        if mail != nil || attached != nil {
            return try routing.show(MessageVerdict(mail: mail, attachments: attached), of: layers)
        }
        routing.account.reason = ([routing.account.reason] + chain.account).joined(separator: "; ")
        guard let signed = chain.signed else { return routing.route(.recipients, .unmatched(routing.account.reason)) }
        return routing.deliver(signed: signed)
    }
}
