import DomainNames
import InternetMessage

/// An address in every form in which a pattern may name it.
struct AddressNames {
    /// The addr-spec by its value and as written, where a quoted local-part makes them differ, and with its domain in
    /// A-labels and in U-labels, where these differ.
    let specs: [ComparableText]
    let displayName: ComparableText?

    init(_ address: NamedAddress) {
        let domain = address.address.canonicalDomain
        var written: [String] = []
        for form in [address.address.domain, domain.name, domain.unicodeName] {
            guard let spec = AddrSpec(localPart: address.address.localPart, domain: form) else { continue }
            for text in [spec.localPart + "@" + spec.domain, spec.description] where !written.contains(text) {
                written.append(text)
            }
        }
        specs = written.map { ComparableText($0) }
        displayName = address.displayName.map { ComparableText($0) }
    }
}

/// One alternative of an address criterion.
struct AddressPattern {
    /// The pattern as written, and with the labels of its domain as A-labels and as U-labels.
    private let patterns: [TextPattern]
    /// With `@` the whole addr-spec is meant, and a display name that looks like an address must not pass for one.
    private let isAddress: Bool

    init(_ pattern: WildcardPattern) {
        let text = pattern.text
        isAddress = text.contains("@")
        if isAddress {
            patterns = Self.forms(text).map { TextPattern(whole: text.hasPrefix("@") ? "*" + $0 : $0) }
        } else {
            patterns = Self.forms(text).map { TextPattern(within: $0) }
        }
    }

    func matches(_ names: AddressNames) -> Bool {
        if patterns.contains(where: { pattern in names.specs.contains(where: pattern.matches) }) { return true }
        guard !isAddress, let displayName = names.displayName else { return false }
        // A display name is text: only the pattern as written is sought in it.
        return patterns[0].matches(displayName)
    }

    /// `text` first; behind it the same with the other forms of its domain, which is all of it where it has no `@`.
    private static func forms(_ text: String) -> [String] {
        let at = text.lastIndex(of: "@")
        let local = at.map { String(text[...$0]) } ?? ""
        let domain = at.map { String(text[text.index(after: $0)...]) } ?? text
        var forms = [text]
        for form in [labels(of: domain) { $0.name }, labels(of: domain) { $0.unicodeName }] {
            let converted = local + form
            if !forms.contains(converted) { forms.append(converted) }
        }
        return forms
    }

    /// `domain` with every label converted that is whole, that is, without a wildcard in it.
    fileprivate static func labels(of domain: String, _ convert: (CanonicalDomain) -> String) -> String {
        domain.split(separator: ".", omittingEmptySubsequences: false).map { label in
            let label = String(label)
            return label.isEmpty || label.contains("*") ? label : convert(CanonicalDomain(label))
        }.joined(separator: ".")
    }
}

extension WildcardPattern {
    /// The pattern of an address criterion with its domain in A-labels: equal for two spellings of one pattern.
    public var withALabels: String {
        guard let at = text.lastIndex(of: "@") else { return AddressPattern.labels(of: text) { $0.name } }
        return text[...at] + AddressPattern.labels(of: String(text[text.index(after: at)...])) { $0.name }
    }
}
