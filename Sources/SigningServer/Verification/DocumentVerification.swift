public import CMSSignatures
public import Octets
import PDFSignatures
import XMLSignatures

/// Verifies the signatures of one document: what the format's own checks find, and one trust policy for all formats.
public struct DocumentVerification: Sendable {
    private let policy: TrustPolicy
    private let now: Int

    /// - Parameter now: Unix seconds; used when the policy has no time of its own.
    public init(policy: TrustPolicy, now: Int) {
        self.policy = policy
        self.now = now
    }

    private var verifier: CMSVerifier { CMSVerifier(policy: policy, use: .document) }

    // MARK: CMS

    /// Every signer of a SignedData.
    /// - Parameter content: The signed content; nil for the enclosed content.
    /// - Throws: ``CryptographyError`` if the octets are not a CMS SignedData, or cannot be verified here.
    public func cms(_ signature: OctetString, content: OctetString?) throws(CryptographyError) -> SignatureFindings {
        do throws(CryptographyError) {
            let verification = try verifier.verify(signature, content: content, now: now)
            return SignatureFindings(
                verification.signers.map { SignatureFindings.Individual($0) }, adding: verification.general)
        } catch {
            guard error.kind == .malformed || error.kind == .unsupported else { throw error }
            return SignatureFindings(unreadable: error)
        }
    }

    // MARK: PDF

    /// Every signature of a PDF, and what followed it.
    /// - Throws: ``CryptographyError/Kind/missing`` when nothing is signed.
    public func pdf(_ document: OctetString) throws(CryptographyError) -> SignatureFindings {
        let signatures: [PDFSignature]
        do throws(PDFError) { signatures = try PDFSignatureReading.signatures(in: document) } catch {
            switch error.kind {
            case .encrypted, .tooComplex, .unsupported:
                return SignatureFindings(details: [
                    VerificationDetail(.signature, .indeterminate, "the PDF cannot be examined: \(error.reason)")
                ])
            case .notPDF, .damaged, .forbidden, .field, .page, .constraint:
                // A document that claims to be signed and cannot be read is not trusted.
                return SignatureFindings(details: [
                    VerificationDetail(.signature, .invalid, "the PDF cannot be read: \(error.reason)")
                ])
            case .room, .failed:
                throw CryptographyError(.failed, "the PDF cannot be verified: \(error.reason)")
            }
        }
        guard !signatures.isEmpty else { throw Self.notSigned }
        let data = try ValidationEvidence(in: document)
        let stamps = try documentTimestamps(signatures, data)
        var individual: [SignatureFindings.Individual] = []
        for signature in signatures where !signature.isDocumentTimestamp {
            individual.append(try judge(signature, stamps, data))
        }
        // A timestamp beside signatures may prove their time. One that does not hold does them no harm, because anybody
        // can add it, and additions are examined with each signature. Without other signatures it is the signature.
        if individual.isEmpty { individual = stamps.map(\.individual) }
        return SignatureFindings(individual)
    }

    private struct DocumentTimestamp {
        let signature: PDFSignature
        let individual: SignatureFindings.Individual
        /// The time at which a later timestamp proves that it existed, Unix seconds.
        let existence: Int?
    }

    private func documentTimestamps(
        _ signatures: [PDFSignature], _ data: ValidationEvidence
    ) throws(CryptographyError) -> [DocumentTimestamp] {
        var stamps: [DocumentTimestamp] = []
        var existence: Int?
        // The latest first: each that holds proves that those before it existed, whatever became of their authorities.
        for signature in signatures.reversed() where signature.isDocumentTimestamp {
            var details = signature.findings.map(VerificationDetail.init)
            var individual = SignatureFindings.Individual(
                fieldName: signature.fieldName, claimedTime: signature.claimedTime, details: [])
            if let token = signature.contents {
                let result = try TimestampVerifier(policy: policy).verify(
                    token, of: signature.covered, existence: existence, extra: data.revocation,
                    others: data.certificates, now: now)
                details += result.details
                individual.signer = result.authority?.subject
                individual.provenTime = result.provenTime
            }
            individual.details = details
            stamps.append(DocumentTimestamp(signature: signature, individual: individual, existence: existence))
            if details.isEmpty, let proven = individual.provenTime { existence = min(existence ?? proven, proven) }
        }
        return stamps.reversed()
    }

