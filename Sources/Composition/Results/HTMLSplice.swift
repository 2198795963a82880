import InternetMessage
import Octets

/// Finds a place in an HTML body where a fragment of ours is shown whole, whatever the rest does, or finds that there
/// is none.
///
/// Only plain, well-formed mail HTML is accepted: known elements, whole tags, no style sheets or scripts, nothing that
/// could hide, cover or swallow the fragment. Otherwise the fragment gets a body part of its own.
struct HTMLSplice {
    enum Place { case top, bottom }

    private let octets: [UInt8]
    private var index = 0
    private var open: [String] = []
    private var hasHTML = false
    private var hasHead = false
    private var hasContent = false
    /// After the body's start tag.
    private var bodyStart: Int?
    /// Before the body's end tag.
    private var bodyEnd: Int?
    /// After the document type.
    private var contentStart = 0

    private init(_ octets: [UInt8]) { self.octets = octets }

    /// `octets` with `fragment` in its place; nil when no place is safe.
    /// - Parameter octets: In a charset in which US-ASCII stands for itself.
    static func splice(_ fragment: [UInt8], into octets: [UInt8], at place: Place) -> [UInt8]? {
        var splice = HTMLSplice(octets)
        guard splice.read(), let offset = splice.offset(place) else { return nil }
        return octets[..<offset] + fragment + octets[offset...]
    }

    private func offset(_ place: Place) -> Int? {
        if let bodyStart {
            switch place {
            case .top: return bodyStart
            case .bottom: return bodyEnd
            }
        }
        guard !hasHTML, !hasHead else { return nil }
        switch place {
        case .top: return contentStart
        case .bottom: return open.isEmpty ? octets.count : nil
        }
    }

    private var current: UInt8 { index < octets.count ? octets[index] : 0 }

    /// - Returns: false at the first thing that is not plain.
    private mutating func read() -> Bool {
        while index < octets.count {
            switch current {
            case 0: return false
            case UInt8(ascii: "<"):
                index += 1
                guard readMarkup() else { return false }
            default:
                if current > 0x20 {
                    // Text before the body would open it without a tag.
                    if bodyStart == nil && (hasHTML || hasHead) { return false }
                    if bodyEnd != nil { return false }
                    hasContent = true
                }
                index += 1
            }
        }
        return true
    }

    private mutating func readMarkup() -> Bool {
        switch current {
        case UInt8(ascii: "!"): return readDeclaration()
        case UInt8(ascii: "/"):
            index += 1
            return readEndTag()
        case _ where current.isLetter: return readStartTag()
        default: return false
        }
    }

    private mutating func readDeclaration() -> Bool {
        let rest = octets[index...]
        if rest.starts(with: "!--".utf8) {
            // A comment that other readers could end elsewhere, or that an old one reads, is not plain.
            let content = index + 3
            guard let end = find("-->", from: content) else { return false }
            let text = octets[content..<end]
            guard !text.starts(with: ">".utf8), !text.starts(with: "->".utf8), !text.contains(UInt8(ascii: "[")),
                text.firstRange(of: Array("--".utf8)) == nil, text.last != UInt8(ascii: "-"),
                text.firstRange(of: Array("<!".utf8)) == nil
            else { return false }
            index = end + 3
            return true
        }
        guard !hasHTML, !hasContent, contentStart == 0,
            String(decoding: rest.prefix(8), as: UTF8.self).equalsIgnoringASCIICase("!doctype"),
            let end = rest.firstIndex(of: UInt8(ascii: ">")), !rest[..<end].contains(UInt8(ascii: "["))
        else { return false }
        index = end + 1
        contentStart = index
        return true
    }

    private mutating func readEndTag() -> Bool {
        let name = readName()
        skipBlanks()
        guard current == UInt8(ascii: ">"), Self.elements.contains(name), !Self.voids.contains(name) else {
            return false
        }
        if name == "body" {
            // Only with nothing else open is the end of the body also the end of what it shows.
            bodyEnd = open == (hasHTML ? ["html", "body"] : ["body"]) ? index - "</body".utf8.count : nil
            guard bodyStart != nil else { return false }
        }
        index += 1
        if let last = open.lastIndex(of: name) { open.removeSubrange(last...) } else if name != "p" { return false }
        return true
    }

    private mutating func readStartTag() -> Bool {
        let name = readName()
        guard Self.elements.contains(name) else { return false }
        switch name {
        case "html":
            guard !hasHTML, !hasHead, !hasContent, bodyStart == nil else { return false }
            hasHTML = true
        case "head":
            guard !hasHead, !hasContent, bodyStart == nil else { return false }
            hasHead = true
        case "body": guard bodyStart == nil, !hasContent, !open.contains("head") else { return false }
        case "meta", "title": guard open.last == "head" else { return false }
        default:
            guard bodyEnd == nil, bodyStart != nil || (!hasHTML && !hasHead) else { return false }
            hasContent = true
        }
        guard readAttributes(of: name) else { return false }
        if name == "body" { bodyStart = index }
        if name == "title" { return skipTitle() }
        if !Self.voids.contains(name) { open.append(name) }
        return open.count < 500
    }

