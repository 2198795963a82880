import Composition
import DSSProtocol
import DocumentKinds
import Explanations
import InternetMessage
import Octets
import Workflows

/// Verifies the signed attachments of one layer of a message, each with a call of its own. Each is read here, judged by
/// the server, and then lowered by its structure and its name.
struct AttachmentVerification {
    let services: Services
    /// The layer.
    let message: Message
    let scratch: any OctetCollectorMaking

    /// Octets of a text that are held in memory for its other line ends.
    private static let maximumLines = 8 << 20

    /// A verdict, and the part that a reader opens: of a file and its detached signature, the file.
    typealias Judged = (verdict: AttachmentVerdict, opened: Entity.Path)

    /// - Parameters:
    ///   - chosen: Those that are to be verified.
    ///   - all: All of the layer, among which detached signatures find their files.
    func verify(_ chosen: [AttachmentFacts], among all: [AttachmentFacts]) async throws(Failure) -> [Judged] {
        let pairing = DetachedSignatures(attachments: all)
        var judged: [Judged] = []
        for attachment in chosen {
            let (verdict, file) = try await verify(attachment, pairing)
            judged.append((verdict, file ?? verdict.path))
        }
        let isSigned = chosen.contains { $0.signedReading != nil }
        for difference in isSigned ? message.differingReadings : [] {
            for index in judged.indices { judged[index].verdict.lower(to: .notTrusted, difference, .ambiguous) }
        }
        // A file whose signature stands beside it is told of there.
        let signedElsewhere = Set(judged.filter { $0.verdict.path != $0.opened }.map(\.opened))
        judged.removeAll { $0.verdict.result == .unsigned && signedElsewhere.contains($0.verdict.path) }
        return judged
    }

    /// A signature that stands apart belongs to its file: where only the file was selected it comes along.
    func withTheirSignatures(
        _ selected: [AttachmentFacts], among all: [AttachmentFacts]
    ) -> [AttachmentFacts] {
        let pairing = DetachedSignatures(attachments: all)
        let paths = Set(selected.map(\.path))
        guard paths.count < all.count else { return selected }
        return all.filter { attachment in
            if paths.contains(attachment.path) { return true }
            guard attachment.isNamedAsSignature, attachment.signedReading == .cms,
                case .file(let file) = pairing.file(for: attachment)
            else { return false }
            return paths.contains(file.path)
        }
    }

    // MARK: - One attachment

    /// - Returns: The verdict, and where the file is whose detached signature it is about.
    private func verify(
        _ attachment: AttachmentFacts, _ pairing: DetachedSignatures
    ) async throws(Failure) -> (AttachmentVerdict, file: Entity.Path?) {
        func verdict(_ result: AttachmentVerdict.Result, _ reasons: String...) -> AttachmentVerdict {
            AttachmentVerdict(path: attachment.path, fileName: attachment.fileName, result, reasons: reasons)
        }
        if attachment.protection == .encryptedPart {
            return (verdict(.encrypted, "it is encrypted and was not checked: SES does not decrypt"), nil)
        }
        guard let form = attachment.signedReading, let entity = message.root.entity(at: attachment.path) else {
            return (verdict(.unsigned), nil)
        }
        do {
            switch form {
            case .ambiguous(let ways):
                return (
                    verdict(.judged(.notTrusted), "it can be read in two ways, as " + SignedReading.words(ways)), nil
                )
            case .document(let format): return (try await judge(verdict(.unsigned), entity, format), nil)
            case .cms: return try await judgeCMS(verdict(.unsigned), attachment, entity, pairing)
            }
        } catch {
            throw error.told(of: verdict(.unsigned).subject)
        }
    }

