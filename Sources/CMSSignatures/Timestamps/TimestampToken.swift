import COpenSSL
public import Octets

/// The statement of a timestamp authority (RFC 3161 §2.4.2): octets with a certain digest existed at a certain time.
///
/// Read only; whether the signature is sound and whose it is ``TimestampVerifier`` finds.
public struct TimestampToken: Sendable {
    /// The SignedData.
    public let octets: OctetString
    /// genTime, Unix seconds; fractions are cut off.
    public let time: Int
    /// The time in microseconds by which the statement may be off; nil if the authority does not say.
    public let accuracy: Int?
    /// The object identifier of the policy it was made under.
    public let policy: String
    /// The number the authority gave it: hexadecimal, lower case, no leading zeros.
    public let serial: String
    /// The nonce of the query, written as ``serial``; nil without one.
    public let nonce: String?
    /// The digest of the octets; nil for another than these.
    public let digest: DigestAlgorithm?
    /// The digest of the octets.
    public let imprint: OctetString

    /// - Throws: ``CryptographyError/Kind/malformed`` when it is no token.
    public init(_ octets: OctetString) throws(CryptographyError) {
        let parsed = try ParsedSignedData(octets)
        guard let content = parsed.enclosedContent, parsed.contentTypeText == Self.contentType, content.count < 65_536
        else { throw CryptographyError(.malformed, "the timestamp is no RFC 3161 token: it holds no TSTInfo") }
        guard let info = content.collected().decoded({ d2i_TS_TST_INFO(nil, $0, $1) }) else {
            throw CryptographyError(.malformed, "the timestamp's TSTInfo cannot be read: \(OpenSSLErrors.words())")
        }
        defer { TS_TST_INFO_free(info) }
        guard TS_TST_INFO_get_version(info) == 1, let time = ASN1Time.unixSeconds(TS_TST_INFO_get_time(info)),
            let messageImprint = TS_TST_INFO_get_msg_imprint(info), let hash = TS_MSG_IMPRINT_get_msg(messageImprint)
        else { throw CryptographyError(.malformed, "the timestamp's TSTInfo has no time or no digest") }
        self.octets = octets.slice(0..<parsed.octetCount)
        self.time = time
        accuracy = Self.accuracy(TS_TST_INFO_get_accuracy(info))
        policy = ObjectIdentifier.text(TS_TST_INFO_get_policy_id(info))
        serial = SerialNumber.text(TS_TST_INFO_get_serial(info))
        nonce = TS_TST_INFO_get_nonce(info).map { SerialNumber.text($0) }
        imprint = OctetString(hash)
        var identifier: OpaquePointer?
        X509_ALGOR_get0(&identifier, nil, nil, TS_MSG_IMPRINT_get_algo(messageImprint))
        digest =
            switch OBJ_obj2nid(identifier) {
            case NID_sha256: .sha256
            case NID_sha384: .sha384
            case NID_sha512: .sha512
            default: nil
            }
    }

    /// Tests whether its one signature fits, and names the certificate it was made with (RFC 3161 §2.4.2, RFC 5816).
    func integrity() throws(CryptographyError) -> CMSIntegrity {
        try integrity(of: try ParsedSignedData(octets))
    }

    /// The same for a token that is read already, perhaps with more certificates at hand.
    func integrity(of parsed: ParsedSignedData) throws(CryptographyError) -> CMSIntegrity {
        guard let content = parsed.enclosedContent, let signer = parsed.signers.first, parsed.signers.count == 1 else {
            return .broken("the timestamp does not have exactly one signer")
        }
        let finding = CMSInspection.worst(try parsed.check(content))
        guard finding == .intact, let certificate = signer.certificate else { return finding }
        switch signer.namedCertificate(certificate) {
        case .same: return .intact
        case .other: return .broken("the timestamp names another certificate than the one it fits")
        case .none: return .broken("the timestamp does not name its certificate")
        }
    }

    /// id-ct-TSTInfo
    static let contentType = "1.2.840.113549.1.9.16.1.4"

    private static func accuracy(_ accuracy: OpaquePointer?) -> Int? {
        guard let accuracy else { return nil }
        func value(_ number: UnsafePointer<ASN1_INTEGER>?) -> Int { number.map { Int(ASN1_INTEGER_get($0)) } ?? 0 }
        let seconds = min(max(value(TS_ACCURACY_get_seconds(accuracy)), 0), 1_000_000)
        let milliseconds = min(max(value(TS_ACCURACY_get_millis(accuracy)), 0), 999)
        return seconds * 1_000_000 + milliseconds * 1_000 + min(max(value(TS_ACCURACY_get_micros(accuracy)), 0), 999)
    }
}

