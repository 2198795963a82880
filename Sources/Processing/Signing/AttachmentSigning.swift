import Composition
import DSSProtocol
import DocumentKinds
import Explanations
import InternetMessage
import Octets
import Workflows

/// Signs attachments with the signing server's key: PDF and XML within the document, anything else as CMS.
struct AttachmentSigning {
    let policy: Policy
    let services: Services
    let scratch: any OctetCollectorMaking

    /// Returns the change of each attachment, checked here with the certificates that the answers enclose.
    ///
    /// All of them are examined before the first is sent, so that a mail with an attachment that cannot be signed costs
    /// no signature. An attachment without an instruction is not among the changes.
    /// - Throws: The first failure, told of its attachment; then nothing may leave.
    func sign(
        _ attachments: [AttachmentFacts], of message: Message, envelope: Envelope,
        instructions: AttachmentInstructions
    ) async throws(Failure) -> [Entity.Path: AttachmentChange] {
        var work: [Assignment] = []
        for facts in attachments {
            guard let instruction = instructions.instruction(for: facts) else { continue }
            let key = try KeyAlias(policy: policy).key(instruction.key, header: message.header, envelope: envelope)
            let document = try AttachmentDocument(
                facts, of: message, format: instruction.format, documents: services.documents,
                charsets: services.charsets, scratch: scratch)
            work.append(Assignment(document: document, instruction: instruction, key: key))
        }
        var names = FreeFileNames(of: message, attachments.compactMap(\.fileName))
        var changes: [Entity.Path: AttachmentChange] = [:]
        for assignment in work {
            let document = assignment.document
            do throws(Failure) {
                let answer = try await services.signatures.sign(operation(assignment), answers: scratch)
                changes[document.facts.path] = try change(assignment, answer, &names)
            } catch {
                throw error.told(of: document.words)
            }
        }
        return changes
    }

    /// One attachment and how it is signed.
    private struct Assignment {
        let document: AttachmentDocument
        let instruction: SigningInstruction
        let key: SelectedKey
    }

    private func operation(_ assignment: Assignment) -> SigningOperation {
        let (document, instruction) = (assignment.document, assignment.instruction)
        return SigningOperation(
            kind: document.kind, document: document.content, profile: instruction.profile,
            keyAlias: assignment.key.alias,
            attributes: instruction.attributes.map { SignatureAttribute(name: $0.name.rawValue, value: $0.value) },
            originatorID: services.originatorID, requestID: services.makeRequestID())
    }

    private func change(
        _ assignment: Assignment, _ answer: SigningAnswer, _ names: inout FreeFileNames
    ) throws(Failure) -> AttachmentChange {
        let document = assignment.document
        let signer = SignerCheck(policy: policy, services: services, key: assignment.key, use: .document)
        switch (document.kind.format, answer) {
        case (let format?, .document(let signed)):
            try require(services.documents.check(signed, from: document.content, as: format), format.words, signer)
            return .replaced(signed, charset: Self.newCharset(of: signed, from: document.content, format))
        case (nil, .cms(let cms)) where document.kind == .cms:
            let facts = try CMSCheck(inspection: services.inspection, subject: "attachment").checked(
                cms, over: document.content)
            for made in facts.signers { try signer.require(made) }
            let name = document.facts.fileName
            return facts.enclosesContent
                ? .enclosed(cms, name: names.reserve(name, ending: ".p7m"))
                : .accompanied(content: document.content, signature: cms, name: names.reserve(name, ending: ".p7s"))
        case (_?, .cms), (nil, _):
            throw Failure(
                .permanent,
                "local check failed: the signing server's answer is no signed form of what was sent (\(document.kind.rawValue))",
                advice: .server)
        }
    }

    /// Returns the charset of a signed document where it is another than before; nil if it is the same, and for
    /// documents that are no text.
    private static func newCharset(
        of signed: OctetString, from original: OctetString, _ format: DocumentFormat
    ) -> String? {
        switch format {
        case .pdf: return nil
        case .xml:
            // Both were read as XML, so neither has a fault.
            let encoding = (try? XMLOpening(of: signed))?.encoding
            return encoding == (try? XMLOpening(of: original))?.encoding ? nil : encoding?.name
        }
    }

    private func require(_ made: MadeSignature, _ what: String, _ signer: SignerCheck) throws(Failure) {
        switch made.integrity {
        case .intact: if let certificate = made.signer { try signer.require(certificate) }
        case .broken(let why):
            throw Failure(
                .permanent,
                "local check failed: the signing server's signed \(what) is refused: "
                    + UntrustedText.plainTextLine(why), advice: .server)
        case .unknown(let why):
            throw Failure(
                .permanent,
                "local check failed: the signing server's signed \(what) cannot be checked: "
                    + UntrustedText.plainTextLine(why), advice: .server)
        }
    }
}
