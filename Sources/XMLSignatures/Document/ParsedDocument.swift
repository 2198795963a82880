import CXmlSec
import DocumentKinds
import Octets

/// A document as a tree of libxml2, read with the hardening that hostile XML needs: no network, no document type, no
/// entities but the five predefined, bounded size, depth and number of nodes.
///
/// The tree is never changed after it was made.
final class ParsedDocument {
    let raw: xmlDocPtr
    let root: xmlNodePtr
    /// The number of nodes, as ``XMLSignatureLimits/nodes`` counts them.
    let nodes: Int
    /// The number of namespace declarations that one canonicalisation visits.
    let namespaceWork: Int
    /// The number of ancestors and declarations that it visits to resolve one prefix, for each element anew.
    let searchWork: Int

    init(_ octets: OctetString) throws(XMLSignatureError) {
        try SecurityLibrary.makeReady()
        guard octets.count <= XMLSignatureLimits.octets else {
            throw XMLSignatureError(
                .limit,
                "the document has \(octets.count) octets; XML is signed and verified up to "
                    + "\(XMLSignatureLimits.octets)")
        }
        guard octets.count > 0 else { throw XMLSignatureError(.malformed, line: 1, "the document is empty") }
        do throws(XMLTextFault) { try XMLCharacters.check(octets) } catch {
            throw XMLSignatureError(
                error.kind == .malformed ? .malformed : .unsupported, line: error.line, error.reason)
        }
        let watch = ParseWatch()
        let made = octets.withUnsafeBytes { buffer in LibraryWords.collecting { watch.parse(buffer, $0) } }
        if let failure = watch.failure {
            xmlFreeDoc(made)
            throw failure
        }
        guard let made else { throw XMLSignatureError(.failed, "no memory for an XML parser") }
        guard let root = xmlDocGetRootElement(made) else {
            xmlFreeDoc(made)
            throw XMLSignatureError(.malformed, line: 1, "the document has no root element")
        }
        raw = made
        self.root = root
        nodes = watch.nodes
        namespaceWork = watch.namespaceWork
        searchWork = watch.searchWork
    }

    deinit { xmlFreeDoc(raw) }

    /// The finding about ``commentWithinText``.
    var commentFinding: XMLFinding? {
        commentWithinText.map { comment in
            XMLFinding(
                .indeterminate, isOlderThanSignature: true,
                "line \(comment.line): a comment, which no signature covers, stands within or before a text; some "
                    + "readers take it, or what stands before it, for the whole text")
        }
    }

    /// The first comment within a text or before the text of an element; nil if there is none.
    ///
    /// Canonical XML leaves comments out, so one can be put in after signing. Many programs read the text of an element
    /// only up to it, or take the first node of an element for its text.
    private(set) lazy var commentWithinText: Node? = {
        var next: Node? = root
        while let node = next {
            next = node.next(within: root)
            guard node.isComment, node.nearestButComments(\.pointee.next)?.isWrittenText == true else { continue }
            let before = node.nearestButComments(\.pointee.prev)
            let isFirst = before == nil || before?.isText == true && before?.pointee.prev == nil
            if isFirst || before?.isWrittenText == true { return node }
        }
        return nil
    }()
}

/// One run of libxml2's parser: builds its tree and counts what goes into it.
private final class ParseWatch {
    private(set) var failure: XMLSignatureError?
    private(set) var nodes = 0
    private(set) var namespaceWork = 0
    private(set) var searchWork = 0
    private var isInText = false
    /// The number of namespace declarations of each open element.
    private var declarations: [Int] = []
    private var declared = 0
    private var rest = UnsafeRawBufferPointer(start: nil, count: 0)

    func parse(_ octets: UnsafeRawBufferPointer, _ words: LibraryWords) -> xmlDocPtr? {
        guard let context = xmlNewParserCtxt() else { return nil }
        defer { xmlFreeParserCtxt(context) }
        context.pointee._private = Unmanaged.passUnretained(self).toOpaque()
        install(in: context.pointee.sax)
        rest = octets
        let read: xmlInputReadCallback = { raw, target, count in
            guard let raw, let target, count > 0 else { return 0 }
            let watch = Unmanaged<ParseWatch>.fromOpaque(raw).takeUnretainedValue()
            return Int32(watch.read(into: UnsafeMutableRawBufferPointer(start: target, count: Int(count))))
        }
        let options = XML_PARSE_NONET.rawValue | XML_PARSE_BIG_LINES.rawValue | XML_PARSE_COMPACT.rawValue
        let document = xmlCtxtReadIO(
            context, read, nil, Unmanaged.passUnretained(self).toOpaque(), nil, nil, Int32(options))
        if document == nil || context.pointee.wellFormed == 0 {
            let reason = words.text.isEmpty ? "the document is not well-formed" : words.text
            fail(.malformed, context, reason)
        } else if !hasReadAll(context) {
            fail(.malformed, context, "the XML parser stopped before the end of the document")
        }
        return document
    }

    /// Returns true if the parser looked at every octet. Octets that it leaves are neither signed nor seen.
    private func hasReadAll(_ context: xmlParserCtxtPtr) -> Bool {
        guard rest.isEmpty, let input = context.pointee.input else { return false }
        if let buffer = input.pointee.buf, let raw = buffer.pointee.raw, xmlBufUse(raw) > 0 { return false }
        return input.pointee.cur == input.pointee.end
    }

