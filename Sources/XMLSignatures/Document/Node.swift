import CXmlSec

/// The namespaces that signatures live in.
enum Namespace {
    static let signature = "http://www.w3.org/2000/09/xmldsig#"
    static let signature11 = "http://www.w3.org/2009/xmldsig11#"
    static let xades = "http://uri.etsi.org/01903/v1.3.2#"
    static let xades141 = "http://uri.etsi.org/01903/v1.4.1#"
    static let exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"
    static let security =
        "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
    static let filter2 = "http://www.w3.org/2002/06/xmldsig-filter2"
    /// Namespaces of which elements belong into a signature and are no content of a document: those above, keys in the
    /// form of RFC 4050 and RFC 9231, and evidence records (ETSI EN 319 132-3, RFC 6283).
    static let ofSignatures: Set<String> = anyXAdES.union([
        signature, signature11, exclusive, filter2, "http://www.w3.org/2001/04/xmldsig-more#",
        "http://www.w3.org/2007/05/xmldsig-more#", "http://www.w3.org/2021/04/xmldsig-more#",
        "http://uri.etsi.org/19132/v1.1.1#", "urn:ietf:params:xml:ns:ers",
    ])
    static let schema = "http://www.w3.org/2001/XMLSchema"
    static let schemaInstance = "http://www.w3.org/2001/XMLSchema-instance"
    static let xml = "http://www.w3.org/XML/1998/namespace"
    /// XAdES of any version: the properties that are read here are the same in all.
    static let anyXAdES: Set<String> = [
        xades, xades141, "http://uri.etsi.org/01903/v1.1.1#", "http://uri.etsi.org/01903/v1.2.2#",
    ]
}

/// A node of a ``ParsedDocument``, which must live as long as the node is used.
typealias Node = UnsafeMutablePointer<xmlNode>

extension Node {
    var isElement: Bool { pointee.type == XML_ELEMENT_NODE }

    var localName: String { pointee.name.map { String(decodingCString: $0, as: UTF8.self) } ?? "" }

    /// The namespace name of an element; empty when it has none.
    var namespace: String {
        pointee.ns?.pointee.href.map { String(decodingCString: $0, as: UTF8.self) } ?? ""
    }

    func isElement(_ name: String, in namespace: String = Namespace.signature) -> Bool {
        guard isElement, xmlStrEqual(pointee.name, name) == 1, let href = pointee.ns?.pointee.href else { return false }
        return xmlStrEqual(href, namespace) == 1
    }

    func isXAdES(_ name: String) -> Bool {
        isElement && xmlStrEqual(pointee.name, name) == 1 && Namespace.anyXAdES.contains(namespace)
    }

    var line: Int { max(0, xmlGetLineNo(self)) }

    var children: NodeSiblings { NodeSiblings(first: pointee.children) }

    var elements: [Node] { children.filter(\.isElement) }

    /// The child elements of that name, of the signature namespace.
    func elements(_ name: String) -> [Node] { children.filter { $0.isElement(name) } }

    func xadesElements(_ name: String) -> [Node] { children.filter { $0.isXAdES(name) } }

    /// Returns the one element that `path` leads to over XAdES elements; nil if there is none or more than one at a
    /// step.
    func onlyXAdES(_ path: String...) -> Node? {
        var node = self
        for name in path {
            let found = node.xadesElements(name)
            guard found.count == 1 else { return nil }
            node = found[0]
        }
        return node
    }

    /// The attributes with their values.
    var attributes: [(name: String, namespace: String, value: String)] {
        var found: [(String, String, String)] = []
        var next = isElement ? pointee.properties : nil
        while let attribute = next {
            next = attribute.pointee.next
            let name = attribute.pointee.name.map { String(decodingCString: $0, as: UTF8.self) } ?? ""
            let space = attribute.pointee.ns?.pointee.href.map { String(decodingCString: $0, as: UTF8.self) } ?? ""
            var value = ""
            if let text = xmlNodeListGetString(pointee.doc, attribute.pointee.children, 1) {
                value = String(decodingCString: text, as: UTF8.self)
                cxmlsec_free(text)
            }
            found.append((name, space, value))
        }
        return found
    }

    /// The value of an attribute without a namespace.
    func attribute(_ name: String) -> String? {
        guard isElement, let text = xmlGetNoNsProp(self, name) else { return nil }
        defer { cxmlsec_free(text) }
        return String(decodingCString: text, as: UTF8.self)
    }

    /// The text of an element that has nothing but text; nil when there is an element, comment or instruction in it.
    var onlyText: String? {
        guard children.allSatisfy({ $0.isText }) else { return nil }
        guard let text = xmlNodeGetContent(self) else { return nil }
        defer { cxmlsec_free(text) }
        return String(decodingCString: text, as: UTF8.self)
    }

