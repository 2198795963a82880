import COpenSSL
import Octets

/// A SignedData that OpenSSL has read, without its content.
///
/// For one check in one thread: OpenSSL notes its findings in the object.
final class ParsedSignedData {
    /// The largest number of signers and certificates that are examined; each costs a public key operation or a search.
    static let maximumSigners = 64
    static let maximumCertificates = 256

    private let cms: OpaquePointer
    /// The enclosed content; nil in a detached signature.
    let enclosedContent: (any OctetSource)?
    /// In the order of the SignedData.
    let signers: [SignerInfo]
    let certificates: [Certificate]
    private let responses: [OctetString]
    /// The end of the SignedData.
    let octetCount: Int
    /// True if something stands behind the SignedData, for example a second signature. Padding does not count.
    let isFollowed: Bool

    /// - Parameter additional: Certificates to look for signers in, beside those enclosed.
    init(_ octets: OctetString, additional: [Certificate] = []) throws(CryptographyError) {
        let split = try SignedDataSplit(octets)
        OpenSSLErrors.clear()
        let cms = split.detached.withUnsafeBytes { buffer -> OpaquePointer? in
            var next = buffer.bindMemory(to: UInt8.self).baseAddress
            return d2i_CMS_ContentInfo(nil, &next, buffer.count)
        }
        guard let cms else {
            throw CryptographyError(.malformed, "the CMS SignedData cannot be read: \(OpenSSLErrors.words())")
        }
        self.cms = cms
        enclosedContent = split.content
        octetCount = split.octetCount
        isFollowed = split.isFollowed
        responses = split.responses
        do throws(CryptographyError) {
            (signers, certificates) = try Self.parts(of: cms, split.certificates, additional)
        } catch {
            (signers, certificates) = ([], [])
            throw error
        }
        OpenSSLErrors.clear()
    }

    deinit { CMS_ContentInfo_free(cms) }

    /// - Parameter taken: Certificates that OpenSSL has not seen.
    private static func parts(
        of cms: OpaquePointer, _ taken: [OctetString], _ additional: [Certificate]
    ) throws(CryptographyError) -> (signers: [SignerInfo], certificates: [Certificate]) {
        let infos = CMS_get0_SignerInfos(cms)
        let signerCount = infos.map { max(Int(copenssl_signers_count($0)), 0) } ?? 0
        let left = CMS_get1_certs(cms)
        defer { if let left { copenssl_certificates_free(left) } }
        let leftCount = left.map { max(Int(copenssl_certificates_count($0)), 0) } ?? 0
        guard signerCount <= maximumSigners, leftCount <= maximumCertificates else {
            throw CryptographyError(
                .unsupported,
                "the signature has \(signerCount) signers and \(leftCount) certificates; at most "
                    + "\(maximumSigners) and \(maximumCertificates) are looked at")
        }
        var certificates = (0..<leftCount).compactMap { index in
            Certificate(sharing: left.flatMap { copenssl_certificates_at($0, Int32(index)) })
        }
        for octets in taken { certificates.append(try CertificateMemory.shared.certificate(octets)) }
        let stack = try CertificateStack(certificates + additional)
        // A missing certificate is not a failure here: signers without one are reported one by one.
        _ = CMS_set1_signers_certs(cms, stack.raw, 0)
        let signers = (0..<signerCount).compactMap { index in
            infos.flatMap { copenssl_signers_at($0, Int32(index)) }.map { SignerInfo(raw: $0) }
        }
        return (signers, certificates)
    }

    /// The content type that the signature says it covers.
    private var contentType: OpaquePointer? { CMS_get0_eContentType(cms) }

    /// The same as an object identifier.
    var contentTypeText: String { ObjectIdentifier.text(contentType) }

