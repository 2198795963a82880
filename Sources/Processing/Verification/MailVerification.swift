import Composition
import DSSProtocol
import Explanations
import InternetMessage
import Octets
import Workflows

/// Verifies one mail: structure first, then the server, then what the server cannot be relied on for.
///
/// The server's "trusted" is necessary, never sufficient. Local findings only ever lower a verdict;
/// but who may sign for whom is said by the policy alone.
struct MailVerification {
    let policy: Policy
    let services: Services

    func verify(_ layers: MessageLayers, scratch: any OctetCollectorMaking) async throws(Failure) -> MailVerdict {
        let message = layers.message
        let reading = SMIMEReading(message.root)
        switch reading.form {
        case .encrypted:
            return MailVerdict(
                .notSigned(.encrypted), reasons: ["the message is encrypted and was not checked: SES does not decrypt"])
        case .none, .compressed, .certificatesOnly:
            return unsigned(message)
        case .multipartSigned(let signed):
            let signature = signed.signature.decodedBody
            return try await judge(
                message, signature: signature, content: signed.content.octets,
                ambiguities: reading.ambiguities,
                signedEntity: layers.content(at: signed.content.path) ?? signed.content, scratch: scratch)
        case .signedData:
            return try await judge(
                message, signature: message.root.decodedBody, content: nil, ambiguities: reading.ambiguities,
                signedEntity: layers.content(at: []), scratch: scratch)
        }
    }

    /// A signature counts for the mail only at its top: one further down vouches for a part that anybody can surround.
    private func unsigned(_ message: Message) -> MailVerdict {
        guard !SMIMEForm.signedPartsBelow(message.root).isEmpty else {
            return MailVerdict(.notSigned(.plain), reasons: ["the message carries no S/MIME signature"])
        }
        return MailVerdict(
            .judged(.notTrusted),
            reasons: [
                Advice.changed.added(
                    to: "only a part of the message is signed; what stands around it is not, so the message does not"
                        + " count as signed")
            ])
    }

    private func judge(
        _ message: Message, signature: OctetString, content: OctetString?, ambiguities: [String],
        signedEntity: Entity?, scratch: any OctetCollectorMaking
    ) async throws(Failure) -> MailVerdict {
        let operation = VerificationOperation(
            kind: .email, document: message.octets, signature: nil, originatorID: services.originatorID,
            requestID: services.makeRequestID())
        let answer = try await services.signatures.verify(operation, answers: scratch)
        var verdict = MailVerdict(.judged(answer.verdict), reasons: answer.messages.each, answer: answer)

        let facts: CMSFacts
        do {
            facts = try services.inspection.facts(of: signature, knowing: answer.signerCertificates)
        } catch {
            verdict.lower(to: .notTrusted, "the signature cannot be read here: " + error.summary, .damaged)
            return verdict
        }
        verdict.signers = facts.signers
        let identity = SignerIdentity.compare(facts, header: message.header, policy: policy)
        verdict.identity = identity
        // The policy decides who may sign for whom. A server without another objection to the signature accepts it.
        if answer.isOnlySignerWrong && mayDiffer(identity) { verdict.result = .judged(.trusted) }
        for ambiguity in ambiguities { verdict.lower(to: .notTrusted, ambiguity, .ambiguous) }
        if facts.signers.isEmpty {
            verdict.lower(to: .notTrusted, "the signature has no signer", .damaged)
        }
        if facts.contentType != CMSFacts.data {
            verdict.lower(
                to: .notTrusted,
                "what was signed is no message: its content type is \(facts.contentType) (RFC 8551 §2.4.1)", .changed)
        }
        // What a reader sees is the first part; a content enclosed in the signature may be quite another text.
        if content != nil && facts.enclosesContent {
            verdict.lower(
                to: .notTrusted, "the signature contains content of its own, in addition to the content that is shown",
                .ambiguous)
        }
        switch try services.inspection.check(
            signature, content: facts.enclosesContent ? nil : content, knowing: answer.signerCertificates)
        {
        case .intact: break
        case .broken(let why):
            verdict.lower(to: .notTrusted, "the signature does not match the content: " + why, .changed)
        case .unknown(let why):
            verdict.lower(to: .indeterminate, "the signature cannot be checked here: " + why, .unsupported)
        }
        judge(identity, facts, message, &verdict)
        if let signedEntity { compareHeaders(message.header, signedEntity, &verdict) }
        return verdict
    }

    /// Returns true if the policy allows somebody other than the author to have signed.
    private func mayDiffer(_ identity: SignerIdentity) -> Bool {
        switch identity {
        case .author: false
        case .organisation: true
        case .mismatch: policy.signerIdentity == .report
        }
    }

    private func judge(
        _ identity: SignerIdentity, _ facts: CMSFacts, _ message: Message, _ verdict: inout MailVerdict
    ) {
        guard case .mismatch(let why) = identity else { return }
        guard facts.signers.allSatisfy(\.hasCertificate) else {
            // Nobody was found to be somebody else.
            verdict.identity = nil
            verdict.lower(
                to: .indeterminate,
                "the signature does not carry the certificate of its signer, and the server does not give it, so who"
                    + " signed is not known", .untrusted)
            return
        }
        switch policy.signerIdentity {
        case .enforce:
            // Without one author there is nobody whom the signer could be different from.
            if case .one = Author.of(message.header) {
                verdict.lowerForIdentity(why)
            } else {
                verdict.lower(to: .notTrusted, why, .otherSigner)
            }
        case .report: verdict.reasons.append(Advice.otherSigner.added(to: why))
        }
    }

    /// If the signed copy of the header names another author, the outer one is forged. The reader is told of other
    /// fields that differ.
    private func compareHeaders(_ outer: Header, _ signed: Entity, _ verdict: inout MailVerdict) {
        let comparison = HeaderComparison(outer: outer, signed: signed, using: services.charsets)
        if let forgery = comparison.forgedAuthor { verdict.lower(to: .notTrusted, forgery, .changed) }
        verdict.differences = comparison.differences
    }
}

extension [String] {
    /// Each text once: a server tends to say a thing as its message and again as a detail.
    var each: [String] {
        var seen: Set<String> = []
        return filter { seen.insert($0).inserted }
    }
}
