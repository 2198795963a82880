public import Octets

/// Reads whole documents into values.
public enum XMLTree {
    /// Reads a document.
    ///
    /// Hardened (libxml2, no network): a document type declaration, a reference to an entity that is not predefined,
    /// a duplicate attribute, a second root, text after the root, truncation and an undeclared prefix are errors.
    /// - Returns: The root element.
    /// - Throws: ``XMLReadingError`` with the line, if the octets are not well-formed XML, have a DTD, or exceed a
    ///   limit.
    public static func parse(
        _ octets: OctetString, limits: XMLLimits = .tree
    ) throws(XMLReadingError) -> XMLElement {
        try octets.withUnsafeBytes { buffer throws(XMLReadingError) in try parse(buffer, limits: limits) }
    }

    /// Reads a document that stands anywhere in memory, in the same way.
    /// - Throws: ``XMLReadingError`` with the line, if the octets are not well-formed XML, have a DTD, or exceed a
    ///   limit.
    public static func parse(
        _ octets: UnsafeRawBufferPointer, limits: XMLLimits = .tree
    ) throws(XMLReadingError) -> XMLElement {
        let stream = try XMLStream(TreeBuilder(), limits: limits)
        do throws(XMLStreamError<Never>) {
            try stream.feed(octets)
            try stream.finish()
        } catch {
            switch error {
            case .unreadable(let reason): throw reason
            }
        }
        guard let root = stream.handler.root else {
            throw XMLReadingError(.malformed, line: stream.line, reason: "the document has no root element")
        }
        return root
    }
}

/// Puts elements together; what is open stands on a stack of its own, so that depth costs no recursion.
private struct TreeBuilder: XMLStreamHandler {
    private var open: [(element: XMLElement, text: [UInt8])] = []
    private(set) var root: XMLElement?

    mutating func startElement(_ tag: XMLStartTag) { open.append((XMLElement(tag), [])) }

    mutating func text(_ octets: UnsafeRawBufferPointer) {
        guard !open.isEmpty else { return }
        open[open.count - 1].text.append(contentsOf: octets)
    }

    mutating func endElement(localName: String, namespaceURI: String?) {
        guard let closed = open.popLast() else { return }
        var element = closed.element
        element.text = String(decoding: closed.text, as: UTF8.self)
        if open.isEmpty { root = element } else { open[open.count - 1].element.children.append(element) }
    }
}
