import Explanations
import Octets

/// The check of a signing server's CMS before it leaves, whoever gave it: what would not verify is never sent.
struct CMSCheck {
    let inspection: any SignatureInspection
    /// The thing to be signed, for people: `message` or `attachment`.
    let subject: String

    /// Returns the facts of the CMS, once it fits `content` with the certificates it encloses.
    func checked(_ cms: OctetString, over content: any OctetSource) throws(Failure) -> CMSFacts {
        let facts: CMSFacts
        do {
            facts = try inspection.facts(of: cms)
        } catch {
            throw Failure(
                .permanent, "the signing server's signature cannot be read: " + error.summary, advice: .server)
        }
        guard !facts.signers.isEmpty else {
            throw Failure(.permanent, "the signing server's signature has no signer", advice: .server)
        }
        try require(inspection.check(cms, content: content))
        // What it encloses must fit too: then both have one digest, and are the same octets.
        if facts.enclosesContent { try require(inspection.check(cms, content: nil)) }
        return facts
    }

    private func require(_ integrity: SignatureIntegrity) throws(Failure) {
        switch integrity {
        case .intact: return
        case .broken(let why):
            throw Failure(
                .permanent, "the signing server's signature does not fit the \(subject): " + why, advice: .server)
        case .unknown(let why):
            throw Failure(
                .permanent, "the signing server's signature cannot be checked before sending: " + why, advice: .server)
        }
    }
}
