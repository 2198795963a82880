import Composition
import DSSProtocol
import Explanations
import InternetMessage
import Octets
import Workflows

/// A mail with its new signature.
struct SignedMail {
    /// CRLF line ends.
    let message: OctetRope
    /// The objection of a reader to the signature, in words; nil if there is none.
    let remark: String?
}

/// Signs one mail as multipart/signed (RFC 8551 §3.5, RFC 1847 §2.1) with the signing server's key.
struct MailSigning {
    let policy: Policy
    let services: Services

    /// - Returns: The whole signed message, CRLF line ends, verified here with the certificate the signature encloses.
    func sign(
        _ message: Message, intake: Intake, instruction: SigningInstruction, scratch: any OctetCollectorMaking
    ) async throws(Failure) -> SignedMail {
        let key = try KeyAlias(policy: policy).key(
            instruction.key, header: message.header, envelope: intake.envelope)
        let signer = SignerCheck(policy: policy, services: services, key: key, use: .mail)
        let check = CMSCheck(inspection: services.inspection, subject: "message")
        let boundary = services.makeToken()
        let fit = try SoundMessage(scratch: scratch, token: boundary).signable(message)
        let operation = SigningOperation(
            kind: .email, document: fit.entity, profile: instruction.profile, keyAlias: key.alias,
            attributes: instruction.attributes.map { SignatureAttribute(name: $0.name.rawValue, value: $0.value) },
            originatorID: services.originatorID, requestID: services.makeRequestID())
        switch try await services.signatures.sign(operation, answers: scratch) {
        case .cms(let cms):
            let facts = try check.checked(cms, over: fit.entity)
            guard !facts.enclosesContent else {
                throw Failure(
                    .permanent,
                    "the signing server's signature encloses its content; the profile must make detached signatures",
                    advice: .signingProfile)
            }
            for made in facts.signers { try signer.require(made) }
            let signed = MultipartSigned.assemble(
                outerHeader: fit.outerHeader, entity: fit.entity, cms: cms,
                micalg: Self.micalg(of: facts), boundary: boundary)
            return SignedMail(message: signed, remark: signer.remark(on: facts, header: message.header))
        case .document(let document):
            let adopted: MultipartSigned.Adopted
            do {
                adopted = try MultipartSigned.adopt(document, outerHeader: fit.outerHeader, expecting: fit.entity)
            } catch {
                throw Failure(
                    .permanent, "the signing server's finished entity is refused: " + error.text, advice: .server)
            }
            let facts = try check.checked(adopted.cms, over: fit.entity)
            for made in facts.signers { try signer.require(made) }
            return SignedMail(message: adopted.message, remark: signer.remark(on: facts, header: message.header))
        }
    }

    private static func micalg(of facts: CMSFacts) -> String {
        var seen: [String] = []
        for signer in facts.signers where !seen.contains(signer.digestAlgorithm) { seen.append(signer.digestAlgorithm) }
        return seen.joined(separator: ",")
    }
}
