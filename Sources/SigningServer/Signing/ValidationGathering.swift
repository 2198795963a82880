import CMSSignatures
import Octets
import PDFSignatures

/// Gathers the data that a signature of level LT carries with it (ETSI EN 319 142-1 §6.3): every certificate on the
/// path from signer and timestamp authority to their anchors, and the revocation status of each.
struct ValidationGathering {
    private let policy: TrustPolicy

    /// - Parameter policy: The policy that the signature must satisfy, with the way to sources of revocation status.
    init(policy: TrustPolicy) {
        var policy = policy
        // Data about only some of the certificates would be useless.
        policy.revocation = .require
        policy.verificationTime = nil
        self.policy = policy
    }

    /// - Parameters:
    ///   - cms: A signature with its timestamp, just made.
    ///   - content: The content that it is of.
    ///   - now: Unix seconds.
    /// - Throws: ``CryptographyError/Kind/failed`` when the signature would not be trusted, or it cannot be found out
    ///   whether one of the certificates was revoked.
    func data(
        for cms: OctetString, over content: any OctetSource, now: Int
    ) throws(CryptographyError) -> PDFValidationData {
        let verification = try CMSVerifier(policy: policy, use: .document).verify(cms, content: content, now: now)
        guard let signer = verification.signers.first else {
            throw CryptographyError(.failed, "the signature that was made has no signer")
        }
        let details = verification.details + signer.timestamps.flatMap(\.details)
        if let trouble = details.first {
            throw CryptographyError(.failed, "the signature cannot be made one of level LT: \(trouble.message)")
        }
        var data = PDFValidationData()
        func add(_ octets: OctetString, to place: WritableKeyPath<PDFValidationData, [OctetString]>) {
            if !data[keyPath: place].contains(octets) { data[keyPath: place].append(octets) }
        }
        for (path, evidence) in [(signer.path, signer.evidence)] + signer.timestamps.map({ ($0.path, $0.evidence) }) {
            for certificate in path { add(certificate.der, to: \.certificates) }
            for response in evidence.responses { add(response.enveloped, to: \.responses) }
            for list in evidence.lists { add(list.der, to: \.lists) }
        }
        return data
    }
}
