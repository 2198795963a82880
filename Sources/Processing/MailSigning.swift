import Composition
import DSSProtocol
import InternetMessage
import Octets
import Workflows

/// Signs one mail as multipart/signed (RFC 8551 §3.5, RFC 1847 §2.1) with the signing server's key.
struct MailSigning {
    let policy: Policy
    let services: Services

    /// - Returns: The whole signed message, CRLF line ends, verified here with the certificate the signature encloses.
    func sign(
        _ message: Message, intake: Intake, instruction: SigningInstruction, scratch: any OctetCollectorMaking
    ) async throws(Failure) -> OctetRope {
        let alias = try alias(instruction.key, of: message, envelope: intake.envelope)
        let fit: SignableEntity
        do {
            fit = try SignableEntity(of: message)
        } catch {
            throw Failure(.permanent, "the message cannot be signed: " + error.text)
        }
        let operation = SigningOperation(
            kind: .email, document: fit.entity, profile: instruction.profile, keyAlias: alias,
            attributes: instruction.attributes.map { SignatureAttribute(name: $0.name.rawValue, value: $0.value) },
            originatorID: services.originatorID, requestID: services.makeRequestID())
        switch try await services.signatures.sign(operation, answers: scratch) {
        case .cms(let cms):
            let facts = try checked(cms, over: fit.entity)
            guard !facts.enclosesContent else {
                throw Failure(
                    .permanent,
                    "the signing server's signature encloses its content; the profile must make detached signatures")
            }
            return MultipartSigned.assemble(
                outerHeader: fit.outerHeader, entity: fit.entity, cms: cms,
                micalg: Self.micalg(of: facts), boundary: services.makeToken())
        case .document(let document):
            let adopted: MultipartSigned.Adopted
            do {
                adopted = try MultipartSigned.adopt(document, outerHeader: fit.outerHeader, expecting: fit.entity)
            } catch {
                throw Failure(.permanent, "the signing server's finished entity is refused: " + error.text)
            }
            _ = try checked(adopted.cms, over: fit.entity)
            return adopted.message
        }
    }

    private static func micalg(of facts: CMSFacts) -> String {
        var seen: [String] = []
        for signer in facts.signers where !seen.contains(signer.digestAlgorithm) { seen.append(signer.digestAlgorithm) }
        return seen.joined(separator: ",")
    }

    /// A mail that would not verify is never sent: the answer is checked before anything leaves, whoever gave it.
    private func checked(_ cms: OctetString, over entity: OctetRope) throws(Failure) -> CMSFacts {
        let facts: CMSFacts
        do {
            facts = try services.inspection.facts(of: cms)
        } catch {
            throw Failure(.permanent, "the signing server's signature cannot be read: " + error.summary)
        }
        guard !facts.signers.isEmpty else {
            throw Failure(.permanent, "the signing server's signature has no signer")
        }
        try require(services.inspection.check(cms, content: entity))
        // What it encloses must fit too: then both have one digest, and are the same octets.
        if facts.enclosesContent { try require(services.inspection.check(cms, content: nil)) }
        return facts
    }

    private func require(_ integrity: SignatureIntegrity) throws(Failure) {
        switch integrity {
        case .intact: return
        case .broken(let why):
            throw Failure(.permanent, "the signing server's signature does not fit the message: " + why)
        case .unknown(let why):
            throw Failure(.permanent, "the signing server's signature cannot be checked before sending: " + why)
        }
    }

    /// The key's alias. An address chosen by the message is taken only when nobody from outside can have chosen it.
    private func alias(_ key: KeyChoice, of message: Message, envelope: Envelope) throws(Failure) -> String? {
        switch key {
        case .profileDefault: return nil
        case .alias(let alias): return alias
        case .fromAddress:
            switch Author.of(message.header) {
            case .none(let why):
                throw Failure(.permanent, "no key can be chosen by the From address: " + why)
            case .one(let address):
                guard policy.isInternal(address) else {
                    throw Failure(
                        .permanent,
                        "no key can be chosen by the From address: \(address) is in none of the DomainName of the configuration"
                    )
                }
                if policy.senderMustOwnFrom && envelope.sender != .address(address) {
                    throw Failure(
                        .permanent,
                        "no key can be chosen by the From address: \(address) is not the envelope sender (SenderMustOwnFrom)"
                    )
                }
                return address.localPart + "@" + address.domain.asciiLowercased
            }
        }
    }
}
