import COpenSSL
public import Octets

/// Makes CMS signatures (RFC 5652), as S/MIME (RFC 8551) and CAdES B (ETSI EN 319 122-1) want them.
public struct CMSSigner: Sendable {
    public let key: SigningKey
    public let digest: DigestAlgorithm
    /// Whether the signature names its certificate (signing-certificate-v2, RFC 5035), as CAdES demands.
    public let isCAdES: Bool

    public init(key: SigningKey, digest: DigestAlgorithm = .sha256, isCAdES: Bool = false) {
        self.key = key
        self.digest = digest
        self.isCAdES = isCAdES
    }

    /// Signs `content` exactly as it is, in one pass; memory does not grow with it.
    ///
    /// The signature carries certificate, chain, signing time and S/MIME capabilities.
    /// - Parameter signingTime: Unix seconds.
    /// - Returns: A SignedData without content, DER.
    public func sign(detached content: any OctetSource, signingTime: Int) throws(CryptographyError) -> OctetString {
        OpenSSLErrors.clear()
        var flags = copenssl_cms_binary | copenssl_cms_detached | copenssl_cms_partial | copenssl_cms_stream
        if isCAdES { flags |= copenssl_cms_cades }
        let chain = try CertificateStack(key.chain.filter { $0 != key.certificate })
        guard let cms = CMS_sign(nil, nil, chain.raw, nil, flags) else { throw failure("begin") }
        defer { CMS_ContentInfo_free(cms) }
        guard let signer = CMS_add1_signer(cms, key.certificate.handle.raw, key.key.raw, digest.evp, flags) else {
            throw failure("add the signer to")
        }
        try set(signingTime, of: signer)
        guard let sink = BIO_new(BIO_s_null()) else { throw failure("prepare") }
        defer { BIO_free(sink) }
        guard let digesting = CMS_dataInit(cms, sink) else { throw failure("prepare") }
        defer { Self.release(digesting, upTo: sink) }
        try content.forEachChunk { chunk throws(CryptographyError) in
            guard BIO_write(digesting, chunk.baseAddress, Int32(chunk.count)) == chunk.count else {
                throw failure("digest the content for")
            }
        }
        _ = copenssl_flush(digesting)
        guard CMS_dataFinal(cms, digesting) == 1 else { throw failure("finish") }
        let length = i2d_CMS_ContentInfo(cms, nil)
        guard length > 0 else { throw failure("write") }
        return OctetString(count: Int(length)) { target in
            var next = target.bindMemory(to: UInt8.self).baseAddress
            _ = i2d_CMS_ContentInfo(cms, &next)
        }
    }

    /// Signs `content` and encloses it; memory does not grow with it.
    /// - Returns: A SignedData with content, DER.
    public func sign(enclosing content: any OctetSource, signingTime: Int) throws(CryptographyError) -> OctetRope {
        try SignedDataSplit.joined(try sign(detached: content, signingTime: signingTime), with: content)
    }

    private func set(_ time: Int, of signer: OpaquePointer) throws(CryptographyError) {
        guard let value = ASN1_TIME_set(nil, time) else { throw failure("set the signing time of") }
        defer { ASN1_TIME_free(value) }
        let kind = value.pointee.type
        guard CMS_signed_add1_attr_by_NID(signer, NID_pkcs9_signingTime, kind, value, -1) == 1 else {
            throw failure("set the signing time of")
        }
    }

    /// Frees the digesting BIOs that stand before `sink`.
    private static func release(_ chain: OpaquePointer, upTo sink: OpaquePointer) {
        var next: OpaquePointer? = chain
        while let bio = next, bio != sink {
            next = BIO_pop(bio)
            BIO_free(bio)
        }
    }

    private func failure(_ step: String) -> CryptographyError {
        CryptographyError(.failed, "OpenSSL cannot \(step) the signature: \(OpenSSLErrors.words())")
    }
}
