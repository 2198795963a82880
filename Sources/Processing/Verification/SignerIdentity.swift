import DomainNames
public import InternetMessage
public import Workflows

/// The relation of the signer to the author in From (RFC 8550 §3; Sender does not count, which is the strict side).
///
/// A valid signature by somebody else is the classic forgery: only this comparison catches it.
public enum SignerIdentity: Sendable, Hashable {
    /// A signer's certificate carries the From address.
    case author(AddrSpec)
    /// A certificate that the policy lists may sign for this author.
    case organisation(author: AddrSpec, signer: String)
    /// Somebody else, nobody known, or no single author to compare with.
    case mismatch(String)

    /// Compares the signers of `facts` with the From field of `header`.
    ///
    /// Addresses are compared as ``CanonicalAddress``: without case, A-labels and U-labels alike.
    public static func compare(_ facts: CMSFacts, header: Header, policy: Policy) -> SignerIdentity {
        let author: AddrSpec
        switch Author.of(header) {
        case .one(let address): author = address
        case .none(let why): return .mismatch(why)
        }
        let addresses = facts.signers.flatMap(\.addresses)
        let known = CanonicalAddress(author)
        if addresses.contains(where: { CanonicalAddress($0) == known }) { return .author(author) }
        for signer in facts.signers {
            if let listed = policy.organisationSigners.first(where: { $0.mayBe(signer, for: author) }) {
                return .organisation(author: author, signer: listed.words)
            }
        }
        let shown = addresses.isEmpty ? "carries no e-mail address" : "is for " + addresses.joined(separator: ", ")
        return .mismatch("the signer's certificate \(shown), but From is \(author)")
    }
}

extension SignerIdentity {
    /// The address of `signer` that was compared with From, as the certificate has it; nil when none of them was the
    /// reason.
    public func comparedAddress(of signer: CMSFacts.Signer) -> String? {
        switch self {
        case .author(let author):
            let known = CanonicalAddress(author)
            return signer.addresses.first { CanonicalAddress($0) == known }
        case .organisation(let author, let listed):
            let known = CanonicalAddress(listed)
            return signer.addresses.first { CanonicalAddress($0) == known && known != nil }
                ?? signer.addresses.first { CanonicalAddress($0)?.domain == author.canonicalDomain }
        case .mismatch: return nil
        }
    }
}

extension OrganisationSigner {
    /// Returns true if this entry names the certificate of `signer`, and lets it sign for `author`.
    func mayBe(_ signer: CMSFacts.Signer, for author: AddrSpec) -> Bool {
        let addresses = signer.addresses.compactMap { CanonicalAddress($0) }
        let domain = author.canonicalDomain
        switch self {
        case .address(let address):
            return domain == address.canonicalDomain && addresses.contains(CanonicalAddress(address))
        case .domain(let listed):
            return domain == CanonicalDomain(listed) && addresses.contains { $0.domain == domain }
        case .certificate(let issuer, let serial):
            return signer.issuer == issuer && signer.serial == serial && addresses.contains { $0.domain == domain }
        }
    }

    fileprivate var words: String {
        switch self {
        case .address(let address): address.description
        case .domain(let domain): "a certificate of " + domain
        case .certificate(let issuer, let serial): "certificate \(serial) of \(issuer)"
        }
    }
}
