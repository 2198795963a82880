import COpenSSL
public import Octets

/// A private key with its certificate and what leads from there to an anchor.
public struct SigningKey: Sendable {
    let key: KeyHandle
    public let certificate: Certificate
    /// The certificates of the issuers that came with the key, in no particular order.
    public let chain: [Certificate]
    /// The device that has the private key; nil if the key itself is here. ``key`` is the public key then.
    let remote: (any RemoteKey)?
    /// True if the private key is in a device, and never here.
    public var isRemote: Bool { remote != nil }

    init(key: KeyHandle, certificate: Certificate, chain: [Certificate], remote: (any RemoteKey)? = nil) {
        self.key = key
        self.certificate = certificate
        self.chain = chain
        self.remote = remote
    }

    /// Returns the private key in PEM (PKCS #8, not encrypted), for a TLS library that requires this form. Keep it from
    /// logs and files.
    /// - Throws: ``CryptographyError`` if the key cannot be exported.
    public func privateKeyPEM() throws(CryptographyError) -> OctetString {
        guard remote == nil else {
            throw CryptographyError(.unsupported, "the private key is in a device, which does not give it away")
        }
        let bio = try MemoryBIO()
        OpenSSLErrors.clear()
        guard PEM_write_bio_PrivateKey(bio.raw, key.raw, nil, nil, 0, nil, nil) == 1 else {
            throw CryptographyError(.failed, "the private key cannot be written: \(OpenSSLErrors.words())")
        }
        return bio.octets
    }

    /// The reason why the key cannot sign here at all, and advice; nil if it can.
    public var obstacle: String? {
        if isRemote, copenssl_pkey_is_rsa(key.raw) != 1, copenssl_pkey_is_ec(key.raw) != 1 {
            return "a key in a device must be an RSA or EC key"
        }
        if copenssl_pkey_is_pss(key.raw) == 1 {
            return "the key may only sign by RSA-PSS, which is not done here; use an RSA, EC, Ed25519 or Ed448 key"
        }
        let isKnown =
            copenssl_pkey_is_rsa(key.raw) == 1 || copenssl_pkey_is_ec(key.raw) == 1
            || copenssl_pkey_is_dsa(key.raw) == 1 || EdwardsCurve(key.raw) != nil
        guard !isKnown else { return nil }
        let kind = EVP_PKEY_get0_type_name(key.raw).map { String(cString: $0) } ?? "unknown"
        return "a key of the kind \(kind) cannot sign here; use an RSA, EC, Ed25519 or Ed448 key"
    }

    /// The signature of `octets` as the key's kind makes it: RSA PKCS #1 1.5, ECDSA in DER, EdDSA.
    /// - Parameter digest: Not used by EdDSA, which has none of its own.
    /// - Throws: ``CryptographyError`` if the key cannot sign with this algorithm.
    public func signature(
        of octets: OctetString, _ digest: DigestAlgorithm
    ) throws(CryptographyError) -> OctetString {
        if let remote { return try signature(of: octets, digest, by: remote) }
        OpenSSLErrors.clear()
        guard let context = EVP_MD_CTX_new() else { throw CryptographyError(.failed, "OpenSSL has no memory") }
        defer { EVP_MD_CTX_free(context) }
        var signature: [UInt8] = []
        var length = 0
        let evp = EdwardsCurve(key.raw) == nil ? digest.evp : nil
        let isMade = octets.withUnsafeBytes { buffer in
            let start = buffer.bindMemory(to: UInt8.self).baseAddress
            guard EVP_DigestSignInit(context, nil, evp, nil, key.raw) == 1,
                EVP_DigestSign(context, nil, &length, start, buffer.count) == 1
            else { return false }
            signature = [UInt8](repeating: 0, count: length)
            return EVP_DigestSign(context, &signature, &length, start, buffer.count) == 1
        }
        guard isMade else {
            throw CryptographyError(.failed, "OpenSSL cannot sign with the key: \(OpenSSLErrors.words())")
        }
        return OctetString(signature.prefix(length))
    }
}

