import COpenSSL
import Octets

// OpenSSL counts references to these objects with atomic operations and locks what it caches in them. Nothing here
// changes an object after it was made, so they can be shared between threads.

/// Owns one reference to an X509.
final class X509Handle: @unchecked Sendable {
    let raw: OpaquePointer
    init(owning raw: OpaquePointer) { self.raw = raw }
    deinit { X509_free(raw) }
}

/// Owns one reference to an X509_CRL.
final class CRLHandle: @unchecked Sendable {
    let raw: OpaquePointer
    init(owning raw: OpaquePointer) { self.raw = raw }
    deinit { X509_CRL_free(raw) }
}

/// Owns one reference to an EVP_PKEY.
final class KeyHandle: @unchecked Sendable {
    let raw: OpaquePointer
    init(owning raw: OpaquePointer) { self.raw = raw }
    deinit { EVP_PKEY_free(raw) }
}

/// A BIO over memory that OpenSSL reads from or writes to, for one scope.
struct MemoryBIO: ~Copyable {
    let raw: OpaquePointer

    /// An empty one, to write to.
    init() throws(CryptographyError) { raw = try Self.made() }

    /// One that holds a copy of `octets`, to read from.
    init(_ octets: OctetString) throws(CryptographyError) {
        let bio = try Self.made()
        let isFilled = octets.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress, buffer.count > 0 else { return true }
            guard let length = Int32(exactly: buffer.count) else { return false }
            return BIO_write(bio, base, length) == length
        }
        guard isFilled else {
            BIO_free(bio)
            throw CryptographyError(.failed, "OpenSSL cannot take \(octets.count) octets")
        }
        raw = bio
    }

    private static func made() throws(CryptographyError) -> OpaquePointer {
        guard let raw = BIO_new(BIO_s_mem()) else { throw CryptographyError(.failed, "OpenSSL has no memory") }
        return raw
    }

    /// A copy of what stands in it.
    var octets: OctetString {
        var start: UnsafeMutablePointer<CChar>?
        let count = copenssl_memory(raw, &start)
        guard let start, count > 0 else { return OctetString() }
        return OctetString(copying: UnsafeRawBufferPointer(start: start, count: count))
    }

    deinit { BIO_free(raw) }
}

/// A stack of certificates for one call.
struct CertificateStack: ~Copyable {
    let raw: OpaquePointer

    init(_ certificates: [Certificate]) throws(CryptographyError) {
        guard let stack = copenssl_certificates_new() else {
            throw CryptographyError(.failed, "OpenSSL has no memory")
        }
        guard certificates.allSatisfy({ copenssl_certificates_add(stack, $0.handle.raw) == 1 }) else {
            copenssl_certificates_free(stack)
            throw CryptographyError(.failed, "OpenSSL has no memory")
        }
        raw = stack
    }

    deinit { copenssl_certificates_free(raw) }
}

/// A stack of revocation lists for one call.
struct RevocationListStack: ~Copyable {
    let raw: OpaquePointer

    init(_ lists: [RevocationList]) throws(CryptographyError) {
        guard let stack = copenssl_crls_new() else { throw CryptographyError(.failed, "OpenSSL has no memory") }
        guard lists.allSatisfy({ copenssl_crls_add(stack, $0.handle.raw) == 1 }) else {
            copenssl_crls_free(stack)
            throw CryptographyError(.failed, "OpenSSL has no memory")
        }
        raw = stack
    }

    deinit { copenssl_crls_free(raw) }
}
