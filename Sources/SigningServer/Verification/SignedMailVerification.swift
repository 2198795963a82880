public import CMSSignatures
import InternetMessage
public import Octets

/// Verifies whole messages (RFC 8551 §3.9).
public struct SignedMailVerification: Sendable {
    /// The party that compares the signer with the author.
    public enum SignerIdentity: String, Sendable, Hashable, CaseIterable {
        /// The verification: a mail signed by another than its author is not trusted.
        case enforce
        /// The client, as SES does: it knows organisation keys that may sign for others.
        case report
    }

    private let verifier: CMSVerifier
    private let identity: SignerIdentity
    private let scratch: any OctetCollectorMaking

    /// - Parameter scratch: The storage for decoded signatures.
    public init(
        policy: TrustPolicy, identity: SignerIdentity = .enforce, scratch: any OctetCollectorMaking
    ) {
        verifier = CMSVerifier(policy: policy, use: .mail)
        self.identity = identity
        self.scratch = scratch
    }

    /// - Parameters:
    ///   - octets: The message. LF without CR becomes CRLF first; nothing else is repaired.
    ///   - now: Unix seconds.
    /// - Returns: nil when no signature is on the message.
    /// - Throws: ``CryptographyError/Kind/malformed`` when the octets are no message,
    ///   ``CryptographyError/Kind/storage`` or ``CryptographyError/Kind/failed`` when it could not be done.
    public func verify(_ octets: OctetString, now: Int) throws(CryptographyError) -> SignatureFindings? {
        let message: Message
        do throws(MessageSyntaxError) { message = try Message(reading: octets.withCRLFLineEnds()) } catch {
            throw CryptographyError(.malformed, "the message cannot be read: \(error)")
        }
        let reading = SMIMEReading(message.root)
        let ambiguities = reading.ambiguities.map { VerificationDetail(.signature, .invalid, $0) }
        let signature: OctetString
        let content: OctetString?
        switch reading.form {
        case .multipartSigned(let signed):
            signature = try decoded(signed.signature)
            content = signed.content.octets
        case .signedData:
            signature = try decoded(message.root)
            content = nil
        case .none, .encrypted, .compressed, .certificatesOnly:
            guard SMIMEForm.signedPartsBelow(message.root).isEmpty else {
                let partly = "only a part of the message is signed; what stands beside it is not"
                return SignatureFindings(details: [VerificationDetail(.signature, .invalid, partly)])
            }
            return nil
        }
        let verification: CMSVerification
        do throws(CryptographyError) {
            verification = try verifier.verify(signature, content: content, now: now)
        } catch {
            guard error.kind == .malformed || error.kind == .unsupported else { throw error }
            return SignatureFindings(unreadable: error)
        }
        var details = ambiguities
        if verification.contentType != CMSVerification.data {
            let other = "what was signed is no message: its content type is \(verification.contentType)"
            details.append(VerificationDetail(.signature, .invalid, other + " (RFC 8551 §2.4.1)"))
        }
        if content != nil && verification.enclosesContent {
            details.append(
                VerificationDetail(
                    .signature, .invalid, "the signature of multipart/signed encloses content of its own"))
        }
        if identity == .enforce, let mismatch = Self.mismatch(message, verification) { details.append(mismatch) }
        return SignatureFindings(verification, adding: details)
    }

    private func decoded(_ entity: Entity) throws(CryptographyError) -> OctetString {
        do throws(OctetCollectionError) { return try entity.decodedSource.collected(by: scratch) } catch {
            throw CryptographyError(.storage, error.detail)
        }
    }

    /// Returns the reason why the signer is not the author (RFC 8550 §3, the strict side: From alone counts); nil if it
    /// is.
    private static func mismatch(_ message: Message, _ verification: CMSVerification) -> VerificationDetail? {
        let author: AddrSpec
        switch Author.of(message.header) {
        case .one(let address): author = address
        case .none(let why): return VerificationDetail(.signature, .invalid, why)
        }
        let addresses = verification.signers.flatMap { $0.certificate?.addresses ?? [] }
        // Without a certificate there is nothing to compare; a missing certificate is reported already.
        if addresses.isEmpty && verification.signers.contains(where: { $0.certificate == nil }) { return nil }
        guard !addresses.isEmpty else {
            return VerificationDetail(.signerIdentity, .invalid, "the signer's certificate names no e-mail address")
        }
        let known = CanonicalAddress(author)
        guard !addresses.contains(where: { CanonicalAddress($0) == known }) else { return nil }
        let signers = addresses.prefix(5).joined(separator: ", ")
        return VerificationDetail(.signerIdentity, .invalid, "signed by \(signers), but From is \(author)")
    }

}
