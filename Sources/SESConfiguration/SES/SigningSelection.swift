import Workflows
import XMLReading

/// The profiles and keys for the signing operations of a workflow, as read.
struct SigningSelection {
    var attachments: AttachmentInstructions?
    var email: SigningInstruction?
}

extension ConfigurationReading {
    /// With what each signing operation of a workflow signs.
    func readSigningSelection(_ workflow: XMLElement, operations: [OperationWord]) -> SigningSelection {
        let names = ["SignAttachment", "SignEmail"]
        let profiles = workflow.child("ProfileSelection")
        let certificates = workflow.child("CertificateSelection")
        for list in [profiles, certificates].compactMap({ $0 }) {
            inspect(list, children: names, repeatable: ["SignAttachment"])
        }
        var selection = SigningSelection()
        let attachments = readAttachmentSelection(profiles, certificates)
        let emailProfile = profiles?.child("SignEmail").map { readProfile($0, isForAttachments: false) }
        let emailKey = certificates?.child("SignEmail").map { readKey($0, isForAttachments: false) }
        for word in [OperationWord.signAttachment, .signEmail] where operations.contains(word) {
            if profiles?.child(word.selection) == nil {
                missing(
                    "<\(word.selection) profileId=\"…\"> of <ProfileSelection>", in: workflow,
                    because: "its <OperationRule> names \(word.rawValue)")
            }
            for profile in profiles?.children(word.selection) ?? [] where attribute("profileId", of: profile) == nil {
                missing("the attribute profileId", in: profile)
            }
        }
        if operations.contains(.signAttachment) { selection.attachments = attachments }
        if operations.contains(.signEmail) {
            selection.email = SigningInstruction(
                profile: emailProfile?.profile, key: emailKey?.key ?? .profileDefault)
        }
        return selection
    }

    private func readAttachmentSelection(
        _ profiles: XMLElement?, _ certificates: XMLElement?
    ) -> AttachmentInstructions {
        let profileElements = profiles?.children("SignAttachment") ?? []
        let keyElements = certificates?.children("SignAttachment") ?? []
        let read = AttachmentInstructions(
            profiles: profileElements.map { readProfile($0, isForAttachments: true) },
            keys: keyElements.map { readKey($0, isForAttachments: true) })
        refuseUnreachable(zip(profileElements, read.profiles).map { ($0, $1.contains) })
        refuseUnreachable(zip(keyElements, read.keys).map { ($0, $1.contains) })
        return read
    }

    /// An element behind one that is for every attachment can never be chosen.
    private func refuseUnreachable(_ elements: [(element: XMLElement, contains: [WildcardPattern]?)]) {
        guard let first = elements.firstIndex(where: { $0.contains == nil }), first + 1 < elements.count else { return }
        fault(
            .repeated, line: elements[first + 1].element.line,
            "this <SignAttachment> is never used: the one on line \(elements[first].element.line) has no contains= and"
                + " takes every attachment first",
            expected: "contains= on all of them but the last")
    }

    /// The attributes that only `SignAttachment` has.
    private func readContains(_ element: XMLElement) -> [WildcardPattern]? {
        guard let text = attribute("contains", of: element) else { return nil }
        let patterns = WildcardPattern.list(text.value)
        guard patterns.isEmpty else { return patterns }
        fault(
            .badValue, line: text.line, "contains= of <SignAttachment> is empty",
            expected: "kinds or names of attachments such as \"pdf,docx\"")
        return nil
    }

    private func readKey(_ element: XMLElement, isForAttachments: Bool) -> AttachmentInstructions.Key {
        inspect(element, attributes: ["alias"] + (isForAttachments ? ["contains"] : []))
        return AttachmentInstructions.Key(
            contains: isForAttachments ? readContains(element) : nil, key: key(attribute("alias", of: element)))
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

    private func readProfile(_ element: XMLElement, isForAttachments: Bool) -> AttachmentInstructions.Profile {
        inspect(
            element, children: isForAttachments ? ["OverrideableAttributes"] : [],
            attributes: ["profileId"] + (isForAttachments ? ["contains", "format"] : []))
        let name = attribute("profileId", of: element).map { trimmed($0) } ?? ""
        let format = isForAttachments ? word(attribute("format", of: element), as: AttachmentFormat.self) : nil
        return AttachmentInstructions.Profile(
            contains: isForAttachments ? readContains(element) : nil, profile: name.isEmpty ? nil : name,
            attributes: isForAttachments ? readAttributes(element.child("OverrideableAttributes")) : [],
            format: format ?? .own)
    }

    private func readAttributes(_ list: XMLElement?) -> [SigningInstruction.Attribute] {
        guard let list else { return [] }
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
