import CMSSignatures
import Octets
import Processing
import XMLSignatures

/// Processing's look into the signatures of XML documents.
struct XMLInspecting {
    /// The judgement of the verifying side, before anything is signed.
    func obstacle(toSigning document: OctetString) throws(Failure) -> String? {
        do {
            return try XMLSigner.obstacle(to: document).map { "\($0)" }
        } catch {
            throw Self.failure(error)
        }
    }

    func check(_ signed: OctetString, from original: OctetString) throws(Failure) -> MadeSignature {
        let before: [XMLSignature]
        let after: [XMLSignature]
        do {
            if let difference = try XMLComparison.difference(original: original, signed: signed) {
                return MadeSignature(.broken(difference))
            }
            before = try XMLSignatureReading.signatures(in: original)
            after = try XMLSignatureReading.signatures(in: signed)
        } catch {
            if error.kind == .failed { throw Self.failure(error) }
            return MadeSignature(.broken("it cannot be read: \(error)"))
        }
        // Signatures keep their order: the new one is that without which the others are those that were there.
        let former = before.map(Likeness.init)
        let added = after.indices.filter { index in
            var rest = after.map(Likeness.init)
            rest.remove(at: index)
            return rest == former
        }
        guard let first = added.first else {
            return MadeSignature(.broken("the signatures that were there are not there any more"))
        }
        // Two that are alike cannot be told apart; the good one is the new one, because a new one may break an old one.
        let new = after[added.first { after[$0].judged == .intact } ?? first]
        guard new.judged == .intact else { return MadeSignature(new.judged) }
        guard new.coversWholeDocument else { return MadeSignature(.broken("only a part of the document is signed")) }
        return MadeSignature(.intact, by: new.shownSigner)
    }

    func signatures(in document: OctetString) throws(Failure) -> [DocumentSignature] {
        let found: [XMLSignature]
        do {
            found = try XMLSignatureReading.signatures(in: document)
        } catch {
            throw Self.failure(error)
        }
        return found.map { signature in
            DocumentSignature(
                name: nil, signer: signature.shownSigner, claimedTime: signature.claimedTime,
                integrity: signature.judged,
                coverage: Self.coverage(signature, among: found),
                lacksOnlyCertificate: signature.lacksOnlyCertificate)
        }
    }

    /// A signature whose content is elsewhere leaves no part of its document open: what is to be said of it is said by
    /// its integrity.
    private static func coverage(
        _ signature: XMLSignature, among all: [XMLSignature]
    ) -> DocumentSignature.Coverage {
        let isPart = signature.leavesPartOpen || all.contains(where: \.coversWholeDocument)
        return signature.coversWholeDocument || !isPart
            ? .wholeDocument : .part("not everything in the document is signed")
    }

    private static func failure(_ error: XMLSignatureError) -> Failure {
        Failure(error.kind == .failed ? .transient : .permanent, "the XML document cannot be read: \(error)")
    }

    /// The properties of a signature that stay when another is added to its document: not its line, and not its
    /// coverage.
    private struct Likeness: Equatable {
        let form: XMLSignatureForm
        let certificates: [OctetString]
        let algorithms: [String]
        let claimedTime: Int?
        let timestamps: [XMLTimestamp]

        init(_ signature: XMLSignature) {
            form = signature.form
            certificates = signature.certificates
            algorithms = [signature.algorithms.signature] + signature.algorithms.digests
            claimedTime = signature.claimedTime
            timestamps = signature.timestamps
        }
    }
}

extension XMLSignature {
    /// Integrity and findings as one.
    fileprivate var judged: SignatureIntegrity {
        switch integrity {
        case .broken(let why): return .broken(why)
        case .unknown(let why): return .unknown(why)
        case .intact: break
        }
        if let finding = findings.first(where: { $0.level == .invalid }) { return .broken(finding.message) }
        return findings.first.map { .unknown($0.message) } ?? .intact
    }

    /// The signer, or the certificate that stands first; nil without one that can be read.
    fileprivate var shownSigner: CMSFacts.Signer? {
        guard let der = signer ?? certificates.first, let certificate = try? Certificate(der: der) else { return nil }
        return CMSFacts.Signer(
            digestAlgorithm: algorithms.digests.first ?? "", addresses: certificate.addresses,
            issuer: certificate.issuer, serial: certificate.serial, subject: certificate.subject,
            signingTime: claimedTime, certificate: der)
    }
}
