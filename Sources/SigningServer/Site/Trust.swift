public import CMSSignatures
import DocumentKinds
public import HostProcess
public import Monitoring
import Octets

/// The authorities that the system trusts.
public enum SystemTrust {
    /// Debian's bundle (ca-certificates), which updates of the system change.
    public static let bundle = "/etc/ssl/certs/ca-certificates.crt"
}

/// One trusted certificate or revocation list, as people and programs see it.
public struct TrustFacts: Encodable, Sendable {
    public let profile: String
    /// `Anchor`, `Intermediate` or `CRL`, as in the configuration.
    public let role: String
    public let path: String
    public let line: Int
    public let subject: String
    @OrNull var fingerprint: String?
    /// Unix seconds.
    @OrNull var notAfter: Int?
    @OrNull var daysLeft: Int?
    /// `OK`, `WARNING` or `CRITICAL`, by the end.
    public let level: StatusLevel
}

/// The certificates and lists that a site trusts.
public struct TrustReport: ConsoleReport, Sendable {
    let v = 1
    public let trusted: [TrustFacts]
    private static let maximumOfFile = 5

    private enum CodingKeys: String, CodingKey { case v, trusted }

    public var status: ExitStatus { .success }

    public var text: String {
        guard !trusted.isEmpty else { return "nothing is trusted; see ses-dss trust add" }
        var lines: [String] = []
        var (profile, counts) = ("", [String: Int]())
        for fact in trusted {
            if fact.profile != profile {
                profile = fact.profile
                lines.append("profile \(profile)")
            }
            let place = fact.profile + "\n" + fact.path + "\n" + fact.role
            counts[place, default: 0] += 1
            guard counts[place, default: 0] <= Self.maximumOfFile else { continue }
            let days = fact.daysLeft.map { $0 < 0 ? "expired" : "\($0) days left" } ?? "without an end"
            lines.append("    \(fact.role)  \(fact.subject)  (\(fact.path), \(days))")
            if let fingerprint = fact.fingerprint { lines.append("        SHA-256 \(fingerprint)") }
        }
        for (place, count) in counts.sorted(by: { $0.key < $1.key }) where count > Self.maximumOfFile {
            let parts = place.split(separator: "\n")
            lines.append("    and \(count - Self.maximumOfFile) more in \(parts[1]) of the profile \(parts[0])")
        }
        return lines.map(LogLine.visible).joined(separator: "\n")
    }
}

/// A certificate that somebody may want to trust.
public struct TrustCandidate: Sendable {
    public let certificate: Certificate
    /// The signer, if it was found in something signed.
    public let signer: String?

    /// The facts by which a person compares it with what its owner says.
    public var text: String {
        var lines = [
            "subject      \(certificate.subject)", "issuer       \(certificate.issuer)",
            "SHA-256      \(certificate.fingerprint)", "key          \(certificate.keyWords)",
            "valid until  \(certificate.notAfter.map { RFC3339Time.text($0) } ?? "unknown")",
        ]
        if let signer { lines.insert("signer       \(signer)", at: 0) }
        if !certificate.isAuthority { lines.append("note         it is not the certificate of an authority") }
        return lines.map(LogLine.visible).joined(separator: "\n")
    }
}

extension DSSSite {
    /// Lists what the verification profiles trust.
    /// - Parameter now: Unix seconds.
    /// - Throws: ``SiteError`` if the configuration has faults.
    public func trustReport(now: Int) throws(SiteError) -> TrustReport {
        TrustReport(trusted: try load().trustFacts(at: now))
    }

    /// The certificates in a file.
    /// - Throws: ``SiteError`` if it cannot be read, or has none.
    public static func candidates(inFile path: String) throws(SiteError) -> [TrustCandidate] {
        let octets = try Self.octets(of: path)
        do throws(CryptographyError) {
            return try Certificate.readAll(octets).map { TrustCandidate(certificate: $0, signer: nil) }
        } catch {
            throw SiteError(words: "\(path): \(error.reason)")
        }
    }

