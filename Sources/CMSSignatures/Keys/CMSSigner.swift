import COpenSSL
public import Octets

/// Makes CMS signatures (RFC 5652), as S/MIME (RFC 8551), CAdES B and T (ETSI EN 319 122-1) and PAdES want them.
public struct CMSSigner: Sendable {
    public let key: SigningKey
    public let digest: DigestAlgorithm
    /// True if the signature names its certificate (signing-certificate-v2, RFC 5035), as CAdES demands.
    public let isCAdES: Bool
    /// The source of a timestamp of the signature (level T); nil for none.
    public let timestamps: (any TimestampSource)?

    public init(
        key: SigningKey, digest: DigestAlgorithm = .sha256, isCAdES: Bool = false,
        timestamps: (any TimestampSource)? = nil
    ) {
        self.key = key
        self.digest = digest
        self.isCAdES = isCAdES
        self.timestamps = timestamps
    }

    /// Signs `content` unchanged, in one pass; memory does not grow with it.
    ///
    /// The signature carries certificate and chain, and the timestamp where there is a source of it.
    /// - Parameter signingTime: Unix seconds; the signature then has S/MIME capabilities too. nil leaves both out, as a
    ///   PDF signature wants it, whose time stands in its dictionary (ETSI EN 319 142-1 §6.3).
    /// - Returns: A SignedData without content, DER.
    ///   With a key on an Edwards curve the digest is the one that RFC 8419 §3.1 demands, whatever ``digest`` says.
    /// - Throws: ``CryptographyError/Kind/unsupported`` for a key that has an ``SigningKey/obstacle``; also what the
    ///   timestamp source throws.
    public func sign(detached content: any OctetSource, signingTime: Int?) throws(CryptographyError) -> OctetString {
        if let obstacle = key.obstacle { throw CryptographyError(.unsupported, obstacle) }
        if let curve = EdwardsCurve(key.key.raw) {
            let builder = EdwardsSignedData(key: key, curve: curve, isCAdES: isCAdES, timestamps: timestamps)
            return try builder.sign(content, signingTime: signingTime)
        }
        OpenSSLErrors.clear()
        var flags = copenssl_cms_binary | copenssl_cms_detached | copenssl_cms_partial
        if isCAdES { flags |= copenssl_cms_cades }
        if signingTime == nil { flags |= copenssl_cms_no_capabilities }
        let chain = try CertificateStack(key.chain.filter { $0 != key.certificate })
        guard let cms = CMS_sign(nil, nil, chain.raw, nil, flags) else { throw failure("begin") }
        defer { CMS_ContentInfo_free(cms) }
        guard let signer = CMS_add1_signer(cms, key.certificate.handle.raw, key.key.raw, digest.evp, flags) else {
            throw failure("add the signer to")
        }
        try add(try digest.digest(of: content), contentType: CMS_get0_eContentType(cms), to: signer)
        if let signingTime { try set(signingTime, of: signer) }
        // OpenSSL signs with keys that it has itself, and adds a signing time to signatures without one.
        if signingTime != nil && !key.isRemote {
            guard CMS_SignerInfo_sign(signer) == 1 else { throw failure("finish") }
        } else {
            try signAttributes(of: signer)
        }
        if let timestamps { try add(timestamps, to: signer) }
        guard let octets = DER.encoded({ i2d_CMS_ContentInfo(cms, $0) }) else { throw failure("write") }
        return octets
    }

    /// Signs `content` and encloses it; memory does not grow with it.
    /// - Returns: A SignedData with content, DER.
    /// - Throws: ``CryptographyError`` if the key cannot sign, or the timestamp authority does not answer.
    public func sign(enclosing content: any OctetSource, signingTime: Int?) throws(CryptographyError) -> OctetRope {
        try SignedDataSplit.joined(try sign(detached: content, signingTime: signingTime), with: content)
    }

    /// The attributes that every signature has (RFC 5652 §5.3).
    private func add(
        _ messageDigest: OctetString, contentType: OpaquePointer?, to signer: OpaquePointer
    ) throws(CryptographyError) {
        let isAdded = messageDigest.withUnsafeBytes { octets in
            CMS_signed_add1_attr_by_NID(
                signer, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING, octets.baseAddress, Int32(octets.count))
        }
        guard isAdded == 1,
            CMS_signed_add1_attr_by_NID(
                signer, NID_pkcs9_contentType, V_ASN1_OBJECT, contentType.map(UnsafeRawPointer.init), -1) == 1
        else { throw failure("set the digest of") }
    }

    private func set(_ time: Int, of signer: OpaquePointer) throws(CryptographyError) {
        guard let value = ASN1_TIME_set(nil, time) else { throw failure("set the signing time of") }
        defer { ASN1_TIME_free(value) }
        let kind = value.pointee.type
        guard CMS_signed_add1_attr_by_NID(signer, NID_pkcs9_signingTime, kind, value, -1) == 1 else {
            throw failure("set the signing time of")
        }
    }

    /// Signs the attributes unchanged. (`CMS_SignerInfo_sign` of OpenSSL 3.0 adds a signing time to those without.)
    private func signAttributes(of signer: OpaquePointer) throws(CryptographyError) {
        var attributes: [(octets: OctetString, raw: OpaquePointer)] = []
        defer { for attribute in attributes { X509_ATTRIBUTE_free(attribute.raw) } }
        while CMS_signed_get_attr_count(signer) > 0 {
            guard let attribute = CMS_signed_delete_attr(signer, 0) else { throw failure("take the attributes of") }
            guard let octets = DER.encoded({ i2d_X509_ATTRIBUTE(attribute, $0) }) else {
                X509_ATTRIBUTE_free(attribute)
                throw failure("write the attributes of")
            }
            attributes.append((octets, attribute))
        }
        // DER: the elements of a SET OF are in ascending order (X.690 §11.6). OpenSSL verifies them in their given
        // order.
        attributes.sort { $0.octets.lexicographicallyPrecedes($1.octets) }
        for attribute in attributes where CMS_signed_add1_attr(signer, attribute.raw) != 1 {
            throw failure("order the attributes of")
        }
        let signature = try key.signature(of: DER.element(0x31, attributes.map(\.octets)), digest)
        let isSet = signature.withUnsafeBytes { octets in
            ASN1_STRING_set(CMS_SignerInfo_get0_signature(signer), octets.baseAddress, Int32(octets.count))
        }
        // A key whose signatures need parameters of their own would not fit what OpenSSL wrote about the algorithm.
        guard isSet == 1, CMS_SignerInfo_verify(signer) == 1 else { throw failure("finish") }
    }

    /// The signature-time-stamp attribute (ETSI EN 319 122-1 §5.3).
    private func add(_ source: any TimestampSource, to signer: OpaquePointer) throws(CryptographyError) {
        guard let signature = CMS_SignerInfo_get0_signature(signer) else { throw failure("finish") }
        let token = try source.timestamp(of: OctetString(signature))
        let isAdded = token.octets.withUnsafeBytes { octets in
            CMS_unsigned_add1_attr_by_NID(
                signer, NID_id_smime_aa_timeStampToken, V_ASN1_SEQUENCE, octets.baseAddress, Int32(octets.count))
        }
        guard isAdded == 1 else { throw failure("add the timestamp to") }
    }

    private func failure(_ step: String) -> CryptographyError {
        CryptographyError(.failed, "OpenSSL cannot \(step) the signature: \(OpenSSLErrors.words())")
    }
}
