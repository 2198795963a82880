import Composition
import DSSProtocol
import Explanations
import InternetMessage

/// Brings together what the server says of each signature of a document with what is found here.
///
/// The server's "trusted" is necessary, never sufficient: what is found here only ever lowers a verdict.
struct DocumentJudgement {
    let answer: VerificationAnswer

    /// The signatures of a PDF or XML document.
    /// - Parameter found: The signatures found here; nil if the document could not be read.
    func signatures(_ found: [DocumentSignature]?) -> [SignatureVerdict] {
        guard let found else { return answer.signatures.map(SignatureVerdict.init) }
        let told = paired(with: found.map(\.name))
        // A signature of a part, such as one that confirms another, does no harm beside one of the whole.
        let isWholeSigned = found.contains { if case .part = $0.coverage { false } else { true } }
        var verdicts = zip(found, told.matches).map { judged($0, $1, isWholeSigned: isWholeSigned) }
        for one in told.rest {
            var verdict = SignatureVerdict(one)
            verdict.lower(to: .indeterminate, "this signature was not found here", .ambiguous)
            verdicts.append(verdict)
        }
        return verdicts
    }

    /// The signers of a CMS.
    func signatures(_ facts: CMSFacts) -> [SignatureVerdict] {
        let told = answer.signatures.count == facts.signers.count ? answer.signatures : []
        return facts.signers.enumerated().map { index, signer in
            var verdict = told.isEmpty ? SignatureVerdict(answer.verdict) : SignatureVerdict(told[index])
            verdict.signer = signer.words ?? verdict.signer
            verdict.signingTime = verdict.signingTime ?? signer.signingTime.map(Self.date)
            return verdict
        }
    }

    private func judged(
        _ signature: DocumentSignature, _ told: IndividualVerification?, isWholeSigned: Bool
    ) -> SignatureVerdict {
        var verdict = told.map(SignatureVerdict.init) ?? SignatureVerdict(answer.verdict)
        if told == nil, !answer.signatures.isEmpty {
            verdict = SignatureVerdict(.indeterminate, reasons: ["the server said nothing of this signature"])
        }
        verdict.fieldName = verdict.fieldName ?? signature.name
        // The certificate in the document is the one that the local check was made with.
        verdict.signer = signature.signer?.words ?? verdict.signer
        verdict.signingTime = verdict.signingTime ?? signature.claimedTime.map(Self.date)
        switch signature.integrity {
        case .intact: break
        case .broken(let why):
            verdict.lower(to: .notTrusted, "the signature does not match the content: " + why, .changed)
        case .unknown where signature.lacksOnlyCertificate:
            // What is signed was compared here; that the value is the signer's is the server's word alone.
            verdict.reasons.append(
                "the signature does not carry its signer's certificate: the signing server alone checked its value")
        case .unknown(let why):
            verdict.lower(to: .indeterminate, "the signature cannot be checked here: " + why, .unsupported)
        }
        switch signature.coverage {
        case .wholeDocument: break
        case .earlierRevision(let what): verdict.reasons.append("the document went on after this signature: " + what)
        case .part(let what):
            let reason = "only a part of the document is signed: " + what
            // Beside a signature of the whole it does no harm, and there is nothing to be done.
            if isWholeSigned {
                verdict.reasons.append(reason)
            } else {
                verdict.lower(to: .notTrusted, reason, .changed)
            }
        }
        return verdict
    }

    /// Returns the server's statements about the signatures with `names`, one for each, and its other statements.
    ///
    /// By name where both sides have names; what is left over goes by order, if both sides have equally much left over.
    private func paired(
        with names: [String?]
    ) -> (matches: [IndividualVerification?], rest: [IndividualVerification]) {
        var matches = [IndividualVerification?](repeating: nil, count: names.count)
        var rest: [IndividualVerification] = []
        for told in answer.signatures {
            let index = told.fieldName.flatMap { name in
                names.indices.first { matches[$0] == nil && names[$0].map { UntrustedText.plainTextLine($0) } == name }
            }
            if let index { matches[index] = told } else { rest.append(told) }
        }
        let open = matches.indices.filter { matches[$0] == nil }
        guard open.count == rest.count else { return (matches, rest) }
        for (index, told) in zip(open, rest) { matches[index] = told }
        return (matches, [])
    }

    static func date(_ seconds: Int) -> String { "\(MailDate(unixSeconds: Int64(seconds)))" }
}

extension SignatureVerdict {
    init(_ told: IndividualVerification) {
        self.init(
            told.verdict, signer: told.signer, signingTime: told.signingTime, provenTime: told.provenTime,
            fieldName: told.fieldName, reasons: told.messages)
    }
}

extension CMSFacts.Signer {
    /// The certificate's subject and addresses; nil where no certificate is enclosed.
    var words: String? {
        let names = [subject].compactMap(\.self) + addresses
        return names.isEmpty ? nil : names.joined(separator: ", ")
    }
}