    /// The certificates of the authorities that issued those of the signers of a mail, PDF, XML or CMS file.
    /// - Parameters:
    ///   - takesRoot: True takes the highest that is in the file, false the signer's own issuer.
    ///   - now: Unix seconds.
    /// - Throws: ``SiteError`` if the signature is broken, or the file does not have the certificate.
    public static func candidates(
        inSigned path: String, takesRoot: Bool, now: Int
    ) throws(SiteError) -> [TrustCandidate] {
        let octets = try Self.octets(of: path)
        let findings: SignatureFindings
        do throws(CryptographyError) { findings = try Self.findings(octets, now: now) } catch {
            throw SiteError(words: "\(path): \(error.reason)")
        }
        if let broken = findings.details.first(where: { $0.kind == .signature && $0.level == .invalid }) {
            throw SiteError(words: "\(path): the signature is no good, and nothing of it is trusted: \(broken.message)")
        }
        var found: [TrustCandidate] = []
        for links in findings.paths {
            guard let signer = links.first else { continue }
            guard let issuer = takesRoot ? links.dropFirst().last : links.dropFirst().first else {
                throw SiteError(
                    words: "\(path) does not have the certificate of \(signer.issuer), which issued that of the signer"
                        + " (\(signer.subject)): get it from there, and use ses-dss trust add FILE")
            }
            if !found.contains(where: { $0.certificate == issuer }) {
                found.append(TrustCandidate(certificate: issuer, signer: signer.subject))
            }
        }
        guard !found.isEmpty else { throw SiteError(words: "\(path) carries no signature") }
        return found
    }

    private static func findings(_ octets: OctetString, now: Int) throws(CryptographyError) -> SignatureFindings {
        // Without anchors nothing is trusted, and the path ends where the certificates of the file end.
        let policy = TrustPolicy(anchors: [])
        let documents = DocumentVerification(policy: policy, now: now)
        switch DocumentOpening(of: octets).reading(declared: nil) {
        case .cms: return try documents.cms(octets, content: nil)
        case .document(.pdf): return try documents.pdf(octets)
        case .document(.xml): return try documents.xml(octets)
        case .ambiguous:
            throw CryptographyError(.malformed, "the file can be read in several ways; name one that cannot")
        case nil:
            let mail = SignedMailVerification(
                policy: policy, identity: .report, scratch: MemoryCollecting(limit: SigningServer.maximumBody))
            guard let findings = try mail.verify(octets, now: now) else {
                throw CryptographyError(.missing, "the file carries no signature")
            }
            return findings
        }
    }

    private static func octets(of path: String) throws(SiteError) -> OctetString {
        switch SmallFile.read(path, limit: SigningServer.maximumBody) {
        case .success(let octets): return octets
        case .failure(let error): throw SiteError(words: "\(error)")
        }
    }

    /// Trusts certificates from now on: as anchors, or as intermediates that lead to one.
    /// - Parameter profile: The id of the verification profile; nil takes the default, or the only one.
    /// - Throws: ``SiteError`` if the profile is not there, or the files cannot be written.
    public func addTrust(
        _ candidates: [TrustCandidate], asIntermediate: Bool, profile: String?, now: Int
    ) throws(SiteError) -> SiteChange {
        try change { configuration, files, text throws(SiteError) in
            let id = try configuration.verificationProfile(profile)
            let role = asIntermediate ? TrustEntry.Role.intermediate : .anchor
            var lines: [String] = []
            for candidate in candidates {
                let certificate = candidate.certificate
                if let entry = configuration.trust.first(where: {
                    $0.profile == id && $0.role == role && $0.certificates.contains(certificate)
                }) {
                    lines.append("\(certificate.subject) is trusted already (\(entry.path), line \(entry.line))")
                    continue
                }
                if let end = certificate.notAfter, end < now {
                    throw SiteError(words: "\(certificate.subject) expired on \(RFC3339Time.text(end)): get a new one")
                }
                let name =
                    "trust/" + SiteNames.file(certificate.commonName) + "-" + SiteNames.mark(certificate) + ".pem"
                try files.makeDirectory("trust")
                try files.write(Array(certificate.pem.utf8), to: name, isSecret: false)
                text.addTrust(name, role, to: id)
                lines.append("\(role.words) of the profile \"\(id)\" from now on: \(certificate.subject) (\(name))")
            }
            return SiteChange(lines)
        }
    }

