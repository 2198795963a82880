/// A word that a dialect does not know.
public struct DialectError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable { case unknownName, unknownValue }
    public let kind: Kind
    /// The thing that the word names: `switch`, `envelope`, `kind` and so on.
    public let subject: String
    /// The word itself.
    public let given: String
    /// The words that would be known instead. Empty if anything of a certain form is accepted, which `expected` then
    /// describes.
    public let known: [String]
    /// The accepted words or form, for people.
    public let expected: String

    init(_ kind: Kind, subject: String, given: String, known: [String], expected: String? = nil) {
        self.kind = kind
        self.subject = subject
        self.given = given
        self.known = known
        self.expected = expected ?? "one of " + known.joined(separator: ", ")
    }

    public var description: String { "'\(given)' is not known as \(subject): expected \(expected)" }
}

extension Dialect {
    /// The names of a `Switch` element (docs/dss-protocol.md, The dialect).
    enum Switch: String, CaseIterable {
        case envelope, soapAction, aliasForm, attributesForm
        case attributesNamespace, attributesElement, attributeElement, attributeNameElement, attributeValueElement
        case smimeSign, smimeVerify, sendSignatureType, verificationProfile, optionalInputs
    }

    /// The names that ``set(switch:value:)`` knows.
    public static var switchNames: [String] { Switch.allCases.map(\.rawValue) }

    /// Sets one switch from its words.
    ///
    /// `soapAction` takes any text, and `absent` for no such header field; `verificationProfile` any text, empty for
    /// none; `optionalInputs` a list separated by commas or spaces, empty for none; the five names of the attribute
    /// form a namespace URI and XML names.
    /// - Throws: ``DialectError`` with the names or values that are known.
    public mutating func set(switch name: String, value: String) throws(DialectError) {
        guard let named = Switch(rawValue: name) else {
            throw DialectError(.unknownName, subject: "switch", given: name, known: Self.switchNames)
        }
        switch named {
        case .envelope: envelope = try Self.choice(value, for: named)
        case .soapAction: soapAction = try Self.soapAction(value)
        case .aliasForm: aliasForm = try Self.choice(value, for: named)
        case .attributesForm: attributesForm = try Self.choice(value, for: named)
        case .attributesNamespace: attributeNames.namespace = try Self.namespace(value, for: named)
        case .attributesElement: attributeNames.list = try Self.elementName(value, for: named)
        case .attributeElement: attributeNames.attribute = try Self.elementName(value, for: named)
        case .attributeNameElement: attributeNames.name = try Self.elementName(value, for: named)
        case .attributeValueElement: attributeNames.value = try Self.elementName(value, for: named)
        case .smimeSign: mailSigningInput = try Self.choice(value, for: named)
        case .smimeVerify: mailVerificationInput = try Self.choice(value, for: named)
        case .sendSignatureType: sendsSignatureType = try Self.flag(value, for: named)
        case .verificationProfile: verificationProfile = value.isEmpty ? nil : value
        case .optionalInputs: verificationInputs = try Self.inputs(value)
        }
    }

    /// Sets how documents of one kind are wrapped for one operation.
    /// - Parameters:
    ///   - kind: `email`, `pdf`, `xml` or `cms`.
    ///   - operation: `sign` or `verify`.
    ///   - element: `Base64Data` or `Base64XML`; nil leaves what the preset has.
    ///   - mimeType: The MimeType attribute of Base64Data, any word; nil leaves what the preset has, empty sends none.
    /// - Throws: ``DialectError`` for an unknown kind, operation or element.
    public mutating func setDocument(
        kind: String, operation: String, element: String?, mimeType: String?
    ) throws(DialectError) {
        let kind: DocumentKind = try Self.choice(kind, named: "kind")
        let operation: DocumentOperation = try Self.choice(operation, named: "operation")
        var form = documents[kind, operation]
        if let element { form.element = try Self.choice(element, named: "element") }
        if let mimeType { form.mimeType = mimeType.isEmpty ? nil : mimeType }
        documents[kind, operation] = form
    }

    /// Sets what a word of the server means.
    /// - Parameter verdict: `trusted`, `indeterminate` or `notTrusted`.
    /// - Throws: ``DialectError`` for an unknown verdict, or a word without a letter or digit.
    public mutating func setWord(_ word: String, verdict: String) throws(DialectError) {
        let verdicts: [String: Verdict] = [
            "trusted": .trusted, "indeterminate": .indeterminate, "notTrusted": .notTrusted, "not trusted": .notTrusted,
        ]
        guard let meant = verdicts[verdict] else {
            throw DialectError(
                .unknownValue, subject: "verdict", given: verdict, known: ["trusted", "indeterminate", "notTrusted"])
        }
        guard !VerdictWords.folded(word).isEmpty else {
            throw DialectError(
                .unknownValue, subject: "word", given: word, known: [], expected: "at least one letter or digit")
        }
        words[word] = meant
    }

    private static func choice<Choice: RawRepresentable & CaseIterable>(
        _ value: String, for named: Switch
    ) throws(DialectError) -> Choice where Choice.RawValue == String {
        try choice(value, named: named.rawValue)
    }

    private static func choice<Choice: RawRepresentable & CaseIterable>(
        _ value: String, named subject: String
    ) throws(DialectError) -> Choice where Choice.RawValue == String {
        guard let choice = Choice(rawValue: value) else {
            throw DialectError(
                .unknownValue, subject: subject, given: value, known: Choice.allCases.map(\.rawValue))
        }
        return choice
    }

    private static func flag(_ value: String, for named: Switch) throws(DialectError) -> Bool {
        switch value {
        case "true": return true
        case "false": return false
        default:
            throw DialectError(.unknownValue, subject: named.rawValue, given: value, known: ["true", "false"])
        }
    }

    /// It becomes a quoted header field value, so nothing in it may end the quotes or the line.
    private static func soapAction(_ value: String) throws(DialectError) -> String? {
        guard value != "absent" else { return nil }
        guard value.utf8.allSatisfy({ (0x20..<0x7F).contains($0) && $0 != 0x22 && $0 != 0x5C }) else {
            throw DialectError(
                .unknownValue, subject: Switch.soapAction.rawValue, given: value, known: [],
                expected: "printable ASCII without quotation marks, or absent")
        }
        return value
    }

    private static func namespace(_ value: String, for named: Switch) throws(DialectError) -> String {
        guard !value.isEmpty, value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw DialectError(
                .unknownValue, subject: named.rawValue, given: value, known: [], expected: "a namespace URI")
        }
        return value
    }

    private static func elementName(_ value: String, for named: Switch) throws(DialectError) -> String {
        let letters = value.utf8
        let begins = letters.first.map { isLetter($0) } ?? false
        guard begins, letters.allSatisfy({ isLetter($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x2E })
        else {
            throw DialectError(
                .unknownValue, subject: named.rawValue, given: value, known: [],
                expected: "an XML element name of ASCII letters, digits, '-', '_' and '.', without a prefix")
        }
        return value
    }

    private static func isLetter(_ octet: UInt8) -> Bool {
        (0x41...0x5A).contains(octet) || (0x61...0x7A).contains(octet) || octet == 0x5F
    }

    private static func inputs(_ value: String) throws(DialectError) -> [VerificationInput] {
        var inputs: [VerificationInput] = []
        for word in value.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
            let input: VerificationInput = try choice(String(word), for: .optionalInputs)
            if !inputs.contains(input) { inputs.append(input) }
        }
        return inputs
    }
}
