import Workflows
import XMLReading

extension Criterion.Kind {
    /// The names of the element: that of the original, and another spelling where users write one.
    fileprivate var elementNames: [String] {
        switch self {
        case .cc: [rawValue, "Cc"]
        case .bcc: [rawValue, "Bcc"]
        case .to, .from, .subject, .body, .email, .attachment: [rawValue]
        }
    }

    fileprivate static let allElementNames = allCases.flatMap(\.elementNames)

    /// The kind of criterion with this element; nil if there is none.
    fileprivate init?(elementName: String) {
        guard let kind = Self.allCases.first(where: { $0.elementNames.contains(elementName) }) else { return nil }
        self = kind
    }
}

extension ConfigurationReading {
    /// An absent or empty filter matches everything.
    func readFilter(_ element: XMLElement?) -> Filter {
        guard let element else { return .everything }
        inspect(element, children: ["AND", "OR"])
        if let all = element.child("AND"), let any = element.child("OR") {
            fault(
                .conflict, line: max(all.line, any.line), "<AND> and <OR> stand in one <Filter>",
                expected: "one of them; write a second workflow for the other")
        }
        guard
            let group = element.children.first(where: {
                $0.namespaceURI == nil && ($0.localName == "AND" || $0.localName == "OR")
            })
        else { return .everything }
        inspect(group, children: Criterion.Kind.allElementNames, repeatable: Set(Criterion.Kind.allElementNames))
        let criteria = group.children.compactMap { $0.namespaceURI == nil ? readCriterion($0) : nil }
        return Filter(
            combination: criteria.isEmpty || group.localName == "AND" ? .all : .any, criteria: criteria)
    }

    private func readCriterion(_ element: XMLElement) -> Criterion? {
        // An unknown element was reported when the group was inspected.
        guard let kind = Criterion.Kind(elementName: element.localName) else { return nil }
        let test: Criterion.Test? =
            switch kind {
            case .to: patterns(element).map { .to($0) }
            case .from: patterns(element).map { .from($0) }
            case .cc: patterns(element).map { .cc($0) }
            case .bcc: patterns(element).map { .bcc($0) }
            case .subject: literal(element).map { .subject(contains: $0) }
            case .body: literal(element).map { .body(contains: $0) }
            case .email: email(element)
            case .attachment: attachment(element)
            }
        return test.map { Criterion($0, line: element.line) }
    }

    /// The alternatives of `contains`, the criterion's only attribute.
    private func patterns(_ element: XMLElement) -> [WildcardPattern]? {
        inspect(element, attributes: ["contains"])
        guard let text = attribute("contains", of: element) else {
            reportNoContains(element)
            return nil
        }
        return patterns(text)
    }

    private func patterns(_ text: Located<String>) -> [WildcardPattern]? {
        let patterns = WildcardPattern.list(text.value)
        guard patterns.isEmpty else { return patterns }
        fault(.badValue, line: text.line, "\(text.place) is empty", expected: "what to look for; * stands for anything")
        return nil
    }

    private func literal(_ element: XMLElement) -> String? {
        inspect(element, attributes: ["contains"])
        guard let text = attribute("contains", of: element) else {
            reportNoContains(element)
            return nil
        }
        guard text.value.contains(where: { !$0.isWhitespace }) else {
            fault(.badValue, line: text.line, "\(text.place) is empty", expected: "the words to look for")
            return nil
        }
        return text.value
    }

    private func email(_ element: XMLElement) -> Criterion.Test? {
        inspect(element, attributes: ["signed", "encrypted"])
        let signed = attribute("signed", of: element)
        let encrypted = attribute("encrypted", of: element)
        guard signed != nil || encrypted != nil else {
            fault(.missing, line: element.line, "<Email> asks for nothing", expected: "signed=, encrypted= or both")
            return nil
        }
        return .email(signed: truth(signed), encrypted: truth(encrypted))
    }

    private func attachment(_ element: XMLElement) -> Criterion.Test? {
        inspect(element, attributes: ["contains", "signed"])
        let contains = attribute("contains", of: element)
        let signed = attribute("signed", of: element)
        guard contains != nil || signed != nil else {
            fault(
                .missing, line: element.line, "<Attachment> asks for nothing",
                expected: "contains=, signed= or both; contains=\"*\" for any attachment")
            return nil
        }
        return .attachment(contains: contains.flatMap { patterns($0) }, signed: truth(signed))
    }

    private func reportNoContains(_ element: XMLElement) {
        fault(.missing, line: element.line, "the attribute contains is missing in <\(element.localName)>")
    }
}
