import CLibXML2
public import Octets

/// The text that a reader of an HTML body sees.
public enum HTMLText {
    /// The body text, white space run together, a line end wherever a block or a row begins or ends.
    ///
    /// Scripts, styles, the title and comments are left out. Never fails: it returns what could be read, at most up to
    /// the limits.
    /// - Parameters:
    ///   - charset: The charset of the octets as a MIME header names it. With nil, UTF-8 or an unknown name, UTF-8 is
    ///     tried first, and then the charset that the document itself declares.
    ///   - limit: The most octets that are looked at.
    public static func plainText(of html: OctetString, charset: String? = nil, limit: Int = 4 << 20) -> String {
        let part = html.slice(0..<min(html.count, max(0, limit)))
        guard let parser = HTMLTextParser(part, charset: charset) else { return "" }
        return parser.read(part)
    }
}

/// libxml2's HTML parser in push mode, without a tree.
private final class HTMLTextParser {
    private let context: htmlParserCtxtPtr
    private var text = RunTogetherText()
    private var depth = 0
    /// The number of open elements that hide their content.
    private var hidden = 0

    /// Closing tags cost as much as there are open elements, so there is a bound to them.
    private static let deepest = 512
    private static let piece = 16_384

    private static let hiding: Set<String> = ["script", "style", "title", "head"]
    private static let inline: Set<String> = [
        "a", "abbr", "acronym", "b", "basefont", "bdo", "big", "cite", "code", "del", "dfn", "em", "font", "i", "img",
        "ins", "kbd", "label", "mark", "q", "s", "samp", "script", "small", "span", "strike", "strong", "style", "sub",
        "sup", "tt", "u",
        "var", "wbr",
    ]

    private static let initialised: Void = xmlInitParser()

    init?(_ html: OctetString, charset: String?) {
        Self.initialised
        var handler = xmlSAXHandler()
        handler.startElement = { raw, name, _ in HTMLTextParser.from(raw)?.start(name) }
        handler.endElement = { raw, name in HTMLTextParser.from(raw)?.end(name) }
        handler.characters = { raw, octets, count in HTMLTextParser.from(raw)?.characters(octets, Int(count)) }
        handler.cdataBlock = handler.characters
        handler.ignorableWhitespace = handler.characters
        handler.serror = { _, _ in }
        handler.initialized = UInt32(XML_SAX2_MAGIC)
        guard let context = htmlCreatePushParserCtxt(&handler, nil, nil, 0, nil, XML_CHAR_ENCODING_NONE) else {
            return nil
        }
        self.context = context
        context.pointee.userData = Unmanaged.passUnretained(self).toOpaque()
        var options = HTML_PARSE_NONET.rawValue | HTML_PARSE_RECOVER.rawValue
        if let name = Self.encoding(of: html, charset: charset), let encoding = xmlFindCharEncodingHandler(name) {
            options |= HTML_PARSE_IGNORE_ENC.rawValue
            htmlCtxtUseOptions(context, Int32(options))
            xmlSwitchToEncoding(context, encoding)
        } else {
            htmlCtxtUseOptions(context, Int32(options))
        }
    }

    deinit { htmlFreeParserCtxt(context) }

    private static func encoding(of html: OctetString, charset: String?) -> String? {
        let name = charset?.lowercased() ?? "utf-8"
        if name != "utf-8", name != "us-ascii", !name.utf8.contains(0), let handler = xmlFindCharEncodingHandler(name) {
            xmlCharEncCloseFunc(handler)
            return name
        }
        let isUTF8 = html.withUnsafeBytes { String(validating: $0, as: UTF8.self) != nil }
        return isUTF8 ? "utf-8" : nil
    }

    func read(_ html: OctetString) -> String {
        let silent: xmlStructuredErrorFunc = { _, _ in }
        xmlSetStructuredErrorFunc(nil, silent)
        defer { xmlSetStructuredErrorFunc(nil, nil) }
        html.withUnsafeBytes { octets in
            var rest = octets[...]
            while !rest.isEmpty, depth <= Self.deepest {
                let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.piece))
                piece.withMemoryRebound(to: CChar.self) {
                    _ = htmlParseChunk(context, $0.baseAddress, Int32($0.count), 0)
                }
                rest = rest.dropFirst(Self.piece)
            }
            if depth <= Self.deepest { _ = htmlParseChunk(context, nil, 0, 1) }
        }
        return text.string
    }

    private static func from(_ raw: UnsafeMutableRawPointer?) -> HTMLTextParser? {
        raw.map { Unmanaged<HTMLTextParser>.fromOpaque($0).takeUnretainedValue() }
    }

    private func start(_ name: UnsafePointer<xmlChar>?) {
        guard let name else { return }
        let element = String(decodingCString: name, as: UTF8.self)
        depth += 1
        if depth > Self.deepest { xmlStopParser(context) }
        if Self.hiding.contains(element) { hidden += 1 }
        separate(element)
    }

    private func end(_ name: UnsafePointer<xmlChar>?) {
        guard let name else { return }
        let element = String(decodingCString: name, as: UTF8.self)
        depth -= 1
        if Self.hiding.contains(element) { hidden = max(0, hidden - 1) }
        separate(element)
    }

    private func separate(_ element: String) {
        if element == "td" || element == "th" {
            text.space()
        } else if !Self.inline.contains(element) {
            text.lineEnd()
        }
    }

    private func characters(_ octets: UnsafePointer<xmlChar>?, _ count: Int) {
        guard hidden == 0, let octets, count > 0 else { return }
        text.append(UnsafeBufferPointer(start: octets, count: count))
    }
}

/// Text in which any run of white space is one space, or one line end where one was asked for.
private struct RunTogetherText {
    private var octets: [UInt8] = []
    private var separator: UInt8?

    mutating func space() { if separator == nil { separator = UInt8(ascii: " ") } }

    mutating func lineEnd() { separator = UInt8(ascii: "\n") }

    mutating func append(_ more: UnsafeBufferPointer<UInt8>) {
        for octet in more {
            if XMLSpace.isSpace(octet) || octet == 0x0C {
                space()
                continue
            }
            if let separator, !octets.isEmpty { octets.append(separator) }
            separator = nil
            octets.append(octet)
        }
    }

    var string: String { String(decoding: octets, as: UTF8.self) }
}
