import CMSSignatures
import Octets
import TestSupport

/// A path of NIST PKITS: the files of its certificates, from the anchor to the leaf, and of its revocation lists.
struct PKITSPath: Sendable {
    let folder: String
    let certificates: [String]
    let lists: [String]

    /// Returns what is found on the path in the year of the suite.
    func details(_ policies: CertificatePolicies = CertificatePolicies()) throws -> [VerificationDetail] {
        let path = try certificates.map { try Certificate(der: OctetString(try TestMaterial.octets(folder + $0))) }
        let revoked = try lists.flatMap {
            try RevocationList.readAll(OctetString(try TestMaterial.octets(folder + $0)))
        }
        guard let anchor = path.first, let leaf = path.last else { throw HarnessError("a path without certificates") }
        var policy = TrustPolicy(
            anchors: [anchor], revocationLists: revoked, revocation: .require, allowsWeakAlgorithms: true)
        policy.certificatePolicies = policies
        return try CertificatePath.validate(
            leaf, others: Array(path.dropFirst().dropLast()), policy: policy, time: 1_302_782_400, use: .any)
    }
}
