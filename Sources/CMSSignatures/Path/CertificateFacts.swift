import COpenSSL
import Octets

/// The facts of a certificate that people compare and choose by.
extension Certificate {
    /// SHA-256 over the certificate: hexadecimal, upper case, in pairs with colons between, as OpenSSL prints it.
    public var fingerprint: String {
        let octets = digest(EVP_sha256())?.array ?? []
        return octets.map { [$0].hexadecimal.uppercased() }.joined(separator: ":")
    }

    /// True if it may issue certificates (basicConstraints, RFC 5280 §4.2.1.9).
    public var isAuthority: Bool {
        defer { OpenSSLErrors.clear() }
        return X509_check_ca(handle.raw) == 1
    }

    /// The kind and size of its key, such as `RSA 3072` or `EC P-256`.
    public var keyWords: String {
        defer { OpenSSLErrors.clear() }
        guard let key = X509_get0_pubkey(handle.raw) else { return "unknown" }
        let bits = EVP_PKEY_get_bits(key)
        if copenssl_pkey_is_pss(key) == 1 { return "RSA-PSS \(bits)" }
        if copenssl_pkey_is_rsa(key) == 1 { return "RSA \(bits)" }
        if copenssl_pkey_is_ec(key) == 1 { return "EC P-\(bits)" }
        return EVP_PKEY_get0_type_name(key).map { String(cString: $0) } ?? "unknown"
    }

    /// Returns true if `issuer` has signed this certificate: by names, key identifiers and the signature.
    public func isSigned(by issuer: Certificate) -> Bool { isIssued(by: issuer) }

    /// Returns true if both certificates are of the same key.
    public func hasKey(of other: Certificate) -> Bool {
        defer { OpenSSLErrors.clear() }
        guard let own = X509_get0_pubkey(handle.raw), let its = X509_get0_pubkey(other.handle.raw) else {
            return false
        }
        return EVP_PKEY_eq(own, its) == 1
    }

    /// Returns the weaknesses of its key and of its issuer's signature, in words; empty if there are none.
    public var weaknesses: [String] {
        AlgorithmStrength.details(of: self, isAnchor: false, TrustPolicy(anchors: [])).map(\.message)
    }
}