    private func read(into target: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(rest.count, target.count)
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest.prefix(count)))
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
        return count
    }

    private func install(in handler: UnsafeMutablePointer<xmlSAXHandler>) {
        handler.pointee.startElementNs = { raw, name, prefix, uri, namespaces, all, count, defaulted, attributes in
            let (watch, context) = ParseWatch.from(raw)
            guard watch.start(context, namespaces: Int(namespaces), attributes: Int(count)) else { return }
            xmlSAX2StartElementNs(raw, name, prefix, uri, namespaces, all, count, defaulted, attributes)
        }
        handler.pointee.endElementNs = { raw, name, prefix, uri in
            ParseWatch.from(raw).watch.end()
            xmlSAX2EndElementNs(raw, name, prefix, uri)
        }
        handler.pointee.characters = { raw, octets, count in
            let (watch, context) = ParseWatch.from(raw)
            guard watch.text(context) else { return }
            xmlSAX2Characters(raw, octets, count)
        }
        handler.pointee.ignorableWhitespace = handler.pointee.characters
        handler.pointee.cdataBlock = { raw, octets, count in
            let (watch, context) = ParseWatch.from(raw)
            guard watch.add(1, context) else { return }
            xmlSAX2CDataBlock(raw, octets, count)
        }
        handler.pointee.comment = { raw, octets in
            let (watch, context) = ParseWatch.from(raw)
            guard watch.add(1, context) else { return }
            xmlSAX2Comment(raw, octets)
        }
        handler.pointee.processingInstruction = { raw, target, data in
            let (watch, context) = ParseWatch.from(raw)
            guard watch.add(1, context) else { return }
            xmlSAX2ProcessingInstruction(raw, target, data)
        }
        handler.pointee.internalSubset = { raw, _, _, _ in
            let (watch, context) = ParseWatch.from(raw)
            watch.fail(.documentType, context, "a document type declaration is not allowed here")
        }
        handler.pointee.serror = { raw, error in
            guard let error else { return }
            let (watch, context) = ParseWatch.from(raw)
            watch.note(UnsafePointer(error), context)
        }
        handler.pointee.initialized = UInt32(XML_SAX2_MAGIC)
    }

    private static func from(_ raw: UnsafeMutableRawPointer?) -> (watch: ParseWatch, context: xmlParserCtxtPtr) {
        guard let context = raw?.assumingMemoryBound(to: xmlParserCtxt.self),
            let own = context.pointee._private
        else { preconditionFailure("libxml2 calls with the context that was given to it") }
        return (Unmanaged<ParseWatch>.fromOpaque(own).takeUnretainedValue(), context)
    }

    private func fail(_ kind: XMLSignatureError.Kind, _ context: xmlParserCtxtPtr, line: Int? = nil, _ reason: String) {
        guard failure == nil else { return }
        let present = context.pointee.input.map { Int($0.pointee.line) } ?? 0
        failure = XMLSignatureError(kind, line: max(1, line ?? present), reason)
        xmlStopParser(context)
    }

    private func note(_ error: UnsafePointer<xmlError>, _ context: xmlParserCtxtPtr) {
        let level = error.pointee.level
        // A namespace name that is no valid URI is still a name (Namespaces in XML 1.0 §2.2 says "should").
        guard level == XML_ERR_ERROR || level == XML_ERR_FATAL, error.pointee.code != Int32(XML_WAR_NS_URI.rawValue)
        else { return }
        let words = error.pointee.message.map { String(cString: $0) } ?? "libxml2 error \(error.pointee.code)"
        fail(.malformed, context, line: Int(error.pointee.line), words)
    }

    private func add(_ count: Int, _ context: xmlParserCtxtPtr) -> Bool {
        isInText = false
        nodes += count
        guard failure == nil, nodes <= XMLSignatureLimits.nodes else {
            fail(
                .limit, context,
                "the document has more than \(XMLSignatureLimits.nodes) nodes; that much structure "
                    + "is not signed or verified here")
            return false
        }
        return true
    }

    /// Text comes in pieces that become one node.
    private func text(_ context: xmlParserCtxtPtr) -> Bool {
        if isInText { return failure == nil }
        guard add(1, context) else { return false }
        isInText = true
        return true
    }

    private func start(_ context: xmlParserCtxtPtr, namespaces: Int, attributes: Int) -> Bool {
        guard add(1 + namespaces + 2 * attributes, context) else { return false }
        declarations.append(namespaces)
        declared += namespaces
        guard declarations.count <= XMLSignatureLimits.depth else {
            fail(.limit, context, "elements are nested more than \(XMLSignatureLimits.depth) deep")
            return false
        }
        guard attributes <= XMLSignatureLimits.attributes, declared <= XMLSignatureLimits.attributes else {
            fail(
                .limit, context,
                "an element has more than \(XMLSignatureLimits.attributes) attributes or namespace declarations")
            return false
        }
        // For each declaration in force canonicalisation searches the ancestors for one that hides it.
        searchWork += declarations.count + declared
        namespaceWork += declared * (declarations.count + declared)
        guard namespaceWork <= XMLSignatureLimits.namespaceWork else {
            fail(.limit, context, "too many elements stand under too many namespace declarations")
            return false
        }
        return true
    }

    private func end() {
        isInText = false
        declared -= declarations.popLast() ?? 0
    }
}
