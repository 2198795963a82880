import Workflows
import XMLReading

/// `Outgoing` or `Incoming` as read.
struct DirectionSection {
    /// In document order.
    var blocks: [Block] = []

    struct Block {
        let service: ServiceKind
        let workflows: [Workflow]
        let line: Int
    }

    var workflows: [Workflow] { blocks.flatMap(\.workflows) }
}

extension ConfigurationReading {
    func readDirection(_ element: XMLElement?) -> DirectionSection {
        guard let element else { return DirectionSection() }
        inspect(element, children: ["Sign", "Verify"], repeatable: ["Sign", "Verify"])
        var section = DirectionSection()
        var ordinals: [String: Int] = [:]
        for block in element.children where block.namespaceURI == nil {
            let service: ServiceKind
            switch block.localName {
            case "Sign": service = .signing
            case "Verify": service = .verification
            default: continue
            }
            inspect(block, children: ["Workflow"], repeatable: ["Workflow"])
            let ordinal = (ordinals[block.localName] ?? 0) + 1
            ordinals[block.localName] = ordinal
            let place = "\(element.localName)/\(block.localName)[\(ordinal)]"
            let workflows = block.children("Workflow").enumerated().compactMap { index, workflow in
                readWorkflow(workflow, service: service, place: "\(place)/Workflow[\(index + 1)]")
            }
            if block.child("Workflow") == nil {
                warn(
                    .emptyBlock, line: block.line,
                    "<\(block.localName)> has no workflow; only its service's NoFilterAction counts")
            }
            section.blocks.append(DirectionSection.Block(service: service, workflows: workflows, line: block.line))
        }
        return section
    }

    private func readWorkflow(_ element: XMLElement, service: ServiceKind, place: String) -> Workflow? {
        let selections = ["ProfileSelection", "CertificateSelection"]
        inspect(
            element,
            children: ["Filter", "OperationRule"] + (service == .signing ? selections : ["VerificationResultRule"]),
            attributes: ["name"])
        let name = attribute("name", of: element).map { Self.shortened($0.value, to: 200) } ?? ""
        let filter = readFilter(element.child("Filter"))
        let words = readOperationWords(element, service: service)
        let signing =
            service == .signing ? readSigningSelection(element, operations: words ?? []) : SigningSelection()
        let (rule, attaches) = readResultRule(element.child("VerificationResultRule"))
        guard let words else { return nil }
        let operations = words.compactMap { word -> Operation? in
            switch word {
            case .signAttachment: signing.attachments.map { .signAttachment($0) }
            case .signEmail: signing.email.map { .signEmail($0) }
            case .verifyAttachment: .verifyAttachment
            case .verifyEmail: .verifyEmail
            }
        }
        return Workflow(
            name: name.isEmpty ? place : name, line: element.line, filter: filter, operations: operations,
            resultRule: rule, attachesResponse: attaches)
    }

    private func readOperationWords(_ workflow: XMLElement, service: ServiceKind) -> [OperationWord]? {
        guard let element = workflow.child("OperationRule") else {
            missing("<OperationRule>", in: workflow)
            return nil
        }
        guard let text = filledLeaf(element) else { return nil }
        let known = OperationWord.allCases.filter { $0.service == service }.map(\.rawValue)
        var words: [OperationWord] = []
        for item in text.value.split(separator: ",", omittingEmptySubsequences: false) {
            let name = String(item.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
            guard let word = OperationWord(rawValue: name), word.service == service else {
                fault(
                    .badValue, line: text.line, "\(quoted(name)) is no operation of a workflow under \(service.block)",
                    expected: known.joined(separator: ", ") + ", or both separated by a comma",
                    nearest: NearestName.of(name, among: known))
                return nil
            }
            guard !words.contains(word) else {
                fault(.repeated, line: text.line, "\(name) occurs twice in <OperationRule>", expected: "it once")
                return nil
            }
            words.append(word)
        }
        return words
    }

    private func readResultRule(_ element: XMLElement?) -> (ResultRule, Bool) {
        guard let element else { return (.original, false) }
        inspect(element, attributes: ["attachResponseXml"], takesText: true)
        let attaches = truth(attribute("attachResponseXml", of: element)) ?? false
        let text = Located(element.trimmedText, line: element.line, place: "<VerificationResultRule>")
        return (text.value.isEmpty ? .original : word(text, as: ResultRule.self) ?? .original, attaches)
    }
}

/// The words of `OperationRule`.
enum OperationWord: String, CaseIterable {
    case signAttachment = "SIGN_ATTACHMENT"
    case signEmail = "SIGN_EMAIL"
    case verifyAttachment = "VERIFY_ATTACHMENT"
    case verifyEmail = "VERIFY_EMAIL"

    var service: ServiceKind {
        switch self {
        case .signAttachment, .signEmail: .signing
        case .verifyAttachment, .verifyEmail: .verification
        }
    }

    /// The element in `ProfileSelection` and `CertificateSelection`.
    var selection: String {
        switch self {
        case .signAttachment: "SignAttachment"
        case .signEmail: "SignEmail"
        case .verifyAttachment: "VerifyAttachment"
        case .verifyEmail: "VerifyEmail"
        }
    }
}

extension ServiceKind {
    /// The element that holds its workflows.
    var block: String {
        switch self {
        case .signing: "<Sign>"
        case .verification: "<Verify>"
        }
    }
}
