public import CMSSignatures
import HostProcess
import Octets

/// The authority of the demonstration. Its key is in the site, so whoever has the site can make certificates of it: it
/// is for trials only.
struct TrialAuthority {
    let authority: DemoAuthority
    private let files: SiteFiles

    static let list = "ca.crl"
    private static let record = "authority/revoked"
    private static let maximumDays = 825

    /// - Parameter advice: The way without it.
    /// - Throws: ``SiteError`` if the site has none.
    init(_ files: SiteFiles, orElse advice: String) throws(SiteError) {
        self.files = files
        guard files.exists(DemonstrationSite.authorityKey) else {
            let place = files.path(DemonstrationSite.authorityKey)
            throw SiteError(words: "this site has no demonstration authority (\(place)): \(advice)")
        }
        let octets = try Self.read(files.path(DemonstrationSite.authorityKey))
        let password = try Self.read(files.path(DemonstrationSite.authorityPassword)).text
        do throws(CryptographyError) {
            authority = DemoAuthority(
                try PKCS12.load(octets, password: String(password.prefix { $0 != "\n" })))
        } catch {
            throw SiteError(words: "the key of the demonstration authority cannot be used: \(error.reason)")
        }
    }

    private static func read(_ path: String) throws(SiteError) -> OctetString {
        switch SmallFile.read(path) {
        case .success(let octets): return octets
        case .failure(let error): throw SiteError(words: "\(error)")
        }
    }

    // MARK: Certificates

    /// - Parameters:
    ///   - days: The time that the certificate is good for.
    ///   - now: Unix seconds.
    func issue(
        _ subject: KeySubject, for purpose: KeyPurpose, key: PrivateKey, days: Int, now: Int
    ) throws(SiteError) -> SigningKey {
        let last = min(now + days * 86_400, authority.certificate.notAfter ?? .max)
        guard days > 0, last > now else { throw SiteError(words: "the authority cannot issue for \(days) days") }
        do throws(CryptographyError) {
            return try authority.issue(subject, for: purpose, key: key, validity: now - 3_600...last)
        } catch {
            throw SiteError(words: error.reason)
        }
    }

    /// The same key with a new certificate for the same person.
    func renewed(_ key: SigningKey, now: Int) throws(SiteError) -> SigningKey {
        let former = key.certificate
        guard former.isSigned(by: authority.certificate) else {
            throw SiteError(
                words:
                    "the certificate was issued by \(former.issuer), not by the demonstration authority: name the file"
                    + " with the new certificate")
        }
        let subject = KeySubject(
            commonName: former.commonName, organisation: "SES demonstration", addresses: former.addresses)
        let period = former.notAfter.flatMap { end in former.notBefore.map { (end - $0) / 86_400 } } ?? 365
        let same = try SiteError.attempt { () throws(CryptographyError) in try key.privateKey }
        return try issue(
            subject, for: former.purpose, key: same, days: max(1, min(period, Self.maximumDays)), now: now)
    }

    // MARK: Revocation

    /// The certificates that were revoked: a line each of serial, time and reason, with tabs between.
    func revocations() throws(SiteError) -> [Revocation] {
        guard files.exists(Self.record) else { return [] }
        return try Self.read(files.path(Self.record)).text.split(separator: "\n").map { line throws(SiteError) in
            let parts = line.split(separator: "\t")
            guard parts.count == 3, let date = Int(parts[1]), let number = Int(parts[2]),
                let reason = RevocationReason(rawValue: number)
            else { throw SiteError(words: "\(files.path(Self.record)): \"\(line)\" is no revocation") }
            return Revocation(serial: String(parts[0]), date: date, reason: reason)
        }
    }

    /// Writes the record, and a list of it that is good for some days.
    func publish(_ revocations: [Revocation], days: Int, now: Int) throws(SiteError) {
        let lines = revocations.map { "\($0.serial)\t\($0.date)\t\($0.reason.rawValue)\n" }.joined()
        try files.write(Array(lines.utf8), to: Self.record, isSecret: true)
        let list: OctetString
        do throws(CryptographyError) {
            list = try authority.revocationList(revocations, validity: now...now + days * 86_400, number: now)
        } catch {
            throw SiteError(words: error.reason)
        }
        try files.write(list, to: Self.list, isSecret: false)
    }
}

/// The wishes of somebody who wants a key of the demonstration's authority.
public struct TrialKeyWishes: Sendable {
    public var subject: KeySubject
    public var purpose: KeyPurpose
    public var kind = PrivateKey.Kind.rsa3072
    public var days = 365

    public init(subject: KeySubject, purpose: KeyPurpose) {
        self.subject = subject
        self.purpose = purpose
    }
}

