import CMSSignatures
import Octets
import Processing

/// Processing's look into signatures, by OpenSSL.
struct CMSInspecting: SignatureInspection {
    func facts(of signature: OctetString) throws(Failure) -> CMSFacts {
        try facts(of: signature, knowing: [])
    }

    func check(
        _ signature: OctetString, content: (any OctetSource)?
    ) throws(Failure) -> SignatureIntegrity {
        try check(signature, content: content, knowing: [])
    }

    func facts(
        of signature: OctetString, knowing certificates: [OctetString]
    ) throws(Failure) -> CMSFacts {
        let found: SignedDataFacts
        do {
            found = try CMSInspection.facts(of: signature, knowing: Self.readable(certificates))
        } catch {
            throw Failure(.permanent, error.reason)
        }
        return CMSFacts(
            enclosesContent: found.enclosesContent, contentType: found.contentType,
            signers: found.signers.map {
                CMSFacts.Signer(
                    digestAlgorithm: $0.digestAlgorithm, addresses: $0.addresses, issuer: $0.issuer,
                    serial: $0.serial, subject: $0.subject, signingTime: $0.signingTime,
                    certificate: $0.certificate?.der, hasCertificate: $0.certificate != nil)
            })
    }

    func content(of signature: OctetString) throws(Failure) -> (any OctetSource)? {
        do {
            return try CMSInspection.content(of: signature)
        } catch {
            throw Failure(.permanent, error.reason)
        }
    }

    func check(
        _ signature: OctetString, content: (any OctetSource)?, knowing certificates: [OctetString]
    ) throws(Failure) -> SignatureIntegrity {
        do {
            let known = Self.readable(certificates)
            return switch try CMSInspection.check(signature, content: content, knowing: known) {
            case .intact: .intact
            case .broken(let why): .broken(why)
            case .unknown(let why): .unknown(why)
            }
        } catch {
            throw Failure(.permanent, error.reason)
        }
    }

    /// Data that are not a certificate are ignored; the signature is then judged without them.
    private static func readable(_ certificates: [OctetString]) -> [Certificate] {
        certificates.compactMap { octets in
            do throws(CryptographyError) { return try Certificate.remembered(der: octets) } catch { return nil }
        }
    }

    func obstacle(
        toSigning use: SignatureUse, by signer: CMSFacts.Signer, at now: Int
    ) throws(Failure) -> SigningObstacle? {
        guard let octets = signer.certificate else { return nil }
        do {
            guard let found = try Certificate.remembered(der: octets).signingObstacle(for: use.certificateUse, at: now)
            else {
                return nil
            }
            switch found.cause {
            case .early(let time): return SigningObstacle(found.reason, .early(until: time))
            case .late: return SigningObstacle(found.reason, .late)
            case .other: return SigningObstacle(found.reason)
            }
        } catch {
            throw Failure(.permanent, error.reason)
        }
    }
}

extension SignatureUse {
    fileprivate var certificateUse: CertificateUse {
        switch self {
        case .mail: .mail
        case .document: .document
        }
    }
}
