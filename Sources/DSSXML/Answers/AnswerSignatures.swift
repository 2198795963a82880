import DSSProtocol

/// The statements of an answer about single signatures, in `VerifyInfo` elements and in the `IndividualReport` elements
/// of a verification report.
struct AnswerSignatures {
    /// A statement about one signature.
    enum Fact: Hashable {
        case fieldName, signer, signingTime, provenTime, message
    }

    private enum Source { case info, report }

    private var infos: [IndividualVerification] = []
    private var reports: [IndividualVerification] = []
    /// The statement being read, and the depth of its element.
    private var open: (source: Source, depth: Int, signature: IndividualVerification)?
    /// True if the open report has had its Result.
    private var hasResult = false

    /// The largest number of signatures that are distinguished; all of them count for the verdict.
    private static let most = 256
    private static let maximumMessages = 16

    /// One for each signature.
    ///
    /// Where both forms tell of equally many they are taken for the same ones in the same order; otherwise the longer
    /// list counts, because the shorter one sums up.
    var all: [IndividualVerification] {
        guard infos.count == reports.count else { return infos.count > reports.count ? infos : reports }
        return zip(infos, reports).map { $0.merged(with: $1) }
    }

    var isOpen: Bool { open != nil }

    mutating func beginInfo(depth: Int, verdict: Verdict) {
        open = (.info, depth, IndividualVerification(verdict))
    }

    mutating func beginReport(depth: Int) {
        // Until its Result speaks; one without a Result is put right at its end.
        open = (.report, depth, IndividualVerification(.trusted))
        hasResult = false
    }

    /// The verdict of an open report's Result.
    mutating func recordResult(_ verdict: Verdict) {
        hasResult = true
        lower(to: verdict)
    }

    mutating func lower(to verdict: Verdict) {
        guard let now = open?.signature.verdict else { return }
        open?.signature.verdict = max(now, verdict)
    }

    mutating func record(_ fact: Fact, _ text: String) {
        guard !text.isEmpty, var signature = open?.signature else { return }
        switch fact {
        case .fieldName: signature.fieldName = signature.fieldName ?? text
        case .signer: signature.signer = signature.signer ?? text
        case .signingTime: signature.signingTime = signature.signingTime ?? text
        case .provenTime: signature.provenTime = signature.provenTime ?? text
        case .message: if signature.messages.count < Self.maximumMessages { signature.messages.append(text) }
        }
        open?.signature = signature
    }

    mutating func end(depth: Int) {
        guard let ended = open, ended.depth == depth else { return }
        open = nil
        switch ended.source {
        case .info: if infos.count < Self.most { infos.append(ended.signature) }
        case .report:
            guard reports.count < Self.most else { return }
            var signature = ended.signature
            if !hasResult { signature.verdict = max(signature.verdict, .indeterminate) }
            reports.append(signature)
        }
    }
}
