extension Certificate {
    /// The reason why nobody will accept a signature that this certificate makes now; nil when there is none.
    ///
    /// Both programs use this one rule: `ses` refuses such an answer of the signing server, and the signing server
    /// refuses to sign. The certificate must be valid (RFC 5280 §4.1.2.5), and its key usage and extended key usage
    /// must allow the use (RFC 5280 §4.2.1.3 and §4.2.1.12; for mail RFC 8550 §4.4). The path to an anchor is not
    /// considered, because each receiver chooses its own anchors.
    /// - Parameters:
    ///   - use: ``CertificateUse/mail`` for a mail, ``CertificateUse/document`` for PDF, XML and other files.
    ///   - now: Unix seconds. A certificate whose validity begins within the next five minutes counts as valid, because
    ///     the clock of its authority may be ahead.
    public func obstacle(toSigning use: CertificateUse, at now: Int) -> String? {
        let name = "the certificate of \(subject)"
        guard let notBefore, let notAfter else { return "\(name) has no period of validity that can be read" }
        if now > notAfter { return "\(name) expired on \(UnixTime.text(notAfter))" }
        if now + TrustPolicy.clockSkew < notBefore {
            return "\(name) is not valid before \(UnixTime.text(notBefore))"
        }
        if let detail = details(of: use).first { return detail.message }
        // RFC 5280 §4.2: a reader that does not know it must refuse the certificate.
        return hasUnknownCriticalExtension ? "\(name) has a critical extension that is not known" : nil
    }
}