/// The result of verifying one timestamp.
public struct TimestampResult: Sendable {
    /// The content of the token; nil if it cannot be read.
    public let token: TimestampToken?
    /// The authority's certificate; nil when it was not found.
    public let authority: Certificate?
    /// From the authority to its anchor, as far as a path was found.
    public let path: [Certificate]
    /// The evidence that revocation was judged by.
    public let evidence: RevocationEvidence
    /// The faults that keep it from proving its time; empty if it does.
    public let details: [VerificationDetail]

    public var verdict: TrustVerdict { TrustVerdict(details) }
    /// The time it proves, Unix seconds; nil when it proves none.
    public var provenTime: Int? { details.isEmpty ? token?.time : nil }
}

/// Verifies timestamps (RFC 3161) against the policy's anchors.
public struct TimestampVerifier: Sendable {
    public let policy: TrustPolicy

    public init(policy: TrustPolicy) { self.policy = policy }

    /// Verifies one token, whatever it stands on: a signature in CMS, XAdES or a PDF revision.
    /// - Parameters:
    ///   - octets: The token (SignedData).
    ///   - content: The content that it must be a timestamp of.
    ///   - existence: The time at which a later timestamp proves that the token existed, Unix seconds; nil for now.
    ///   - extra: Revocation data that came along.
    ///   - now: Unix seconds; used when the policy has no time of its own.
    /// - Throws: ``CryptographyError`` if OpenSSL cannot carry out the validation.
    public func verify(
        _ octets: OctetString, of content: any OctetSource, existence: Int? = nil,
        extra: RevocationEvidence = RevocationEvidence(), others: [Certificate] = [], now: Int
    ) throws(CryptographyError) -> TimestampResult {
        let token: TimestampToken
        let parsed: ParsedSignedData
        let integrity: CMSIntegrity
        do throws(CryptographyError) {
            token = try TimestampToken(octets)
            parsed = try ParsedSignedData(octets, additional: others + policy.intermediates + timestampAnchors)
            integrity = try token.integrity(of: parsed)
        } catch {
            guard error.kind == .malformed || error.kind == .unsupported else { throw error }
            return TimestampResult(
                token: nil, authority: nil, path: [], evidence: RevocationEvidence(),
                details: [VerificationDetail(.signature, .invalid, error.reason)])
        }
        var details: [VerificationDetail] = []
        switch integrity {
        case .intact: break
        case .broken(let why): details.append(VerificationDetail(.signature, .invalid, why))
        case .unknown(let why): details.append(VerificationDetail(.signature, .indeterminate, why))
        }
        if let digest = token.digest {
            if try digest.digest(of: content) != token.imprint {
                details.append(VerificationDetail(.signature, .invalid, "the timestamp is of other octets"))
            }
        } else {
            details.append(
                VerificationDetail(.signature, .indeterminate, "the timestamp's digest is weak or not supported"))
        }
        let time = policy.verificationTime ?? now
        // A clock may be a little ahead of another.
        if token.time > time + TrustPolicy.clockSkew {
            details.append(VerificationDetail(.validityInterval, .indeterminate, "the timestamp lies in the future"))
        }
        guard let signer = parsed.signers.first, let authority = signer.certificate else {
            details.append(
                VerificationDetail(
                    .issuerTrust, .indeterminate, "the timestamp authority's certificate is not available")
            )
            return TimestampResult(
                token: token, authority: nil, path: [], evidence: RevocationEvidence(), details: details)
        }
        details += AlgorithmStrength.details(ofDigest: signer.digestNID, policy)
        var policy = policy
        policy.anchors = timestampAnchors
        // The policies that are acceptable are those of signers; an authority has its own.
        policy.certificatePolicies = CertificatePolicies()
        let judgement = try CertificatePath.judge(
            authority, others: parsed.certificates + others, policy: policy,
            times: SignatureTimes(
                verification: time, claimed: nil, proven: existence.map { min($0, time) }, made: token.time),
            use: .timestamping, extra: extra.joined(with: parsed.evidence))
        return TimestampResult(
            token: token, authority: authority, path: judgement.path, evidence: judgement.evidence,
            details: details + judgement.details)
    }

    private var timestampAnchors: [Certificate] {
        policy.timestampAnchors.isEmpty ? policy.anchors : policy.timestampAnchors
    }
}
