import InternetMessage

/// Returns the attachments that the operations on attachments work on: those that the Attachment criteria of `filter`
/// select, or all if it has none.
///
/// This also holds if an OR let another criterion decide; then there may be none. Several Attachment criteria select
/// together, under AND as under OR, because each of them is about an attachment of its own.
public func selectedAttachments(_ facts: some MessageFacts, filter: Filter) -> [AttachmentFacts] {
    let selections = filter.criteria.compactMap { criterion -> AttachmentSelection? in
        guard case .attachment(let contains, let signed) = criterion.test else { return nil }
        return AttachmentSelection(contains: contains, signed: signed)
    }
    guard !selections.isEmpty else { return facts.attachments }
    return facts.attachments.filter { attachment in selections.contains { $0.selects(attachment) } }
}

/// An Attachment criterion, made ready: one and the same attachment must satisfy all of it.
struct AttachmentSelection {
    let patterns: [AttachmentPattern]?
    let signed: Bool?

    init(contains: [WildcardPattern]?, signed: Bool?) {
        patterns = contains.map { $0.map(AttachmentPattern.init) }
        self.signed = signed
    }

    func selects(_ attachment: AttachmentFacts) -> Bool {
        (signed == nil || signed == attachment.isSigned) && isOfKind(attachment)
    }

    /// Returns true if one of the `contains` alternatives, or their absence, accepts the attachment's name or kind.
    func isOfKind(_ attachment: AttachmentFacts) -> Bool {
        guard let patterns, !patterns.isEmpty else { return true }
        let names = AttachmentNames(attachment)
        return patterns.contains { $0.matches(names) }
    }
}

/// The properties of an attachment that a `contains` pattern is compared with.
struct AttachmentNames {
    /// The whole file name, in each way in which a reader takes it.
    let fileNames: [ComparableText]
    /// The part after the last dot of each name.
    let fileExtensions: [ComparableText]
    /// The media type, its subtype, the subtype without `x-`, its structured syntax suffix (RFC 6839), and the
    /// content's kinds.
    let kinds: [ComparableText]

    init(_ attachment: AttachmentFacts) {
        let shown = attachment.shownFileName
        let names = Set([attachment.fileName].compactMap(\.self)).union(shown?.readings ?? [])
        fileNames = names.sorted().map { ComparableText($0) }
        fileExtensions = (shown?.endings ?? []).sorted().map { ComparableText($0) }
        var kinds = [attachment.mediaType]
        if let slash = attachment.mediaType.firstIndex(of: "/") {
            let subtype = attachment.mediaType[attachment.mediaType.index(after: slash)...]
            kinds.append(String(subtype))
            if subtype.hasPrefix("x-") { kinds.append(String(subtype.dropFirst(2))) }
            if let plus = subtype.lastIndex(of: "+") { kinds.append(String(subtype[subtype.index(after: plus)...])) }
        }
        self.kinds = (kinds + attachment.contentKindWords).map { ComparableText($0) }
    }
}

/// One alternative of an Attachment's `contains`.
struct AttachmentPattern {
    private let whole: TextPattern
    /// For names with several extensions, such as `tar.gz`. Nil with a wildcard, which is compared with the last
    /// extension.
    private let ending: TextPattern?

    init(_ pattern: WildcardPattern) {
        whole = TextPattern(whole: pattern.text)
        let dotted = pattern.text.hasPrefix(".") ? pattern.text : "." + pattern.text
        ending = pattern.text.contains("*") ? nil : TextPattern(whole: "*" + dotted)
    }

    func matches(_ names: AttachmentNames) -> Bool {
        names.fileNames.contains { whole.matches($0) || ending?.matches($0) == true }
            || names.fileExtensions.contains { whole.matches($0) } || names.kinds.contains { whole.matches($0) }
    }
}
