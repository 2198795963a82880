import Composition
import DSSProtocol
import InternetMessage
import Octets
import Workflows

/// The text about a verdict for people.
extension Routing {
    /// - Parameter layers: The verified message, in which claims of others are looked for.
    func text(of verdict: MessageVerdict, _ layers: MessageLayers) -> ResultText {
        var text = ResultText(verdict.result.shown, entry: entry.id)
        text.mail = verdict.mail?.result.shown
        text.author = intake.header.first("From").map(\.text)
        if let mail = verdict.mail { tell(mail, &text) }
        if let attachments = verdict.attachments {
            text.attachments = attachments.all.enumerated().map { told($0.element, number: $0.offset + 1) }
            text.remarks = attachments.remarks
        }
        text.foreignClaims =
            ForeignResults(
                in: layers.all, authservID: policy.authservID, domains: policy.domainNames, using: services.charsets
            ).words
        return text
    }

    private func tell(_ mail: MailVerdict, _ text: inout ResultText) {
        text.signers =
            mail.signers.isEmpty
            ? mail.answer?.signerIdentities ?? [] : mail.signers.map { $0.words ?? "an unnamed certificate" }
        if case .mismatch(let why)? = mail.identity { text.mismatch = why }
        let times = mail.signers.compactMap(\.signingTime).map(DocumentJudgement.date)
        text.signingTimes = times.isEmpty ? mail.answer?.signingTimes ?? [] : times
        text.reasons = mail.reasons
        text.differences = mail.differences
        text.serverMessages = mail.answer?.messages ?? []
        if attachesResponses, mail.answer != nil { text.responseName = ServerAnswer.name(entry: entry.id) }
    }

    private func told(_ attachment: AttachmentVerdict, number: Int) -> ResultText.Attachment {
        var told = ResultText.Attachment(name: attachment.fileName, attachment.shown)
        told.signatureName = attachment.signatureFileName
        told.signatures = attachment.signatures.map { signature in
            ResultText.Signature(
                signature.verdict.shown, signer: signature.signer,
                times: [
                    signature.signingTime,
                    signature.provenTime.map { $0 + " (proved by a timestamp)" },
                ].compactMap(\.self), field: signature.fieldName, reasons: signature.reasons)
        }
        if told.signatures.isEmpty, let answer = attachment.answer {
            // The server tells of the document as a whole.
            told.signatures = answer.signerIdentities.map {
                ResultText.Signature(
                    attachment.shown, signer: $0, times: answer.signingTimes, field: nil, reasons: [])
            }
        } else if attachment.signatures.count == 1, let answer = attachment.answer {
            told.signatures[0].signer = told.signatures[0].signer ?? answer.signerIdentities.first
            if told.signatures[0].times.isEmpty { told.signatures[0].times = Array(answer.signingTimes.prefix(1)) }
        }
        told.reasons = attachment.reasons
        if attachesResponses, attachment.answer != nil {
            told.responseName = ServerAnswer.name(entry: entry.id, number: number)
        }
        return told
    }

    // MARK: - The server's answers

    private var attachesResponses: Bool { workflow?.attachesResponse == true }

    /// One for each object that the server was asked about: the mail's, and those of the attachments by their numbers.
    func attachedAnswers(_ verdict: MessageVerdict) -> [ServerAnswer] {
        guard attachesResponses else { return [] }
        var answers: [ServerAnswer] = []
        if let raw = verdict.mail?.answer?.raw { answers.append(ServerAnswer(raw, entry: entry.id)) }
        for (index, attachment) in (verdict.attachments?.all ?? []).enumerated() {
            if let raw = attachment.answer?.raw {
                answers.append(ServerAnswer(raw, entry: entry.id, number: index + 1))
            }
        }
        return answers
    }
}

extension MailVerdict.Result {
    fileprivate var shown: ResultText.Verdict {
        switch self {
        case .notSigned(.plain): .notSigned
        case .notSigned(.encrypted): .notChecked
        case .judged(let verdict): verdict.shown
        }
    }
}

extension AttachmentVerdict {
    fileprivate var shown: ResultText.Verdict {
        switch result {
        case .unsigned: .notSigned
        case .encrypted: .notChecked
        case .judged(let verdict): verdict.shown
        }
    }
}

extension Verdict {
    fileprivate var shown: ResultText.Verdict {
        switch self {
        case .trusted: .trusted
        case .notTrusted: .notTrusted
        case .indeterminate: .indeterminate
        }
    }
}
