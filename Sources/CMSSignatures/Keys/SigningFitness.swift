import COpenSSL

/// The reports about a key that may sign (``Certificate/obstacle(toSigning:at:)``).
public enum SigningFitness {
    /// Returns the reasons why some readers will doubt the signatures of `key`, although it may sign; empty if there
    /// are none.
    ///
    /// A chain that is not enclosed, and a key or digest that is too weak.
    public static func warnings(of key: SigningKey) -> [String] {
        let certificate = key.certificate
        var warnings: [String] = []
        if !certificate.isSelfIssued, !key.chain.contains(where: { certificate.isIssued(by: $0) }) {
            warnings.append(
                "the certificate of its issuer (\(certificate.issuer)) is not in the key file; readers who do not have"
                    + " it cannot verify: export the key with its chain")
        }
        let policy = TrustPolicy(anchors: [])
        warnings += AlgorithmStrength.details(of: certificate, isAnchor: false, policy).map(\.message)
        return warnings
    }
}

extension Certificate {
    /// True if the extended key usage names emailProtection, so that the certificate is made to sign mail.
    public var isForMail: Bool {
        let purposes = X509_get_extended_key_usage(handle.raw)
        return purposes != UInt32.max && purposes & UInt32(XKU_SMIME) != 0
    }

    /// Returns true if `issuer` has signed this certificate, by names, key identifiers and the signature.
    func isIssued(by issuer: Certificate) -> Bool {
        defer { OpenSSLErrors.clear() }
        guard X509_check_issued(issuer.handle.raw, handle.raw) == X509_V_OK,
            let key = X509_get0_pubkey(issuer.handle.raw)
        else { return false }
        return X509_verify(handle.raw, key) == 1
    }
}
