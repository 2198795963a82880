import Composition
import Explanations
import InternetMessage
import Octets
import Workflows

/// Makes sure that a mail signed here is trusted where it is verified. The structure of the outgoing mail is judged as
/// it will be there, repaired if the standards allow it, and otherwise refused before anything is signed.
struct SoundMessage {
    let scratch: any OctetCollectorMaking
    /// Letters and digits that stand in no other message. It is the boundary of the signed mail.
    let token: String

    /// The message taken apart for its signature.
    /// - Throws: A permanent ``Failure`` with the reason why a signature over it would not be trusted.
    func signable(_ message: Message) throws(Failure) -> SignableEntity {
        if case .sound(let fit) = try judged(message) { return fit }
        switch try judged(try repaired(message)) {
        case .sound(let fit): return fit
        case .unsound(let obstacles): throw Self.refusal("the message", obstacles)
        }
    }

    /// The message with `attachments` where their verification will find them beyond doubt.
    /// - Throws: A permanent ``Failure`` with the reason why a signature of one of them would not be trusted.
    func with(_ attachments: [AttachmentFacts], of message: Message) throws(Failure) -> Message {
        if obstacles(attachments, of: message).isEmpty { return message }
        let repaired = try repaired(message)
        var obstacles = obstacles(attachments, of: repaired)
        if repaired.root.walk().map(\.path) != message.root.walk().map(\.path) {
            obstacles.append("a multipart is under a transfer encoding, so that nobody looked for attachments in it")
        }
        guard obstacles.isEmpty else { throw Self.refusal("an attachment", obstacles) }
        return repaired
    }

    // MARK: - Judgement

    private enum Judgement {
        case sound(SignableEntity)
        /// With the reasons.
        case unsound([String])
    }

    /// Returns the judgement of verification on the structure of the signed mail, whatever the signature is.
    private func judged(_ message: Message) throws(Failure) -> Judgement {
        let fit: SignableEntity
        do { fit = try SignableEntity(of: message) } catch { return .unsound([error.text]) }
        let signed = MultipartSigned.assemble(
            outerHeader: fit.outerHeader, entity: fit.entity, cms: OctetString("signature"), micalg: "sha-256",
            boundary: token)
        let ambiguities = SMIMEReading(try read(signed).root).ambiguities
        return ambiguities.isEmpty ? .sound(fit) : .unsound(ambiguities)
    }

    private func obstacles(_ attachments: [AttachmentFacts], of message: Message) -> [String] {
        attachments.flatMap { message.structuralDoubts(at: $0.path) } + message.differingReadings
    }

    private static func refusal(_ what: String, _ obstacles: [String]) -> Failure {
        Failure(
            .permanent,
            "\(what) cannot be signed in a way that would be trusted: " + obstacles.prefix(3).joined(separator: "; "),
            advice: .ownMessage)
    }

    // MARK: - Repair

    private func repaired(_ message: Message) throws(Failure) -> Message {
        let rope: OctetRope
        do {
            rope = try StructuralRepair.applied(to: message, token: token)
        } catch {
            throw Failure(.permanent, "the message cannot be signed: " + error.text, advice: .ownMessage)
        }
        return try read(rope)
    }

    private func read(_ rope: OctetRope) throws(Failure) -> Message {
        let octets = try scratch.oneRun(of: rope, "the message cannot be kept in one piece")
        do {
            return try Message(reading: octets)
        } catch {
            throw Failure(.permanent, "the message cannot be read as it would leave: \(error)", advice: .ownMessage)
        }
    }
}
