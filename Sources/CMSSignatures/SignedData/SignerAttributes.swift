import COpenSSL
import Octets

/// The attributes of a signer that say more than what was signed.
extension SignerInfo {
    /// The signature value, which timestamps are of.
    var signature: OctetString? { CMS_SignerInfo_get0_signature(raw).map { OctetString($0) } }

    /// The tokens of the signature-time-stamp attribute (ETSI EN 319 122-1 §5.3), at most some.
    var timestamps: [OctetString] {
        var tokens: [OctetString] = []
        var place = CMS_unsigned_get_attr_by_NID(raw, NID_id_smime_aa_timeStampToken, -1)
        while place >= 0, tokens.count <= SignerJudge.maximumTimestamps {
            tokens += Self.sequences(of: CMS_unsigned_get_attr(raw, place))
            place = CMS_unsigned_get_attr_by_NID(raw, NID_id_smime_aa_timeStampToken, place)
        }
        OpenSSLErrors.clear()
        return tokens
    }

    /// Revocation data among the attributes: adbe-revocationInfoArchival (ISO 32000-2 §12.8.3.3.2), signed, and
    /// revocation-values (ETSI EN 319 122-1 §A.1.2.2), unsigned.
    var revocationAttributes: RevocationEvidence {
        var evidence = RevocationEvidence()
        let signed = Self.place("1.2.840.113583.1.1.8") { CMS_signed_get_attr_by_OBJ(raw, $0, -1) }
        if signed >= 0 { evidence = Self.evidence(in: CMS_signed_get_attr(raw, signed)) }
        let unsigned = Self.place("1.2.840.113549.1.9.16.2.24") { CMS_unsigned_get_attr_by_OBJ(raw, $0, -1) }
        if unsigned >= 0 { evidence = evidence.joined(with: Self.evidence(in: CMS_unsigned_get_attr(raw, unsigned))) }
        OpenSSLErrors.clear()
        return evidence
    }

    enum NamedCertificate { case same, other, none }

    /// Tests whether signing-certificate (RFC 2634 §5.4) or signing-certificate-v2 (RFC 5035) names `certificate`
    /// first.
    func namedCertificate(_ certificate: Certificate) -> NamedCertificate {
        var finding = NamedCertificate.none
        for nid in [NID_id_smime_aa_signingCertificate, NID_id_smime_aa_signingCertificateV2] {
            let place = CMS_signed_get_attr_by_NID(raw, nid, -1)
            guard place >= 0 else { continue }
            let values = Self.sequences(of: CMS_signed_get_attr(raw, place))
            let isSHA1 = nid == NID_id_smime_aa_signingCertificate
            guard values.count == 1, let hash = Self.firstHash(in: values[0], isSHA1: isSHA1),
                hash.value == certificate.digest(hash.algorithm)
            else { return .other }
            finding = .same
        }
        OpenSSLErrors.clear()
        return finding
    }

    /// True unless a CMSAlgorithmProtection attribute (RFC 6211 §3) names another digest or signature algorithm than
    /// the signerInfo. Parameters are not compared: some writers leave out a NULL.
    var namesItsAlgorithms: Bool {
        let place = Self.place("1.2.840.113549.1.9.52") { CMS_signed_get_attr_by_OBJ(raw, $0, -1) }
        defer { OpenSSLErrors.clear() }
        guard place >= 0 else { return true }
        var digest: UnsafeMutablePointer<X509_ALGOR>?
        var signature: UnsafeMutablePointer<X509_ALGOR>?
        CMS_SignerInfo_get0_algs(raw, nil, nil, &digest, &signature)
        let values = Self.sequences(of: CMS_signed_get_attr(raw, place))
        guard values.count == 1, let digest, let signature else { return false }
        return values[0].withUnsafeBytes { buffer in
            let reader = BERReader(buffer)
            guard let whole = reader.element(at: 0, limit: buffer.count), let parts = reader.children(of: whole),
                parts.count == 2, parts[0].tag == 0x30, parts[1].tag == 0xA1
            else { return false }
            return zip(parts, [digest, signature]).allSatisfy { part, algorithm in
                guard let identifier = reader.children(of: part)?.first, identifier.tag == 0x06 else { return false }
                let object = values[0].slice(identifier.range).decoded { d2i_ASN1_OBJECT(nil, $0, $1) }
                defer { ASN1_OBJECT_free(object) }
                var own: OpaquePointer?
                X509_ALGOR_get0(&own, nil, nil, algorithm)
                return object != nil && OBJ_cmp(object, own) == 0
            }
        }
    }

