import Composition
import InternetMessage
import Workflows

/// Finds the alias of the key that signs (`CertificateSelection`).
struct KeyAlias {
    let policy: Policy

    /// The alias for `key`; nil leaves the choice to the profile.
    ///
    /// An address chosen by the message is taken only when nobody from outside can have chosen it.
    /// - Parameter header: The message's.
    func alias(_ key: KeyChoice, header: Header, envelope: Envelope) throws(Failure) -> String? {
        switch key {
        case .profileDefault: return nil
        case .alias(let alias): return alias
        case .fromAddress: return try author(of: header, envelope)
        }
    }

    private func author(of header: Header, _ envelope: Envelope) throws(Failure) -> String {
        switch Author.of(header) {
        case .none(let why):
            throw Failure(.permanent, "no key can be chosen by the From address: " + why)
        case .one(let address):
            guard policy.isInternal(address) else {
                throw Failure(
                    .permanent,
                    "no key can be chosen by the From address: \(address) is in none of the DomainName of the configuration"
                )
            }
            if policy.senderMustOwnFrom && envelope.sender?.belongs(to: address) != true {
                throw Failure(
                    .permanent,
                    "no key can be chosen by the From address: \(address) is not the envelope sender (SenderMustOwnFrom)"
                )
            }
            return CanonicalAddress(address).description
        }
    }
}

extension ReversePath {
    /// Whether this is the address of the same person, whatever the case of its local-part and the form of its domain.
    func belongs(to address: AddrSpec) -> Bool {
        switch self {
        case .null: false
        case .address(let own): CanonicalAddress(own) == CanonicalAddress(address)
        }
    }
}
