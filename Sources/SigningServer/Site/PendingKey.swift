import CMSSignatures
import HostProcess
import Octets

/// The names of files of keys.
enum SiteNames {
    /// An alias as part of a file's name.
    static func file(_ alias: String) -> String {
        let safe = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@._+-")
        let text = String(alias.prefix(80).map { safe.contains($0) ? $0 : "_" })
        return text.first == "." ? "_" + text : text
    }

    /// Eight digits that tell a certificate from others.
    static func mark(_ certificate: Certificate) -> String {
        String(certificate.fingerprint.filter { $0 != ":" }.prefix(8)).lowercased()
    }
}

/// A key that was made here and waits for its certificate.
struct PendingKey {
    let key: PrivateKey
    let alias: String

    static func keyName(_ alias: String) -> String { "keys/pending/" + SiteNames.file(alias) + ".key" }
    static func requestName(_ alias: String) -> String { "keys/pending/" + SiteNames.file(alias) + ".csr" }

    /// Makes one, and its files.
    init(_ key: PrivateKey, _ alias: String, request: CertificateRequest, _ files: SiteFiles) throws(SiteError) {
        self.key = key
        self.alias = alias
        let text: OctetString
        do throws(CryptographyError) { text = try key.pem() } catch { throw SiteError(words: error.reason) }
        try files.makeDirectory("keys")
        try files.makeDirectory("keys/pending")
        try files.write(text, to: Self.keyName(alias), isSecret: true)
        try files.write(request.pem, to: Self.requestName(alias), isSecret: false)
    }

    /// Reads the one that waits.
    /// - Returns: nil if there is none.
    init?(_ alias: String, _ files: SiteFiles) throws(SiteError) {
        let name = Self.keyName(alias)
        guard files.exists(name) else { return nil }
        switch SmallFile.read(files.path(name), limit: 1 << 16) {
        case .failure(let error): throw SiteError(words: "\(error)")
        case .success(let octets):
            do throws(CryptographyError) { key = try PrivateKey(pem: octets, password: nil) } catch {
                throw SiteError(words: "\(files.path(name)): \(error.reason)")
            }
        }
        self.alias = alias
    }

    /// The files that have served once the certificate is in place.
    var leftovers: [ConfigurationText.Leftover] {
        [.remove(Self.keyName(alias)), .remove(Self.requestName(alias))]
    }
}

extension KeyExamination {
    /// - Throws: ``SiteError`` with every fault, unless it is forced.
    func require(isForced: Bool, _ what: String) throws(SiteError) {
        guard !isForced, !faults.isEmpty else { return }
        throw SiteError(
            words: "\(what) is refused:\n" + faults.map { "  - \($0)" }.joined(separator: "\n")
                + "\n(--force takes it in spite of this)")
    }

    func remarks(isForced: Bool) -> [String] { (isForced ? faults : []) + remarks }
}

extension SigningServerConfiguration {
    /// The clients who get a new key.
    func grantees(_ wishes: KeyAddition) throws(SiteError) -> [String] {
        guard let wanted = wishes.clients else {
            guard clients.count <= 1 else {
                throw SiteError(
                    words: "several clients are there: name those who may use the key with --client (they are"
                        + " \(clients.keys.sorted().joined(separator: ", "))), or none with --no-client")
            }
            return Array(clients.keys)
        }
        for id in wanted where clients[id] == nil {
            throw SiteError(
                words: "there is no client \"\(id)\"; there are \(clients.keys.sorted().joined(separator: ", "))")
        }
        return wanted
    }

    /// The uses that some clients have for a key.
    func uses(ofClients ids: [String]) -> [CertificateUse] {
        let formats = Set(
            ids.flatMap { id in (clients[id]?.profiles ?? []).compactMap { signingProfiles[$0]?.format } })
        return (formats.contains(.smime) ? [.mail] : []) + (formats.contains { $0 != .smime } ? [.document] : [])
    }
}
