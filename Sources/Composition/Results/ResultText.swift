/// The result of a verification, for people.
public struct ResultText: Sendable {
    public enum Verdict: Sendable, Hashable {
        case trusted, notTrusted, indeterminate
        case notSigned
        /// Encrypted: SES does not decrypt, and so cannot check.
        case notChecked
        /// The check itself failed.
        case failed
    }

    /// One signature of an attachment.
    public struct Signature: Sendable, Hashable {
        public var verdict: Verdict
        /// As the certificate says.
        public var signer: String?
        public var times: [String]
        /// The form field that holds it.
        public var field: String?
        public var reasons: [String]

        public init(_ verdict: Verdict, signer: String?, times: [String], field: String?, reasons: [String]) {
            self.verdict = verdict
            self.signer = signer
            self.times = times
            self.field = field
            self.reasons = reasons
        }
    }

    public struct Attachment: Sendable, Hashable {
        /// nil for one without a name.
        public let name: String?
        public let verdict: Verdict
        /// The file with its detached signature; nil where the signature is within.
        public var signatureName: String?
        public var signatures: [Signature] = []
        public var reasons: [String] = []
        /// The name of the attached answer of the server; nil when there is none.
        public var responseName: String?

        public init(name: String?, _ verdict: Verdict) {
            self.name = name
            self.verdict = verdict
        }
    }

    /// The verdict on the whole message.
    public let verdict: Verdict
    /// The verdict on the mail's own signature; nil if only attachments were judged.
    public var mail: Verdict?
    /// As the certificates of the mail's signature say.
    public var signers: [String] = []
    /// The From field as a reader sees it.
    public var author: String?
    /// The difference between signer and From; nil if there is none, or they were not compared.
    public var mismatch: String?
    /// Fields that differ from their signed copies, a sentence each.
    public var differences: [String] = []
    public var signingTimes: [String] = []
    /// Of the mail, the decisive ones first.
    public var reasons: [String] = []
    public var serverMessages: [String] = []
    /// The judged attachments; nil if attachments were not judged.
    public var attachments: [Attachment]?
    /// The things that were not examined, and the reasons.
    public var remarks: [String] = []
    /// The parts of the message that could be taken for a result of ours, a sentence each.
    public var foreignClaims: [String] = []
    /// The entry's identifier, which log and journal know.
    public let entry: String
    /// The name of the attached answer about the mail; nil when there is none.
    public var responseName: String?

    /// A result of the mail alone, until ``mail`` or ``attachments`` say otherwise.
    public init(_ verdict: Verdict, entry: String) {
        self.verdict = verdict
        mail = verdict
        self.entry = entry
    }

    /// Plain text, CRLF line ends, at most 76 characters a line. Values are one line each, and no value can begin a
    /// line.
    public var plain: String { labelled.plain }
    /// An HTML fragment in US-ASCII. No value can become markup.
    public var html: String { labelled.html }

    /// ``plain`` with a question mark for whatever is not US-ASCII, for bodies whose charset has nothing else.
    var plainASCII: String {
        String(String.UnicodeScalarView(plain.unicodeScalars.map { $0.isASCII ? $0 : "?" }))
    }

    /// The same without the names of answers, where none go along.
    var withoutResponses: ResultText {
        var result = self
        result.responseName = nil
        for index in (attachments ?? []).indices { result.attachments?[index].responseName = nil }
        return result
    }

    // MARK: - Rows

    private var labelled: LabelledText {
        var rows = ResultRows()
        if let mail {
            if attachments != nil { rows.add("Message", [mail.word]) }
            rows.add("Signed by", signers)
        }
        rows.add("From", [author].compactMap(\.self))
        rows.add("Attention", [mismatch].compactMap(\.self))
        rows.add("Attention", differences)
        rows.add("Signed at", signingTimes)
        rows.add("Reason", reasons.filter { $0 != mismatch })
        rows.add("Server says", serverMessages.filter { !reasons.contains($0) })
        rows.add("Server answer", [responseName.map { "attached as " + $0 }].compactMap(\.self))
        if let attachments { rows.add(attachments) }
        rows.add("Note", remarks.filter { !reasons.contains($0) })
        rows.add("Attention", foreignClaims)
        rows.end(with: "Reference", entry)
        return LabelledText(title: title, summary: sentence, rows: rows.all, colour: verdict.colour)
    }

