import CLibXML2
import Octets

/// The events of a parser, in document order. None comes after ``PushParser/stop(_:)``.
protocol XMLEvents: AnyObject {
    func startElement(_ tag: XMLStartTag)
    func endElement(localName: String, namespaceURI: String?)
    func text(_ octets: UnsafeRawBufferPointer)
}

/// libxml2's push parser, hardened: no network, no document type, no entities but the five predefined, bounded depth,
/// markup and size. No tree is made in C.
final class PushParser {
    /// Owned; never nil between `init` and `deinit`, but while it is being made.
    private let context: xmlParserCtxtPtr
    private let limits: XMLLimits
    private unowned let events: any XMLEvents
    private(set) var failure: XMLReadingError?
    private var fed = 0
    /// Octets that are not a whole piece yet.
    private var waiting: [UInt8] = []
    /// The first two octets, which tell UTF-16.
    private var opening: [UInt8] = []
    private var elements = 0
    private var hasFinished = false
    /// The number of namespace declarations of each open element.
    private var declarations: [Int] = []
    private var declared = 0
    private var isStopped = false

    /// One call into C takes just this many octets, until the last one. So the same document has the same findings
    /// however it arrives: of several faults libxml2 finds first what it is given first, and where it has to wait for
    /// more it may find another one.
    private static let piece = 32_768

    private static let initialised: Void = xmlInitParser()

    init(limits: XMLLimits, events: any XMLEvents) throws(XMLReadingError) {
        Self.initialised
        var handler = xmlSAXHandler()
        handler.initialized = UInt32(XML_SAX2_MAGIC)
        handler.startElementNs = { raw, name, _, uri, namespaceCount, _, attributeCount, _, attributes in
            PushParser.from(raw)?.start(
                name, uri, namespaces: Int(namespaceCount), attributeCount: Int(attributeCount), attributes)
        }
        handler.endElementNs = { raw, name, _, uri in PushParser.from(raw)?.end(name, uri) }
        handler.characters = { raw, octets, count in PushParser.from(raw)?.text(octets, Int(count)) }
        handler.cdataBlock = handler.characters
        handler.ignorableWhitespace = handler.characters
        handler.internalSubset = { raw, _, _, _ in PushParser.from(raw)?.refuseDocumentType() }
        handler.serror = { raw, error in
            guard let error, let parser = PushParser.from(raw) else { return }
            let words = error.pointee.message.map { String(cString: $0) } ?? ""
            parser.note(error.pointee.level, code: error.pointee.code, line: Int(error.pointee.line), words)
        }
        guard let context = xmlCreatePushParserCtxt(&handler, nil, nil, 0, nil) else {
            throw XMLReadingError(.resources, line: 0, reason: "no memory for an XML parser")
        }
        self.context = context
        self.limits = limits
        self.events = events
        context.pointee.userData = Unmanaged.passUnretained(self).toOpaque()
        let options = XML_PARSE_NONET.rawValue | XML_PARSE_BIG_LINES.rawValue
        guard xmlCtxtUseOptions(context, Int32(options)) == 0 else {
            throw XMLReadingError(.resources, line: 0, reason: "libxml2 does not know the options it is given")
        }
    }

    deinit { xmlFreeParserCtxt(context) }

    /// The line at which the parser stands, counted from 1.
    var line: Int { context.pointee.input.map { max(1, Int($0.pointee.line)) } ?? 0 }

    /// Reports no more events. Octets that are fed afterwards are ignored.
    func stop() { isStopped = true }

    func feed(_ octets: UnsafeRawBufferPointer) throws(XMLReadingError) {
        var rest = octets[...]
        while !rest.isEmpty, !isStopped {
            if let failure { throw failure }
            let count = min(rest.count, Self.piece - waiting.count)
            let next = UnsafeRawBufferPointer(rebasing: rest.prefix(count))
            rest = rest.dropFirst(count)
            if count == Self.piece {
                try parse(next)
            } else {
                waiting.append(contentsOf: next.octets(0..<count))
                if waiting.count == Self.piece { try parseWaiting() }
            }
        }
    }

