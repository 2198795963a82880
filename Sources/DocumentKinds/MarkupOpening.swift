import InternetMessage

/// The byte order mark of UTF-8.
enum UTF8Mark {
    static let octets: [UInt8] = [0xEF, 0xBB, 0xBF]
}

/// The beginning of a text that may be XML or HTML, in UTF-8, UTF-16 or any charset that has ASCII in it.
struct MarkupOpening {
    /// Behind a byte order mark and white space.
    private let text: ArraySlice<UInt8>

    private static let blanks: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D]

    init(_ start: [UInt8]) { text = Self.narrowed(start).drop(while: Self.blanks.contains) }

    var isMarkup: Bool { text.first == UInt8(ascii: "<") }

    /// True for an XML declaration, or a document type or root element that does not belong to HTML.
    var isXML: Bool {
        if text.starts(with: "<?xml".utf8) { return true }
        guard let root = Self.rootName(text) else { return false }
        // HTML has one document type.
        return root.isDeclared ? root.name != "html" : !Self.htmlElements.contains(root.name)
    }

    var isDeclaredXML: Bool {
        guard text.starts(with: "<?xml".utf8), text.dropFirst(5).first.map(Self.blanks.contains) == true,
            let end = Self.firstIndex(of: "?>", in: text)
        else { return false }
        return Self.rootName(text[end...].dropFirst(2).drop(while: Self.blanks.contains))?.name != "html"
    }

    /// The name of the root element, or of the document type, behind comments; lower case.
    private static func rootName(_ text: ArraySlice<UInt8>) -> (name: String, isDeclared: Bool)? {
        var rest = text
        while rest.starts(with: "<!--".utf8), let end = firstIndex(of: "-->", in: rest) {
            rest = rest[end...].dropFirst(3).drop(while: blanks.contains)
        }
        let declaration = Array("<!DOCTYPE ".utf8)
        guard rest.first == UInt8(ascii: "<") else { return nil }
        let isDeclared = rest.starts(with: declaration)
        if isDeclared { rest = rest.dropFirst(declaration.count - 1) }
        let name = rest.dropFirst().prefix { octet in
            octet >= 0x80 || octet == UInt8(ascii: ":") || octet == UInt8(ascii: "_") || octet == UInt8(ascii: "-")
                || (0x30...0x39).contains(octet) || (0x61...0x7A).contains(octet.asciiLowercased)
        }
        guard let first = name.first, !(0x30...0x39).contains(first), first != UInt8(ascii: "-"),
            let after = rest.dropFirst(name.count + 1).first,
            blanks.contains(after) || [UInt8(ascii: ">"), UInt8(ascii: "/"), UInt8(ascii: "[")].contains(after)
        else { return nil }
        return (String(decoding: name.map(\.asciiLowercased), as: UTF8.self), isDeclared)
    }

    /// Elements with which HTML begins when it is not declared, whole or a fragment of a mail.
    private static let htmlElements: Set<String> = [
        "html", "head", "body", "p", "div", "span", "table", "a", "b", "i", "u", "font", "center", "pre", "br", "hr",
        "h1", "h2", "h3", "h4", "ul", "ol", "li", "img", "form", "title", "meta", "link", "style", "script", "base",
        "tr", "td", "blockquote", "strong", "em", "small", "section", "article", "main", "header", "footer", "nav",
    ]

    /// Octets of UTF-16 as ASCII where they are that; others without a byte order mark.
    private static func narrowed(_ start: [UInt8]) -> ArraySlice<UInt8> {
        if start.starts(with: UTF8Mark.octets) { return start.dropFirst(3) }
        switch (start.first, start.dropFirst().first) {
        case (0xFE, 0xFF): return everySecond(start.dropFirst(3))
        case (0xFF, 0xFE): return everySecond(start.dropFirst(2))
        case (0x00, 0x3C): return everySecond(start.dropFirst(1))
        case (0x3C, 0x00): return everySecond(start[...])
        default: return start[...]
        }
    }

    private static func everySecond(_ octets: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        stride(from: octets.startIndex, to: octets.endIndex, by: 2).map { octets[$0] }[...]
    }

    private static func firstIndex(of text: String, in octets: ArraySlice<UInt8>) -> Int? {
        octets.indices.first { octets[$0...].starts(with: text.utf8) }
    }
}
