import MailEnvelope
/// The lines of a result. Their number is bounded, and the result says so.
struct ResultRows {
    private(set) var all: [LabelledText.Row] = []

    private static let most = 200
    private static let maximumAttachments = 50
    private static let maximumSignatures = 20

    mutating func add(_ label: String, _ values: [String], level: Int = 0, most: Int = 5) {
        for value in values.prefix(most) where !value.isEmpty && all.count < Self.most {
            all.append(.init(label: label, value: value, level: level))
        }
    }

    mutating func end(with label: String, _ value: String) {
        if all.count == Self.most { all.append(.init(label: "Note", value: "there is more than can be shown here")) }
        all.append(.init(label: label, value: value))
    }

    mutating func add(_ attachments: [ResultText.Attachment]) {
        if attachments.isEmpty { add("Attachments", ["none that were to be checked"]) }
        let shown = Self.worst(attachments, most: Self.maximumAttachments) { $0.verdict }
        for (index, attachment) in shown {
            add(attachment, number: attachments.count == 1 ? "" : " \(index + 1)")
        }
        if shown.count < attachments.count {
            add("Attachments", ["\(attachments.count - shown.count) more, with no worse results"])
        }
    }

    private mutating func add(_ attachment: ResultText.Attachment, number: String) {
        // Our word first: the name is a stranger's, and so is all that follows.
        var value = attachment.verdict.word + ": "
        value += attachment.name.map { UntrustedText.quotedName($0) } ?? "a file without a name"
        if let signature = attachment.signatureName {
            value += ", signature in " + UntrustedText.quotedName(signature)
        }
        add("Attachment" + number, [value])
        var told: [String] = []
        if attachment.signatures.count == 1, let only = attachment.signatures.first {
            add("Signed by", [only.signer].compactMap(\.self), level: 1)
            add(only, &told)
        } else {
            let shown = Self.worst(attachment.signatures, most: Self.maximumSignatures) { $0.verdict }
            for (index, signature) in shown {
                add(
                    "Signature \(index + 1)", [signature.verdict.word + (signature.signer.map { ": " + $0 } ?? "")],
                    level: 1)
                add(signature, &told)
            }
            if shown.count < attachment.signatures.count {
                add(
                    "Signatures", ["\(attachment.signatures.count - shown.count) more, with no worse results"], level: 1
                )
            }
        }
        add("Reason", attachment.reasons.filter { !told.contains($0) }, level: 1)
        add("Answer", [attachment.responseName.map { "attached as " + $0 }].compactMap(\.self), level: 1)
    }

    private mutating func add(_ signature: ResultText.Signature, _ told: inout [String]) {
        add("Signed at", signature.times, level: 1)
        add("Field", [signature.field].compactMap(\.self), level: 1)
        add("Reason", signature.reasons, level: 1)
        told += signature.reasons
    }

    /// All, or of too many those with the worst results, with their places and in their order.
    private static func worst<Item>(
        _ items: [Item], most: Int, _ verdict: (Item) -> ResultText.Verdict
    ) -> [(Int, Item)] {
        let numbered = items.enumerated().map { ($0.offset, $0.element) }
        guard items.count > most else { return numbered }
        let ranked = numbered.sorted { (verdict($0.1).rank, $0.0) < (verdict($1.1).rank, $1.0) }
        return ranked.prefix(most).sorted { $0.0 < $1.0 }
    }
}

extension ResultText.Verdict {
    /// The worse, the lower.
    fileprivate var rank: Int {
        switch self {
        case .notTrusted: 0
        case .failed: 1
        case .indeterminate: 2
        case .trusted: 3
        case .notChecked: 4
        case .notSigned: 5
        }
    }
}