    private func judge(
        _ signature: PDFSignature, _ stamps: [DocumentTimestamp], _ data: ValidationEvidence
    ) throws(CryptographyError) -> SignatureFindings.Individual {
        let findings = signature.findings.map(VerificationDetail.init)
        guard let contents = signature.contents else {
            return SignatureFindings.Individual(
                fieldName: signature.fieldName, claimedTime: signature.claimedTime,
                details: findings.isEmpty
                    ? [VerificationDetail(.signature, .invalid, "there is no signature")] : findings)
        }
        let later = stamps.filter { stamp in
            guard let own = signature.revisionLength, let its = stamp.signature.revisionLength else { return false }
            return its > own && stamp.signature.findings.isEmpty
        }
        let proofs = later.compactMap { stamp in
            stamp.signature.contents.map {
                SignerEvidence.Stamped(token: $0, content: stamp.signature.covered, existence: stamp.existence)
            }
        }
        do throws(CryptographyError) {
            let verification = try verifier.verify(
                contents, content: signature.covered, others: data.certificates, claimedTime: signature.claimedTime,
                timestamps: proofs, revocation: data.revocation, now: now)
            var details = findings + verification.details
            guard let signer = verification.signers.first, verification.signers.count == 1 else {
                // ETSI EN 319 142-1 §6.3: one signer in each signature of a PDF.
                if verification.signers.count > 1 {
                    details.append(
                        VerificationDetail(
                            .signature, .invalid,
                            "the signature has \(verification.signers.count) signers where a PDF's has one"))
                }
                return SignatureFindings.Individual(
                    fieldName: signature.fieldName, claimedTime: signature.claimedTime, details: details)
            }
            var individual = SignatureFindings.Individual(
                signer, fieldName: signature.fieldName, claimedTime: signature.claimedTime)
            individual.details = details
            return individual
        } catch {
            guard error.kind == .malformed || error.kind == .unsupported else { throw error }
            let unreadable = VerificationDetail(
                .signature, error.kind == .unsupported ? .indeterminate : .invalid, error.reason)
            return SignatureFindings.Individual(
                fieldName: signature.fieldName, claimedTime: signature.claimedTime, details: findings + [unreadable])
        }
    }

    // MARK: XML

    /// Every ds:Signature of an XML document.
    /// - Throws: ``CryptographyError/Kind/missing`` when nothing is signed.
    public func xml(_ document: OctetString) throws(CryptographyError) -> SignatureFindings {
        let signatures: [XMLSignature]
        do throws(XMLSignatureError) {
            let known = (policy.intermediates + policy.anchors).map(\.der)
            signatures = try XMLSignatureReading.signatures(in: document, known: known)
        } catch {
            // A document that claims to be signed and cannot be read is not trusted; an unsupported one is
            // indeterminate.
            let level: VerificationDetail.Level
            switch error.kind {
            case .malformed: level = .invalid
            case .documentType, .limit, .unsupported: level = .indeterminate
            case .alreadySigned, .key, .timestamp, .failed:
                throw CryptographyError(.failed, "the XML cannot be verified: \(error.description)")
            }
            return SignatureFindings(details: [
                VerificationDetail(.signature, level, "the XML cannot be read: \(error.description)")
            ])
        }
        guard !signatures.isEmpty else { throw Self.notSigned }
        var individual: [SignatureFindings.Individual] = []
        for signature in signatures {
            var evidence = SignerEvidence(certificate: try signature.signer.map(Certificate.init(der:)))
            evidence.others = try Certificate.readable(signature.certificates)
            evidence.claimedTime = signature.claimedTime
            evidence.timestamps = signature.timestamps.map {
                SignerEvidence.Stamped(token: $0.token, content: $0.stamped)
            }
            evidence.revocation = RevocationEvidence(listsInDER: signature.revocationLists, responsesInDER: [])
            evidence.weakAlgorithms = signature.weaknesses.filter { !$0.isBroken }.map(\.algorithm)
            evidence.findings = Self.findings(of: signature)
            individual.append(
                SignatureFindings.Individual(try SignerJudge(policy: policy, use: .document).judge(evidence, now: now)))
        }
        return SignatureFindings(individual)
    }

    private static func findings(of signature: XMLSignature) -> [VerificationDetail] {
        var details: [VerificationDetail] = []
        switch signature.integrity {
        case .intact: break
        case .broken(let why): details.append(VerificationDetail(.signature, .invalid, why))
        case .unknown(let why): details.append(VerificationDetail(.signature, .indeterminate, why))
        }
        for finding in signature.findings {
            let level = finding.level == .invalid ? VerificationDetail.Level.invalid : .indeterminate
            let detail = VerificationDetail(.signature, level, finding.message)
            if !details.contains(detail) { details.append(detail) }
        }
        for weakness in signature.weaknesses where weakness.isBroken {
            details.append(
                VerificationDetail(.signature, .indeterminate, "\(weakness.algorithm) is too weak to prove anything"))
        }
        return details
    }

    private static let notSigned = CryptographyError(
        .missing, "the document carries no signature this profile may verify")
}

extension VerificationDetail {
    fileprivate init(_ finding: PDFFinding) {
        self.init(.signature, finding.level == .invalid ? .invalid : .indeterminate, finding.message)
    }
}

extension Certificate {
    /// Those that can be read; what else came along with a signature proves nothing and does no harm.
    fileprivate static func readable(_ all: [OctetString]) throws(CryptographyError) -> [Certificate] {
        var certificates: [Certificate] = []
        for octets in all {
            do throws(CryptographyError) { certificates.append(try Certificate(der: octets)) } catch {
                guard error.kind == .malformed else { throw error }
            }
        }
        return certificates
    }
}

/// The content of a PDF's document security store. Anybody may have put it there, so it counts for no more than data
/// that comes with a signature.
private struct ValidationEvidence {
    var certificates: [Certificate] = []
    var revocation = RevocationEvidence()

    init(in document: OctetString) throws(CryptographyError) {
        let data: PDFValidationData
        // The signatures were read: what keeps the store from being read is its own fault, and leaves it unused.
        do throws(PDFError) { data = try PDFValidationData(in: document) } catch { return }
        certificates = try Certificate.readable(data.certificates)
        revocation = RevocationEvidence(listsInDER: data.lists, responsesInDER: data.responses)
    }
}
