import COpenSSL

/// A small certification authority for trying things out: RSA-2048, SHA-256.
///
/// For trials only: it asks nobody who they are.
public struct DemoAuthority: Sendable {
    /// The use that a certificate is issued for.
    public enum Use: Sendable, Hashable {
        /// Signing mail from this address.
        case mail(address: String)
        /// Signing documents.
        case document
        /// TLS of a server under this host name or IP address.
        case server(host: String)
        /// TLS of a client.
        case client
    }

    /// Its own key. Whoever has it can make certificates that are trusted where the authority is.
    public let issuer: SigningKey
    /// The certificate to trust.
    public var certificate: Certificate { issuer.certificate }

    /// The authority whose key was kept.
    public init(_ issuer: SigningKey) { self.issuer = issuer }

    /// - Parameters:
    ///   - validity: Unix seconds, first and last.
    /// - Throws: ``CryptographyError`` if OpenSSL cannot make the key or the certificate.
    public init(commonName: String, validity: ClosedRange<Int>) throws(CryptographyError) {
        let key = try Self.makeKey()
        let extensions = [
            (NID_basic_constraints, "critical,CA:TRUE"), (NID_key_usage, "critical,keyCertSign,cRLSign"),
            (NID_subject_key_identifier, "hash"),
        ]
        let certificate = try Self.makeCertificate(
            Self.subject(commonName), key: key, issuer: nil, validity: validity, extensions: extensions)
        issuer = SigningKey(key: key, certificate: certificate, chain: [])
    }

    /// A new key with a certificate of this authority.
    /// - Throws: ``CryptographyError`` if OpenSSL cannot make the certificate.
    public func issue(
        commonName: String, for use: Use, validity: ClosedRange<Int>
    ) throws(CryptographyError) -> SigningKey {
        var extensions = [
            (NID_basic_constraints, "critical,CA:FALSE"), (NID_subject_key_identifier, "hash"),
            (NID_authority_key_identifier, "keyid"),
        ]
        switch use {
        case .mail(let address):
            extensions += [
                (NID_key_usage, "critical,digitalSignature,nonRepudiation"), (NID_ext_key_usage, "emailProtection"),
                (NID_subject_alt_name, "email:" + address),
            ]
        case .document:
            extensions += [(NID_key_usage, "critical,digitalSignature,nonRepudiation")]
        case .server(let host):
            let isAddress = host.utf8.allSatisfy { $0 == 0x2E || $0 == 0x3A || (0x30...0x39).contains($0) }
            extensions += [
                (NID_key_usage, "critical,digitalSignature,keyEncipherment"), (NID_ext_key_usage, "serverAuth"),
                (NID_subject_alt_name, (isAddress ? "IP:" : "DNS:") + host),
            ]
        case .client:
            extensions += [(NID_key_usage, "critical,digitalSignature"), (NID_ext_key_usage, "clientAuth")]
        }
        let key = try Self.makeKey()
        let certificate = try Self.makeCertificate(
            Self.subject(commonName), key: key, issuer: issuer, validity: validity, extensions: extensions)
        return SigningKey(key: key, certificate: certificate, chain: [issuer.certificate])
    }

    /// A certificate of this authority for `key`.
    /// - Parameter validity: Unix seconds, first and last.
    /// - Throws: ``CryptographyError`` if a name or an address has no place in a certificate, or OpenSSL cannot make
    ///   it.
    public func issue(
        _ subject: KeySubject, for purpose: KeyPurpose, key: PrivateKey, validity: ClosedRange<Int>
    ) throws(CryptographyError) -> SigningKey {
        for address in subject.addresses {
            if let obstacle = KeySubject.obstacle(toAddress: address) { throw CryptographyError(.malformed, obstacle) }
        }
        let extensions = [
            (NID_basic_constraints, "critical,CA:FALSE"), (NID_subject_key_identifier, "hash"),
            (NID_authority_key_identifier, "keyid"),
        ]
        let certificate = try Self.makeCertificate(
            subject, key: key.key, issuer: issuer, validity: validity,
            extensions: extensions + purpose.extensions(addresses: subject.addresses))
        return SigningKey(key: key.key, certificate: certificate, chain: [issuer.certificate])
    }

    private static func subject(_ commonName: String) -> KeySubject {
        KeySubject(commonName: commonName, organisation: "SES demonstration")
    }

    private static func makeKey() throws(CryptographyError) -> KeyHandle {
        OpenSSLErrors.clear()
        guard let raw = copenssl_rsa(2048) else { throw failure("make a key") }
        return KeyHandle(owning: raw)
    }

    private static func makeCertificate(
        _ name: KeySubject, key: KeyHandle, issuer: SigningKey?, validity: ClosedRange<Int>,
        extensions: [(nid: Int32, value: String)]
    ) throws(CryptographyError) -> Certificate {
        OpenSSLErrors.clear()
        guard let raw = X509_new() else { throw failure("make a certificate") }
        let certificate = Certificate(owning: raw)
        let serial = try RandomOctets.make(16)
        guard X509_set_version(raw, 2) == 1, let number = BN_bin2bn([0x40] + serial, 17, nil) else {
            throw failure("number a certificate")
        }
        defer { BN_free(number) }
        guard BN_to_ASN1_INTEGER(number, X509_get_serialNumber(raw)) != nil else {
            throw failure("number a certificate")
        }
        guard ASN1_TIME_set(X509_getm_notBefore(raw), validity.lowerBound) != nil,
            ASN1_TIME_set(X509_getm_notAfter(raw), validity.upperBound) != nil
        else { throw failure("date a certificate") }
        try name.write(to: X509_get_subject_name(raw))
        let issuerRaw = issuer?.certificate.handle.raw ?? raw
        guard X509_set_issuer_name(raw, X509_get_subject_name(issuerRaw)) == 1, X509_set_pubkey(raw, key.raw) == 1
        else { throw failure("make a certificate") }
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, issuerRaw, raw, nil, nil, 0)
        for (nid, value) in extensions {
            guard let made = X509V3_EXT_conf_nid(nil, &context, nid, value) else {
                throw failure("put '\(value)' into a certificate")
            }
            defer { X509_EXTENSION_free(made) }
            guard X509_add_ext(raw, made, -1) == 1 else { throw failure("put '\(value)' into a certificate") }
        }
        guard X509_sign(raw, issuer?.key.raw ?? key.raw, EVP_sha256()) > 0 else { throw failure("sign a certificate") }
        return certificate
    }

    private static func failure(_ step: String) -> CryptographyError {
        CryptographyError(.failed, "OpenSSL cannot \(step): \(OpenSSLErrors.words())")
    }
}