    private var title: String {
        guard attachments != nil else { return "Signature check: " + verdict.word }
        guard let mail else { return "Signature check of attachments: " + verdict.word }
        // Trust in a file must not be taken for trust in the mail around it.
        if verdict == .trusted, mail != .trusted {
            return "Signature check: attachments trusted, message \(mail == .notChecked ? "not checked" : "not signed")"
        }
        return "Signature check: " + verdict.word
    }

    private var sentence: String {
        guard attachments != nil else { return verdict.sentence }
        let ofAttachments = verdict.sentenceOfAttachments
        switch mail {
        case nil: return ofAttachments + " The message itself has not been checked."
        case .trusted? where verdict == .trusted: return sentenceOfMessage + sentenceBesideMessage
        case .some(let mail) where verdict == .trusted: return ofAttachments + " " + mail.sentence
        case .notSigned?, .notChecked?:
            return verdict == mail ? verdict.sentence : ofAttachments
        case .some:
            return verdict == .notTrusted
                ? "A signature of the message or of its attachments does not prove who made it, or that the content is unchanged. Do not rely on it."
                : verdict.sentence
        }
    }
}

extension ResultText {
    /// The sentence about a trusted message with trusted attachments, if any. It says nothing about parts that were not
    /// judged.
    private var sentenceOfMessage: String {
        let trusted = attachments?.count { $0.verdict == .trusted } ?? 0
        if trusted == 0 { return verdict.sentence }
        return trusted == attachments?.count && remarks.isEmpty
            ? "The signatures of the message and of its attachments are valid, and their certificates are trusted."
            : "The signatures of the message and of the attachments that are listed as trusted are valid, and their"
                + " certificates are trusted."
    }

    private var sentenceBesideMessage: String {
        guard let attachments, !attachments.contains(where: { $0.verdict == .trusted }) else { return "" }
        if !remarks.isEmpty { return " Not all attachments have been examined." }
        return attachments.isEmpty ? "" : " No attachment carries a signature of its own."
    }
}

extension ResultText.Verdict {
    var word: String {
        switch self {
        case .trusted: "trusted"
        case .notTrusted: "not trusted"
        case .indeterminate: "indeterminate"
        case .notSigned: "not signed"
        case .notChecked: "encrypted, not checked"
        case .failed: "could not be checked"
        }
    }

    fileprivate var sentence: String {
        switch self {
        case .trusted: "The signature is valid, and its certificate is trusted."
        case .notTrusted:
            "The signature does not prove who wrote this message, or that it is unchanged. Do not rely on it."
        case .indeterminate:
            "Whether the signature can be trusted could not be found out. Do not rely on it until it has been."
        case .notSigned: "The message carries no signature: who wrote it has not been proved."
        case .notChecked: "The message is encrypted. What is inside, signatures too, has not been checked."
        case .failed: "The signature could not be checked. Do not rely on it."
        }
    }

    fileprivate var sentenceOfAttachments: String {
        switch self {
        case .trusted: "The signatures in the attachments are valid, and their certificates are trusted."
        case .notTrusted:
            "A signature in the attachments does not prove who made it, or that the file is unchanged. Do not rely on it."
        case .indeterminate:
            "Whether the signatures in the attachments can be trusted could not be found out. Do not rely on them until it has been."
        case .notSigned: "No attachment carries a signature."
        case .notChecked: "The message is encrypted. Attachments in it have not been checked."
        case .failed: "The attachments could not be checked. Do not rely on them."
        }
    }

    fileprivate var colour: String {
        switch self {
        case .trusted: "#2e7d32"
        case .notTrusted, .failed: "#c62828"
        case .indeterminate: "#ef6c00"
        case .notSigned, .notChecked: "#616161"
        }
    }
}
