import COpenSSL
public import Octets

/// A private key in a device, such as an HSM, which signs and does not give the key away. Calls may block.
public protocol RemoteKey: Sendable {
    /// Makes one signature.
    /// - Parameter octets: With ``RemoteScheme/rsa`` the DigestInfo (RFC 8017 §9.2), with ``RemoteScheme/ecdsa`` the
    ///   digest.
    /// - Returns: The number of RSA, or the two numbers of ECDSA, each as long as the order of the curve.
    /// - Throws: ``CryptographyError/Kind/failed`` if the device does not do it now.
    func sign(_ octets: OctetString, by scheme: RemoteScheme) throws(CryptographyError) -> OctetString

    /// Forgets what it knows about the device, so that the key is looked for again.
    func lookAgain()
}

/// The ways in which a device signs.
public enum RemoteScheme: Sendable, Hashable {
    /// RSASSA-PKCS1-v1_5.
    case rsa
    case ecdsa
}

extension SigningKey {
    /// A key in a device, with the certificate of its public key.
    /// - Parameter chain: The certificates of issuers, in any order.
    /// - Throws: ``CryptographyError/Kind/unsupported`` if the public key cannot be used.
    public init(
        remote: any RemoteKey, certificate: Certificate, chain: [Certificate]
    ) throws(CryptographyError) {
        OpenSSLErrors.clear()
        guard let raw = X509_get_pubkey(certificate.handle.raw) else {
            throw CryptographyError(
                .unsupported, "the public key of \(certificate.subject) cannot be used: \(OpenSSLErrors.words())")
        }
        self.init(key: KeyHandle(owning: raw), certificate: certificate, chain: chain, remote: remote)
    }

    /// The signature of `octets` with SHA-256 in the form that XML wants: RSA, or the two numbers of ECDSA (RFC 4050
    /// §3.3).
    /// - Throws: ``CryptographyError`` if the device does not sign, or the key is here and not in a device.
    public func remoteSignatureForXML(of octets: OctetString) throws(CryptographyError) -> OctetString {
        guard let remote else { throw CryptographyError(.unsupported, "the key is not in a device") }
        return try numbers(try DigestAlgorithm.sha256.digest(of: octets), .sha256, by: remote)
    }

    func signature(
        of octets: OctetString, _ algorithm: DigestAlgorithm, by remote: any RemoteKey
    ) throws(CryptographyError) -> OctetString {
        let numbers = try numbers(try algorithm.digest(of: octets), algorithm, by: remote)
        return copenssl_pkey_is_ec(key.raw) == 1 ? try Self.sequence(numbers) : numbers
    }

    /// The signature as the device gives it. A device that was started again may have another key under the number
    /// that this one had, so each signature is verified before anybody gets it.
    private func numbers(
        _ digest: OctetString, _ algorithm: DigestAlgorithm, by remote: any RemoteKey
    ) throws(CryptographyError) -> OctetString {
        for _ in 0..<2 {
            let isEC = copenssl_pkey_is_ec(key.raw) == 1
            let made =
                isEC
                ? try remote.sign(digest, by: .ecdsa)
                : try remote.sign(Self.digestInfo(digest, algorithm), by: .rsa)
            let signature = isEC ? try Self.sequence(made) : made
            if verifies(signature, of: digest, algorithm) { return made }
            remote.lookAgain()
        }
        throw CryptographyError(
            .failed, "the device signs with another key than that of \(certificate.subject): compare the certificate")
    }

    private func verifies(_ signature: OctetString, of digest: OctetString, _ algorithm: DigestAlgorithm) -> Bool {
        defer { OpenSSLErrors.clear() }
        guard let context = EVP_PKEY_CTX_new(key.raw, nil) else { return false }
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_verify_init(context) == 1, EVP_PKEY_CTX_set_signature_md(context, algorithm.evp) == 1 else {
            return false
        }
        return signature.withUnsafeBytes { value in
            digest.withUnsafeBytes { data in
                EVP_PKEY_verify(
                    context, value.bindMemory(to: UInt8.self).baseAddress, value.count,
                    data.bindMemory(to: UInt8.self).baseAddress, data.count) == 1
            }
        }
    }

    /// The two numbers of ECDSA as CMS has them (RFC 3279 §2.2.3).
    private static func sequence(_ numbers: OctetString) throws(CryptographyError) -> OctetString {
        guard numbers.count > 0, numbers.count.isMultiple(of: 2) else {
            throw CryptographyError(.failed, "the device gave no ECDSA signature")
        }
        let half = numbers.count / 2
        return DER.element(0x30, [integer(numbers.slice(0..<half)), integer(numbers.slice(half..<numbers.count))])
    }

    private static func digestInfo(_ digest: OctetString, _ algorithm: DigestAlgorithm) -> OctetString {
        let identifier =
            switch algorithm {
            case .sha256: "2.16.840.1.101.3.4.2.1"
            case .sha384: "2.16.840.1.101.3.4.2.2"
            case .sha512: "2.16.840.1.101.3.4.2.3"
            }
        return DER.element(
            0x30,
            [
                DER.element(0x30, [DER.identifier(identifier), OctetString([0x05, 0x00])]),
                DER.element(0x04, [digest]),
            ])
    }

    /// A positive INTEGER.
    private static func integer(_ octets: OctetString) -> OctetString {
        var digits = Array(octets.array.drop { $0 == 0 })
        if digits.first.map({ $0 >= 0x80 }) ?? true { digits.insert(0, at: 0) }
        return DER.element(0x02, [OctetString(digits)])
    }
}
