import CMSSignatures
import Octets
import Processing

/// Processing's look into signatures, by OpenSSL.
struct CMSInspecting: SignatureInspection {
    func facts(of signature: OctetString) throws(Failure) -> Processing.CMSFacts {
        let found: CMSSignatures.CMSFacts
        do {
            found = try CMSInspection.facts(of: signature)
        } catch {
            throw Failure(.permanent, error.reason)
        }
        return Processing.CMSFacts(
            enclosesContent: found.enclosesContent,
            signers: found.signers.map {
                Processing.CMSFacts.Signer(
                    digestAlgorithm: $0.digestAlgorithm, addresses: $0.addresses, issuer: $0.issuer,
                    serial: $0.serial, subject: $0.subject, signingTime: $0.signingTime,
                    certificate: $0.certificate?.der)
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
        _ signature: OctetString, content: (any OctetSource)?
    ) throws(Failure) -> Processing.SignatureIntegrity {
        do {
            return switch try CMSInspection.check(signature, content: content) {
            case .intact: .intact
            case .broken(let why): .broken(why)
            case .unknown(let why): .unknown(why)
            }
        } catch {
            throw Failure(.permanent, error.reason)
        }
    }

    func obstacle(
        toSigning use: SignatureUse, by signer: Processing.CMSFacts.Signer, at now: Int
    ) throws(Failure) -> String? {
        guard let octets = signer.certificate else { return nil }
        do {
            return try Certificate(der: octets).obstacle(toSigning: use.certificateUse, at: now)
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
