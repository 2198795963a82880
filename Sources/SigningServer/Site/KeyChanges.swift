public import CMSSignatures
import HostProcess
import Octets

/// A request for a certificate, and where it is.
public struct KeyRequestResult: Sendable {
    /// PKCS #10 in PEM.
    public let pem: String
    public let requestPath: String
    public let keyPath: String
}

/// The wishes of somebody who requests a certificate. What is nil is taken from the present certificate of the alias.
public struct KeyRequestWishes: Sendable {
    public var alias: String
    public var purpose: KeyPurpose?
    public var kind = PrivateKey.Kind.rsa3072
    public var commonName: String?
    public var organisation: String?
    public var country: String?
    public var addresses: [String] = []
    /// True puts a new request in the place of one that waits.
    public var replaces = false
    /// True requests a certificate for the key that is in use.
    public var keepsKey = false

    public init(alias: String) { self.alias = alias }
}

extension DSSSite {
    /// Makes a key in the site, and a request for a certificate of it. The key signs nothing before ``addKey`` or
    /// ``renewKey`` has its certificate.
    /// - Throws: ``SiteError`` if one waits already, or the files cannot be written.
    public func requestKey(_ wishes: KeyRequestWishes) throws(SiteError) -> KeyRequestResult {
        try change { configuration, files, _ throws(SiteError) in
            let name = PendingKey.keyName(wishes.alias)
            guard wishes.replaces || !files.exists(name) else {
                throw SiteError(
                    words: "a request for \"\(wishes.alias)\" waits already (\(files.path(name))): give its certificate"
                        + " to ses-dss key add or renew, or make another with --replace")
            }
            let present = configuration.keys[wishes.alias]?.key
            let addresses =
                !wishes.addresses.isEmpty
                ? wishes.addresses
                : present?.certificate.addresses ?? (wishes.alias.contains("@") ? [wishes.alias] : [])
            let purpose = wishes.purpose ?? (addresses.isEmpty ? .document : .mail)
            if purpose == .mail, addresses.isEmpty {
                throw SiteError(words: "a key for mail needs an address: name it with --address")
            }
            let subject = KeySubject(
                commonName: wishes.commonName ?? present?.certificate.commonName ?? wishes.alias,
                organisation: wishes.organisation, country: wishes.country, addresses: addresses)
            do throws(CryptographyError) {
                guard !wishes.keepsKey || present != nil else {
                    throw CryptographyError(.missing, "there is no key \"\(wishes.alias)\" to keep")
                }
                let key: PrivateKey
                if wishes.keepsKey, let present {
                    key = try present.privateKey
                } else {
                    key = try PrivateKey(wishes.kind)
                }
                let request = try CertificateRequest(subject, for: purpose, key: key)
                do throws(SiteError) {
                    _ = try PendingKey(key, wishes.alias, request: request, files)
                } catch {
                    throw CryptographyError(.storage, error.description)
                }
                return KeyRequestResult(
                    pem: request.pem.text, requestPath: files.path(PendingKey.requestName(wishes.alias)),
                    keyPath: files.path(name))
            } catch {
                throw SiteError(words: error.reason)
            }
        }
    }

    /// Puts a new certificate, or a new key with its own, in the place of that of an alias. The former files go to
    /// `keys/old`.
    /// - Parameters:
    ///   - material: nil lets the demonstration's authority issue one, if it issued the present one.
    ///   - now: Unix seconds.
    /// - Throws: ``SiteError`` if the certificate does not fit, or is refused.
    public func renewKey(
        _ alias: String, with material: KeyMaterial?, isForced: Bool, now: Int
    ) throws(SiteError) -> SiteChange {
        try change { configuration, files, text throws(SiteError) in
            guard let present = configuration.keys[alias] else {
                throw SiteError(words: "there is no key \"\(alias)\"; see ses-dss key list")
            }
            guard present.kind != .token else {
                throw SiteError(
                    words:
                        "the key \"\(alias)\" is in a token: put its new certificate into the token, or into the file"
                        + " of certificate=\"…\", and tell the server (SIGHUP)")
            }
            let (found, pending) = try renewed(present, with: material, files, now: now)
            guard found.certificate != present.key.certificate else {
                throw SiteError(words: "this is the certificate that the key \"\(alias)\" has already")
            }
            let key = found.completed(with: configuration.trust.flatMap(\.certificates) + present.key.chain)
            let examination = KeyExamination(
                key, alias: present.alias, uses: configuration.uses(of: KeyStore.folded(alias)), now: now)
            try examination.require(isForced: isForced, "the new certificate of \"\(alias)\"")
            text.replaceKey(alias, try store(key, present.alias, files))
            text.afterwards = present.files.map { .putAside($0) } + (pending?.leftovers ?? [])
            let end = key.certificate.notAfter.map { RFC3339Time.text($0) } ?? "an unknown time"
            var lines = ["renewed the key \"\(present.alias)\" in \(path): its certificate is good until \(end)"]
            let kept = present.files.filter(SiteFiles.isWithin)
            if !kept.isEmpty { lines.append("the former files are in \(files.path("keys/old"))") }
            return SiteChange(lines, remarks: examination.remarks(isForced: isForced))
        }
    }