    /// A document that carries its signatures within.
    private func judge(
        _ unjudged: AttachmentVerdict, _ entity: Entity, _ format: DocumentFormat
    ) async throws(Failure) -> AttachmentVerdict {
        let octets = try AttachmentOctets(of: entity, scratch)
        let document = octets.content
        var found: [DocumentSignature]?
        var unreadable: String?
        do {
            found = try services.documents.signatures(in: document, as: format)
        } catch {
            if error.permanence == .transient { throw error }
            unreadable = error.summary
        }
        // It only looked like one with a signature.
        if found?.isEmpty == true { return unjudged }
        var verdict = unjudged
        if let answer = try await ask(DocumentKind(format), document: document, signature: nil, &verdict) {
            verdict.signatures = DocumentJudgement(answer: answer).signatures(found)
        }
        if let unreadable {
            verdict.lower(to: .indeterminate, "its signatures cannot be read here: " + unreadable, .damaged)
        }
        lowerToWorst(&verdict)
        judgeStructure(of: entity, octets, &verdict)
        judgeHints(of: entity, as: .document(format), &verdict)
        return verdict
    }

    private func judgeCMS(
        _ unjudged: AttachmentVerdict, _ attachment: AttachmentFacts, _ entity: Entity, _ pairing: DetachedSignatures
    ) async throws(Failure) -> (AttachmentVerdict, file: Entity.Path?) {
        var verdict = unjudged
        // Until the server has been asked.
        verdict.result = .judged(.indeterminate)
        let octets = try AttachmentOctets(of: entity, scratch)
        let signature = CMSArmour.removed(from: octets.content)
        let facts: CMSFacts
        do {
            facts = try services.inspection.facts(of: signature)
        } catch {
            if error.permanence == .transient { throw error }
            verdict.lower(to: .notTrusted, "the signature cannot be read here: " + error.summary, .damaged)
            return (verdict, nil)
        }
        let match = facts.enclosesContent && !attachment.isNamedAsSignature ? .none : pairing.file(for: attachment)
        switch (match, facts.enclosesContent) {
        case (.none, true):
            try await judge(&verdict, signature, facts, content: nil)
            judgeStructure(of: entity, octets, &verdict)
            judgeHints(of: entity, as: .cms, &verdict)
            return (verdict, nil)
        case (.file, true), (.several, true):
            // What a reader sees is the file beside it; what it encloses may be quite another one.
            verdict.lower(
                to: .notTrusted,
                "the signature contains content of its own, in addition to the file that it is named for",
                .ambiguous)
            return (verdict, nil)
        case (.none, false):
            verdict.lower(to: .notTrusted, "there is no file for this signature", .unpaired)
            return (verdict, nil)
        case (.several, false):
            verdict.lower(to: .notTrusted, "there are several files that this signature could be for", .unpaired)
            return (verdict, nil)
        case (.file(let file), false):
            guard let content = message.root.entity(at: file.path) else {
                verdict.lower(to: .notTrusted, "there is no file for this signature", .unpaired)
                return (verdict, nil)
            }
            var paired = AttachmentVerdict(path: attachment.path, fileName: file.fileName, verdict.result)
            paired.signatureFileName = attachment.fileName ?? "a signature without a name"
            let contentOctets = try AttachmentOctets(of: content, scratch)
            let unjudged = paired
            let form = try signedOctets(contentOctets.content, of: content, by: signature)
            let known = try await judge(&paired, signature, facts, content: form)
            if form.count == contentOctets.content.count, !known.isEmpty {
                // Only with the server's certificate can it be told which line ends fit.
                let other = try signedOctets(contentOctets.content, of: content, by: signature, knowing: known)
                if other.count != form.count {
                    paired = unjudged
                    try await judge(&paired, signature, facts, content: other)
                }
            }
            judgeStructure(of: entity, octets, &paired)
            judgeStructure(of: content, contentOctets, &paired)
            return (paired, file.path)
        }
    }