    /// Trusts the authorities of the system's bundle.
    /// - Throws: ``SiteError`` if there is none, or the profile is not there.
    public func addSystemTrust(profile: String?) throws(SiteError) -> SiteChange {
        try change { configuration, _, text throws(SiteError) in
            let id = try configuration.verificationProfile(profile)
            guard SmallFile.exists(SystemTrust.bundle) else {
                throw SiteError(words: "there is no \(SystemTrust.bundle): install ca-certificates")
            }
            let isThere = configuration.trust.contains { $0.profile == id && $0.path == SystemTrust.bundle }
            guard !isThere else { return SiteChange(["the profile \"\(id)\" trusts the system's bundle already"]) }
            text.addTrust(SystemTrust.bundle, .anchor, to: id)
            return SiteChange(
                ["the profile \"\(id)\" trusts all authorities of \(SystemTrust.bundle) from now on"],
                remarks: [
                    "they are chosen for the certificates of web servers; many of them issue certificates for mail too",
                    "after an update of the system tell the server to read them again (SIGHUP)",
                ])
        }
    }

    /// Ends the trust in a certificate, or in a whole file.
    /// - Parameter name: The path of a file as the configuration has it, or the beginning of a fingerprint (at least
    ///   eight digits).
    /// - Throws: ``SiteError`` if nothing, or more than one thing, is named so, or others are in the same file.
    public func removeTrust(_ name: String, profile: String?) throws(SiteError) -> SiteChange {
        try change { configuration, _, text throws(SiteError) in
            let entries = configuration.trust.filter { profile == nil || $0.profile == profile }
            let digits = name.filter { $0 != ":" }.uppercased()
            let named = entries.filter { entry in
                entry.path == name
                    || digits.count >= 8
                        && entry.certificates.contains { $0.fingerprint.filter { $0 != ":" }.hasPrefix(digits) }
            }
            guard !named.isEmpty else {
                throw SiteError(words: "nothing that is trusted is named \"\(name)\"; see ses-dss trust list")
            }
            guard Set(named.map(\.path)).count == 1 else {
                let paths = Set(named.map(\.path)).sorted().joined(separator: ", ")
                throw SiteError(words: "several files are named so (\(paths)): write more of the fingerprint")
            }
            if let shared = named.first(where: { $0.path != name && $0.certificates.count > 1 }) {
                throw SiteError(
                    words:
                        "\(shared.path) (line \(shared.line)) has \(shared.certificates.count) certificates: take this"
                        + " one out of the file, or remove the whole file by its path")
            }
            for entry in named { text.removeTrust(entry.path, entry.role, from: entry.profile) }
            let isElsewhere = configuration.trust.contains { entry in
                entry.path == named[0].path && !named.contains { $0.profile == entry.profile }
            }
            if named[0].path.hasPrefix("trust/"), !isElsewhere { text.afterwards.append(.remove(named[0].path)) }
            let profiles = Set(named.map(\.profile)).sorted().joined(separator: ", ")
            return SiteChange(["no longer trusted by \(profiles): \(named[0].path)"])
        }
    }
}

extension SigningServerConfiguration {
    func verificationProfile(_ wanted: String?) throws(SiteError) -> String {
        let known = verificationProfiles.keys.sorted()
        if let wanted {
            guard verificationProfiles[wanted] != nil else {
                throw SiteError(
                    words: "there is no verification profile \"\(wanted)\"; there are \(known.joined(separator: ", "))")
            }
            return wanted
        }
        if let only = defaultVerificationProfile ?? (known.count == 1 ? known[0] : nil) { return only }
        throw SiteError(words: "name the verification profile with --profile: \(known.joined(separator: ", "))")
    }

    /// The certificates and lists that the profiles trust, in the order of the configuration.
    func trustFacts(at now: Int) -> [TrustFacts] {
        trust.flatMap { entry -> [TrustFacts] in
            entry.certificates.map { certificate in
                let end = Self.end(of: certificate)
                return TrustFacts(
                    profile: entry.profile, role: entry.role.rawValue, path: entry.path, line: entry.line,
                    subject: certificate.subject, fingerprint: certificate.fingerprint, notAfter: certificate.notAfter,
                    daysLeft: end.daysLeft(now: now), level: end.level(now: now))
            }
                + entry.lists.map { list in
                    let end = Self.end(of: list)
                    return TrustFacts(
                        profile: entry.profile, role: entry.role.rawValue, path: entry.path, line: entry.line,
                        subject: list.issuer, fingerprint: nil, notAfter: list.nextUpdate,
                        daysLeft: end.daysLeft(now: now), level: end.level(now: now))
                }
        }
    }
}
