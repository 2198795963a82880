/// The part of a document that the URI of a reference means (XML Signature 1.1 §4.4.3.2).
enum Pointer: Hashable {
    /// All of it.
    case document
    /// The element with this identifier.
    case element(String)
    /// The content of the element with this identifier, without its tags.
    case children(String)
    /// The xades:SignedProperties in the ds:Object with this identifier, as citizen cards of Austria refer to them.
    case signedProperties(String)
    /// An XPointer of another form.
    case other(String)

    /// - Parameters:
    ///   - uri: As it stands in the reference.
    ///   - filtered: The identifier that an XPath filter adds to a reference to the document.
    /// - Returns: nil for a URI that leads out of the document.
    init?(_ uri: String, childrenOf filtered: String?) {
        guard filtered == nil || uri.isEmpty else { return nil }
        guard !uri.isEmpty else {
            self = filtered.map { .children($0) } ?? .document
            return
        }
        guard uri.utf8.first == UInt8(ascii: "#") else { return nil }
        let fragment = uri.dropFirst()
        if fragment == "xpointer(/)" {
            self = .document
        } else if let identifier = Self.identifier(in: fragment, between: "xpointer(id(", and: ")/node())") {
            self = .children(identifier)
        } else if let identifier = Self.identifier(in: fragment, between: "xpointer(id(", and: "))") {
            self = .element(identifier)
        } else if let identifier = Self.propertiesObject(fragment) {
            self = .signedProperties(identifier)
        } else if fragment.contains("(") {
            self = .other(String(fragment))
        } else {
            self = .element(String(fragment))
        }
    }

    var identifier: String? {
        switch self {
        case .document, .other: nil
        case .element(let identifier), .children(let identifier), .signedProperties(let identifier): identifier
        }
    }

    /// The identifier in quotes, of either kind, between `opening` and `closing`, which are all the rest of `text`.
    ///
    /// Written without a regular expression, which would be parsed anew for each reference.
    static func identifier(in text: some StringProtocol, between opening: String, and closing: String) -> String? {
        guard text.hasPrefix(opening), text.hasSuffix(closing) else { return nil }
        let quoted = text.dropFirst(opening.count).dropLast(closing.count)
        guard let quote = quoted.first, quote == "'" || quote == "\"", quoted.last == quote else { return nil }
        let identifier = quoted.dropFirst().dropLast()
        return identifier.isEmpty || identifier.contains(quote) ? nil : String(identifier)
    }

    /// `xmlns(P=XAdES) xpointer(id('…')/child::P:QualifyingProperties/child::P:SignedProperties)`, blanks and `#` as
    /// percent encodings or not.
    private static func propertiesObject(_ fragment: Substring) -> String? {
        guard fragment.hasPrefix("xmlns(") else { return nil }
        let plain = fragment.replacing("%20", with: " ").replacing("%23", with: "#")
        let form =
            /xmlns\((\w+)=([^)]+)\) ?xpointer\(id\('([^']+)'\)\/child::(\w+):QualifyingProperties\/child::(\w+):SignedProperties\)/
        guard let match = plain.wholeMatch(of: form), match.1 == match.4, match.1 == match.5,
            Namespace.anyXAdES.contains(String(match.2))
        else { return nil }
        return String(match.3)
    }
}