    /// - Returns: The signers' certificates that the server knows and the signature does not enclose.
    @discardableResult
    private func judge(
        _ verdict: inout AttachmentVerdict, _ signature: OctetString, _ facts: CMSFacts, content: OctetString?
    ) async throws(Failure) -> [OctetString] {
        var facts = facts
        var known: [OctetString] = []
        if let answer = try await ask(.cms, document: content, signature: signature, &verdict) {
            known = answer.signerCertificates
            if !known.isEmpty { facts = try services.inspection.facts(of: signature, knowing: known) }
            verdict.signatures = DocumentJudgement(answer: answer).signatures(facts)
        }
        if facts.signers.isEmpty {
            verdict.lower(to: .notTrusted, "the signature has no signer", .damaged)
        }
        switch try services.inspection.check(signature, content: content, knowing: known) {
        case .intact: break
        case .broken(let why):
            verdict.lower(to: .notTrusted, "the signature does not match the content: " + why, .changed)
        case .unknown(let why):
            verdict.lower(to: .indeterminate, "the signature cannot be checked here: " + why, .unsupported)
        }
        lowerToWorst(&verdict)
        return known
    }

    // MARK: - Steps

    /// Asks the server and takes its answer over.
    /// - Returns: nil where it cannot judge this document: then nothing is known of it.
    private func ask(
        _ kind: DocumentKind, document: OctetString?, signature: OctetString?, _ verdict: inout AttachmentVerdict
    ) async throws(Failure) -> VerificationAnswer? {
        let operation = VerificationOperation(
            kind: kind, document: document, signature: signature, originatorID: services.originatorID,
            requestID: services.makeRequestID())
        do throws(Failure) {
            let answer = try await services.signatures.verify(operation, answers: scratch)
            verdict.result = .judged(answer.verdict)
            verdict.answer = answer
            verdict.reasons = answer.messages.each
            return answer
        } catch {
            guard error.refusesDocument else { throw error }
            verdict.result = .judged(.indeterminate)
            verdict.reasons = [UntrustedText.plainTextLine(error.summary)]
            return nil
        }
    }

    /// A document is as good as the worst of its signatures.
    private func lowerToWorst(_ verdict: inout AttachmentVerdict) {
        guard let worst = verdict.signatures.max(by: { $0.verdict < $1.verdict }), let present = verdict.verdict,
            worst.verdict > present
        else { return }
        verdict.lowerWhole(
            to: worst.verdict, worst.reasons.first ?? "one of its signatures is \(worst.verdict.words)")
    }

    /// Lowers the verdict for two readings of the part, or of its surroundings, that differ in its octets, its name, or
    /// in the set of parts.
    private func judgeStructure(of entity: Entity, _ octets: AttachmentOctets, _ verdict: inout AttachmentVerdict) {
        if let doubt = octets.doubt { verdict.lower(to: .notTrusted, doubt, .damaged) }
        for doubt in message.structuralDoubts(at: entity.path) { verdict.lower(to: .notTrusted, doubt, .ambiguous) }
    }

    /// Lowers the verdict for a file that a reader's machine would open as something else, and so show something else.
    private func judgeHints(of entity: Entity, as form: SignedReading, _ verdict: inout AttachmentVerdict) {
        let hints = FileAssociations(of: entity, using: services.charsets)
        if let objection = hints.objection(to: form) { verdict.lower(to: .notTrusted, objection, .ambiguous) }
    }

    /// Returns the content of a detached signature: the file. Of a file that travels as lines of text it is the form
    /// with the line ends that fit, because mail has only one kind (RFC 2049 §4).
    /// - Parameter known: Certificates beside those that the signature encloses.
    private func signedOctets(
        _ octets: OctetString, of file: Entity, by signature: OctetString, knowing known: [OctetString] = []
    ) throws(Failure) -> OctetString {
        guard file.transferEncoding != .base64, octets.count <= Self.maximumLines,
            case .broken = try services.inspection.check(signature, content: octets, knowing: known)
        else { return octets }
        var converter = LFConverter()
        var converted: [UInt8] = []
        octets.withUnsafeBytes { converter.convert($0, into: &converted) }
        converter.finish(into: &converted)
        let unixOctets = OctetString(converted)
        guard case .intact = try services.inspection.check(signature, content: unixOctets, knowing: known) else {
            return octets
        }
        return unixOctets
    }
}
