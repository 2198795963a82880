import COpenSSL

/// The algorithms and keys that are too weak to be trusted.
enum AlgorithmStrength {
    /// Returns the weaknesses of a certificate of a path: of its key, and of its issuer's signature.
    /// - Parameter isAnchor: An anchor is trusted for what it is; its own signature does not matter.
    static func details(of certificate: Certificate, isAnchor: Bool, _ policy: TrustPolicy) -> [VerificationDetail] {
        var details: [VerificationDetail] = []
        if let detail = keyDetail(certificate, policy) { details.append(detail) }
        guard !isAnchor else { return details }
        var digest: Int32 = 0
        guard X509_get_signature_info(certificate.handle.raw, &digest, nil, nil, nil) == 1 else {
            OpenSSLErrors.clear()
            details.append(weak("the signature algorithm of the certificate of \(certificate.subject) is not known"))
            return details
        }
        if isWeak(digest: digest) && !policy.allowsWeakAlgorithms {
            details.append(weak("the certificate of \(certificate.subject) is signed with \(name(of: digest))"))
        }
        return details
    }

    /// Returns the weakness of a signer's digest.
    static func details(ofDigest digest: Int32?, _ policy: TrustPolicy) -> [VerificationDetail] {
        guard let digest, isWeak(digest: digest), !policy.allowsWeakAlgorithms else { return [] }
        return [weak("the digest \(name(of: digest)) is weak")]
    }

    private static func keyDetail(_ certificate: Certificate, _ policy: TrustPolicy) -> VerificationDetail? {
        guard let key = X509_get0_pubkey(certificate.handle.raw) else {
            OpenSSLErrors.clear()
            return weak("the public key of \(certificate.subject) cannot be used")
        }
        let bits = EVP_PKEY_get_bits(key)
        let isRSA = copenssl_pkey_is_rsa(key) == 1
        let isDSA = copenssl_pkey_is_dsa(key) == 1
        if isRSA && bits < 1024 || isDSA && bits < 1024 || copenssl_pkey_is_ec(key) == 1 && bits < 160 {
            return weak("the key of \(certificate.subject) has \(bits) bits and proves nothing")
        }
        guard !policy.allowsWeakAlgorithms else { return nil }
        if isDSA { return weak("the key of \(certificate.subject) is a DSA key") }
        if isRSA && bits < 2048 || copenssl_pkey_is_ec(key) == 1 && bits < 224 {
            return weak("the key of \(certificate.subject) has only \(bits) bits")
        }
        return nil
    }

    /// Those not known are weak; signatures without a digest of their own (Ed25519) are not.
    private static func isWeak(digest: Int32) -> Bool {
        switch digest {
        case NID_undef, NID_sha224, NID_sha256, NID_sha384, NID_sha512, NID_sha512_224, NID_sha512_256, NID_sha3_224,
            NID_sha3_256, NID_sha3_384, NID_sha3_512, NID_shake128, NID_shake256:
            false
        default: true
        }
    }

    private static func name(of digest: Int32) -> String {
        OBJ_nid2sn(digest).map { String(cString: $0) } ?? "an unknown digest"
    }

    private static func weak(_ message: String) -> VerificationDetail {
        VerificationDetail(.signature, .indeterminate, message)
    }
}
