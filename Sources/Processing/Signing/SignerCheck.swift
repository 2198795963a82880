import Composition
import Explanations
import InternetMessage
import Workflows

/// The check of the certificate that made a signature, before the signature leaves.
///
/// A signature that fits can still be useless, because nobody accepts its certificate, or harmful, because it is
/// somebody else's.
struct SignerCheck {
    let policy: Policy
    let services: Services
    let key: SelectedKey
    let use: SignatureUse

    /// - Throws: A permanent ``Failure`` with the reason when the certificate is unfit, or is not that of the alias.
    func require(_ signer: CMSFacts.Signer) throws(Failure) {
        if let obstacle = try services.inspection.obstacle(toSigning: use, by: signer, at: services.now()) {
            throw Failure(
                .permanent,
                "the signing server's signature is refused, because nobody will accept it: "
                    + UntrustedText.plainTextLine(obstacle), advice: .signingKey)
        }
        guard let owner = key.owner, !signer.addresses.isEmpty else { return }
        let known = CanonicalAddress(owner)
        guard !signer.addresses.contains(where: { CanonicalAddress($0) == known }),
            !policy.organisationSigners.contains(where: { $0.mayBe(signer, for: owner) })
        else { return }
        let shown = UntrustedText.plainTextLine(signer.addresses.prefix(5).joined(separator: ", "))
        throw Failure(
            .permanent,
            "the signing server signed with another key: it was asked for the key of \(owner), but the certificate is for"
                + " \(shown); check which key has that alias at the server, or list the certificate as OrganisationSigner"
        )
    }

    /// Returns the objection of a reader of a signed mail to its signer, in words; nil if it is the author or may sign
    /// for it.
    func remark(on facts: CMSFacts, header: Header) -> String? {
        guard case .mismatch(let why) = SignerIdentity.compare(facts, header: header, policy: policy) else {
            return nil
        }
        return "signed, but readers who compare signer and author will not trust it: "
            + UntrustedText.plainTextLine(why)
    }
}
