import InternetMessage

/// Asks one message what the criteria want to know.
final class CriterionEvaluation<Facts: MessageFacts> {
    let facts: Facts
    /// Folded once for all Body criteria.
    private lazy var body = ComparableText(folded: withoutLineWraps(caseFolded(facts.bodyText)))

    init(facts: Facts) { self.facts = facts }

    struct Answer {
        /// nil: the message does not say, because what is asked for cannot be read.
        let holds: Bool?
        let because: String
    }

    func evaluate(_ test: Criterion.Test) -> Answer {
        switch test {
        case .to(let patterns): address("To", facts.to, patterns, addresses(among: facts.unreadable.to))
        case .from(let patterns): author(patterns)
        case .cc(let patterns): address("CC", facts.cc, patterns, addresses(among: facts.unreadable.cc))
        case .bcc(let patterns): address("BCC", facts.bcc, patterns, addresses(among: facts.unreadable.bcc))
        case .subject(let text): subject(text)
        case .body(let text): body(text)
        case .email(let signed, let encrypted): email(signed: signed, encrypted: encrypted)
        case .attachment(let contains, let signed):
            attachment(AttachmentSelection(contains: contains, signed: signed))
        }
    }

    /// Every message has an author. If From cannot be read, it may be the address that is asked for.
    private func author(_ patterns: [WildcardPattern]) -> Answer {
        guard !facts.from.isEmpty || !facts.unreadable.from.isEmpty else {
            return Answer(holds: nil, because: "there is no From address")
        }
        return address("From", facts.from, patterns, facts.unreadable.from)
    }

    /// Returns the texts that may be addresses. A list without recipients says so in words, in many ways.
    private func addresses(among texts: [String]) -> [String] { texts.filter { $0.contains("@") } }

    /// - Parameter unreadable: Texts any of which may be the address that is asked for.
    private func address(
        _ field: String, _ addresses: [NamedAddress], _ patterns: [WildcardPattern], _ unreadable: [String]
    ) -> Answer {
        if let found = match(patterns, addresses) { return Answer(holds: true, because: "\(field) is \(found.words)") }
        if let text = unreadable.first {
            return Answer(
                holds: nil, because: "\(field) cannot be read as an address: \"\(shown(text, limit: 100))\"")
        }
        guard !addresses.isEmpty else { return Answer(holds: false, because: "there is no \(field) address") }
        return Answer(
            holds: false,
            because: "\(field) is \(listed(addresses.lazy.prefix(3).map(\.words), of: addresses.count)): no match")
    }

    private func match(_ patterns: [WildcardPattern], _ addresses: [NamedAddress]) -> NamedAddress? {
        let wanted = patterns.map(AddressPattern.init)
        return addresses.first { address in
            let names = AddressNames(address)
            return wanted.contains { $0.matches(names) }
        }
    }

    private func subject(_ text: String) -> Answer {
        guard let subject = facts.subject else { return Answer(holds: false, because: "there is no Subject") }
        let holds = TextPattern(literal: text).matches(ComparableText(subject))
        return Answer(holds: holds, because: "Subject is \"\(shown(subject))\"" + (holds ? "" : ": it is not in there"))
    }

    private func body(_ text: String) -> Answer {
        let count = body.octets.count
        guard count > 0 else { return Answer(holds: text.isEmpty, because: "there is no text") }
        let holds = TextPattern(literalFolded: withoutLineWraps(caseFolded(text))).matches(body)
        return Answer(
            holds: holds,
            because: holds ? "it stands in the text" : "it is not in the text (\(count) octets of text were searched)")
    }

    private func email(signed: Bool?, encrypted: Bool?) -> Answer {
        var words: [String] = []
        var holds = true
        if let signed {
            holds = facts.isSigned == signed
            words.append(facts.isSigned ? "signed" : "not signed")
        }
        if let encrypted {
            holds = holds && facts.isEncrypted == encrypted
            words.append(facts.isEncrypted ? "encrypted" : "not encrypted")
        }
        let because = words.isEmpty ? "nothing is asked for" : "the message is " + words.joined(separator: " and ")
        // A signature within an encryption is there and yet cannot be seen: say so where somebody looks for it.
        let isHidden = signed != nil && encrypted == nil && facts.isEncrypted
        return Answer(
            holds: holds, because: because + (isHidden ? " (it is encrypted, which hides what is inside)" : ""))
    }

    private func attachment(_ selection: AttachmentSelection) -> Answer {
        let attachments = facts.attachments
        guard !attachments.isEmpty else { return Answer(holds: false, because: "there is no attachment") }
        if let found = attachments.first(where: selection.selects) {
            return Answer(
                holds: true, because: "attachment \(found.words)\(selection.signed == nil ? "" : found.state)")
        }
        let seen = listed(
            attachments.lazy.prefix(3).map { $0.words + (selection.signed == nil ? "" : $0.state) },
            of: attachments.count)
        return Answer(holds: false, because: "no attachment matches: \(attachments.count) seen, \(seen)")
    }
}

extension NamedAddress {
    /// For people.
    fileprivate var words: String {
        let spec = shown(address.description, limit: 100)
        guard let displayName, !displayName.isEmpty else { return spec }
        return "\"\(shown(displayName, limit: 60))\" <\(spec)>"
    }
}

extension AttachmentFacts {
    /// For people: name, declared type, and what the content looks like.
    fileprivate var words: String {
        let name = fileName.map { "\"\(shown($0, limit: 80))\"" } ?? "without a name"
        let kinds =
            contentKinds.isEmpty ? "" : ", content looks like " + contentKindWords.joined(separator: " and ")
        return "\(name) (\(shown(mediaType, limit: 60))\(kinds))"
    }

    fileprivate var state: String { isSigned ? ", signed" : ", not signed" }
}
