import COpenSSL

/// The reports of OpenSSL while it validates one path. One thread, one validation.
final class PathFindings {
    /// The statement of a list about one certificate, if it is not good.
    enum Listing {
        case revoked(RevocationEntry)
        /// There is no list.
        case absent(String)
        /// There is one that cannot be relied on.
        case unreliable(String)
    }

    private let times: SignatureTimes
    private let lists: [RevocationList]
    private var hasLostFindings = false
    /// The faults of the path, apart from revocation.
    private(set) var details: [VerificationDetail] = []
    /// Those among them that say that the first certificate has a name outside the name constraints.
    private(set) var nameDetails: [VerificationDetail] = []
    /// The statements of lists, the first finding first.
    private(set) var listings: [(certificate: Certificate, listing: Listing)] = []

    /// True if OpenSSL came to the end and everything was recorded. Only then does silence mean that a certificate is
    /// good.
    private(set) var isComplete = false

    init(times: SignatureTimes, lists: [RevocationList]) {
        self.times = times
        self.lists = lists
    }

    func listings(of certificate: Certificate) -> [Listing] {
        listings.filter { $0.certificate == certificate }.map(\.listing)
    }

    func end(successfully: Bool) { isComplete = successfully && !hasLostFindings }

    /// Takes the present error of `context`.
    func note(_ context: OpaquePointer) {
        guard details.count + listings.count < 128 else {
            hasLostFindings = true
            return
        }
        let code = X509_STORE_CTX_get_error(context)
        let current = X509_STORE_CTX_get_current_cert(context)
        let certificate = Certificate(sharing: current)
        // OpenSSL reports the first unknown one, and does not look at the others.
        if code == X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, let certificate, !certificate.hasUnknownCriticalExtension {
            return
        }
        let words = Self.words(code)
        let message = certificate.map { "\(words): \($0.subject)" } ?? words
        if let parent = X509_STORE_CTX_get0_parent_ctx(context) {
            // The path of a list's issuer is validated for the certificate that the list is about.
            guard let subject = Certificate(sharing: X509_STORE_CTX_get_current_cert(parent)) else {
                hasLostFindings = true
                return
            }
            listings.append((subject, .unreliable("the revocation list cannot be relied on: \(message)")))
        } else if let listing = listing(for: code, of: certificate, in: context, message) {
            guard let found = listing.found else { return }
            guard let certificate else {
                hasLostFindings = true
                return
            }
            listings.append((certificate, found))
        } else {
            let detail = self.detail(for: code, of: certificate, message)
            let isName = [X509_V_ERR_PERMITTED_VIOLATION, X509_V_ERR_EXCLUDED_VIOLATION].contains(code)
            if isName, X509_STORE_CTX_get_error_depth(context) == 0 { nameDetails.append(detail) }
            if !details.contains(detail) { details.append(detail) }
        }
    }

    private static func words(_ code: Int32) -> String {
        // OpenSSL's "no explicit policy" does not tell a person what is missing.
        if code == X509_V_ERR_NO_EXPLICIT_POLICY {
            return "the path must be good for a certificate policy, and is good for none that is acceptable"
        }
        return X509_verify_cert_error_string(Int(code)).map { String(cString: $0) } ?? "error \(code)"
    }

    /// - Returns: nil when the error is about something else; nothing found when it is no error here.
    private func listing(
        for code: Int32, of certificate: Certificate?, in context: OpaquePointer, _ message: String
    ) -> (found: Listing?, Void)? {
        switch code {
        case X509_V_ERR_CERT_REVOKED:
            // OpenSSL does not say in which list it stands when it had something to say about the list's time. The
            // earliest entry is the one that cannot do harm.
            let entries = certificate.map { certificate in lists.compactMap { $0.entry(of: certificate) } } ?? []
            return (.revoked(entries.min { $0.start < $1.start } ?? RevocationEntry(date: 0, reason: nil)), ())
        case X509_V_ERR_UNABLE_TO_GET_CRL:
            return (.absent(message), ())
        case X509_V_ERR_CRL_NOT_YET_VALID:
            // A list of after the proven moment tells even more about that moment.
            if let list = X509_STORE_CTX_get0_current_crl(context),
                let issued = ASN1Time.unixSeconds(X509_CRL_get0_lastUpdate(list)),
                issued <= times.verification + TrustPolicy.clockSkew, times.proven != nil
            {
                return (nil, ())
            }
            return (.unreliable(message), ())
        case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, X509_V_ERR_CRL_HAS_EXPIRED, X509_V_ERR_CRL_SIGNATURE_FAILURE,
            X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE, X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD,
            X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD, X509_V_ERR_KEYUSAGE_NO_CRL_SIGN,
            X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION, X509_V_ERR_DIFFERENT_CRL_SCOPE,
            X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
            return (.unreliable(message), ())
        default:
            return nil
        }
    }

    private func detail(for code: Int32, of certificate: Certificate?, _ message: String) -> VerificationDetail {
        switch code {
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_CHAIN_TOO_LONG, X509_V_ERR_PATH_LOOP,
            X509_V_ERR_CERT_UNTRUSTED, X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY, X509_V_ERR_UNSPECIFIED,
            X509_V_ERR_UNSUPPORTED_SIGNATURE_ALGORITHM, X509_V_ERR_OUT_OF_MEM:
            return VerificationDetail(.issuerTrust, .indeterminate, Self.unknownIssuer(code, certificate) ?? message)
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return expired(certificate, message)
        case X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD,
            X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
            return VerificationDetail(.validityInterval, .invalid, message)
        default:
            return VerificationDetail(.issuerTrust, .invalid, message)
        }
    }

    /// Names the authority that would have to be trusted; nil where OpenSSL's words say more.
    private static func unknownIssuer(_ code: Int32, _ certificate: Certificate?) -> String? {
        guard let certificate else { return nil }
        switch code {
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
            return "the authority \(certificate.issuer) is unknown here, which issued the certificate of"
                + " \(certificate.subject)"
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN: return "the authority \(certificate.subject) is not trusted here"
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
            return "the certificate of \(certificate.subject) is signed by itself, and not trusted here"
        default: return nil
        }
    }

    /// Expired since the claimed time of signing, or already then.
    private func expired(_ certificate: Certificate?, _ message: String) -> VerificationDetail {
        guard times.proven == nil, let claimed = times.claimed, let certificate, let first = certificate.notBefore,
            let last = certificate.notAfter, claimed >= first, claimed <= last
        else {
            return VerificationDetail(.validityInterval, .invalid, message)
        }
        return VerificationDetail(
            .validityInterval, .indeterminate, "\(message) (valid at the claimed time of signing, which nothing proves)"
        )
    }
}
