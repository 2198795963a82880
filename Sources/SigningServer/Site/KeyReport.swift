import CMSSignatures
public import HostProcess
public import Monitoring

/// A key as people and programs see it.
public struct KeyFacts: Encodable, Sendable {
    public let alias: String
    /// `PFX`, `PEM` or `PKCS#11`.
    public let kind: String
    public let subject: String
    public let addresses: [String]
    public let issuer: String
    public let serial: String
    public let fingerprint: String
    /// Such as `RSA 3072`.
    public let key: String
    /// Unix seconds.
    @OrNull var notBefore: Int?
    @OrNull var notAfter: Int?
    /// Whole days; negative once it has expired.
    @OrNull var daysLeft: Int?
    /// `OK`, `WARNING` or `CRITICAL`, by the end.
    public let level: StatusLevel
    public let isDefault: Bool
    /// The signing profiles whose own key it is.
    public let profiles: [String]
    /// The clients who may use it.
    public let clients: [String]
    /// The files that the configuration names for it.
    public let files: [String]
    /// The reasons why it cannot be used, or not by every client.
    public let problems: [String]
}

/// The keys of a site.
public struct KeyReport: ConsoleReport, Sendable {
    let v = 1
    public let keys: [KeyFacts]

    private enum CodingKeys: String, CodingKey { case v, keys }

    public var status: ExitStatus { .success }

    public var text: String {
        guard !keys.isEmpty else { return "there are no keys; add one: ses-dss key add FILE --alias NAME" }
        return keys.map(Self.text).joined(separator: "\n")
    }

    private static func text(_ key: KeyFacts) -> String {
        var lines = [
            "\(key.alias)\(key.isDefault ? "   (default)" : "")",
            "    subject    \(key.subject)",
        ]
        if !key.addresses.isEmpty { lines.append("    addresses  \(key.addresses.joined(separator: ", "))") }
        lines.append("    issuer     \(key.issuer)")
        lines.append("    key        \(key.key), \(key.kind)")
        let days = key.daysLeft.map { $0 < 0 ? "expired \(-$0) days ago" : "\($0) days left" } ?? "unknown"
        let end = key.notAfter.map(RFC3339Time.text) ?? "unknown"
        lines.append("    expires    \(end), \(days)\(key.level == .ok ? "" : "   \(key.level.word)")")
        if !key.profiles.isEmpty { lines.append("    profiles   \(key.profiles.joined(separator: ", "))") }
        lines.append(
            "    clients    \(key.clients.isEmpty ? "none may use it" : key.clients.joined(separator: ", "))")
        lines += key.problems.map { "    problem    \($0)" }
        return lines.map(LogLine.visible).joined(separator: "\n")
    }
}

extension SigningServerConfiguration {
    /// The keys, in the order of their aliases.
    /// - Parameter now: Unix seconds.
    func keyFacts(at now: Int) -> [KeyFacts] {
        keys.aliases.compactMap { alias in
            guard let key = keys[alias] else { return nil }
            let certificate = key.key.certificate
            let end = Self.end(of: certificate)
            return KeyFacts(
                alias: key.alias, kind: key.kind.rawValue, subject: certificate.subject,
                addresses: certificate.addresses, issuer: certificate.issuer, serial: certificate.serial,
                fingerprint: certificate.fingerprint, key: certificate.keyWords, notBefore: certificate.notBefore,
                notAfter: certificate.notAfter, daysLeft: end.daysLeft(now: now), level: end.level(now: now),
                isDefault: keys.defaultAlias == alias, profiles: profiles(withKey: alias),
                clients: clients.filter { $0.value.keys.contains(alias) }.map(\.key).sorted(), files: key.files,
                problems: keyWarnings(now: now, of: alias))
        }
    }

    /// The signing profiles whose own key it is, by their ids.
    func profiles(withKey alias: String) -> [String] {
        let name = KeyStore.folded(alias)
        return signingProfiles.values.filter { $0.key.map(KeyStore.folded) == name }.map(\.id).sorted()
    }
}

extension DSSSite {
    /// Lists the keys.
    /// - Parameter now: Unix seconds.
    /// - Throws: ``SiteError`` if the configuration has faults.
    public func keyReport(now: Int) throws(SiteError) -> KeyReport { KeyReport(keys: try load().keyFacts(at: now)) }
}
