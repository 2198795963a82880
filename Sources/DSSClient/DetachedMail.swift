import DSSProtocol
import InternetMessage
import Octets

extension VerificationOperation {
    /// The same question in the detached form (docs/dss-protocol.md, The dialect, `smimeVerify`). A multipart/signed is
    /// sent as its first part, octet for octet, and the CMS; an opaque message as the CMS alone. Anything else stays
    /// unchanged.
    /// - Parameter answers: The storage for a message that is not in one piece.
    func detached(_ answers: any OctetCollectorMaking) throws(OctetCollectionError) -> VerificationOperation {
        guard kind == .email, signature == nil, let document else { return self }
        let octets = try document.collected(by: answers)
        // A message that cannot be read is sent unchanged: the server is asked about it, and decides.
        guard let message = try? Message(reading: octets) else { return self }
        switch SMIMEForm.of(message.root) {
        case .multipartSigned(let signed): return with(signed.content.octets, signed.signature.decodedBody)
        case .signedData: return with(nil, message.root.decodedBody)
        case .none, .encrypted, .compressed, .certificatesOnly: return self
        }
    }

    private func with(_ document: OctetString?, _ signature: OctetString) -> VerificationOperation {
        VerificationOperation(
            kind: kind, document: document, signature: signature, originatorID: originatorID, requestID: requestID)
    }
}
