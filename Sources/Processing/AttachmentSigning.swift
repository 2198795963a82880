import Composition
import DSSProtocol
import DocumentKinds
import InternetMessage
import Octets
import Workflows

/// Signs attachments with the signing server's key: PDF and XML within the document, anything else as CMS.
struct AttachmentSigning {
    let policy: Policy
    let services: Services
    let scratch: any OctetCollectorMaking

    /// What becomes of each attachment, checked here with the certificates that the answers enclose.
    ///
    /// All of them are looked at before the first is sent: what cannot be signed costs nobody a signature.
    /// - Throws: The first failure, told of its attachment; then nothing may leave.
    func sign(
        _ attachments: [AttachmentFacts], of message: Message, envelope: Envelope, instruction: SigningInstruction
    ) async throws(Failure) -> [Entity.Path: AttachmentChange] {
        guard !attachments.isEmpty else { return [:] }
        let alias = try KeyAlias(policy: policy).alias(
            instruction.key, header: message.header, envelope: envelope)
        var documents: [AttachmentDocument] = []
        for facts in attachments {
            documents.append(
                try AttachmentDocument(facts, of: message, documents: services.documents, scratch: scratch))
        }
        var names = FreeFileNames(of: message, attachments.compactMap(\.fileName))
        var changes: [Entity.Path: AttachmentChange] = [:]
        for document in documents {
            do throws(Failure) {
                let answer = try await services.signatures.sign(
                    operation(document, instruction, alias), answers: scratch)
                changes[document.facts.path] = try change(document, answer, &names)
            } catch {
                throw error.told(of: document.words)
            }
        }
        return changes
    }

    private func operation(
        _ document: AttachmentDocument, _ instruction: SigningInstruction, _ alias: String?
    ) -> SigningOperation {
        SigningOperation(
            kind: document.kind, document: document.content, profile: instruction.profile, keyAlias: alias,
            attributes: instruction.attributes.map { SignatureAttribute(name: $0.name.rawValue, value: $0.value) },
            originatorID: services.originatorID, requestID: services.makeRequestID())
    }

    private func change(
        _ document: AttachmentDocument, _ answer: SigningAnswer, _ names: inout FreeFileNames
    ) throws(Failure) -> AttachmentChange {
        switch (document.kind, answer) {
        case (.pdf, .document(let signed)):
            try require(services.documents.check(signed, from: document.content, as: .pdf), "PDF")
            return .replaced(signed, charset: nil)
        case (.xml, .document(let signed)):
            try require(services.documents.check(signed, from: document.content, as: .xml), "XML document")
            // Both were read as XML, so neither has a fault.
            let encoding = (try? XMLOpening(of: signed))?.encoding
            let isSame = encoding == (try? XMLOpening(of: document.content))?.encoding
            return .replaced(signed, charset: isSame ? nil : encoding?.name)
        case (.cms, .cms(let cms)):
            let facts = try CMSCheck(inspection: services.inspection, subject: "attachment").checked(
                cms, over: document.content)
            let name = document.facts.fileName
            return facts.enclosesContent
                ? .enclosed(cms, name: names.take(name, ending: ".p7m"))
                : .accompanied(content: document.content, signature: cms, name: names.take(name, ending: ".p7s"))
        case (.pdf, .cms), (.xml, .cms), (.cms, .document), (.email, _):
            throw Failure(
                .permanent,
                "local check failed: the signing server's answer is no signed form of what was sent (\(document.kind.rawValue))"
            )
        }
    }

    private func require(_ integrity: SignatureIntegrity, _ what: String) throws(Failure) {
        switch integrity {
        case .intact: return
        case .broken(let why):
            throw Failure(
                .permanent,
                "local check failed: the signing server's signed \(what) is refused: "
                    + UntrustedText.plainTextLine(why))
        case .unknown(let why):
            throw Failure(
                .permanent,
                "local check failed: the signing server's signed \(what) cannot be checked: "
                    + UntrustedText.plainTextLine(why))
        }
    }
}