    /// The hash of the first ESSCertID or ESSCertIDv2.
    private static func firstHash(
        in value: OctetString, isSHA1: Bool
    ) -> (algorithm: OpaquePointer?, value: OctetString)? {
        value.withUnsafeBytes { buffer in
            let reader = BERReader(buffer)
            guard let whole = reader.element(at: 0, limit: buffer.count), whole.tag == 0x30,
                let identifiers = reader.children(of: whole)?.first, identifiers.tag == 0x30,
                let first = reader.children(of: identifiers)?.first, first.tag == 0x30,
                let parts = reader.children(of: first), let start = parts.first
            else { return nil }
            var algorithm = isSHA1 ? EVP_sha1() : EVP_sha256()
            var hash = start
            if start.tag == 0x30, !isSHA1 {
                guard let identifier = reader.children(of: start)?.first, identifier.tag == 0x06, parts.count > 1,
                    let object = value.slice(identifier.range).decoded({ d2i_ASN1_OBJECT(nil, $0, $1) })
                else { return nil }
                defer { ASN1_OBJECT_free(object) }
                algorithm = EVP_get_digestbyname(OBJ_nid2sn(OBJ_obj2nid(object)))
                hash = parts[1]
            }
            guard hash.tag == 0x04, algorithm != nil else { return nil }
            return (algorithm, value.slice(hash.content))
        }
    }

    /// CRLs of `[0]` and OCSP responses of `[1]`, each a SEQUENCE OF.
    private static func evidence(in attribute: OpaquePointer?) -> RevocationEvidence {
        guard let value = sequences(of: attribute).first else { return RevocationEvidence() }
        func items(_ tag: UInt8) -> [OctetString] {
            value.withUnsafeBytes { buffer in
                let reader = BERReader(buffer)
                guard let whole = reader.element(at: 0, limit: buffer.count), let parts = reader.children(of: whole),
                    let part = parts.first(where: { $0.tag == tag }),
                    let list = reader.children(of: part)?.first, let items = reader.children(of: list)
                else { return [] }
                return items.map { value.slice($0.range) }
            }
        }
        return RevocationEvidence(listsInDER: items(0xA0), responsesInDER: items(0xA1))
    }

    /// The values of an attribute that are SEQUENCEs, in DER.
    private static func sequences(of attribute: OpaquePointer?) -> [OctetString] {
        guard let attribute else { return [] }
        let count = min(max(X509_ATTRIBUTE_count(attribute), 0), 16)
        return (0..<count).compactMap { index in
            X509_ATTRIBUTE_get0_data(attribute, index, V_ASN1_SEQUENCE, nil).map {
                OctetString($0.assumingMemoryBound(to: ASN1_STRING.self))
            }
        }
    }

    private static func place(_ identifier: String, _ find: (OpaquePointer) -> Int32) -> Int32 {
        guard let object = OBJ_txt2obj(identifier, 1) else { return -1 }
        defer { ASN1_OBJECT_free(object) }
        return find(object)
    }
}

extension Certificate {
    /// The digest of the whole certificate.
    func digest(_ algorithm: OpaquePointer?) -> OctetString? {
        var octets = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard X509_digest(handle.raw, algorithm, &octets, &count) == 1 else { return nil }
        return OctetString(octets.prefix(Int(count)))
    }
}
