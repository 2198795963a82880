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

    /// One signed object, such as an attachment.
    public struct Object: Sendable, Hashable {
        public let name: String
        public let verdict: Verdict
        public let detail: String?

        public init(name: String, verdict: Verdict, detail: String?) {
            self.name = name
            self.verdict = verdict
            self.detail = detail
        }
    }

    public let verdict: Verdict
    /// As the certificates say.
    public var signers: [String] = []
    /// The From field as a reader sees it.
    public var author: String?
    /// How signer and From differ; nil when they do not, or nobody was compared.
    public var mismatch: String?
    public var signingTimes: [String] = []
    /// The decisive ones first.
    public var reasons: [String] = []
    public var serverMessages: [String] = []
    public var objects: [Object] = []
    /// The entry's identifier, which log and journal know.
    public let entry: String
    /// The name of the attached answer of the server; nil when there is none.
    public var responseName: String?

    public init(_ verdict: Verdict, entry: String) {
        self.verdict = verdict
        self.entry = entry
    }

    /// Plain text, CRLF line ends, at most 76 characters a line. Values are one line each, and no value can begin a line.
    public var plain: String { labelled.plain }
    /// An HTML fragment in US-ASCII. No value can become markup.
    public var html: String { labelled.html }

    /// ``plain`` with a question mark for whatever is not US-ASCII, for bodies whose charset has nothing else.
    var plainASCII: String {
        String(String.UnicodeScalarView(plain.unicodeScalars.map { $0.isASCII ? $0 : "?" }))
    }

    private var labelled: LabelledText {
        var rows: [LabelledText.Row] = []
        func add(_ label: String, _ values: [String], most: Int = 5) {
            for value in values.prefix(most) where !value.isEmpty { rows.append(.init(label: label, value: value)) }
        }
        add("Signed by", signers)
        add("From", [author].compactMap(\.self))
        add("Attention", [mismatch].compactMap(\.self))
        add("Signed at", signingTimes)
        add("Reason", reasons.filter { $0 != mismatch })
        add("Server says", serverMessages.filter { !reasons.contains($0) })
        add(
            "Object",
            objects.map { $0.name + ": " + $0.verdict.word + ($0.detail.map { " (" + $0 + ")" } ?? "") }, most: 50)
        add("Server answer", [responseName.map { "attached as " + $0 }].compactMap(\.self))
        add("Reference", [entry])
        return LabelledText(
            title: "Signature check: " + verdict.word, summary: verdict.sentence, rows: rows,
            colour: verdict.colour)
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

    fileprivate var colour: String {
        switch self {
        case .trusted: "#2e7d32"
        case .notTrusted, .failed: "#c62828"
        case .indeterminate: "#ef6c00"
        case .notSigned, .notChecked: "#616161"
        }
    }
}