    /// The lists of the crls field, and the revocation data among the attributes of the signers.
    var evidence: RevocationEvidence {
        var evidence = RevocationEvidence()
        if let lists = CMS_get1_crls(cms) {
            defer { copenssl_crls_free(lists) }
            let count = min(max(Int(copenssl_crls_count(lists)), 0), RevocationEvidence.maximumCount)
            for index in 0..<count {
                guard let raw = copenssl_crls_at(lists, Int32(index)), X509_CRL_up_ref(raw) == 1 else { continue }
                evidence.lists.append(RevocationList(handle: CRLHandle(owning: raw)))
            }
        }
        OpenSSLErrors.clear()
        evidence = evidence.joined(with: RevocationEvidence(listsInDER: [], responsesInDER: responses))
        return signers.reduce(evidence) { $0.joined(with: $1.revocationAttributes) }
    }

    /// Tests whether each signer's signature fits `content`, in the order of ``signers``; one pass over the content.
    func check(_ content: any OctetSource) throws(CryptographyError) -> [CMSIntegrity] {
        let digests = try ContentDigests(content, signers.filter { !$0.usesSHAKE256 }.compactMap(\.digestNID))
        let isAttributes = !signers.allSatisfy(\.hasSignedAttributes) && Self.isSetOfAttributes(content)
        var findings: [CMSIntegrity] = []
        for signer in signers {
            findings.append(
                isAttributes && !signer.hasSignedAttributes
                    ? .broken("the content is what another signature has as its signed attributes, and no document")
                    : try signer.check(digests, contentType: contentType))
        }
        return findings
    }

    /// Returns true if it is the DER of SignedAttributes (RFC 5652 §5.4).
    ///
    /// A signature over attributes is, without them, one over a content that looks so, which its signer never saw.
    private static func isSetOfAttributes(_ content: any OctetSource) -> Bool {
        guard content.count <= maximumAttributeOctets else { return false }
        return content.collected().withUnsafeBytes { octets in
            let reader = BERReader(octets)
            guard let set = reader.element(at: 0, limit: octets.count), set.tag == 0x31,
                set.range.count == octets.count,
                let attributes = reader.children(of: set)
            else { return false }
            return attributes.allSatisfy { attribute in
                attribute.tag == 0x30 && reader.children(of: attribute)?.map(\.tag) == [0x06, 0x31]
            }
        }
    }

    private static let maximumAttributeOctets = 1 << 20
}

/// The data that signatures are checked against: the content, and its digests.
struct ContentDigests: ~Copyable {
    private let content: any OctetSource
    /// The digests that OpenSSL compares.
    let chain: DigestChain

    init(_ content: any OctetSource, _ algorithms: [Int32]) throws(CryptographyError) {
        self.content = content
        chain = try DigestChain(algorithms, over: content)
    }

    /// The content itself, for signatures without a digest; nil when it is too large to be kept in memory.
    var whole: (any OctetSource)? { content.count <= Self.maximumOctets ? content : nil }

    func shake256() throws(CryptographyError) -> OctetString { try SHAKE256.digest(of: content) }

    private static let maximumOctets = 64 << 20
}

/// Digests computed together over one content.
struct DigestChain: ~Copyable {
    let raw: OpaquePointer

    init(_ algorithms: [Int32], over content: any OctetSource) throws(CryptographyError) {
        guard var chain = BIO_new(BIO_s_null()) else {
            throw CryptographyError(.failed, "OpenSSL has no memory")
        }
        for algorithm in Set(algorithms) {
            guard let digest = EVP_get_digestbyname(OBJ_nid2sn(algorithm)), let bio = BIO_new(BIO_f_md()) else {
                continue
            }
            guard copenssl_set_digest(bio, digest) > 0, let longer = BIO_push(bio, chain) else {
                BIO_free(bio)
                continue
            }
            chain = longer
        }
        do throws(CryptographyError) { try Self.write(content, to: chain) } catch {
            BIO_free_all(chain)
            throw error
        }
        raw = chain
    }

    private static func write(_ content: any OctetSource, to chain: OpaquePointer) throws(CryptographyError) {
        try content.forEachChunk { chunk throws(CryptographyError) in
            guard BIO_write(chain, chunk.baseAddress, Int32(chunk.count)) == chunk.count else {
                throw CryptographyError(.failed, "the content cannot be digested: \(OpenSSLErrors.words())")
            }
        }
    }

    deinit { BIO_free_all(raw) }
}
