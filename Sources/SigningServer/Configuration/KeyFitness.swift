import CMSSignatures
import InternetMessage
import XMLSignatures

extension SigningServerConfiguration {
    /// Returns the reasons why keys cannot be used, or not by every client, in one line each. They are reported at
    /// start, so that nobody learns them from a mail that was refused.
    /// - Parameter now: Unix seconds.
    func keyWarnings(now: Int) -> [String] { keys.aliases.flatMap { keyWarnings(now: now, of: $0) } }

    /// The same for one key.
    func keyWarnings(now: Int, of alias: String) -> [String] {
        guard let key = keys[alias] else { return [] }
        let obstacles = uses(of: alias).compactMap { key.key.certificate.obstacle(toSigning: $0, at: now) }
        var warnings = Set(obstacles).sorted().map { "the key \"\(alias)\" will be refused: \($0)" }
        var others = SigningFitness.warnings(of: key.key) + Self.addressWarnings(alias, key.key)
        if signsXML(with: alias), case .failure(let error) = key.forXML {
            others.append("it cannot sign XML: \(error.reason)")
        }
        warnings += others.map { "the key \"\(alias)\": \($0)" }
        return warnings
    }

    /// Returns the uses of the key that clients are granted.
    func uses(of alias: String) -> [CertificateUse] {
        let formats = formats(of: alias)
        return (formats.contains(.smime) ? [.mail] : []) + (formats.contains { $0 != .smime } ? [.document] : [])
    }

    private func signsXML(with alias: String) -> Bool {
        let formats = formats(of: alias)
        return formats.contains(.xml) || formats.contains(.auto)
    }

    private func formats(of alias: String) -> Set<SigningProfile.Format> {
        Set(
            clients.values.filter { $0.keys.contains(alias) }.flatMap { client in
                client.profiles.compactMap { signingProfiles[$0]?.format }
            })
    }

    /// Returns the objections of a reader who compares signer and author (RFC 8550 §3).
    static func addressWarnings(_ alias: String, _ key: SigningKey) -> [String] {
        let addresses = key.certificate.addresses
        guard alias.contains("@") else {
            return addresses.isEmpty && key.certificate.isForMail
                ? ["its certificate has no e-mail address, and readers of mail will not know whom it is of"] : []
        }
        let known = CanonicalAddress(alias)
        guard !addresses.contains(where: { CanonicalAddress($0) == known }) else { return [] }
        let found = addresses.isEmpty ? "has no e-mail address" : "is for " + addresses.joined(separator: ", ")
        return ["its certificate \(found); readers will not trust mail from \(alias) that it signs"]
    }
}
