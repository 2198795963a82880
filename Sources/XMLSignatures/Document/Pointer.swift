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
        } else if let match = fragment.wholeMatch(of: /xpointer\(id\((?:'([^']+)'|"([^"]+)")\)(\/node\(\))?\)/) {
            let identifier = String(match.1 ?? match.2 ?? "")
            self = match.3 == nil ? .element(identifier) : .children(identifier)
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

    /// `xmlns(P=XAdES) xpointer(id('…')/child::P:QualifyingProperties/child::P:SignedProperties)`, blanks and `#` as
    /// percent encodings or not.
    private static func propertiesObject(_ fragment: Substring) -> String? {
        let plain = fragment.replacing("%20", with: " ").replacing("%23", with: "#")
        let form =
            /xmlns\((\w+)=([^)]+)\) ?xpointer\(id\('([^']+)'\)\/child::(\w+):QualifyingProperties\/child::(\w+):SignedProperties\)/
        guard let match = plain.wholeMatch(of: form), match.1 == match.4, match.1 == match.5,
            Namespace.anyXAdES.contains(String(match.2))
        else { return nil }
        return String(match.3)
    }
}
