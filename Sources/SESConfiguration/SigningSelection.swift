import Workflows
import XMLReading

extension ConfigurationReading {
    /// With what each signing operation of a workflow signs.
    func readSigningSelection(
        _ workflow: XMLElement, operations: [OperationWord]
    ) -> [OperationWord: SigningInstruction] {
        let names = ["SignAttachment", "SignEmail"]
        let profiles = workflow.child("ProfileSelection")
        let certificates = workflow.child("CertificateSelection")
        if let profiles { inspect(profiles, children: names) }
        if let certificates { inspect(certificates, children: names) }
        var instructions: [OperationWord: SigningInstruction] = [:]
        for word in [OperationWord.signAttachment, .signEmail] {
            let profile = profiles?.child(word.selection)
            let certificate = certificates?.child(word.selection)
            let attributes = profile.map { readProfile($0, takesAttributes: word == .signAttachment) } ?? []
            if let certificate { inspect(certificate, attributes: ["alias"]) }
            guard operations.contains(word) else { continue }
            let profileID = profile.flatMap { attribute("profileId", of: $0) }
            if profile == nil {
                missing(
                    "<\(word.selection) profileId=\"…\"> of <ProfileSelection>", in: workflow,
                    because: "its <OperationRule> names \(word.rawValue)")
            } else if let profile, profileID == nil {
                missing("the attribute profileId", in: profile)
            }
            instructions[word] = SigningInstruction(
                profile: profileID.flatMap { trimmed($0).isEmpty ? nil : trimmed($0) },
                key: key(certificate.flatMap { attribute("alias", of: $0) }), attributes: attributes)
        }
        return instructions
    }

    private func key(_ alias: Located<String>?) -> KeyChoice {
        switch alias.map({ trimmed($0) }) {
        case nil, "", "NONE": .profileDefault
        case "FROM_EMAIL_ADDRESS": .fromAddress
        case .some(let alias): .alias(alias)
        }
    }

    private func trimmed(_ text: Located<String>) -> String {
        let start = text.value.drop { $0.isWhitespace }
        return String(start.reversed().drop { $0.isWhitespace }.reversed())
    }

    private func readProfile(_ element: XMLElement, takesAttributes: Bool) -> [SigningInstruction.Attribute] {
        inspect(
            element, children: takesAttributes ? ["OverrideableAttributes"] : [], attributes: ["profileId"])
        guard takesAttributes, let list = element.child("OverrideableAttributes") else { return [] }
        inspect(list, children: ["Attribute"], repeatable: ["Attribute"])
        var read: [(attribute: SigningInstruction.Attribute, line: Int)] = []
        for element in list.children("Attribute") {
            inspect(element, children: ["Name", "Value"])
            for name in ["Name", "Value"] where element.child(name) == nil { missing("<\(name)>", in: element) }
            guard let name = word(leaf(element.child("Name")), as: AttributeName.self),
                let value = leaf(element.child("Value")), isFit(value, for: name)
            else { continue }
            if read.contains(where: { $0.attribute.name == name }) {
                fault(.repeated, line: element.line, "\(name.rawValue) is given a second time", expected: "it once")
            } else {
                read.append((SigningInstruction.Attribute(name: name, value: value.value), element.line))
            }
        }
        if let field = read.first(where: { $0.attribute.name == .field }),
            read.contains(where: { $0.attribute.name == .area })
        {
            fault(
                .conflict, line: field.line, "SIGNING_FIELD and SIGNING_AREA stand together",
                expected: "one of them: a field has a place of its own")
        }
        return read.map(\.attribute)
    }

    private func isFit(_ value: Located<String>, for name: AttributeName) -> Bool {
        switch name {
        case .reason, .location, .contactInfo: return true
        case .area:
            return integer(
                value, in: 1...5, unit: " (1 top left, 2 top right, 3 centre, 4 bottom left, 5 bottom right)") != nil
        case .page: return integer(value, in: 1...1_000_000) != nil
        case .visibility: return word(value, as: VisibilityWord.self) != nil
        case .field:
            if !value.value.isEmpty { return true }
            fault(.badValue, line: value.line, "the value of SIGNING_FIELD is empty", expected: "the name of a field")
            return false
        }
    }
}

private enum VisibilityWord: String, CaseIterable {
    case shown = "TRUE"
    case hidden = "FALSE"
}
