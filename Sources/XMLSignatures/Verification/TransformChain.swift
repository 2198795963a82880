import CXmlSec

/// The transforms of a referenced part before its digest is made. Only chains that leave no doubt about what is signed
/// are accepted: at most the two ways to leave out signatures, then at most one canonicalisation; or base64 alone.
struct TransformChain {
    /// enveloped-signature: without this signature.
    private(set) var isEnveloped = false
    /// Without any signature: the usual XPath filters.
    private(set) var leavesOutSignatures = false
    /// The content of the element with this identifier: an XPath filter of citizen cards, in place of a reference to
    /// it.
    private(set) var childrenOf: String?
    private(set) var canonicalisation: Canonicalisation?
    private(set) var isBase64 = false

    static let enveloped = Namespace.signature + "enveloped-signature"
    static let base64 = Namespace.signature + "base64"
    private static let xpath = "http://www.w3.org/TR/1999/REC-xpath-19991116"
    private static let choosing: Set<String> = [
        xpath, Namespace.filter2, "http://www.w3.org/TR/1999/REC-xslt-19991116",
    ]

    init() {}

    init(_ element: Node) throws(XMLFault) {
        let transforms = element.elements
        guard !transforms.isEmpty, transforms.count <= 3 else {
            throw XMLFault(.indeterminate, "a reference has \(transforms.count) transforms; up to 3 are followed")
        }
        for transform in transforms {
            guard transform.isElement("Transform") else {
                throw XMLFault(.invalid, "ds:Transforms holds \(transform.localName)")
            }
            try add(transform)
        }
    }

    private mutating func add(_ transform: Node) throws(XMLFault) {
        let uri = try SignatureShape.algorithm(of: transform)
        guard canonicalisation == nil, !isBase64 else {
            throw XMLFault(.indeterminate, "the transform \(uri) follows one that ends in octets")
        }
        if uri == Self.enveloped, !isEnveloped {
            isEnveloped = true
        } else if let left = Self.leftOut(by: uri, transform) {
            switch left {
            case .own: isEnveloped = true
            case .all: leavesOutSignatures = true
            }
        } else if let identifier = Self.chosenChildren(by: uri, transform), childrenOf == nil {
            childrenOf = identifier
        } else if Self.choosing.contains(uri) {
            throw XMLFault(.invalid, "the transform \(uri) chooses by an expression what is signed")
        } else if uri == Self.base64, !isEnveloped, !leavesOutSignatures {
            isBase64 = true
        } else if Canonicalisation(uri: uri) != nil {
            canonicalisation = try SignatureShape.canonicalisation(transform)
        } else {
            throw XMLFault(.indeterminate, "the transform \(uri) is not known here")
        }
    }

    private enum LeftOut { case own, all }

    /// Returns the signatures that a filter leaves out; nil for one that chooses in any other way.
    private static func leftOut(by uri: String, _ transform: Node) -> LeftOut? {
        let parts = transform.elements
        switch uri {
        case xpath:
            guard parts.count == 1, parts[0].isElement("XPath") else { return nil }
            return expression(of: parts[0]).flatMap { filters[$0] }
        case Namespace.filter2:
            // Several subtractions leave out what any of them does (XPath Filter 2.0 §3.4).
            guard !parts.isEmpty, parts.count <= 4 else { return nil }
            var all: LeftOut = .own
            for part in parts {
                guard part.isElement("XPath", in: Namespace.filter2), part.attribute("Filter") == "subtract",
                    let left = expression(of: part).flatMap({ subtractions[$0] })
                else { return nil }
                if left == .all { all = .all }
            }
            return all
        default: return nil
        }
    }

    /// The identifier in a filter that chooses `id('…')/node()`, the content of one element.
    private static func chosenChildren(by uri: String, _ transform: Node) -> String? {
        let parts = transform.elements
        guard uri == Namespace.filter2, parts.count == 1, parts[0].isElement("XPath", in: Namespace.filter2),
            parts[0].attribute("Filter") == "intersect", let text = parts[0].onlyText?.trimmed
        else { return nil }
        return Pointer.identifier(in: text, between: "id(", and: ")/node()")
    }

    /// The expressions of XPath filters that leave out signatures and nothing else, as ``expression(of:)`` writes them.
    ///
    /// The second is by XML Signature 1.1 §6.6.4 the same as the enveloped-signature transform.
    private static let filters: [String: LeftOut] = [
        "not(ancestor-or-self::ds:Signature)": .all,
        "count(ancestor-or-self::ds:Signature|here()/ancestor::ds:Signature[1])>count(ancestor-or-self::ds:Signature)":
            .own,
    ]

    /// The same of what XPath Filter 2.0 (RFC 3653) subtracts; its expressions begin at the root of the document.
    private static let subtractions: [String: LeftOut] = [
        "/descendant::ds:Signature": .all, "descendant::ds:Signature": .all, "//ds:Signature": .all,
        ".//ds:Signature": .all, "/descendant-or-self::ds:Signature": .all,
        "descendant-or-self::ds:Signature": .all,
        "here()/ancestor::ds:Signature[1]": .own, "here()/ancestor-or-self::ds:Signature[1]": .own,
    ]

    /// An expression without white space, with the prefix `ds` for the namespace of signatures; nil when one of its
    /// prefixes means another.
    private static func expression(of element: Node) -> String? {
        guard let text = element.onlyText, text.utf8.count <= 1_024 else { return nil }
        let blanks: Set<Character> = [" ", "\t", "\n", "\r", "\r\n"]
        // No expression of those above has two words that white space separates.
        var written = text.filter { !blanks.contains($0) }
        for form in [
            "[local-name()='Signature'andnamespace-uri()='\(Namespace.signature)']",
            "[namespace-uri()='\(Namespace.signature)'andlocal-name()='Signature']",
        ] {
            written = written.replacing("\"", with: "'").replacing("*" + form, with: "\u{0}")
        }
        var isRight = true
        let plain = written.replacing(/([\p{L}_][\p{L}\p{N}._-]*):Signature/) { match in
            if !meansSignature(String(match.1), at: element) { isRight = false }
            return "ds:Signature"
        }
        return isRight ? plain.replacing("\u{0}", with: "ds:Signature") : nil
    }

    private static func meansSignature(_ prefix: String, at element: Node) -> Bool {
        guard let found = xmlSearchNs(element.pointee.doc, element, prefix), let href = found.pointee.href else {
            return false
        }
        return xmlStrEqual(href, Namespace.signature) == 1
    }
}
