import InternetMessage
import Workflows

/// Says of two filters what can be said without a message. "No" means only that it is not certain.
enum FilterComparison {
    /// The same criteria, in any order and any case.
    static func areEqual(_ first: Filter, _ second: Filter) -> Bool {
        guard first.criteria.count < 2 && second.criteria.count < 2 || first.combination == second.combination else {
            return false
        }
        return covers(first.criteria, second.criteria) && covers(second.criteria, first.criteria)
    }

    private static func covers(_ first: [Criterion], _ second: [Criterion]) -> Bool {
        second.allSatisfy { wanted in
            first.contains { implies($0.test, wanted.test) && implies(wanted.test, $0.test) }
        }
    }

    /// Returns true if every message for which `narrow` holds is one for which `wide` holds.
    static func implies(_ narrow: Filter, _ wide: Filter) -> Bool {
        if wide.criteria.isEmpty { return true }
        if narrow.criteria.isEmpty { return false }
        // A comparison costs the product of both; real filters have few criteria.
        guard narrow.criteria.count * wide.criteria.count <= 10_000 else { return false }
        switch narrow.combination {
        case .all: return holds(wide) { wanted in narrow.criteria.contains { implies($0.test, wanted) } }
        case .any: return narrow.criteria.allSatisfy { one in holds(wide) { implies(one.test, $0) } }
        }
    }

    private static func holds(_ filter: Filter, _ isCertain: (Criterion.Test) -> Bool) -> Bool {
        switch filter.combination {
        case .all: filter.criteria.allSatisfy { isCertain($0.test) }
        case .any: filter.criteria.contains { isCertain($0.test) }
        }
    }

    static func implies(_ narrow: Criterion.Test, _ wide: Criterion.Test) -> Bool {
        // Criteria of different kinds say nothing of each other. Each kind is named, so that a new one cannot be
        // forgotten.
        switch narrow {
        case .to(let narrow):
            if case .to(let wide) = wide { return implies(addresses: narrow, wide) }
        case .from(let narrow):
            if case .from(let wide) = wide { return implies(addresses: narrow, wide) }
        case .cc(let narrow):
            if case .cc(let wide) = wide { return implies(addresses: narrow, wide) }
        case .bcc(let narrow):
            if case .bcc(let wide) = wide { return implies(addresses: narrow, wide) }
        case .subject(let narrow):
            if case .subject(let wide) = wide { return isText(wide, within: narrow) }
        case .body(let narrow):
            if case .body(let wide) = wide { return isText(wide, within: narrow) }
        case .email(let narrowSigned, let narrowEncrypted):
            guard case .email(let signed, let encrypted) = wide else { return false }
            return (signed == nil || signed == narrowSigned) && (encrypted == nil || encrypted == narrowEncrypted)
        case .attachment(let narrow, let narrowSigned):
            guard case .attachment(let wide, let signed) = wide, signed == nil || signed == narrowSigned else {
                return false
            }
            guard let wide else { return true }
            return narrow.map { implies($0, wide) } ?? wide.contains { $0.text == "*" }
        }
        return false
    }

    private static func isText(_ part: String, within text: String) -> Bool {
        contains(Array(text.lowercased().utf8), Array(part.lowercased().utf8))
    }

    /// The domains of address patterns are compared with A-labels.
    private static func implies(addresses narrow: [WildcardPattern], _ wide: [WildcardPattern]) -> Bool {
        narrow.allSatisfy { one in wide.contains { implies(one.withALabels, $0.withALabels) } }
    }

    private static func implies(_ narrow: [WildcardPattern], _ wide: [WildcardPattern]) -> Bool {
        narrow.allSatisfy { one in wide.contains { implies(one.text, $0.text) } }
    }

    private static func implies(_ narrow: String, _ wide: String) -> Bool {
        if wide == "*" || narrow.lowercased() == wide.lowercased() { return true }
        // Only values with an @ are matched as a whole. Nothing is said about other values.
        guard narrow.contains("@"), wide.contains("@") else { return false }
        return matches(whole(narrow), whole(wide))
    }

    private static func whole(_ text: String) -> [UInt8] {
        Array((text.hasPrefix("@") ? "*" + text : text).lowercased().utf8)
    }

    /// Returns true if `pattern` holds for `text`. A star in `text` must be met by a star, whatever it stands for.
    static func matches(_ text: [UInt8], _ pattern: [UInt8]) -> Bool {
        let star = UInt8(ascii: "*")
        var position = 0
        var index = 0
        var retry: (index: Int, position: Int)?
        while position < text.count {
            if index < pattern.count, pattern[index] == star {
                retry = (index, position)
                index += 1
            } else if index < pattern.count, pattern[index] == text[position] {
                index += 1
                position += 1
            } else if let last = retry {
                index = last.index + 1
                position = last.position + 1
                retry = (last.index, position)
            } else {
                return false
            }
        }
        return pattern[index...].allSatisfy { $0 == star }
    }

    private static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
        guard part.count <= text.count, part.count * text.count <= 1_000_000 else { return text == part }
        return (0...(text.count - part.count)).contains { text[$0..<($0 + part.count)].elementsEqual(part) }
    }
}
