public import MailEnvelope
import Composition
public import InternetMessage
public import Workflows

/// A forecast of the objections to a signed mail, made before it is signed, for `ses explain`.
public struct SigningForecast {
    private let policy: Policy

    public init(policy: Policy) { self.policy = policy }

    /// Returns the reasons why nothing would be signed, or why readers who compare signer and author would not trust
    /// it; a sentence each.
    /// - Parameter header: The header of the outgoing message.
    public func objections(to operations: [Operation], header: Header, envelope: Envelope) -> [String] {
        operations.flatMap { operation -> [String] in
            switch operation {
            case .signEmail(let instruction):
                do throws(Failure) {
                    let key = try KeyAlias(policy: policy).key(instruction.key, header: header, envelope: envelope)
                    return mismatch(key, header).map {
                        ["readers who compare signer and author will not trust the signed mail: " + $0]
                    } ?? []
                } catch {
                    return [error.summary]
                }
            case .signAttachment, .verifyEmail, .verifyAttachment: return []
            }
        }
    }

    /// Returns the reason why the owner of `key` is not the author; nil if it is, or if the alias does not show the
    /// owner.
    private func mismatch(_ key: SelectedKey, _ header: Header) -> String? {
        switch Author.of(header) {
        case .none(let why): return why
        case .one(let author):
            guard let owner = key.owner, CanonicalAddress(owner) != CanonicalAddress(author),
                !policy.organisationSigners.contains(where: { $0.mayBe(keyOf: owner, for: author) })
            else { return nil }
            return "the key is that of \(owner), but From is \(author)"
        }
    }
}

extension OrganisationSigner {
    /// Returns true if this entry may name the certificate behind the alias `owner`, and lets it sign for `author`.
    fileprivate func mayBe(keyOf owner: AddrSpec, for author: AddrSpec) -> Bool {
        switch self {
        case .address, .domain: mayBe(CMSFacts.Signer(ofKey: owner), for: author)
        // Only the certificate tells.
        case .certificate: true
        }
    }
}

extension CMSFacts.Signer {
    /// The signer with a certificate for `owner` alone.
    fileprivate init(ofKey owner: AddrSpec) {
        self.init(
            digestAlgorithm: "", addresses: [owner.description], issuer: nil, serial: nil, subject: nil,
            signingTime: nil)
    }
}
