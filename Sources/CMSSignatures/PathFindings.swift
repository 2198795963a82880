import COpenSSL

/// What OpenSSL reports while it validates one path, as details. One thread, one validation.
final class PathFindings {
    private let policy: TrustPolicy
    private let signingTime: Int?
    private(set) var details: [VerificationDetail] = []

    init(policy: TrustPolicy, signingTime: Int?) {
        self.policy = policy
        self.signingTime = signingTime
    }

    /// Takes the present error of `context`.
    func note(_ context: OpaquePointer) {
        guard details.count < 64 else { return }
        let code = X509_STORE_CTX_get_error(context)
        let certificate = Certificate(sharing: X509_STORE_CTX_get_current_cert(context))
        let words = X509_verify_cert_error_string(Int(code)).map { String(cString: $0) } ?? "error \(code)"
        let message = certificate.map { "\(words): \($0.subject)" } ?? words
        let detail: VerificationDetail?
        if X509_STORE_CTX_get0_parent_ctx(context) != nil {
            detail = VerificationDetail(
                .revocationStatus, .indeterminate, "the revocation list cannot be relied on: \(message)")
        } else {
            detail = self.detail(for: code, of: certificate, message)
        }
        if let detail, !details.contains(detail) { details.append(detail) }
    }

    private func detail(for code: Int32, of certificate: Certificate?, _ message: String) -> VerificationDetail? {
        switch code {
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_CHAIN_TOO_LONG, X509_V_ERR_PATH_LOOP,
            X509_V_ERR_CERT_UNTRUSTED, X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY, X509_V_ERR_UNSPECIFIED,
            X509_V_ERR_UNSUPPORTED_SIGNATURE_ALGORITHM, X509_V_ERR_OUT_OF_MEM:
            return VerificationDetail(.issuerTrust, .indeterminate, message)
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return expired(certificate, message)
        case X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD,
            X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
            return VerificationDetail(.validityInterval, .invalid, message)
        case X509_V_ERR_CERT_REVOKED:
            return VerificationDetail(.revocationStatus, .invalid, message)
        case X509_V_ERR_UNABLE_TO_GET_CRL:
            guard policy.revocation == .present else {
                return VerificationDetail(.revocationStatus, .indeterminate, message)
            }
            guard let certificate, certificate.namesRevocationSource else { return nil }
            return Self.unreachableRevocation(of: certificate)
        case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, X509_V_ERR_CRL_HAS_EXPIRED, X509_V_ERR_CRL_NOT_YET_VALID,
            X509_V_ERR_CRL_SIGNATURE_FAILURE, X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE,
            X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD, X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD,
            X509_V_ERR_KEYUSAGE_NO_CRL_SIGN, X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION,
            X509_V_ERR_DIFFERENT_CRL_SCOPE, X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
            return VerificationDetail(.revocationStatus, .indeterminate, message)
        default:
            return VerificationDetail(.issuerTrust, .invalid, message)
        }
    }

    /// Expired since the claimed time of signing, or already then.
    private func expired(_ certificate: Certificate?, _ message: String) -> VerificationDetail {
        guard let signingTime, let certificate, let first = certificate.notBefore, let last = certificate.notAfter,
            signingTime >= first, signingTime <= last
        else {
            return VerificationDetail(.validityInterval, .invalid, message)
        }
        return VerificationDetail(
            .validityInterval, .indeterminate, "\(message) (valid at the claimed time of signing, which nothing proves)"
        )
    }

    static func unreachableRevocation(of certificate: Certificate) -> VerificationDetail {
        VerificationDetail(
            .revocationStatus, .indeterminate,
            "no revocation list at hand for \(certificate.subject), which names where to look")
    }
}
