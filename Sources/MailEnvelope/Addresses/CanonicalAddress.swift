public import DomainNames

/// An address in the form in which all spellings of one person's address are equal: for keys, owners and signers.
///
/// The local-part loses its case. RFC 5321 §2.4 allows a host to distinguish `Alice` from `alice`, but nobody should
/// rely on it, and no certificate authority does. The domain is in ``CanonicalDomain`` form, so that the A-label of an
/// `rfc822Name` equals the U-label of a From field (RFC 5280 §7.5, RFC 9598 §5).
public struct CanonicalAddress: Sendable, Hashable, CustomStringConvertible {
    /// The value without quoting, in lower case; compared by canonical equivalence.
    public let localPart: String
    public let domain: CanonicalDomain

    public init(_ address: AddrSpec) { self.init(address.localPart, address.domain) }

    private init(_ localPart: some StringProtocol, _ domain: some StringProtocol) {
        self.localPart = Self.folded(localPart)
        self.domain = CanonicalDomain(domain)
    }

    /// Reads the address of a certificate, or the alias of a key.
    /// - Parameter text: An addr-spec. Text that is not one by the grammar is split at its last `@`, because
    ///   certificates do not always follow RFC 5322.
    /// - Returns: nil when there is no `@` with text on both sides of it.
    public init?(_ text: some StringProtocol) {
        if let address = AddrSpec(parsing: text) {
            self.init(address)
            return
        }
        guard let at = text.lastIndex(of: "@") else { return nil }
        let local = text[..<at]
        let domain = text[text.index(after: at)...]
        guard !local.isEmpty, !domain.isEmpty else { return nil }
        self.init(local, domain)
    }

    /// `local-part@domain`, the local-part without quoting, the domain with A-labels.
    public var description: String { localPart + "@" + domain.name }

    /// The text with every letter in lower case.
    ///
    /// A letter outside ASCII never becomes one within it: the Kelvin sign stays apart from `k`, and `İ` from `i`.
    private static func folded(_ text: some StringProtocol) -> String {
        var folded = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let lower = scalar.properties.lowercaseMapping.unicodeScalars
            if scalar.isASCII || lower.allSatisfy({ !$0.isASCII }) {
                folded.append(contentsOf: lower)
            } else {
                folded.append(scalar)
            }
        }
        return String(folded)
    }
}
