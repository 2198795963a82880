import Octets

/// The SHA-256 digest of a certificate's SubjectPublicKeyInfo in DER, which stays when a certificate is renewed with
/// its key.
///
///     openssl x509 -in server.pem -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256
public struct PublicKeyPin: Sendable, Hashable, CustomStringConvertible {
    private let digest: [UInt8]

    /// - Parameter text: 64 hexadecimal digits (colons between octets allowed), or Base64, with or without `sha256//`.
    /// - Returns: nil when that is not 32 octets.
    public init?(_ text: String) {
        let digits = text.filter { $0 != ":" }
        if digits.utf8.count == 64 {
            let values = digits.compactMap(\.hexDigitValue)
            guard values.count == 64 else { return nil }
            digest = stride(from: 0, to: 64, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) }
            return
        }
        let base64 = text.hasPrefix(Self.prefix) ? text.dropFirst(Self.prefix.count) : text[...]
        do throws(Base64Error) {
            digest = try Base64.decode(base64)
        } catch {
            return nil
        }
        guard digest.count == 32 else { return nil }
    }

    /// As libcurl takes it: `sha256//` and Base64.
    public var description: String { Self.prefix + Base64.encode(digest) }

    private static let prefix = "sha256//"
}
