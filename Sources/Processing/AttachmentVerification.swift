import Composition
import DSSProtocol
import InternetMessage
import Octets
import Workflows

/// Verifies each signed attachment with a call of its own: the structure first, then the server, then what the server
/// cannot be relied on for.
struct AttachmentVerification {
    let services: Services
    let message: Message
    let scratch: any OctetCollectorMaking

    /// The most signed attachments of one message: each is a call to the server.
    static let most = 100
    /// Octets of a text that are held in memory for its other line ends.
    private static let mostLines = 8 << 20

    /// - Parameters:
    ///   - selected: Those that the workflow is for.
    ///   - all: All of the message, among which detached signatures find their files.
    func verify(
        _ selected: [AttachmentFacts], among all: [AttachmentFacts]
    ) async throws(Failure) -> AttachmentVerdicts {
        var verdicts = AttachmentVerdicts([], remarks: remarks)
        if case .encrypted = SMIMEForm.of(message.root) { verdicts.isMailEncrypted = true }
        let pairing = DetachedSignatures(attachments: all)
        let chosen = try withTheirSignatures(selected, among: all, pairing)
        let signed = chosen.count { $0.signedForm != nil }
        guard signed <= Self.most else {
            throw Failure(
                .permanent, "the message has \(signed) signed attachments, of which at most \(Self.most) are verified")
        }
        /// Of each verdict, the part that a reader opens.
        var opened: [Entity.Path] = []
        for attachment in chosen {
            let (verdict, file) = try await verify(attachment, pairing)
            opened.append(file ?? verdict.path)
            verdicts.all.append(verdict)
        }
        let chosenPaths = Set(chosen.map(\.path))
        let rest = try UnselectedAttachments(services: services, message: message, scratch: scratch).judge(
            all.filter { !chosenPaths.contains($0.path) })
        for verdict in rest.broken {
            opened.append(verdict.path)
            verdicts.all.append(verdict)
        }
        verdicts.remarks += rest.remarks
        if signed > 0, message.root.holdsDelimiterBesideBareCR {
            for index in verdicts.all.indices {
                verdicts.all[index].lower(to: .notTrusted, Entity.delimiterBesideBareCR)
            }
        }
        lowerNamesakes(&verdicts, opened)
        // A file whose signature stands beside it is told of there.
        let signedElsewhere = Set(zip(verdicts.all, opened).filter { $0.path != $1 }.map(\.1))
        verdicts.all.removeAll { $0.result == .unsigned && signedElsewhere.contains($0.path) }
        return verdicts
    }

    /// A verdict is told of a name: another part under that name, which is not as good, would be taken for what it is about.
    private func lowerNamesakes(_ verdicts: inout AttachmentVerdicts, _ opened: [Entity.Path]) {
        let trusted = verdicts.all.indices.filter { verdicts.all[$0].verdict == .trusted }
        guard !trusted.isEmpty else { return }
        let names = SharedNames(of: message)
        let vouched = Set(trusted.map { opened[$0] })
        for index in trusted where names.isShared(opened[index], beyond: vouched) {
            verdicts.all[index].lower(
                to: .notTrusted,
                "another part of the message may be shown under its name, and is not signed or not trusted")
        }
    }

    /// What cannot be seen from outside, and what is too deep within.
    private var remarks: [String] {
        message.root.walk(.ownParts).contains { $0.defects.contains(.tooDeep) }
            ? ["parts that are nested too deeply were not looked at"] + ownRemarks : ownRemarks
    }

    private var ownRemarks: [String] {
        switch SMIMEForm.of(message.root) {
        case .encrypted: ["the message is encrypted and was not checked: SES does not decrypt"]
        case .signedData, .compressed:
            ["the message is one S/MIME object: attachments within it were not looked at"]
        case .none, .multipartSigned, .certificatesOnly: []
        }
    }

