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

    /// Seconds by which two clocks may differ that are both right.
    private static let clockTolerance = 3_600
    /// Seconds within which a certificate is waited for that is not valid yet.
    private static let maximumWait = 2 * 86_400

    /// - Throws: A permanent ``Failure`` with the reason when the certificate is unfit, or is not that of the alias. A
    ///   transient one if it may be the clock that is wrong.
    func require(_ signer: CMSFacts.Signer) throws(Failure) {
        if let obstacle = try services.inspection.obstacle(toSigning: use, by: signer, at: services.now()) {
            throw refusal(obstacle, signer)
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

    /// A certificate that will be valid soon is waited for. One that has expired, or will be valid much later, is
    /// refused for good, unless a clock is wrong: the signing server's says another time than ours, or ours a time that
    /// has passed long ago. Then the mail waits until it is set.
    private func refusal(_ obstacle: SigningObstacle, _ signer: CMSFacts.Signer) -> Failure {
        var words =
            "the signing server's signature is refused, because nobody will accept it: "
            + UntrustedText.plainTextLine(obstacle.reason)
        guard obstacle.cause != .other else { return Failure(.permanent, words, advice: .signingKey) }
        let now = services.now()
        words += "; it is \(Self.text(now)) by the clock of this machine"
        if let time = signer.signingTime, abs(time - now) > Self.clockTolerance {
            words += " and \(Self.text(time)) by the signing server's: set the one that is wrong"
            return Failure(.transient, words, pointsAtConfiguration: true)
        }
        if now + Self.clockTolerance < services.knownPast {
            words += ", but its files are of \(Self.text(services.knownPast)): set it"
            return Failure(.transient, words, pointsAtConfiguration: true)
        }
        words += ", which must be set if it is wrong"
        if case .early(let time) = obstacle.cause, time - now <= Self.maximumWait {
            return Failure(.transient, words, advice: .signingKey, pointsAtConfiguration: true)
        }
        return Failure(.permanent, words, advice: .signingKey)
    }

    private static func text(_ time: Int) -> String { MailDate(unixSeconds: Int64(time)).description }

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
