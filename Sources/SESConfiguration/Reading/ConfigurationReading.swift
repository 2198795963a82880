import XMLReading

/// One reading of a configuration: what it may ask, and all that it finds wrong.
///
/// A class, because every section of the document adds to the same list of faults.
final class ConfigurationReading {
    /// The file as messages name it.
    let file: String
    /// Against this, relative paths are read.
    let directory: String
    let environment: [String: String]
    private(set) var faults: [ConfigurationFault] = []
    private(set) var warnings: [ConfigurationWarning] = []

    init(file: String, environment: [String: String]) {
        self.file = file
        self.environment = environment
        directory = ConfigurationFile.directory(of: file)
    }

    func fault(
        _ code: ConfigurationFault.Code, line: Int, _ text: String, expected: String? = nil, nearest: String? = nil
    ) {
        faults.append(
            ConfigurationFault(file: file, line: line, code: code, text: text, expected: expected, nearest: nearest))
    }

    func warn(_ code: ConfigurationWarning.Code, line: Int, _ text: String) {
        warnings.append(ConfigurationWarning(file: file, line: line, code: code, text: text))
    }

    // MARK: - Structure

    /// Reports what does not belong in `element`.
    /// - Parameters:
    ///   - repeatable: Those children that may stand more than once.
    ///   - text: True if text may stand in it.
    func inspect(
        _ element: XMLElement, children: [String] = [], repeatable: Set<String> = [], attributes: [String] = [],
        takesText text: Bool = false
    ) {
        var firstLines: [String: Int] = [:]
        for child in element.children {
            guard child.namespaceURI == nil, children.contains(child.localName) else {
                reportUnknown(child, in: element, expected: children)
                continue
            }
            if let first = firstLines[child.localName], !repeatable.contains(child.localName) {
                fault(
                    .repeated, line: child.line,
                    "<\(child.localName)> occurs a second time in <\(element.localName)>, first on line \(first)",
                    expected: "it once")
            } else {
                firstLines[child.localName] = child.line
            }
        }
        inspectAttributes(of: element, known: attributes)
        if !text, !element.trimmedText.isEmpty {
            fault(
                .strayText, line: element.line,
                "\(quoted(element.trimmedText)) is text in <\(element.localName)>",
                expected: children.isEmpty ? "nothing in it" : Self.oneOf(children.map { "<\($0)>" }))
        }
    }

    private func reportUnknown(_ child: XMLElement, in element: XMLElement, expected: [String]) {
        let name = Self.shortened(child.localName)
        if let namespace = child.namespaceURI {
            fault(
                .unknownElement, line: child.line,
                "<\(name)> of the namespace \(quoted(namespace)) is not known in <\(element.localName)>",
                expected: "elements without a namespace")
            return
        }
        fault(
            .unknownElement, line: child.line, "<\(name)> is not known in <\(element.localName)>",
            expected: expected.isEmpty ? "no elements in it" : Self.oneOf(expected.map { "<\($0)>" }),
            nearest: NearestName.of(child.localName, among: expected).map { "<\($0)>" })
    }

    private func inspectAttributes(of element: XMLElement, known: [String]) {
        for attribute in element.attributes {
            // Editors put the place of the schema here; xml:space and its kin mean nothing to us.
            if attribute.namespaceURI == "http://www.w3.org/2001/XMLSchema-instance"
                || attribute.namespaceURI == "http://www.w3.org/XML/1998/namespace"
            {
                continue
            }
            guard attribute.namespaceURI == nil, known.contains(attribute.name) else {
                fault(
                    .unknownAttribute, line: element.line,
                    "the attribute \(Self.shortened(attribute.name)) is not known in <\(element.localName)>",
                    expected: known.isEmpty ? "no attributes" : Self.oneOf(known),
                    nearest: NearestName.of(attribute.name, among: known))
                continue
            }
        }
    }

    /// The text of an element that holds nothing else; reports what else it holds.
    func leaf(_ element: XMLElement?) -> Located<String>? {
        guard let element else { return nil }
        inspect(element, takesText: true)
        return Located(element.trimmedText, line: element.line, place: "<\(element.localName)>")
    }

    /// As ``leaf(_:)``, and an empty element is a fault.
    func filledLeaf(_ element: XMLElement?) -> Located<String>? {
        guard let text = leaf(element) else { return nil }
        guard !text.value.isEmpty else {
            fault(.badValue, line: text.line, "\(text.place) is empty", expected: "a value, or no such element")
            return nil
        }
        return text
    }

    func attribute(_ name: String, of element: XMLElement) -> Located<String>? {
        element.attribute(name).map { Located($0, line: element.line, place: "\(name) of <\(element.localName)>") }
    }

    func missing(_ name: String, in element: XMLElement, because reason: String? = nil) {
        fault(
            .missing, line: element.line,
            "\(name) is missing in <\(element.localName)>" + (reason.map { ": \($0)" } ?? ""))
    }

    // MARK: - Words

    static func oneOf(_ names: [String]) -> String {
        names.count == 1 ? names[0] : "one of " + names.joined(separator: ", ")
    }

    static func shortened(_ text: String, to limit: Int = 60) -> String {
        let plain = String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
        return plain.count <= limit ? plain : plain.prefix(limit) + "…"
    }

    func quoted(_ text: String) -> String { "\"" + Self.shortened(text) + "\"" }
}

/// A value and where it was read.
struct Located<Value> {
    let value: Value
    /// The line of its element.
    let line: Int
    /// Its element or attribute, for messages.
    let place: String

    init(_ value: Value, line: Int, place: String) {
        self.value = value
        self.line = line
        self.place = place
    }
}

extension Located: Sendable where Value: Sendable {}
