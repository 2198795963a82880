import CMSSignatures
import HostProcess
import Octets

/// The wishes of somebody who adds a key.
public struct KeyAddition: Sendable {
    public var alias: String
    /// The clients who may use it; nil takes the only one there is.
    public var clients: [String]?
    /// True makes it the key of requests that name none.
    public var isDefault = false
    /// Takes it in spite of faults of its certificate.
    public var isForced = false
    /// Certificates of issuers beside those in the file.
    public var chain: KeyMaterial?

    public init(alias: String) { self.alias = alias }
}

/// The result of a command that changed a site, for a person.
public struct SiteChange: Sendable {
    /// One line for each thing that was done.
    public internal(set) var lines: [String]
    /// Further facts that the person should know.
    public internal(set) var remarks: [String] = []

    init(_ lines: [String], remarks: [String] = []) {
        self.lines = lines
        self.remarks = remarks
    }
}

extension DSSSite {
    /// Adds a key to the site, or the certificate that was requested for a key that waits in it.
    /// - Parameter now: Unix seconds.
    /// - Throws: ``SiteError`` if the key is refused, with every reason, or cannot be written.
    public func addKey(_ material: KeyMaterial, _ wishes: KeyAddition, now: Int) throws(SiteError) -> SiteChange {
        try change { configuration, files, text throws(SiteError) in
            guard configuration.keys[wishes.alias] == nil else {
                throw SiteError(
                    words: "there is a key \"\(wishes.alias)\" already: renew it (ses-dss key renew), or choose another"
                        + " alias")
            }
            let (found, pending) = try key(of: material, wishes.alias, files)
            let clients = try configuration.grantees(wishes)
            let known = configuration.trust.flatMap(\.certificates) + (wishes.chain?.certificates ?? [])
            let key = found.completed(with: known)
            let examination = KeyExamination(
                key, alias: wishes.alias, uses: configuration.uses(ofClients: clients), now: now)
            try examination.require(isForced: wishes.isForced, "the key \"\(wishes.alias)\"")
            if wishes.isDefault, let present = configuration.keys.defaultAlias {
                throw SiteError(words: "the key \"\(present)\" is the default: take default=\"true\" from it first")
            }
            let stored = try store(key, wishes.alias, files)
            text.addKey(
                [("alias", wishes.alias)] + stored + (wishes.isDefault ? [("default", "true")] : []))
            for client in clients { text.grant(wishes.alias, to: client) }
            var lines = [
                "added the key \"\(wishes.alias)\" of \(key.certificate.subject) to \(path)",
                clients.isEmpty
                    ? "no client may use it yet: add <Key ref=\"…\"/> to a <Client>"
                    : "granted to: \(clients.joined(separator: ", "))",
            ]
            if let pending {
                lines.append("the request of it is done; the key that waited is in \(stored[0].value) now")
                text.afterwards += pending.leftovers
            }
            return SiteChange(lines, remarks: examination.remarks(isForced: wishes.isForced))
        }
    }

    /// The key that a file has, or the one that waits for a certificate in it.
    private func key(
        of material: KeyMaterial, _ alias: String, _ files: SiteFiles
    ) throws(SiteError) -> (key: SigningKey, pending: PendingKey?) {
        if let key = material.key { return (key, nil) }
        guard material.bareKey == nil else {
            throw SiteError(words: "the file has a private key without its certificate: put both into one file")
        }
        guard let pending = try PendingKey(alias, files) else {
            throw SiteError(
                words:
                    "the file has certificates, and no private key; no request waits for the alias \"\(alias)\" either")
        }
        do throws(CryptographyError) {
            return (try SigningKey(pending.key, certificates: material.certificates), pending)
        } catch {
            throw SiteError(words: "the certificate is not for the request of \"\(alias)\": \(error.reason)")
        }
    }

    /// Writes a key as PKCS #12 with a password of its own, under a name that tells it from every other.
    /// - Returns: The attributes of `<Key>` that name it.
    func store(
        _ key: SigningKey, _ alias: String, _ files: SiteFiles
    ) throws(SiteError) -> [(name: String, value: String)] {
        let name = "keys/" + SiteNames.file(alias) + "-" + SiteNames.mark(key.certificate)
        let (file, password) = try SiteError.attempt { () throws(CryptographyError) in
            let password = try RandomOctets.make(18).hexadecimal
            return (try PKCS12.export(key, password: password, friendlyName: alias), password)
        }
        try files.makeDirectory("keys")
        try files.write(file, to: name + ".p12", isSecret: true)
        try files.write(Array((password + "\n").utf8), to: name + ".password", isSecret: true)
        return [("pfx", name + ".p12"), ("file", name + ".password")]
    }
}
