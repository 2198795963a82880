import Composition
import Explanations
import InternetMessage
import Workflows

/// The key that the signing server is asked to sign with, and what its name promises.
struct SelectedKey {
    /// nil leaves the choice to the profile.
    let alias: String?
    /// The address whose key it is by its name; nil when the name is no address.
    let owner: AddrSpec?
}

/// Finds the key that signs (`CertificateSelection`).
struct KeyAlias {
    let policy: Policy

    /// The key for `choice`.
    ///
    /// With `SenderMustOwnFrom` no key signs for a From address that is not the envelope sender's, however the key is
    /// chosen. An address chosen by the message is taken only when nobody from outside can have chosen it.
    /// - Parameter header: The message's.
    func key(_ choice: KeyChoice, header: Header, envelope: Envelope) throws(Failure) -> SelectedKey {
        if policy.senderMustOwnFrom { try requireOwner(of: header, envelope) }
        switch choice {
        case .profileDefault: return SelectedKey(alias: nil, owner: nil)
        case .alias(let alias): return SelectedKey(alias: alias, owner: AddrSpec(parsing: alias))
        case .fromAddress:
            let address = try author(of: header)
            return SelectedKey(alias: CanonicalAddress(address).description, owner: address)
        }
    }

    private func requireOwner(of header: Header, _ envelope: Envelope) throws(Failure) {
        func refusal(_ why: String) -> Failure {
            Failure(.permanent, "nothing is signed, because SenderMustOwnFrom is set and " + why, advice: .ownSender)
        }
        switch Author.of(header) {
        case .none(let why): throw refusal(why)
        case .one(let address):
            switch envelope.sender {
            case .address(let sender) where CanonicalAddress(sender) == CanonicalAddress(address): return
            case .address(let sender):
                throw refusal("From is \(address), but the envelope sender is \(sender)")
            case .null: throw refusal("From is \(address), but the envelope sender is empty")
            case nil: throw refusal("From is \(address), but the envelope sender is not known")
            }
        }
    }

    private func author(of header: Header) throws(Failure) -> AddrSpec {
        switch Author.of(header) {
        case .none(let why):
            throw Failure(.permanent, "no key can be chosen by the From address: " + why, advice: .keyChoice)
        case .one(let address):
            guard policy.isInternal(address) else {
                throw Failure(
                    .permanent,
                    "no key can be chosen by the From address: \(address) is in no DomainName of ses.xml",
                    advice: .keyChoice)
            }
            return address
        }
    }
}