    private func parseWaiting() throws(XMLReadingError) {
        let octets = waiting
        waiting.removeAll()
        let result = octets.withUnsafeBytes { octets -> Result<Void, XMLReadingError> in
            do throws(XMLReadingError) { return .success(try parse(octets)) } catch { return .failure(error) }
        }
        try result.get()
    }

    private func parse(_ octets: UnsafeRawBufferPointer) throws(XMLReadingError) {
        guard !octets.isEmpty else { return }
        fed += octets.count
        guard fed <= limits.octets else {
            throw fail(.limit, "the document has more than \(limits.octets) octets")
        }
        try refuseNUL(octets)
        octets.withMemoryRebound(to: CChar.self) { piece in
            quietly { _ = xmlParseChunk(context, piece.baseAddress, Int32(octets.count), 0) }
        }
        try check()
        guard unparsed <= limits.markup else {
            throw fail(.limit, "a tag, comment or instruction has more than \(limits.markup) octets")
        }
    }

    func finish() throws(XMLReadingError) {
        guard !isStopped, !hasFinished else { return }
        if let failure { throw failure }
        hasFinished = true
        try parseWaiting()
        guard !isStopped else { return }
        quietly { _ = xmlParseChunk(context, nil, 0, 1) }
        try check()
        guard elements > 0, declarations.isEmpty else { throw fail(.malformed, "the document is not complete") }
        guard unparsed == 0 else { throw fail(.malformed, "there is text behind the root element") }
    }

    /// A NUL is no character of XML (XML 1.0 §2.2), and libxml2 may take it for the end of the document.
    private func refuseNUL(_ piece: UnsafeRawBufferPointer) throws(XMLReadingError) {
        if opening.count < 2 { opening += piece.prefix(2 - opening.count) }
        let isWide = opening.contains { $0 == 0 || $0 == 0xFE || $0 == 0xFF }
        guard !isWide, piece.firstOffset(of: 0) != nil else { return }
        throw fail(.malformed, "U+0000 is no character of XML")
    }

    private func check() throws(XMLReadingError) {
        if let failure { throw failure }
        guard context.pointee.wellFormed != 0 else { throw fail(.malformed, "the document is not well-formed") }
    }

    /// Octets that the parser holds back until it has seen the end of what they belong to.
    private var unparsed: Int {
        guard let input = context.pointee.input, let cursor = input.pointee.cur, let end = input.pointee.end else {
            return 0
        }
        return max(0, end - cursor)
    }

    /// Octets in the parser's buffer, those behind it included.
    var held: Int {
        guard let input = context.pointee.input, let base = input.pointee.base, let end = input.pointee.end else {
            return 0
        }
        return max(0, end - base)
    }

    @discardableResult
    private func fail(_ kind: XMLReadingError.Kind, _ reason: String, line: Int? = nil) -> XMLReadingError {
        if let failure { return failure }
        let made = XMLReadingError(kind, line: line ?? self.line, reason: XMLReadingError.oneLine(reason))
        failure = made
        return made
    }

    /// Errors that libxml2 raises without a parser would be printed by it; for the time of a call they are not.
    private func quietly(_ body: () -> Void) {
        let silent: xmlStructuredErrorFunc = { _, _ in }
        xmlSetStructuredErrorFunc(nil, silent)
        body()
        xmlSetStructuredErrorFunc(nil, nil)
    }
}

// MARK: - Called from C

extension PushParser {
    private static func from(_ raw: UnsafeMutableRawPointer?) -> PushParser? {
        raw.map { Unmanaged<PushParser>.fromOpaque($0).takeUnretainedValue() }
    }

    private var isTelling: Bool { failure == nil && !isStopped }