    var isText: Bool { pointee.type == XML_TEXT_NODE || pointee.type == XML_CDATA_SECTION_NODE }

    /// True if it is text of white space only.
    var isBlank: Bool { xmlIsBlankNode(self) == 1 }

    var isInstruction: Bool { pointee.type == XML_PI_NODE }

    var isComment: Bool { pointee.type == XML_COMMENT_NODE }

    /// True if it is text, and not of white space only.
    var isWrittenText: Bool { isText && !isBlank }

    /// The nearest sibling in one direction that is no comment.
    func nearestButComments(_ direction: (Node) -> Node?) -> Node? {
        var node = direction(self)
        while let present = node, present.isComment { node = direction(present) }
        return node
    }

    /// Returns true if it is `ancestor` or stands within.
    func isWithin(_ ancestor: Node) -> Bool {
        var node: Node? = self
        while let present = node {
            if present == ancestor { return true }
            node = present.pointee.parent
        }
        return false
    }

    /// The next node in document order within `top`, itself included; `skippingChildren` passes over those of this.
    func next(within top: Node, skippingChildren: Bool = false) -> Node? {
        if !skippingChildren, isElement, let child = pointee.children { return child }
        var node = self
        while node != top {
            if let sibling = node.pointee.next { return sibling }
            guard let parent = node.pointee.parent else { return nil }
            node = parent
        }
        return nil
    }
}

struct NodeSiblings: Sequence, IteratorProtocol {
    private var upcoming: Node?

    init(first: Node?) { upcoming = first }

    mutating func next() -> Node? {
        defer { upcoming = upcoming?.pointee.next }
        return upcoming
    }
}

extension ParsedDocument {
    /// True if the document is a signature, or a bare element around signatures, as some programs write them: its
    /// content is within the signatures.
    var holdsSignaturesOnly: Bool {
        if root.isElement("Signature") { return true }
        let hasSignature = root.children.contains { $0.isElement("Signature") }
        return hasSignature && root.attributes.allSatisfy { $0.namespace == Namespace.schemaInstance }
            && root.children.allSatisfy { $0.isElement("Signature") || $0.isText && $0.isBlank || $0.isComment }
    }

    /// Returns true if `signature` is the document, or stands in the bare element around signatures.
    func isContent(_ signature: Node) -> Bool {
        holdsSignaturesOnly && (signature == root || signature.pointee.parent == root)
    }

    /// All signatures, in document order.
    func signatures() throws(XMLSignatureError) -> [Node] {
        var found: [Node] = []
        var next: Node? = root
        while let node = next {
            next = node.next(within: root)
            guard node.isElement("Signature") else { continue }
            found.append(node)
            guard found.count <= XMLSignatureLimits.signatures else {
                throw XMLSignatureError(
                    .limit, line: node.line, "the document has more than \(XMLSignatureLimits.signatures) signatures")
            }
        }
        return found
    }

    /// The elements that claim each of `identifiers`, by an attribute Id, ID, id or xml:id, or wsu:Id.
    ///
    /// Any spelling and namespace of "id" counts here, so that no reader can take another element for the one that was
    /// signed; ``IdentifiedElement/isKnown`` tells those that are followed.
    func elements(identifiedBy identifiers: Set<String>) -> [String: [IdentifiedElement]] {
        var found: [String: [IdentifiedElement]] = [:]
        guard !identifiers.isEmpty else { return found }
        var next: Node? = root
        while let node = next {
            next = node.next(within: root)
            guard node.isElement, node.pointee.properties != nil else { continue }
            for (name, namespace, value) in node.attributes where name.lowercased() == "id" {
                // xml:id is normalised by programs that know it, and must not be by others (xml:id §4).
                let value = namespace == Namespace.xml ? value.trimmed : value
                guard identifiers.contains(value), found[value]?.last?.node != node else { continue }
                let isKnown =
                    namespace.isEmpty && ["Id", "ID", "id"].contains(name)
                    || namespace == Namespace.xml && name == "id" || namespace == Namespace.security && name == "Id"
                found[value, default: []].append(IdentifiedElement(node: node, isKnown: isKnown))
            }
        }
        return found
    }
}

struct IdentifiedElement {
    let node: Node
    let isKnown: Bool
}

extension String {
    /// Without XML white space around.
    var trimmed: String {
        let isSpace = { (character: UInt8) in [0x20, 0x09, 0x0A, 0x0D].contains(character) }
        let octets = utf8.drop(while: isSpace)
        let end = octets.lastIndex { !isSpace($0) }.map(octets.index(after:)) ?? octets.startIndex
        return String(decoding: octets[..<end], as: UTF8.self)
    }
}
