import COpenSSL
public import Octets

/// An X.509 certificate (RFC 5280).
public struct Certificate: Sendable {
    let handle: X509Handle

    init(owning raw: OpaquePointer) { handle = X509Handle(owning: raw) }

    /// A certificate that OpenSSL keeps elsewhere too.
    init?(sharing raw: OpaquePointer?) {
        guard let raw, X509_up_ref(raw) == 1 else { return nil }
        self.init(owning: raw)
    }

    /// Reads one DER certificate.
    /// - Throws: ``CryptographyError`` if the octets are not a certificate.
    public init(der octets: OctetString) throws(CryptographyError) {
        OpenSSLErrors.clear()
        let raw = octets.withUnsafeBytes { buffer -> OpaquePointer? in
            var next = buffer.bindMemory(to: UInt8.self).baseAddress
            return d2i_X509(nil, &next, buffer.count)
        }
        guard let raw else {
            throw CryptographyError(.malformed, "no X.509 certificate in DER: \(OpenSSLErrors.words())")
        }
        self.init(owning: raw)
    }

    /// Reads all certificates of a PEM file, or the one of a DER file.
    /// - Throws: ``CryptographyError/Kind/malformed`` if there is none.
    public static func readAll(_ octets: OctetString) throws(CryptographyError) -> [Certificate] {
        if octets.first == 0x30 { return [try Certificate(der: octets)] }
        var found: [Certificate] = []
        let bio = try MemoryBIO(octets)
        OpenSSLErrors.clear()
        while let raw = PEM_read_bio_X509(bio.raw, nil, { _, _, _, _ in -1 }, nil) {
            found.append(Certificate(owning: raw))
        }
        let words = OpenSSLErrors.words()
        guard !found.isEmpty else {
            throw CryptographyError(.malformed, "no certificate in PEM or DER: \(words)")
        }
        return found
    }

    /// The certificate in DER.
    public var der: OctetString { DER.encoded { i2d_X509(handle.raw, $0) } ?? OctetString() }

    /// The certificate in PEM.
    public var pem: String {
        "-----BEGIN CERTIFICATE-----\n"
            + Base64Encoded(der, lineLength: 64, lineEnd: .lf).collected().text
            + "\n-----END CERTIFICATE-----\n"
    }

    /// The subject (RFC 4514 text).
    public var subject: String { DistinguishedName.text(X509_get_subject_name(handle.raw)) }
    /// The subject's common name, for people; the whole subject where it has none.
    public var commonName: String {
        DistinguishedName.commonName(X509_get_subject_name(handle.raw)) ?? subject
    }
    /// The issuer (RFC 4514 text).
    public var issuer: String { DistinguishedName.text(X509_get_issuer_name(handle.raw)) }
    /// The serial number: hexadecimal, lower case, no leading zeros.
    public var serial: String { SerialNumber.text(X509_get0_serialNumber(handle.raw)) }
    /// The first second of its validity, Unix time; nil when the field is no time.
    public var notBefore: Int? { ASN1Time.unixSeconds(X509_get0_notBefore(handle.raw)) }
    /// The last second of its validity, Unix time; nil when the field is no time.
    public var notAfter: Int? { ASN1Time.unixSeconds(X509_get0_notAfter(handle.raw)) }
    /// Its mail addresses: rfc822Name and SmtpUTF8Mailbox (RFC 9598) of subjectAltName, and emailAddress of the
    /// subject, as written, each once. A value with a control character is not an address and is left out, and so is a
    /// SmtpUTF8Mailbox whose local part is ASCII: RFC 9598 §3 forbids it, because it would evade name constraints.
    public var addresses: [String] { CertificateAddresses.of(handle.raw) }
    /// True if issuer and subject are the same.
    public var isSelfIssued: Bool {
        X509_NAME_cmp(X509_get_issuer_name(handle.raw), X509_get_subject_name(handle.raw)) == 0
    }
}

extension Certificate: Hashable {
    public static func == (left: Certificate, right: Certificate) -> Bool {
        X509_cmp(left.handle.raw, right.handle.raw) == 0
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(serial) }
}

extension Certificate: CustomStringConvertible {
    public var description: String { subject }
}