    private func start(
        _ name: UnsafePointer<xmlChar>?, _ uri: UnsafePointer<xmlChar>?, namespaces: Int, attributeCount: Int,
        _ attributes: UnsafeMutablePointer<UnsafePointer<xmlChar>?>?
    ) {
        guard isTelling else { return }
        elements += 1
        if elements == 1, let encoding = refusedEncoding {
            fail(.malformed, "the encoding \(encoding) is not read here", line: 1)
            return
        }
        declarations.append(namespaces)
        declared += namespaces
        guard declarations.count <= limits.depth else {
            fail(.limit, "elements are nested more than \(limits.depth) deep")
            return
        }
        guard elements <= limits.elements else {
            fail(.limit, "the document has more than \(limits.elements) elements")
            return
        }
        guard attributeCount <= limits.attributes, declared <= limits.attributes else {
            fail(.limit, "an element has more than \(limits.attributes) attributes or namespace declarations")
            return
        }
        var read: [XMLAttribute] = []
        if let attributes {
            read.reserveCapacity(attributeCount)
            for index in 0..<attributeCount {
                let field = attributes + 5 * index
                read.append(
                    XMLAttribute(
                        name: Self.string(field[0]) ?? "", namespaceURI: Self.string(field[2]),
                        value: Self.value(from: field[3], to: field[4])))
            }
        }
        events.startElement(
            XMLStartTag(
                localName: Self.string(name) ?? "", namespaceURI: Self.string(uri), attributes: read,
                line: lineOfTag))
    }

    /// The declared encoding, unless it is one in which markup looks the same to everybody: in UTF-7, text that others
    /// take for harmless is markup.
    private var refusedEncoding: String? {
        guard let name = Self.string(context.pointee.encoding ?? context.pointee.input?.pointee.encoding) else {
            return nil
        }
        let lowered = name.lowercased()
        let known = ["utf-8", "utf8", "utf-16", "utf-16le", "utf-16be", "us-ascii", "ascii"]
        let families = ["iso-8859-", "windows-125", "cp125"]
        return known.contains(lowered) || families.contains { lowered.hasPrefix($0) } ? nil : name
    }

    private func end(_ name: UnsafePointer<xmlChar>?, _ uri: UnsafePointer<xmlChar>?) {
        guard isTelling else { return }
        declared -= declarations.popLast() ?? 0
        events.endElement(localName: Self.string(name) ?? "", namespaceURI: Self.string(uri))
    }

    private func text(_ octets: UnsafePointer<xmlChar>?, _ count: Int) {
        guard isTelling, let octets, count > 0 else { return }
        events.text(UnsafeRawBufferPointer(start: octets, count: count))
    }

    private func refuseDocumentType() {
        fail(.documentType, "a document type declaration is not allowed here")
        xmlStopParser(context)
    }

    private func note(_ level: xmlErrorLevel, code: Int32, line: Int, _ words: String) {
        // A namespace name that is no valid URI is still a name (Namespaces in XML 1.0 §2.2 says "should").
        guard level == XML_ERR_ERROR || level == XML_ERR_FATAL, code != Int32(XML_WAR_NS_URI.rawValue) else { return }
        fail(.malformed, words.isEmpty ? "libxml2 error \(code)" : words, line: line)
    }

    /// The line on which the tag begins; the parser stands behind its attributes, and `<` cannot occur in them.
    private var lineOfTag: Int {
        guard let input = context.pointee.input, let base = input.pointee.base, var cursor = input.pointee.cur else {
            return line
        }
        var lineFeeds = 0
        while cursor > base {
            cursor -= 1
            if cursor.pointee == UInt8(ascii: "<") { break }
            if cursor.pointee == UInt8(ascii: "\n") { lineFeeds += 1 }
        }
        return max(1, line - lineFeeds)
    }

    private static func string(_ text: UnsafePointer<xmlChar>?) -> String? {
        text.map { String(decodingCString: $0, as: UTF8.self) }
    }

    /// Without entity substitution libxml2 writes an ampersand in a value as `&#38;`, and no other reference is left.
    private static func value(from start: UnsafePointer<xmlChar>?, to end: UnsafePointer<xmlChar>?) -> String {
        guard let start, let end, end > start else { return "" }
        let octets = UnsafeBufferPointer(start: start, count: end - start)
        guard octets.contains(UInt8(ascii: "&")) else { return String(decoding: octets, as: UTF8.self) }
        let ampersand = Array("&#38;".utf8)
        var decoded: [UInt8] = []
        decoded.reserveCapacity(octets.count)
        var index = 0
        while index < octets.count {
            decoded.append(octets[index])
            let isReference = octets[index...].prefix(ampersand.count).elementsEqual(ampersand)
            index += isReference ? ampersand.count : 1
        }
        return String(decoding: decoded, as: UTF8.self)
    }
}