    /// A signature that stands apart belongs to its file: where only the file was selected it comes along.
    private func withTheirSignatures(
        _ selected: [AttachmentFacts], among all: [AttachmentFacts], _ pairing: DetachedSignatures
    ) throws(Failure) -> [AttachmentFacts] {
        let paths = Set(selected.map(\.path))
        guard paths.count < all.count else { return selected }
        return all.filter { attachment in
            if paths.contains(attachment.path) { return true }
            guard attachment.isNamedAsSignature, attachment.signedForm == .cms,
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
        guard let form = attachment.signedForm, let entity = message.root.entity(at: attachment.path) else {
            return (verdict(.unsigned), nil)
        }
        do {
            switch form {
            case .ambiguous(let ways):
                return (verdict(.judged(.notTrusted), "it can be read in two ways, as " + ways), nil)
            case .pdf: return (try await judge(verdict(.unsigned), entity, .pdf), nil)
            case .xml: return (try await judge(verdict(.unsigned), entity, .xml), nil)
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
            verdict.lower(to: .indeterminate, "its signatures cannot be read here: " + unreadable)
        }
        lowerToWorst(&verdict)
        judgeStructure(of: entity, octets, &verdict)
        judgeHints(of: entity, as: AttachmentFacts.SignedForm(format), &verdict)
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
            verdict.lower(to: .notTrusted, "the signature cannot be read here: " + error.summary)
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
                to: .notTrusted, "the signature encloses a content of its own beside the file it is named for")
            return (verdict, nil)
        case (.none, false):
            verdict.lower(to: .notTrusted, "there is no file for this signature")
            return (verdict, nil)
        case (.several, false):
            verdict.lower(to: .notTrusted, "there are several files that this signature could be for")
            return (verdict, nil)
        case (.file(let file), false):
            guard let content = message.root.entity(at: file.path) else {
                verdict.lower(to: .notTrusted, "there is no file for this signature")
                return (verdict, nil)
            }
            var paired = AttachmentVerdict(path: attachment.path, fileName: file.fileName, verdict.result)
            paired.signatureFileName = attachment.fileName ?? "a signature without a name"
            let contentOctets = try AttachmentOctets(of: content, scratch)
            try await judge(
                &paired, signature, facts,
                content: try signedOctets(contentOctets.content, of: content, by: signature))
            judgeStructure(of: entity, octets, &paired)
            judgeStructure(of: content, contentOctets, &paired)
            return (paired, file.path)
        }
    }

    private func judge(
        _ verdict: inout AttachmentVerdict, _ signature: OctetString, _ facts: CMSFacts, content: OctetString?
    ) async throws(Failure) {
        if let answer = try await ask(.cms, document: content, signature: signature, &verdict) {
            verdict.signatures = DocumentJudgement(answer: answer).signatures(facts)
        }
        if facts.signers.isEmpty {
            verdict.lower(to: .notTrusted, "nobody signed: the signature object holds no signer")
        }
        switch try services.inspection.check(signature, content: content) {
        case .intact: break
        case .broken(let why): verdict.lower(to: .notTrusted, "signature and content do not fit: " + why)
        case .unknown(let why): verdict.lower(to: .indeterminate, "the signature cannot be checked here: " + why)
        }
        lowerToWorst(&verdict)
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

    /// Two readings of the part, or of what is around it, that differ in its octets, its name, or in which parts there are.
    private func judgeStructure(of entity: Entity, _ octets: AttachmentOctets, _ verdict: inout AttachmentVerdict) {
        if let doubt = octets.doubt { verdict.lower(to: .notTrusted, doubt) }
        for doubt in message.structuralDoubts(at: entity.path) { verdict.lower(to: .notTrusted, doubt) }
    }

    /// What a reader's machine would open as something else shows something else.
    private func judgeHints(of entity: Entity, as form: AttachmentFacts.SignedForm, _ verdict: inout AttachmentVerdict)
    {
        if let objection = OpeningHints(of: entity).objection(to: form) { verdict.lower(to: .notTrusted, objection) }
    }

    /// What a detached signature is over: the file, and of one that travels as lines of text the form with the line ends
    /// that fit, since mail has but one of them (RFC 2049 §4).
    private func signedOctets(
        _ octets: OctetString, of file: Entity, by signature: OctetString
    ) throws(Failure) -> OctetString {
        guard file.transferEncoding != .base64, case .broken = try services.inspection.check(signature, content: octets)
        else { return octets }
        guard octets.count <= Self.mostLines else { return octets }
        var converter = LFConverter()
        var converted: [UInt8] = []
        octets.withUnsafeBytes { converter.convert($0, into: &converted) }
        converter.finish(into: &converted)
        let unixOctets = OctetString(converted)
        guard case .intact = try services.inspection.check(signature, content: unixOctets) else { return octets }
        return unixOctets
    }
}

extension DocumentKind {
    fileprivate init(_ format: DocumentFormat) {
        switch format {
        case .pdf: self = .pdf
        case .xml: self = .xml
        }
    }
}

extension AttachmentFacts.SignedForm {
    fileprivate init(_ format: DocumentFormat) {
        switch format {
        case .pdf: self = .pdf
        case .xml: self = .xml
        }
    }
}
