import COpenSSL
import DomainNames
import Octets

/// Name constraints (RFC 5280 §4.2.1.10) on the SmtpUTF8Mailbox names of a signer (RFC 9598 §6).
///
/// OpenSSL compares such a name as RFC 8398 defined it, with a U-label. RFC 9598 writes an A-label, which OpenSSL then
/// finds in no constraint, neither in an excluded subtree nor in a permitted one. Here both are compared in one form.
/// OpenSSL judges all other names.
enum MailboxConstraints {
    /// Returns the faults of the mailboxes of the first certificate of `path`; empty if there are none.
    static func details(of path: [Certificate]) -> [VerificationDetail] {
        guard let signer = path.first else { return [] }
        let mailboxes = CertificateAddresses.internationalised(in: signer.handle.raw)
        guard !mailboxes.isEmpty else { return [] }
        var details: [VerificationDetail] = []
        for issuer in path.dropFirst() {
            guard let constraints = Constraints(of: issuer) else { continue }
            for mailbox in mailboxes where !constraints.allow(mailbox) {
                details.append(
                    VerificationDetail(
                        .issuerTrust, .invalid, "the issuer \(issuer.subject) may not certify the address \(mailbox)"))
            }
        }
        return details
    }

    /// Returns true if all other names of the first certificate of `path` are within the constraints. OpenSSL's
    /// objections are then about its mailboxes alone, and ``details(of:)`` decides.
    static func allowsOtherNames(of path: [Certificate]) -> Bool {
        guard let signer = path.first, let bare = withoutMailboxes(signer) else { return false }
        // Only this reads the names that are compared; without it there would seem to be none.
        guard X509_check_purpose(bare.handle.raw, -1, 0) == 1 else {
            OpenSSLErrors.clear()
            return false
        }
        return path.dropFirst().allSatisfy { issuer in
            guard let raw = copenssl_name_constraints(issuer.handle.raw) else {
                OpenSSLErrors.clear()
                return true
            }
            defer { copenssl_name_constraints_free(raw) }
            return NAME_CONSTRAINTS_check(bare.handle.raw, raw) == X509_V_OK
        }
    }

    /// A certificate for comparison only, with all names but the mailboxes; nil without any mailbox.
    private static func withoutMailboxes(_ certificate: Certificate) -> Certificate? {
        defer { OpenSSLErrors.clear() }
        guard !CertificateAddresses.internationalised(in: certificate.handle.raw).isEmpty,
            let names = copenssl_names_without_mailboxes(certificate.handle.raw)
        else { return nil }
        defer { GENERAL_NAMES_free(names) }
        guard let copy = X509_dup(certificate.handle.raw) else { return nil }
        let bare = Certificate(owning: copy)
        let place = X509_get_ext_by_NID(copy, NID_subject_alt_name, -1)
        guard place >= 0, let removed = X509_delete_ext(copy, place) else { return nil }
        X509_EXTENSION_free(removed)
        let isSet =
            copenssl_names_count(names) == 0
            || X509_add1_ext_i2d(copy, NID_subject_alt_name, UnsafeMutableRawPointer(names), 0, UInt(X509V3_ADD_APPEND))
                == 1
        // Read anew: OpenSSL keeps the names that it has seen.
        guard isSet, i2d_re_X509_tbs(copy, nil) > 0 else { return nil }
        do throws(CryptographyError) { return try Certificate(der: bare.der) } catch { return nil }
    }

    /// The constraints of one issuer that mailboxes come under: those of the form rfc822Name.
    private struct Constraints {
        private var permitted: [Form] = []
        private var excluded: [Form] = []

        /// - Returns: nil if there are none.
        init?(of issuer: Certificate) {
            guard let raw = copenssl_name_constraints(issuer.handle.raw) else {
                OpenSSLErrors.clear()
                return nil
            }
            defer { copenssl_name_constraints_free(raw) }
            permitted = Self.forms(raw, 1)
            excluded = Self.forms(raw, 0)
            if permitted.isEmpty && excluded.isEmpty { return nil }
        }

        private static func forms(_ raw: UnsafePointer<NAME_CONSTRAINTS>, _ isPermitted: Int32) -> [Form] {
            (0..<max(copenssl_subtrees_count(raw, isPermitted), 0)).compactMap { index in
                copenssl_subtree_email(raw, isPermitted, index).map { Form(OctetString($0).text) }
            }
        }

        func allow(_ mailbox: String) -> Bool {
            guard let at = mailbox.lastIndex(of: "@") else { return false }
            let domain = CanonicalDomain(mailbox[mailbox.index(after: at)...])
            if excluded.contains(where: { $0.contains(domain) }) { return false }
            return permitted.isEmpty || permitted.contains { $0.contains(domain) }
        }
    }

    /// One subtree.
    private enum Form {
        case host(CanonicalDomain)
        case below(CanonicalDomain)
        /// One mailbox, or nothing that can be read: its local part is ASCII, so no SmtpUTF8Mailbox is it.
        case mailbox
        /// The empty name: all mailboxes.
        case all

        init(_ text: String) {
            if text.isEmpty {
                self = .all
            } else if text.contains("@") {
                self = .mailbox
            } else if text.hasPrefix(".") {
                self = .below(CanonicalDomain(text.dropFirst()))
            } else {
                self = .host(CanonicalDomain(text))
            }
        }

        func contains(_ domain: CanonicalDomain) -> Bool {
            switch self {
            case .host(let host): domain == host
            case .below(let parent): domain.isBelow(parent)
            case .mailbox: false
            case .all: true
            }
        }
    }
}
