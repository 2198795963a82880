import CMSSignatures
import Octets
import PDFSignatures
import Processing

/// Processing's look into the signatures of PDF documents.
struct PDFInspecting {
    func obstacle(toSigning document: OctetString) throws(Failure) -> String? {
        do {
            return try PDFProtection.obstacle(in: document)
        } catch {
            if error.kind == .failed { throw Self.failure(error) }
            return error.reason
        }
    }

    func check(_ signed: OctetString, from original: OctetString) throws(Failure) -> MadeSignature {
        guard signed.count > original.count, signed.slice(0..<original.count) == original else {
            return MadeSignature(.broken("it does not begin with the octets that were sent"))
        }
        let before: [PDFSignature]
        let after: [PDFSignature]
        do {
            before = try PDFSignatureReading.signatures(in: original)
            after = try PDFSignatureReading.signatures(in: signed)
        } catch {
            if error.kind == .failed { throw Self.failure(error) }
            return MadeSignature(.broken("it cannot be read: " + error.reason))
        }
        let added = after.dropFirst(before.count)
        guard let new = added.first, !added.dropFirst().contains(where: { !$0.isDocumentTimestamp }) else {
            let count = added.filter { !$0.isDocumentTimestamp }.count
            return MadeSignature(.broken("\(count) signatures are new, not one"))
        }
        for (former, present) in zip(before, after) where former.findings.isEmpty {
            if let finding = present.findings.first {
                return MadeSignature(.broken("a signature that was there is broken by it: " + finding.message))
            }
        }
        guard !new.isDocumentTimestamp else {
            return MadeSignature(.broken("the new object is a timestamp, not a signature"))
        }
        // A server may put validation data and timestamps of the document behind it, for the signature to last: that
        // nothing else follows is among the findings.
        for stamp in added.dropFirst() {
            if let finding = stamp.findings.first {
                return MadeSignature(.broken("a timestamp of the document is broken: " + finding.message))
            }
        }
        return MadeSignature(try new.judged(), by: new.signer)
    }

    func signatures(in document: OctetString) throws(Failure) -> [DocumentSignature] {
        let found: [PDFSignature]
        do {
            found = try PDFSignatureReading.signatures(in: document)
        } catch {
            throw Self.failure(error)
        }
        var signatures: [DocumentSignature] = []
        for signature in found where !signature.isDocumentTimestamp {
            let coverage: DocumentSignature.Coverage
            if signature.coversWholeFile {
                coverage = .wholeDocument
            } else if let length = signature.revisionLength {
                coverage = .earlierRevision(Self.addition(of: document.count - length, to: signature, found))
            } else {
                coverage = .part("it is unknown what is signed")
            }
            signatures.append(
                DocumentSignature(
                    name: signature.fieldName, signer: signature.signer, claimedTime: signature.claimedTime,
                    integrity: try signature.judged(), coverage: coverage))
        }
        return signatures
    }

    /// Returns the additions after a signature, in words.
    private static func addition(of count: Int, to signature: PDFSignature, _ all: [PDFSignature]) -> String {
        guard signature.findings.isEmpty, let length = signature.revisionLength else {
            return "\(count) octets were added"
        }
        let isFollowed = all.contains { !$0.isDocumentTimestamp && $0.revisionLength ?? 0 > length }
        return isFollowed
            ? "a further signature was added"
            : "only validation data or timestamps were added, which let it last"
    }

    private static func failure(_ error: PDFError) -> Failure {
        Failure(error.kind == .failed ? .transient : .permanent, "the PDF cannot be read: " + error.reason)
    }
}

extension PDFSignature {
    /// Structure and arithmetic as one.
    fileprivate func judged() throws(Failure) -> SignatureIntegrity {
        if let finding = findings.first(where: { $0.level == .invalid }) { return .broken(finding.message) }
        guard let contents else { return .broken("it holds no signature value") }
        guard let facts = cmsFacts else { return .broken("its value is no CMS SignedData") }
        // PDF has it detached: what is enclosed is another content, or the digest of an older form.
        guard !facts.enclosesContent else {
            return .unknown("its form \(subFilter ?? "without a name") encloses a content of its own")
        }
        let integrity = try CMSInspecting().check(contents, content: covered)
        guard integrity == .intact else { return integrity }
        return findings.first.map { .unknown($0.message) } ?? .intact
    }

    fileprivate var signer: CMSFacts.Signer? {
        guard let signer = cmsFacts?.signers.first else { return nil }
        return CMSFacts.Signer(
            digestAlgorithm: signer.digestAlgorithm, addresses: signer.addresses, issuer: signer.issuer,
            serial: signer.serial, subject: signer.subject ?? signerName,
            signingTime: signer.signingTime ?? claimedTime, certificate: signer.certificate)
    }

    /// nil where the value cannot be read as such.
    private var cmsFacts: CMSFacts? {
        guard let contents else { return nil }
        do {
            return try CMSInspecting().facts(of: contents)
        } catch {
            return nil
        }
    }
}
