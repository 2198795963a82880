import CMSSignatures
import InternetMessage
import KeyTokens
import Octets
import XMLSignatures

/// The keys by alias.
struct KeyStore: Sendable {
    private(set) var defaultAlias: String?
    private var keys: [String: StoredKey] = [:]
    /// The aliases as they are looked up, in order.
    var aliases: [String] { keys.keys.sorted() }

    /// - Returns: false when the alias, or a default key, is there already.
    mutating func add(_ key: StoredKey, isDefault: Bool) -> Bool {
        let name = Self.folded(key.alias)
        guard keys[name] == nil, !isDefault || defaultAlias == nil else { return false }
        keys[name] = key
        if isDefault { defaultAlias = name }
        return true
    }

    /// The aliases, and the names of those they belong to, as a signature shows them.
    var names: [(alias: String, name: String)] {
        keys.map { ($0.key, $0.value.key.certificate.commonName) }.sorted { $0.0 < $1.0 }
    }

    subscript(alias: String) -> StoredKey? { keys[Self.folded(alias)] }

    /// An alias that is an address is found whatever its case and the form of its domain (``CanonicalAddress``). Any
    /// other alias must be exact.
    static func folded(_ alias: String) -> String { CanonicalAddress(alias)?.description ?? alias }
}

/// A key in the forms that the formats want.
struct StoredKey: Sendable {
    /// The place where a private key is kept.
    enum Kind: String, Sendable, CaseIterable {
        case pfx = "PFX"
        case pem = "PEM"
        case token = "PKCS#11"
    }

    /// As it is written in the configuration.
    let alias: String
    let kind: Kind
    /// The files that the configuration names for it, as they are written there.
    let files: [String]
    let key: SigningKey
    /// The key in its token; nil for a key in a file.
    let token: TokenKey?
    /// Not every key can sign XML; the reason is reported to clients that try.
    let forXML: Result<XMLSigningKey, XMLSignatureError>

    init(_ key: SigningKey, alias: String, kind: Kind, files: [String], token: TokenKey? = nil) {
        self.key = key
        self.alias = alias
        self.kind = kind
        self.files = files
        self.token = token
        do throws(XMLSignatureError) { forXML = .success(try Self.forXML(key)) } catch { forXML = .failure(error) }
    }

    private static func forXML(_ key: SigningKey) throws(XMLSignatureError) -> XMLSigningKey {
        let (certificate, chain) = (key.certificate.der, key.chain.map(\.der))
        guard !key.isRemote else {
            return try XMLSigningKey(certificate: certificate, chain: chain) { octets throws(XMLSignatureError) in
                do throws(CryptographyError) { return try key.remoteSignatureForXML(of: octets) } catch {
                    throw XMLSignatureError(.failed, error.reason)
                }
            }
        }
        let text: OctetString
        do throws(CryptographyError) { text = try key.privateKeyPEM() } catch {
            throw XMLSignatureError(.key, error.reason)
        }
        return try XMLSigningKey(privateKeyPEM: text, certificate: certificate, chain: chain)
    }
}

/// A key in a token, as signatures want it.
struct TokenSigner: RemoteKey {
    let key: TokenKey

    func sign(_ octets: OctetString, by scheme: RemoteScheme) throws(CryptographyError) -> OctetString {
        do throws(TokenError) { return try key.sign(octets, scheme == .rsa ? .rsa : .ecdsa) } catch {
            throw CryptographyError(.failed, error.reason)
        }
    }

    func lookAgain() { key.discardSessions() }
}
