import CMSSignatures
import Fuzzing
import Octets

/// Reads the input as a CMS SignedData, and as everything else that comes along with signatures.
@main
enum CMSTarget {
    private static let content = OctetString("Content-Type: text/plain\r\n\r\nhello\r\n")
    private static let now = 1_790_000_000

    static func main() {
        let verifier = CMSVerifier(policy: TrustPolicy(anchors: []), use: .any)
        let stamps = TimestampVerifier(policy: TrustPolicy(anchors: []))
        Fuzzing.run { octets in
            let facts = attempt { () throws(CryptographyError) in try CMSInspection.facts(of: octets) }
            for content in [nil, content] as [(any OctetSource)?] {
                let integrity = attempt { () throws(CryptographyError) in
                    try CMSInspection.check(octets, content: content)
                }
                Fuzzing.require((integrity == nil) == (facts == nil), "facts and check differ in what is SignedData")
                let verification = attempt { () throws(CryptographyError) in
                    try verifier.verify(octets, content: content, now: now)
                }
                if let verification {
                    Fuzzing.require(verification.verdict != .trusted, "trusted without an anchor")
                    Fuzzing.require(verification.signers.count == facts?.signers.count, "another number of signers")
                }
            }
            _ = attempt { () throws(CryptographyError) in try Certificate.readAll(octets).map(words(of:)) }
            _ = attempt { () throws(CryptographyError) in try words(of: Certificate(der: octets)) }
            _ = attempt { () throws(CryptographyError) in try RevocationList.readAll(octets).map(\.nextUpdate) }
            _ = attempt { () throws(CryptographyError) in try OCSPResponse(octets) }
            let stamp = attempt { () throws(CryptographyError) in
                try stamps.verify(octets, of: content, now: now)
            }
            Fuzzing.require(stamp?.provenTime == nil, "a time is proven without an anchor")
        }
    }

    private static func words(of certificate: Certificate) -> String {
        "\(certificate.subject) \(certificate.issuer) \(certificate.serial) \(certificate.commonName)"
            + " \(certificate.addresses) \(certificate.notBefore ?? 0) \(certificate.notAfter ?? 0) \(certificate.pem)"
    }

    /// nil where it is refused, which is all right.
    private static func attempt<Result>(_ work: () throws(CryptographyError) -> Result) -> Result? {
        do throws(CryptographyError) { return try work() } catch {
            Fuzzing.require(!error.reason.isEmpty, "a refusal without a reason")
            return nil
        }
    }
}