    /// A title is text until its end tag, whatever stands in it.
    private mutating func skipTitle() -> Bool {
        guard let end = find("</title>", from: index), !octets[index..<end].contains(UInt8(ascii: "<")) else {
            return false
        }
        index = end + "</title>".utf8.count
        return true
    }

    // MARK: - Attributes

    /// Up to and over the `>` of the start tag.
    private mutating func readAttributes(of element: String) -> Bool {
        while true {
            let before = index
            skipBlanks()
            if current == UInt8(ascii: "/") && index + 1 < octets.count && octets[index + 1] == UInt8(ascii: ">") {
                index += 1
            }
            if current == UInt8(ascii: ">") {
                index += 1
                return true
            }
            guard index > before, current.isLetter else { return false }
            let name = readName()
            var value = ""
            skipBlanks()
            if current == UInt8(ascii: "=") {
                index += 1
                skipBlanks()
                guard let taken = readValue() else { return false }
                value = taken.asciiLowercased
            } else if index > before, octets[index - 1] <= 0x20 {
                index -= 1
            }
            guard Self.isHarmless(name, value, of: element) else { return false }
        }
    }

    private mutating func readValue() -> String? {
        let start: Int
        let end: Int
        if current == 0x22 || current == 0x27 {
            let quote = current
            start = index + 1
            guard let found = octets[start...].firstIndex(of: quote) else { return nil }
            end = found
            index = found + 1
        } else {
            start = index
            while index < octets.count, current > 0x20, current != UInt8(ascii: ">") { index += 1 }
            end = index
            guard end > start, !octets[start..<end].contains(where: { "\"'`=<".utf8.contains($0) }) else { return nil }
        }
        let value = octets[start..<end]
        guard !value.contains(0), !value.contains(UInt8(ascii: "<")) else { return nil }
        return String(decoding: value, as: UTF8.self)
    }

    private static func isHarmless(_ name: String, _ value: String, of element: String) -> Bool {
        if name.hasPrefix("on") { return false }
        if element == "html" || element == "body" {
            // An attribute that hides the body hides everything in it.
            return ["bgcolor", "text", "link", "vlink", "alink", "lang", "xmlns"].contains(name)
        }
        if element == "meta" {
            return ["charset", "name"].contains(name) && (name == "name" || BodyText.carriesASCII(value, at: .bottom))
                || (name == "content" && !value.contains("url") && hasPlainCharset(value))
                || (name == "http-equiv" && value == "content-type")
        }
        if name == "popover" || name == "is" { return false }
        return name != "style" || HTMLStyle.isHarmless(value)
    }

    /// Returns true if a Content-Type in a meta element names no charset in which our text would be read as another.
    private static func hasPlainCharset(_ value: String) -> Bool {
        guard let start = value.firstRange(of: "charset")?.upperBound else { return true }
        let name = value[start...].drop { $0 == " " || $0 == "=" }
            .prefix { $0 != ";" && $0 != " " && $0 != "," }
        return BodyText.carriesASCII(String(name), at: .bottom)
    }

    // MARK: - Octets

    private mutating func readName() -> String {
        let start = index
        while current.isLetter || (0x30...0x39).contains(current) || current == UInt8(ascii: "-") || current == 0x3A {
            index += 1
        }
        return String(decoding: octets[start..<index], as: UTF8.self).asciiLowercased
    }

    private mutating func skipBlanks() {
        while current == 0x20 || (0x09...0x0D).contains(current) { index += 1 }
    }

    private func find(_ text: StaticString, from start: Int) -> Int? {
        text.withUTF8Buffer { octets.firstOffset(of: Array($0), from: start) }
    }

    private static let voids: Set<String> = ["br", "hr", "img", "meta", "col", "wbr"]
    private static let elements: Set<String> = [
        "html", "head", "title", "meta", "body", "p", "div", "span", "br", "hr", "a", "b", "i", "u", "s", "em",
        "strong",
        "small", "big", "font", "center", "blockquote", "pre", "code", "tt", "ul", "ol", "li", "dl", "dt", "dd",
        "table",
        "thead", "tbody", "tfoot", "tr", "td", "th", "caption", "col", "colgroup", "h1", "h2", "h3", "h4", "h5", "h6",
        "img", "sub", "sup", "abbr", "address", "cite", "del", "ins", "kbd", "samp", "var", "q", "wbr",
    ]
}

extension UInt8 {
    fileprivate var isLetter: Bool { asciiLowercased >= 0x61 && asciiLowercased <= 0x7A }
}
