import DSSProtocol
import XMLReading

extension ConfigurationReading {
    /// The `Dialect` element; without it the server is spoken to as ADSS.
    func readDialect(_ element: XMLElement?) -> Dialect {
        guard let element else { return .adss }
        inspect(
            element, children: ["Switch", "Document", "Word", "TransientMessage"],
            repeatable: ["Switch", "Document", "Word", "TransientMessage"], attributes: ["preset"])
        var dialect = Dialect.adss
        if let preset = word(attribute("preset", of: element), as: Dialect.Preset.self) { dialect = preset.dialect }
        for child in element.children where child.namespaceURI == nil {
            switch child.localName {
            case "Switch": readSwitch(child, &dialect)
            case "Document": readDocumentForm(child, &dialect)
            case "Word": readWord(child, &dialect)
            case "TransientMessage": readTransientMessage(child, &dialect)
            default: continue
            }
        }
        return dialect
    }

    private func readSwitch(_ element: XMLElement, _ dialect: inout Dialect) {
        inspect(element, attributes: ["name", "value"])
        guard let name = required("name", of: element), let value = required("value", of: element) else { return }
        do throws(DialectError) { try dialect.set(switch: name.value, value: value.value) } catch {
            report(error, in: element)
        }
    }

    private func readDocumentForm(_ element: XMLElement, _ dialect: inout Dialect) {
        inspect(element, attributes: ["kind", "operation", "element", "mimeType"])
        guard let kind = required("kind", of: element), let operation = required("operation", of: element) else {
            return
        }
        do throws(DialectError) {
            try dialect.setDocument(
                kind: kind.value, operation: operation.value, element: element.attribute("element"),
                mimeType: element.attribute("mimeType"))
        } catch { report(error, in: element) }
    }

    private func readWord(_ element: XMLElement, _ dialect: inout Dialect) {
        inspect(element, attributes: ["value", "verdict"])
        guard let value = required("value", of: element), let verdict = required("verdict", of: element) else { return }
        do throws(DialectError) { try dialect.setWord(value.value, verdict: verdict.value) } catch {
            report(error, in: element)
        }
    }

    private func readTransientMessage(_ element: XMLElement, _ dialect: inout Dialect) {
        inspect(element, attributes: ["contains"])
        guard let text = required("contains", of: element) else { return }
        guard text.value.contains(where: { !$0.isWhitespace }) else {
            fault(.badValue, line: text.line, "\(text.place) is empty", expected: "words of the server's message")
            return
        }
        dialect.transientMessages.append(text.value)
    }

    private func required(_ name: String, of element: XMLElement) -> Located<String>? {
        if let text = attribute(name, of: element) { return text }
        missing("the attribute \(name)", in: element)
        return nil
    }

    private func report(_ error: DialectError, in element: XMLElement) {
        fault(
            .badValue, line: element.line,
            "\(quoted(error.given)) is not known as \(error.subject) in <\(element.localName)>",
            expected: error.expected, nearest: NearestName.of(error.given, among: error.known))
    }
}