    private func renewed(
        _ present: StoredKey, with material: KeyMaterial?, _ files: SiteFiles, now: Int
    ) throws(SiteError) -> (key: SigningKey, pending: PendingKey?) {
        guard let material else {
            let authority = try TrialAuthority(
                files,
                orElse: "name the file with the new certificate, or request one:"
                    + " ses-dss key request --alias \(present.alias)")
            return (try authority.renewed(present.key, now: now), nil)
        }
        if let key = material.key { return (key, nil) }
        let pending = try PendingKey(present.alias, files)
        do throws(CryptographyError) {
            let certificates = material.certificates
            if let pending, certificates.contains(where: { pending.key.isKey(of: $0) }) {
                return (try SigningKey(pending.key, certificates: certificates), pending)
            }
            return (try SigningKey(try present.key.privateKey, certificates: certificates), nil)
        } catch {
            throw SiteError(
                words: "the certificate is neither for the key that is in use"
                    + (pending == nil ? ", and no request waits: " : " nor for the request that waits: ") + error.reason
            )
        }
    }

    /// The ties of a key, so that a person can decide about it.
    /// - Throws: ``SiteError`` if there is no such key.
    public func ties(ofKey alias: String) throws(SiteError) -> (clients: [String], profiles: [String]) {
        let configuration = try load()
        guard configuration.keys[alias] != nil else {
            throw SiteError(words: "there is no key \"\(alias)\"; see ses-dss key list")
        }
        let name = KeyStore.folded(alias)
        var profiles = configuration.profiles(withKey: alias)
        if configuration.keys.defaultAlias == name { profiles.append("requests that name no key") }
        return (configuration.clients.filter { $0.value.keys.contains(name) }.map(\.key).sorted(), profiles)
    }

    /// Takes a key out of the configuration, with the grants of it. Its files go to `keys/old`.
    /// - Parameter isForced: Also if profiles name it, or it is the default.
    /// - Throws: ``SiteError`` if it is used and this is not forced.
    public func removeKey(_ alias: String, isForced: Bool) throws(SiteError) -> SiteChange {
        let (clients, profiles) = try ties(ofKey: alias)
        guard isForced || profiles.isEmpty else {
            throw SiteError(
                words:
                    "the key \"\(alias)\" is that of \(profiles.joined(separator: ", ")): give them another one first,"
                    + " or use --force")
        }
        return try change { configuration, files, text throws(SiteError) in
            guard let present = configuration.keys[alias] else {
                throw SiteError(words: "there is no key \"\(alias)\"")
            }
            text.removeKey(alias)
            text.afterwards = present.files.map { .putAside($0) }
            var lines = ["removed the key \"\(present.alias)\" from \(path)"]
            if !clients.isEmpty { lines.append("no longer granted to: \(clients.joined(separator: ", "))") }
            if present.files.contains(where: SiteFiles.isWithin) {
                lines.append("its files are in \(files.path("keys/old")); delete them there if nobody needs them")
            }
            return SiteChange(lines)
        }
    }

    /// Adds a key that is in a token.
    /// - Parameters:
    ///   - address: A URI of RFC 7512.
    ///   - settings: The further attributes of `<Key>`: module, file with the PIN, file with the certificate.
    /// - Throws: ``SiteError`` if the token does not have the key, or does not let in.
    public func addTokenKey(
        _ address: String, settings: [(name: String, value: String)], _ wishes: KeyAddition
    ) throws(SiteError) -> SiteChange {
        try change { configuration, _, text throws(SiteError) in
            guard configuration.keys[wishes.alias] == nil else {
                throw SiteError(words: "there is a key \"\(wishes.alias)\" already")
            }
            let clients = try configuration.grantees(wishes)
            text.addKey(
                [("alias", wishes.alias), ("pkcs11", address)] + settings
                    + (wishes.isDefault ? [("default", "true")] : []))
            for client in clients { text.grant(wishes.alias, to: client) }
            return SiteChange([
                "added the key \"\(wishes.alias)\" in the token to \(path)",
                "granted to: \(clients.isEmpty ? "nobody yet" : clients.joined(separator: ", "))",
            ])
        }
    }
}
