import Composition
import Explanations
import InternetMessage
import Octets
import Workflows

/// The signing operations of a workflow on a message, one after the other.
struct SigningChain {
    let policy: Policy
    let services: Services
    let intake: Intake
    let scratch: any OctetCollectorMaking
    /// As the operations so far left it, CRLF line ends.
    private var message: Message
    /// The message that leaves if no operation follows; nil while nothing was signed.
    private(set) var signed: OctetRope?
    private var isMailSigned = false
    /// The operations done, for log and journal, a clause each.
    private(set) var account: [String] = []

    init(
        _ message: Message, intake: Intake, policy: Policy, services: Services, scratch: any OctetCollectorMaking
    ) {
        self.message = message
        self.intake = intake
        self.policy = policy
        self.services = services
        self.scratch = scratch
    }

    /// - Parameter isLast: True if no other operation follows.
    mutating func signAttachments(
        _ attachments: [AttachmentFacts], _ instructions: AttachmentInstructions, isLast: Bool
    ) async throws(Failure) {
        guard !isMailSigned || attachments.isEmpty else {
            throw Failure(
                .permanent,
                "SIGN_ATTACHMENT after SIGN_EMAIL would break the signature of the mail; write SIGN_ATTACHMENT, SIGN_EMAIL",
                advice: .configuration)
        }
        let sound =
            attachments.isEmpty
            ? message
            : try SoundMessage(scratch: scratch, token: services.makeToken())
                .with(attachments, of: message)
        let isRepaired = sound.octets != message.octets
        message = sound
        let changes = try await AttachmentSigning(policy: policy, services: services, scratch: scratch).sign(
            attachments, of: message, envelope: intake.envelope, instructions: instructions)
        let left = attachments.count - changes.count
        if left > 0 {
            account.append(
                (left == 1 ? "1 attachment stays" : "\(left) attachments stay")
                    + " as sent, because no SignAttachment is for it")
        }
        guard !changes.isEmpty else { return account.append("no attachment to sign" + Self.whyNone(message)) }
        account.append(changes.count == 1 ? "1 attachment signed" : "\(changes.count) attachments signed")
        let splice = AttachmentSplice(changes, token: services.makeToken())
        guard isLast else {
            let rope = splice.applied(to: message)
            message = try read(rope)
            return signed = rope
        }
        // A file of mixed line ends keeps them, where no signature over the mail asks for others.
        let isMixed = intake.message.lineEnding == .mixed && !isRepaired
        signed = splice.applied(to: isMixed ? try read(intake.message.rawRope) : message)
    }

    mutating func signMail(_ instruction: SigningInstruction) async throws(Failure) {
        if let readable = message.withReadableFrom() {
            message = try read(readable)
            account.append("From written by the grammar")
        }
        let mail = try await MailSigning(policy: policy, services: services).sign(
            message, intake: intake, instruction: instruction, scratch: scratch)
        signed = mail.message
        if let remark = mail.remark { account.append(remark) }
        isMailSigned = true
    }

    private func read(_ rope: OctetRope) throws(Failure) -> Message {
        let octets = try scratch.oneRun(of: rope, "the message cannot be kept in one piece")
        do {
            return try Message(reading: octets)
        } catch {
            throw Failure(
                .permanent, "the message as it is to be signed cannot be read: \(error)", advice: .ownMessage)
        }
    }

    private static func whyNone(_ message: Message) -> String {
        switch SMIMEForm.of(message.root) {
        case .encrypted: " (the message is encrypted)"
        case .signedData: " (what the message holds is enclosed in its signature)"
        case .none, .multipartSigned, .compressed, .certificatesOnly: ""
        }
    }
}