extension DSSSite {
    private static let noAuthority = "only a site of ses-dss init has one; request a certificate: ses-dss key request"

    /// Makes a key whose certificate the demonstration's authority issues, and adds it. For trials only.
    /// - Parameter now: Unix seconds.
    /// - Throws: ``SiteError`` if the site has no such authority, or the key cannot be added.
    public func issueKey(
        _ wishes: TrialKeyWishes, _ addition: KeyAddition, now: Int
    ) throws(SiteError) -> SiteChange {
        try change { configuration, files, text throws(SiteError) in
            guard configuration.keys[addition.alias] == nil else {
                throw SiteError(
                    words: "there is a key \"\(addition.alias)\" already: renew it, or choose another alias")
            }
            let authority = try TrialAuthority(files, orElse: Self.noAuthority)
            let clients = try configuration.grantees(addition)
            let key: PrivateKey
            do throws(CryptographyError) { key = try PrivateKey(wishes.kind) } catch {
                throw SiteError(words: error.reason)
            }
            let issued = try authority.issue(
                wishes.subject, for: wishes.purpose, key: key, days: wishes.days, now: now)
            let examination = KeyExamination(
                issued, alias: addition.alias, uses: configuration.uses(ofClients: clients), now: now)
            try examination.require(isForced: addition.isForced, "the key \"\(addition.alias)\"")
            text.addKey(
                [("alias", addition.alias)] + (try store(issued, addition.alias, files))
                    + (addition.isDefault ? [("default", "true")] : []))
            for client in clients { text.grant(addition.alias, to: client) }
            return SiteChange(
                ["issued and added the key \"\(addition.alias)\" of \(issued.certificate.subject)"],
                remarks: [
                    "it is for trials only: the key of this authority is in \(files.path("authority")), and nobody else"
                        + " trusts it"
                ] + examination.remarks(isForced: addition.isForced))
        }
    }

    /// Revokes the certificate of a key that the demonstration's authority issued, and makes a new revocation list. The
    /// key stays: what it signs is not trusted from then on.
    /// - Throws: ``SiteError`` if the authority did not issue it.
    public func revokeKey(
        _ alias: String, reason: RevocationReason, days: Int, now: Int
    ) throws(SiteError) -> SiteChange {
        try change { configuration, files, text throws(SiteError) in
            guard let key = configuration.keys[alias] else {
                throw SiteError(words: "there is no key \"\(alias)\"; see ses-dss key list")
            }
            let authority = try TrialAuthority(files, orElse: Self.noAuthority)
            let certificate = key.key.certificate
            guard certificate.isSigned(by: authority.authority.certificate) else {
                throw SiteError(
                    words: "the certificate was issued by \(certificate.issuer): ask that authority to revoke it, and"
                        + " remove the key (ses-dss key remove \(alias))")
            }
            var revocations = try authority.revocations()
            // A command that was ended in the middle is carried to its end by the next one.
            let isRevoked = revocations.contains { $0.serial == certificate.serial }
            if !isRevoked { revocations.append(Revocation(serial: certificate.serial, date: now, reason: reason)) }
            try authority.publish(revocations, days: days, now: now)
            name(TrialAuthority.list, in: &text, configuration)
            let words = "the certificate \(certificate.serial) of \(certificate.subject)"
            return SiteChange([
                isRevoked ? "\(words) had been revoked before" : "revoked \(words) (\(reason.name))",
                "the new list is \(files.path(TrialAuthority.list)), good for \(days) days: ses-dss key crl renews it",
            ])
        }
    }

    /// Makes a new revocation list of the demonstration's authority.
    /// - Throws: ``SiteError`` if the site has no such authority.
    public func renewRevocationList(days: Int, now: Int) throws(SiteError) -> SiteChange {
        try change { configuration, files, text throws(SiteError) in
            let authority = try TrialAuthority(files, orElse: Self.noAuthority)
            let revocations = try authority.revocations()
            try authority.publish(revocations, days: days, now: now)
            name(TrialAuthority.list, in: &text, configuration)
            return SiteChange([
                "made \(files.path(TrialAuthority.list)): \(revocations.count) revoked, good for \(days) days"
            ])
        }
    }

    /// Names the list in the profiles that trust the authority.
    private func name(
        _ list: String, in text: inout ConfigurationText, _ configuration: SigningServerConfiguration
    ) {
        let trusting = Set(
            configuration.trust.filter { $0.role == .anchor && $0.path == DemonstrationSite.authority }.map(\.profile))
        let naming = Set(configuration.trust.filter { $0.role == .list && $0.path == list }.map(\.profile))
        for profile in trusting.subtracting(naming).sorted() { text.addTrust(list, .list, to: profile) }
    }
}