/// Key files (RFC 7292).
public enum PKCS12 {
    /// Opens a PKCS #12 file.
    /// - Throws: ``CryptographyError`` of kind `malformed`, `wrongPassword`, `unsupported` (RC2 or 3DES of old exports,
    ///   with the way out) or `missing` (no private key, or no certificate for it).
    public static func load(_ octets: OctetString, password: String) throws(CryptographyError) -> SigningKey {
        OpenSSLErrors.clear()
        let file = octets.withUnsafeBytes { buffer -> OpaquePointer? in
            var next = buffer.bindMemory(to: UInt8.self).baseAddress
            return d2i_PKCS12(nil, &next, buffer.count)
        }
        guard let file else {
            throw CryptographyError(.malformed, "this is no PKCS #12 file: \(OpenSSLErrors.words())")
        }
        defer { PKCS12_free(file) }
        try verifyPassword(of: file, password)
        var key: OpaquePointer?
        var certificate: OpaquePointer?
        var others: OpaquePointer?
        guard PKCS12_parse(file, password, &key, &certificate, &others) == 1 else {
            let reasons = OpenSSLErrors.drain()
            if reasons.contains(where: \.isUnsupported) { throw legacy }
            throw CryptographyError(
                .malformed, "the PKCS #12 file cannot be read: \(reasons.map(\.text).joined(separator: "; "))")
        }
        let chain = popAll(others)
        let ownKey = key.map { KeyHandle(owning: $0) }
        let ownCertificate = certificate.map { Certificate(owning: $0) }
        guard let ownKey else {
            throw CryptographyError(.missing, "the PKCS #12 file has no private key; export it with the key")
        }
        guard let ownCertificate else {
            throw CryptographyError(.missing, "the PKCS #12 file has no certificate for its private key")
        }
        return SigningKey(key: ownKey, certificate: ownCertificate, chain: chain)
    }

    /// Makes a PKCS #12 file: AES-256 and PBKDF2 with SHA-256.
    /// - Throws: ``CryptographyError`` if OpenSSL cannot write the file.
    public static func export(
        _ key: SigningKey, password: String, friendlyName: String
    ) throws(CryptographyError) -> OctetString {
        let chain = try CertificateStack(key.chain)
        OpenSSLErrors.clear()
        let file = PKCS12_create(
            password, friendlyName, key.key.raw, key.certificate.handle.raw, chain.raw, 0, 0, 0, 0, 0)
        guard let file else {
            throw CryptographyError(.failed, "the PKCS #12 file cannot be made: \(OpenSSLErrors.words())")
        }
        defer { PKCS12_free(file) }
        let length = i2d_PKCS12(file, nil)
        guard length > 0 else {
            throw CryptographyError(.failed, "the PKCS #12 file cannot be written: \(OpenSSLErrors.words())")
        }
        return OctetString(count: Int(length)) { target in
            var next = target.bindMemory(to: UInt8.self).baseAddress
            _ = i2d_PKCS12(file, &next)
        }
    }

    private static func verifyPassword(of file: OpaquePointer, _ password: String) throws(CryptographyError) {
        guard PKCS12_mac_present(file) == 1 else { return }
        if PKCS12_verify_mac(file, password, -1) == 1 { return }
        // Some exporters take an empty password for none.
        if password.isEmpty && PKCS12_verify_mac(file, nil, 0) == 1 { return }
        let reasons = OpenSSLErrors.drain()
        if reasons.contains(where: \.isUnsupported) { throw legacy }
        throw CryptographyError(.wrongPassword, "the password does not open the PKCS #12 file")
    }

    private static func popAll(_ stack: OpaquePointer?) -> [Certificate] {
        guard let stack else { return [] }
        defer { copenssl_certificates_free(stack) }
        return (0..<max(copenssl_certificates_count(stack), 0)).compactMap {
            Certificate(sharing: copenssl_certificates_at(stack, $0))
        }
    }

    private static let legacy = CryptographyError(
        .unsupported,
        "the PKCS #12 file is encrypted with RC2 or 3DES, which OpenSSL 3 no longer reads; export it again with AES: "
            + "openssl pkcs12 -legacy -in OLD.p12 -nodes -out key.pem && "
            + "openssl pkcs12 -export -in key.pem -out NEW.p12 && rm key.pem")
}
