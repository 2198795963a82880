import COpenSSL
import Glibc
public import Octets

/// A private key that has no certificate yet.
public struct PrivateKey: Sendable {
    let key: KeyHandle

    /// The kinds of key that are made here.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case rsa3072 = "rsa-3072"
        case p256 = "p-256"
    }

    init(key: KeyHandle) { self.key = key }

    /// Makes a new key.
    /// - Throws: ``CryptographyError/Kind/failed`` if OpenSSL cannot make it.
    public init(_ kind: Kind) throws(CryptographyError) {
        OpenSSLErrors.clear()
        let made =
            switch kind {
            case .rsa3072: copenssl_rsa(3_072)
            case .p256: copenssl_ec("P-256")
            }
        guard let made else {
            throw CryptographyError(.failed, "OpenSSL cannot make a key: \(OpenSSLErrors.words())")
        }
        key = KeyHandle(owning: made)
    }

    /// Reads the first private key of a PEM file (RFC 7468 §10 and §11).
    /// - Parameter password: That of an encrypted key; nil if there is none.
    /// - Throws: ``CryptographyError`` of kind `wrongPassword` (one is needed, or it is another), `missing` (no private
    ///   key) or `malformed`.
    public init(pem octets: OctetString, password: String?) throws(CryptographyError) {
        guard octets.text.contains("PRIVATE KEY-----") else {
            throw CryptographyError(.missing, "the file has no private key in PEM")
        }
        let bio = try MemoryBIO(octets)
        OpenSSLErrors.clear()
        let raw = PrivateKey.withPassword(password) { argument in
            PEM_read_bio_PrivateKey(
                bio.raw, nil,
                { buffer, size, _, argument in
                    // Without a password OpenSSL must not ask a terminal for one.
                    guard let buffer, let argument else { return -1 }
                    let text = argument.assumingMemoryBound(to: CChar.self)
                    let length = strlen(text)
                    guard length <= Int(size) else { return -1 }
                    buffer.update(from: text, count: length)
                    return Int32(length)
                }, argument)
        }
        guard let raw else {
            let reasons = OpenSSLErrors.words()
            if octets.text.contains("ENCRYPTED") {
                throw CryptographyError(
                    .wrongPassword,
                    password == nil
                        ? "the private key is encrypted, and no password was given"
                        : "the password does not open the private key (\(reasons))")
            }
            throw CryptographyError(.malformed, "the private key cannot be read: \(reasons)")
        }
        key = KeyHandle(owning: raw)
    }

    private static func withPassword<Value>(
        _ password: String?, _ body: (UnsafeMutableRawPointer?) -> Value
    ) -> Value {
        guard let password else { return body(nil) }
        var text = password.utf8CString.map { $0 }
        return text.withUnsafeMutableBytes { body($0.baseAddress) }
    }

    /// The key in PEM (PKCS #8, not encrypted). Keep it from logs.
    /// - Throws: ``CryptographyError`` if the key cannot be written.
    public func pem() throws(CryptographyError) -> OctetString {
        let bio = try MemoryBIO()
        OpenSSLErrors.clear()
        guard PEM_write_bio_PrivateKey(bio.raw, key.raw, nil, nil, 0, nil, nil) == 1 else {
            throw CryptographyError(.failed, "the private key cannot be written: \(OpenSSLErrors.words())")
        }
        return bio.octets
    }

    /// Returns true if the certificate is of this key.
    public func isKey(of certificate: Certificate) -> Bool {
        defer { OpenSSLErrors.clear() }
        return X509_check_private_key(certificate.handle.raw, key.raw) == 1
    }
}

extension SigningKey {
    /// Puts a key together with the one of `certificates` that is of it; the others are its chain.
    /// - Throws: ``CryptographyError/Kind/missing`` if none of them is of this key.
    public init(_ key: PrivateKey, certificates: [Certificate]) throws(CryptographyError) {
        guard let own = certificates.first(where: { key.isKey(of: $0) }) else {
            throw CryptographyError(
                .missing,
                "no certificate here is of this private key"
                    + (certificates.first.map { " (found one of \($0.subject))" } ?? ""))
        }
        self.init(key: key.key, certificate: own, chain: certificates.filter { $0 != own })
    }

    /// The private key alone.
    /// - Throws: ``CryptographyError/Kind/unsupported`` if it is in a device.
    public var privateKey: PrivateKey {
        get throws(CryptographyError) {
            guard !isRemote else { throw CryptographyError(.unsupported, "the private key is in a device") }
            return PrivateKey(key: key)
        }
    }

    /// The same key with further certificates of issuers.
    public func adding(_ more: [Certificate]) -> SigningKey {
        let known = [certificate] + chain
        return SigningKey(
            key: key, certificate: certificate, chain: chain + more.filter { !known.contains($0) }, remote: remote)
    }

    /// Reads a private key and its certificates from one PEM file.
    /// - Throws: ``CryptographyError`` if the file has no private key, cannot be opened, or has no certificate of it.
    public static func readPEM(
        _ octets: OctetString, password: String?
    ) throws(CryptographyError) -> SigningKey {
        let key = try PrivateKey(pem: octets, password: password)
        return try SigningKey(key, certificates: try Certificate.readAll(octets))
    }
}
