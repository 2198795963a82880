import COpenSSL
public import Octets

/// A digest that signatures are made with.
public enum DigestAlgorithm: String, Sendable, Hashable, CaseIterable {
    case sha256 = "sha-256"
    case sha384 = "sha-384"
    case sha512 = "sha-512"

    var evp: OpaquePointer? {
        switch self {
        case .sha256: EVP_sha256()
        case .sha384: EVP_sha384()
        case .sha512: EVP_sha512()
        }
    }

    /// The digest of everything that `source` yields.
    /// - Throws: ``CryptographyError`` if OpenSSL does not have the algorithm.
    public func digest(of source: any OctetSource) throws(CryptographyError) -> OctetString {
        guard let context = EVP_MD_CTX_new() else { throw CryptographyError(.failed, "OpenSSL has no memory") }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestInit_ex(context, evp, nil) == 1 else {
            throw CryptographyError(.failed, "cannot begin \(rawValue): \(OpenSSLErrors.words())")
        }
        try source.forEachChunk { chunk throws(CryptographyError) in
            guard EVP_DigestUpdate(context, chunk.baseAddress, chunk.count) == 1 else {
                throw CryptographyError(.failed, "cannot go on with \(rawValue): \(OpenSSLErrors.words())")
            }
        }
        var length: UInt32 = 0
        var result = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        guard EVP_DigestFinal_ex(context, &result, &length) == 1 else {
            throw CryptographyError(.failed, "cannot end \(rawValue): \(OpenSSLErrors.words())")
        }
        return OctetString(result.prefix(Int(length)))
    }
}

/// Codes that prove the author of a text to those who share a key.
public enum MessageAuthentication {
    /// HMAC-SHA256 (RFC 2104), 32 octets.
    public static func hmacSHA256(key: some Collection<UInt8>, _ message: OctetString) -> OctetString {
        let key = [UInt8](key)
        var code = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 32
        message.withUnsafeBytes { buffer in
            // An empty key has no address in an array, and HMAC takes that for "the key of before".
            let keyed = key.isEmpty ? [0] : key
            _ = HMAC(
                EVP_sha256(), keyed, Int32(clamping: key.count), buffer.bindMemory(to: UInt8.self).baseAddress,
                buffer.count, &code, &length)
        }
        return OctetString(code)
    }
}

/// Random octets from OpenSSL's generator.
public enum RandomOctets {
    /// - Throws: ``CryptographyError/Kind/failed`` when the generator has no entropy.
    public static func make(_ count: Int) throws(CryptographyError) -> [UInt8] {
        var octets = [UInt8](repeating: 0, count: count)
        guard let length = Int32(exactly: count), RAND_bytes(&octets, length) == 1 else {
            throw CryptographyError(.failed, "no random numbers: \(OpenSSLErrors.words())")
        }
        return octets
    }
}
