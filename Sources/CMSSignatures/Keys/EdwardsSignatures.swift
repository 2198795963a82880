import COpenSSL
import Octets

/// Signatures by Ed25519 and Ed448 in CMS (RFC 8419), which the CMS of OpenSSL 3.0 neither makes nor verifies.
///
/// They are made over the signed attributes directly, without a digest of their own (PureEdDSA).
enum EdwardsCurve {
    case ed25519, ed448

    /// - Returns: nil for a key of another kind.
    init?(_ key: OpaquePointer?) {
        guard let key else { return nil }
        switch EVP_PKEY_get_base_id(key) {
        case EVP_PKEY_ED25519: self = .ed25519
        case EVP_PKEY_ED448: self = .ed448
        default: return nil
        }
    }

    var nid: Int32 { self == .ed25519 ? NID_ED25519 : NID_ED448 }

    /// Returns true if `signature` is a signature of `octets` by `key`.
    static func verifies(_ signature: OctetString, of octets: OctetString, key: OpaquePointer) -> Bool {
        guard let context = EVP_MD_CTX_new() else { return false }
        defer {
            EVP_MD_CTX_free(context)
            OpenSSLErrors.clear()
        }
        guard EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1 else { return false }
        return signature.withUnsafeBytes { value in
            octets.withUnsafeBytes { data in
                EVP_DigestVerify(
                    context, value.bindMemory(to: UInt8.self).baseAddress, value.count,
                    data.bindMemory(to: UInt8.self).baseAddress, data.count) == 1
            }
        }
    }
}

/// SHAKE256 with 512 bits of output: the message digest that goes with Ed448 (RFC 8419 §2.3, RFC 8702 §3.1).
///
/// OpenSSL knows neither the identifier with a length nor that the one without it means 512 bits in CMS.
enum SHAKE256 {
    static let octetCount = 64
    /// id-shake256-len
    static let identifierWithLength = "2.16.840.1.101.3.4.2.18"

    static func digest(of source: any OctetSource) throws(CryptographyError) -> OctetString {
        guard let context = EVP_MD_CTX_new() else { throw CryptographyError(.failed, "OpenSSL has no memory") }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestInit_ex(context, EVP_shake256(), nil) == 1 else {
            throw CryptographyError(.failed, "cannot begin SHAKE256: \(OpenSSLErrors.words())")
        }
        try source.forEachChunk { chunk throws(CryptographyError) in
            guard EVP_DigestUpdate(context, chunk.baseAddress, chunk.count) == 1 else {
                throw CryptographyError(.failed, "cannot go on with SHAKE256: \(OpenSSLErrors.words())")
            }
        }
        var octets = [UInt8](repeating: 0, count: octetCount)
        guard EVP_DigestFinalXOF(context, &octets, octets.count) == 1 else {
            throw CryptographyError(.failed, "cannot end SHAKE256: \(OpenSSLErrors.words())")
        }
        return OctetString(octets)
    }
}

/// Builds a detached SignedData (RFC 5652 §5.1) with one signer whose key is on an Edwards curve.
struct EdwardsSignedData {
    let key: SigningKey
    let curve: EdwardsCurve
    let isCAdES: Bool
    let timestamps: (any TimestampSource)?

    /// - Parameter signingTime: Unix seconds; nil leaves the attribute out.
    /// - Returns: DER.
    func sign(_ content: any OctetSource, signingTime: Int?) throws(CryptographyError) -> OctetString {
        let digest = try curve == .ed25519 ? DigestAlgorithm.sha512.digest(of: content) : SHAKE256.digest(of: content)
        var attributes = [
            attribute("1.2.840.113549.1.9.3", DER.identifier(Self.data)),
            attribute("1.2.840.113549.1.9.4", DER.element(0x04, [digest])),
        ]
        if let signingTime { attributes.append(attribute("1.2.840.113549.1.9.5", try Self.time(signingTime))) }
        if isCAdES { attributes.append(try signingCertificate()) }
        let sorted = DER.sorted(attributes)
        let signature = try key.signature(of: DER.element(0x31, sorted), .sha512)
        var signerInfo = [
            Self.version, try issuerAndSerial(), digestAlgorithm, DER.element(0xA0, sorted),
            DER.element(0x30, [DER.identifier(curve == .ed25519 ? "1.3.101.112" : "1.3.101.113")]),
            DER.element(0x04, [signature]),
        ]
        if let timestamps {
            let token = try timestamps.timestamp(of: signature).octets
            signerInfo.append(DER.element(0xA1, [attribute("1.2.840.113549.1.9.16.2.14", token)]))
        }
        let chain = key.chain.filter { $0 != key.certificate }
        let signedData = DER.element(
            0x30,
            [
                Self.version, DER.element(0x31, [digestAlgorithm]), DER.element(0x30, [DER.identifier(Self.data)]),
                DER.element(0xA0, DER.sorted(([key.certificate] + chain).map(\.der))),
                DER.element(0x31, [DER.element(0x30, signerInfo)]),
            ])
        return DER.element(
            0x30, [DER.identifier("1.2.840.113549.1.7.2"), DER.element(0xA0, [signedData])])
    }

    private static let data = "1.2.840.113549.1.7.1"
    private static let version = OctetString([0x02, 0x01, 0x01])

    /// RFC 8419 §3.1: SHA-512 with Ed25519, SHAKE256 with 512 bits with Ed448.
    private var digestAlgorithm: OctetString {
        switch curve {
        case .ed25519: DER.element(0x30, [DER.identifier("2.16.840.1.101.3.4.2.3")])
        case .ed448:
            DER.element(0x30, [DER.identifier(SHAKE256.identifierWithLength), OctetString([0x02, 0x02, 0x02, 0x00])])
        }
    }

    private func attribute(_ identifier: String, _ value: OctetString) -> OctetString {
        DER.element(0x30, [DER.identifier(identifier), DER.element(0x31, [value])])
    }

    private func issuerAndSerial() throws(CryptographyError) -> OctetString {
        let raw = key.certificate.handle.raw
        guard let issuer = DER.encoded({ i2d_X509_NAME(X509_get_issuer_name(raw), $0) }),
            let serial = DER.encoded({ i2d_ASN1_INTEGER(X509_get0_serialNumber(raw), $0) })
        else { throw CryptographyError(.failed, "OpenSSL cannot name the signer: \(OpenSSLErrors.words())") }
        return DER.element(0x30, [issuer, serial])
    }

    /// signing-certificate-v2 (RFC 5035 §3), SHA-256 by default.
    private func signingCertificate() throws(CryptographyError) -> OctetString {
        guard let hash = key.certificate.digest(EVP_sha256()) else {
            throw CryptographyError(.failed, "OpenSSL cannot digest the certificate: \(OpenSSLErrors.words())")
        }
        let identifier = DER.element(0x30, [DER.element(0x04, [hash])])
        return attribute("1.2.840.113549.1.9.16.2.47", DER.element(0x30, [DER.element(0x30, [identifier])]))
    }

    private static func time(_ unixSeconds: Int) throws(CryptographyError) -> OctetString {
        guard let value = ASN1_TIME_set(nil, unixSeconds) else {
            throw CryptographyError(.failed, "OpenSSL cannot write the signing time: \(OpenSSLErrors.words())")
        }
        defer { ASN1_TIME_free(value) }
        guard let octets = DER.encoded({ i2d_ASN1_TIME(value, $0) }) else {
            throw CryptographyError(.failed, "OpenSSL cannot write the signing time: \(OpenSSLErrors.words())")
        }
        return octets
    }
}
