/// An element of a document that was read: a plain value, without a trace of the parser.
public struct XMLElement: Sendable, Hashable {
    /// The name without its prefix.
    public let localName: String
    /// nil when the element is in no namespace.
    public let namespaceURI: String?
    /// In document order; namespace declarations are not among them.
    public let attributes: [XMLAttribute]
    /// The line on which its start tag begins, counted from 1.
    public let line: Int
    /// Child elements in document order.
    public internal(set) var children: [XMLElement] = []
    /// Its own character data, pieces between children joined, as written.
    public internal(set) var text: String = ""

    init(_ tag: XMLStartTag) {
        localName = tag.localName
        namespaceURI = tag.namespaceURI
        attributes = tag.attributes
        line = tag.line
    }

    /// ``text`` without white space at both ends.
    public var trimmedText: String { XMLSpace.trimmed(text) }

    /// The value of the attribute `name` in `namespace`; by default one without a prefix.
    public func attribute(_ name: String, namespace: String? = nil) -> String? {
        attributes.first { $0.name == name && $0.namespaceURI == namespace }?.value
    }

    /// The first child `name`; in any namespace when none is given.
    public func child(_ name: String, namespace: String? = nil) -> XMLElement? {
        children.first { $0.localName == name && (namespace == nil || $0.namespaceURI == namespace) }
    }

    /// The children `name` in document order; in any namespace when none is given.
    public func children(_ name: String, namespace: String? = nil) -> [XMLElement] {
        children.filter { $0.localName == name && (namespace == nil || $0.namespaceURI == namespace) }
    }
}

public struct XMLAttribute: Sendable, Hashable {
    /// The name without its prefix.
    public let name: String
    /// nil when the name has no prefix.
    public let namespaceURI: String?
    public let value: String

    public init(name: String, namespaceURI: String? = nil, value: String) {
        self.name = name
        self.namespaceURI = namespaceURI
        self.value = value
    }
}

/// A start tag as ``XMLStream`` tells it.
public struct XMLStartTag: Sendable, Hashable {
    public let localName: String
    public let namespaceURI: String?
    public let attributes: [XMLAttribute]
    /// The line on which the tag begins, counted from 1.
    public let line: Int

    /// The value of the attribute `name` in `namespace`; by default one without a prefix.
    public func attribute(_ name: String, namespace: String? = nil) -> String? {
        attributes.first { $0.name == name && $0.namespaceURI == namespace }?.value
    }
}

/// White space as XML has it: space, tab, CR, LF.
enum XMLSpace {
    static func trimmed(_ text: String) -> String {
        let octets = text.utf8
        guard let first = octets.firstIndex(where: { !isSpace($0) }),
            let last = octets.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return String(text[first...last])
    }

    static func isSpace(_ octet: UInt8) -> Bool { octet == 0x20 || octet == 0x0A || octet == 0x0D || octet == 0x09 }
}
