public import Octets
import Synchronization

extension Certificate {
    /// The certificate that `octets` (DER) are. The few signers that come again and again are read once.
    /// - Throws: ``CryptographyError`` if the octets are not a certificate.
    public static func remembered(der octets: OctetString) throws(CryptographyError) -> Certificate {
        try CertificateMemory.shared.certificate(octets)
    }
}

/// Certificates that were read before, by their octets.
///
/// OpenSSL 3.0 takes longer to read a certificate, because of the public key in it, than to check a signature with it,
/// and the same few signers come again and again. Only the content of the octets is remembered, so an old entry cannot
/// be wrong.
final class CertificateMemory: Sendable {
    static let shared = CertificateMemory()
    /// The most that are remembered; about two megabytes.
    private static let limit = 256

    private let known = Mutex<[OctetString: Certificate]>([:])

    /// The certificate that `octets` (BER) are.
    func certificate(_ octets: OctetString) throws(CryptographyError) -> Certificate {
        if let certificate = known.withLock({ $0[octets] }) { return certificate }
        let certificate = try Certificate(der: octets)
        // A copy, so that the message which the octets are a slice of is not kept with them.
        let key = OctetString(octets.array)
        known.withLock { known in
            // Certificates of strangers must not pile up; frequent ones are soon known again.
            if known.count >= Self.limit { known.removeAll() }
            known[key] = certificate
        }
        return certificate
    }
}
