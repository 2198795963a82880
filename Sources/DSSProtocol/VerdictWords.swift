/// The meaning of a server's words. Case and separators do not count, and of a URI only the last part counts.
public struct VerdictWords: Sendable, Hashable {
    private var verdicts: [String: Verdict]

    /// The verdict for `word`; nil when the table does not have it.
    public subscript(word: String) -> Verdict? {
        get { verdicts[Self.folded(word)] }
        set { verdicts[Self.folded(word)] = newValue }
    }

    public static let standard = VerdictWords(verdicts: [
        "valid": .trusted, "trusted": .trusted, "passed": .trusted,
        "invalid": .notTrusted, "nottrusted": .notTrusted, "untrusted": .notTrusted, "failed": .notTrusted,
        "revoked": .notTrusted, "expired": .notTrusted,
        "indeterminate": .indeterminate, "unknown": .indeterminate,
    ])

    /// The last part of `word` in lower case, letters and digits only.
    static func folded(_ word: String) -> String {
        String(URIWord.lastPart(of: word).lowercased().filter { $0.isLetter || $0.isNumber })
    }
}
