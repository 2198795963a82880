import COpenSSL
public import Octets

/// The use that a person wants a certificate for.
public enum KeyPurpose: String, Sendable, Hashable, CaseIterable {
    /// Signing mail from an address: emailProtection.
    case mail
    /// Signing documents: documentSigning (RFC 9336).
    case document
    /// Both, for an organisation.
    case organisation

    /// The extensions of the certificate (RFC 5280 §4.2), by OpenSSL's numbers and in its notation.
    func extensions(addresses: [String]) -> [(nid: Int32, value: String)] {
        let purposes =
            switch self {
            case .mail: "emailProtection"
            case .document: Self.documentSigning
            case .organisation: "emailProtection," + Self.documentSigning
            }
        var extensions = [
            (NID_key_usage, "critical,digitalSignature,nonRepudiation"), (NID_ext_key_usage, purposes),
        ]
        if !addresses.isEmpty {
            extensions.append((NID_subject_alt_name, addresses.map { "email:" + $0 }.joined(separator: ",")))
        }
        return extensions
    }

    /// id-kp-documentSigning
    static let documentSigning = "1.3.6.1.5.5.7.3.36"
}

/// The name and the use that a certificate is asked for.
public struct KeySubject: Sendable, Hashable {
    public var commonName: String
    public var organisation: String?
    /// Two letters (ISO 3166).
    public var country: String?
    public var addresses: [String]

    public init(
        commonName: String, organisation: String? = nil, country: String? = nil, addresses: [String] = []
    ) {
        self.commonName = commonName
        self.organisation = organisation
        self.country = country
        self.addresses = addresses
    }

    /// Puts the parts into a name of OpenSSL.
    func write(to name: OpaquePointer?) throws(CryptographyError) {
        for (field, value) in [("C", country), ("O", organisation), ("CN", commonName)] {
            guard let value else { continue }
            OpenSSLErrors.clear()
            guard X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, value, -1, -1, 0) == 1 else {
                throw CryptographyError(
                    .malformed, "\(field)=\(value) cannot be part of a name: \(OpenSSLErrors.words())")
            }
        }
    }

    /// The reason why an address cannot stand in an rfc822Name (RFC 5280 §4.2.1.6); nil if it can.
    static func obstacle(toAddress address: String) -> String? {
        let parts = address.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else { return "\"\(address)\" is no address" }
        // OpenSSL's notation separates values by commas.
        guard address.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ",") }) else {
            return "the address \"\(address)\" has characters that a certificate's address has no place for"
        }
        return nil
    }
}

/// A request for a certificate (PKCS #10, RFC 2986), signed with its own key.
public struct CertificateRequest: Sendable {
    /// The request in PEM.
    public let pem: OctetString

    /// - Throws: ``CryptographyError/Kind/malformed`` for an address or a name that has no place in a certificate, or
    ///   another kind if OpenSSL cannot make it.
    public init(
        _ subject: KeySubject, for purpose: KeyPurpose, key: PrivateKey
    ) throws(CryptographyError) {
        for address in subject.addresses {
            if let obstacle = KeySubject.obstacle(toAddress: address) { throw CryptographyError(.malformed, obstacle) }
        }
        OpenSSLErrors.clear()
        guard let request = X509_REQ_new() else { throw Self.failure("begin") }
        defer { X509_REQ_free(request) }
        try subject.write(to: X509_REQ_get_subject_name(request))
        guard X509_REQ_set_version(request, 0) == 1, X509_REQ_set_pubkey(request, key.key.raw) == 1,
            let extensions = copenssl_extensions_new()
        else { throw Self.failure("fill") }
        defer { copenssl_extensions_free(extensions) }
        for (nid, value) in purpose.extensions(addresses: subject.addresses) {
            guard let made = X509V3_EXT_conf_nid(nil, nil, nid, value) else { throw Self.failure("extend") }
            guard copenssl_extensions_add(extensions, made) == 1 else {
                X509_EXTENSION_free(made)
                throw Self.failure("extend")
            }
        }
        guard X509_REQ_add_extensions(request, extensions) == 1,
            X509_REQ_sign(request, key.key.raw, EVP_sha256()) > 0
        else { throw Self.failure("sign") }
        let bio = try MemoryBIO()
        guard PEM_write_bio_X509_REQ(bio.raw, request) == 1 else { throw Self.failure("write") }
        pem = bio.octets
    }

    private static func failure(_ step: String) -> CryptographyError {
        CryptographyError(.failed, "OpenSSL cannot \(step) the certificate request: \(OpenSSLErrors.words())")
    }
}

extension Certificate {
    /// The use that its extended key usage tells.
    public var purpose: KeyPurpose {
        guard isForMail else { return .document }
        return purposes.contains(KeyPurpose.documentSigning) ? .organisation : .mail
    }

    /// The object identifiers of its extended key usage.
    private var purposes: [String] {
        guard let found = copenssl_purposes(handle.raw, nil) else {
            OpenSSLErrors.clear()
            return []
        }
        defer { copenssl_purposes_free(found) }
        return (0..<copenssl_purposes_count(found)).map { ObjectIdentifier.text(copenssl_purposes_at(found, $0)) }
    }
}
