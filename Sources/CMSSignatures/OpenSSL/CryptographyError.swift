/// The reason why an operation with keys, certificates or signatures failed.
public struct CryptographyError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// The octets are not what they should be: no PKCS #12, no CMS SignedData, no certificate.
        case malformed
        /// The password does not open the PKCS #12.
        case wrongPassword
        /// Uses an algorithm that this build of OpenSSL does not offer.
        case unsupported
        /// A part that is needed is not there: a private key, a certificate, the signed content.
        case missing
        /// Content that should be kept outside memory could not be.
        case storage
        /// OpenSSL could not do it: no memory, no random numbers, a key that does not fit.
        case failed
    }
    public let kind: Kind
    /// The fault, and advice, in one line; no secrets.
    public let reason: String

    public init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }

    public var description: String { reason }
}
