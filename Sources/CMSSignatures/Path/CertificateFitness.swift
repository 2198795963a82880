/// The reason why nobody will accept a signature that a certificate makes now.
public struct CertificateObstacle: Sendable, Hashable {
    /// The part that the clock has in it.
    public enum Cause: Sendable, Hashable {
        /// It is not valid before that time, in Unix seconds: it will be, or the clock is behind.
        case early(until: Int)
        /// It has expired, or the clock is ahead.
        case late
        /// It is unfit at any time.
        case other
    }

    public let reason: String
    public let cause: Cause

    init(_ cause: Cause, _ reason: String) {
        self.cause = cause
        self.reason = reason
    }
}

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
    public func signingObstacle(for use: CertificateUse, at now: Int) -> CertificateObstacle? {
        let name = "the certificate of \(subject)"
        guard let notBefore, let notAfter else {
            return CertificateObstacle(.other, "\(name) has no period of validity that can be read")
        }
        // What no time heals comes first: such a certificate is not waited for.
        if let detail = details(of: use).first { return CertificateObstacle(.other, detail.message) }
        // RFC 5280 §4.2: a reader that does not know it must refuse the certificate.
        if hasUnknownCriticalExtension {
            return CertificateObstacle(.other, "\(name) has a critical extension that is not known")
        }
        if now > notAfter { return CertificateObstacle(.late, "\(name) expired on \(UnixTime.text(notAfter))") }
        if now + TrustPolicy.clockSkew < notBefore {
            return CertificateObstacle(
                .early(until: notBefore), "\(name) is not valid before \(UnixTime.text(notBefore))")
        }
        return nil
    }

    /// The reason of ``signingObstacle(for:at:)``.
    public func obstacle(toSigning use: CertificateUse, at now: Int) -> String? {
        signingObstacle(for: use, at: now)?.reason
    }
}
