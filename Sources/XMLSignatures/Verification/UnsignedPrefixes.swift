import CXmlSec

/// Finds prefixes within values, such as `xsi:type="a:Order"`, whose namespace a signature does not cover.
///
/// Exclusive canonicalisation writes a namespace only where the name of an element or attribute uses its prefix
/// (Exclusive XML Canonicalization §3). A prefix that stands in a value alone is written nowhere, so that its namespace
/// can be exchanged after signing, and with it what the value means.
///
/// There is no doubt if the prefix stands for one namespace in all names of the document that have it, because these
/// names are signed; nor if it stands for XML Schema, whose types everybody knows.
struct UnsignedPrefixes {
    private let top: Node
    private let excluded: Set<Node>
    /// The prefixes that are written wherever they are declared.
    private let inclusive: Set<String>
    /// All prefixes that the document declares; few.
    private let declared: Set<String>
    /// The namespaces for which names in what is signed have a prefix.
    private var used: [String: Set<String>] = [:]
    /// The namespaces that were written for the open elements, from the outermost inwards.
    private var open: [(element: Node, written: [String: String])] = []

    private init(in top: Node, excluding excluded: Set<Node>, inclusive: [String]) {
        self.top = top
        self.excluded = excluded
        self.inclusive = Set(inclusive.map { $0 == "#default" ? "" : $0 })
        var declared: Set<String> = []
        var outer = top.pointee.parent
        while let node = outer, node.isElement {
            declared.formUnion(node.declaredPrefixes)
            outer = node.pointee.parent
        }
        var next: Node? = top
        while let node = next {
            next = node.next(within: top)
            declared.formUnion(node.declaredPrefixes)
        }
        self.declared = declared
    }

    /// The finding about the first such prefix in what a reference selects of `document`; nil if there is none, or if
    /// all namespaces are written.
    static func finding(in reference: ResolvedReference, of document: ParsedDocument) -> XMLFinding? {
        let canonicalisation = reference.canonicalisation
        guard canonicalisation.form == .exclusive, !reference.reference.transforms.isBase64 else { return nil }
        var prefixes = UnsignedPrefixes(
            in: reference.target ?? document.root, excluding: reference.selection.excluded,
            inclusive: canonicalisation.inclusivePrefixes)
        return prefixes.first()
    }

    private mutating func first() -> XMLFinding? {
        guard !declared.isEmpty else { return nil }
        noteUses()
        var next: Node? = top
        while let node = next {
            let isExcluded = excluded.contains(node)
            next = node.next(within: top, skippingChildren: isExcluded)
            guard !isExcluded, node.isElement || node.isWrittenText else { continue }
            while let last = open.last, last.element != node.pointee.parent { open.removeLast() }
            if node.isElement { open.append((node, node.namespacesWritten(after: open.last?.written ?? [:]))) }
            if let prefix = unsignedPrefix(at: node) {
                let shown = prefix.isEmpty ? "the default namespace" : "the namespace of the prefix \(prefix)"
                return XMLFinding(
                    .indeterminate,
                    "line \(node.line): \(shown), which stands in a value, is not signed, so that the value can be "
                        + "given another meaning (Exclusive XML Canonicalization)")
            }
        }
        return nil
    }

    private mutating func noteUses() {
        var next: Node? = top
        while let node = next {
            let isExcluded = excluded.contains(node)
            next = node.next(within: top, skippingChildren: isExcluded)
            guard !isExcluded, node.isElement else { continue }
            for (prefix, namespace) in node.namespacesWritten(after: [:]) {
                used[prefix, default: []].insert(namespace)
            }
        }
    }

    private func unsignedPrefix(at node: Node) -> String? {
        guard let element = open.last?.element, let written = open.last?.written else { return nil }
        func isUnsigned(_ prefix: String) -> Bool {
            guard declared.contains(prefix), !inclusive.contains(prefix) else { return false }
            let namespace = element.namespace(ofPrefix: prefix)
            return namespace != written[prefix, default: ""] && used[prefix] != [namespace]
                && namespace != Namespace.schema
        }
        guard node.isElement else {
            guard let content = xmlNodeGetContent(node) else { return nil }
            defer { cxmlsec_free(content) }
            return Self.prefixes(in: String(decodingCString: content, as: UTF8.self)).first(where: isUnsigned)
        }
        for (name, namespace, value) in node.attributes {
            let isType = name == "type" && namespace == Namespace.schemaInstance && !value.contains(":")
            let prefixes = isType ? [""] : Self.prefixes(in: value)
            if let found = prefixes.first(where: isUnsigned) { return found }
        }
        return nil
    }

    /// The names before a colon that a name follows, as in `a:Order` or `child::a:Order`.
    private static func prefixes(in value: String) -> [String] {
        guard value.utf8.contains(0x3A) else { return [] }
        func isName(_ octet: UInt8) -> Bool {
            switch octet {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x80...0xFF: true
            default: false
            }
        }
        var found: [String] = []
        var word: [UInt8] = []
        var octets = value.utf8.makeIterator()
        var present = octets.next()
        while let octet = present {
            present = octets.next()
            if octet == 0x3A, !word.isEmpty, let next = present, isName(next) {
                found.append(String(decoding: word, as: UTF8.self))
            }
            if isName(octet) { word.append(octet) } else { word = [] }
        }
        return found
    }
}

extension Node {
    /// The prefixes that the element declares, the empty one for the default namespace.
    fileprivate var declaredPrefixes: [String] {
        var found: [String] = []
        var next = isElement ? pointee.nsDef : nil
        while let declaration = next {
            found.append(declaration.pointee.prefix.map { String(decodingCString: $0, as: UTF8.self) } ?? "")
            next = declaration.pointee.next
        }
        return found
    }

    /// `before` with the namespaces that the names of the element and its attributes use.
    fileprivate func namespacesWritten(after before: [String: String]) -> [String: String] {
        var written = before
        func use(_ space: UnsafeMutablePointer<xmlNs>?) {
            let prefix = space?.pointee.prefix.map { String(decodingCString: $0, as: UTF8.self) } ?? ""
            written[prefix] = space?.pointee.href.map { String(decodingCString: $0, as: UTF8.self) } ?? ""
        }
        use(pointee.ns)
        var next = pointee.properties
        while let attribute = next {
            if attribute.pointee.ns != nil { use(attribute.pointee.ns) }
            next = attribute.pointee.next
        }
        return written
    }

    /// The namespace that a prefix stands for at the element; empty if for none.
    fileprivate func namespace(ofPrefix prefix: String) -> String {
        let found = prefix.isEmpty ? xmlSearchNs(pointee.doc, self, nil) : xmlSearchNs(pointee.doc, self, prefix)
        return found?.pointee.href.map { String(decodingCString: $0, as: UTF8.self) } ?? ""
    }
}
