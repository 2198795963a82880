import InternetMessage

/// What the first octets of a content say it is, whatever its name and declared type are.
enum ContentKinds {
    /// Octets enough to tell: PDF readers look for their mark in the first 1024.
    static let prefixLength = 1_024

    /// - Parameter prefix: the first ``prefixLength`` octets, or all of a shorter content.
    /// - Returns: any of `pdf`, `xml`, `zip`, `ole`, `png`, `jpeg`, `gif`, `cms`, `p7m`; more than one where several fit.
    static func of(_ prefix: [UInt8]) -> Set<String> {
        var kinds: Set<String> = []
        for (kind, marks) in marks where marks.contains(where: { prefix.starts(with: $0) }) { kinds.insert(kind) }
        if isPDF(prefix) { kinds.insert("pdf") }
        if isXML(prefix) { kinds.insert("xml") }
        if CMSContentType(prefix: prefix) != nil || isArmoured(prefix) { kinds.formUnion(["cms", "p7m"]) }
        return kinds
    }

    private static let marks: [(kind: String, marks: [[UInt8]])] = [
        ("zip", [[0x50, 0x4B, 0x03, 0x04], [0x50, 0x4B, 0x05, 0x06], [0x50, 0x4B, 0x07, 0x08]]),
        ("ole", [[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]]),
        ("png", [[0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]]),
        ("jpeg", [[0xFF, 0xD8, 0xFF]]),
        ("gif", [Array("GIF87a".utf8), Array("GIF89a".utf8)]),
    ]

    /// `%PDF-` and a version, at the beginning of a line: readers forgive what stands before (ISO 32000-1 annex H, note 13).
    private static func isPDF(_ prefix: [UInt8]) -> Bool {
        let mark = Array("%PDF-".utf8)
        for start in prefix.indices.dropLast(mark.count) where prefix[start] == mark[0] {
            let isAtLineStart =
                start == 0 || [0x0A, 0x0D].contains(prefix[start - 1]) || isByteOrderMark(prefix[..<start])
            let version = prefix[(start)...].dropFirst(mark.count).first
            guard isAtLineStart, prefix[start...].starts(with: mark), let version else { continue }
            if (0x30...0x39).contains(version) { return true }
        }
        return false
    }

    private static func isByteOrderMark(_ octets: ArraySlice<UInt8>) -> Bool {
        octets.elementsEqual([0xEF, 0xBB, 0xBF])
    }

    /// Whether it begins as XML or HTML does, in any charset.
    static func isMarkup(_ prefix: [UInt8]) -> Bool {
        narrowed(prefix).first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "<")
    }

    /// An XML declaration, or a document type or root element that is none of HTML's, behind a byte order mark and white space, in UTF-8, UTF-16 or any charset that has ASCII in it.
    private static func isXML(_ prefix: [UInt8]) -> Bool {
        let text = narrowed(prefix).drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
        if text.starts(with: "<?xml".utf8) { return true }
        var rest = text
        while rest.starts(with: "<!--".utf8), let end = firstIndex(of: "-->", in: rest) {
            rest = rest[end...].dropFirst(3).drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
        }
        let declaration = Array("<!DOCTYPE ".utf8)
        guard rest.first == UInt8(ascii: "<") else { return false }
        let isDeclared = rest.starts(with: declaration)
        if isDeclared { rest = rest.dropFirst(declaration.count - 1) }
        let name = rest.dropFirst().prefix { octet in
            octet >= 0x80 || octet == UInt8(ascii: ":") || octet == UInt8(ascii: "_") || octet == UInt8(ascii: "-")
                || (0x30...0x39).contains(octet) || (0x61...0x7A).contains(octet.asciiLowercased)
        }
        guard let first = name.first, !(0x30...0x39).contains(first), first != UInt8(ascii: "-") else { return false }
        let after = rest.dropFirst(name.count + 1).first
        guard let after,
            [0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ">"), UInt8(ascii: "/"), UInt8(ascii: "[")].contains(after)
        else {
            return false
        }
        let word = String(decoding: name.map(\.asciiLowercased), as: UTF8.self)
        // HTML has one document type.
        return isDeclared ? word != "html" : !htmlElements.contains(word)
    }

    /// Elements with which HTML begins when it is not declared, whole or a fragment of a mail.
    private static let htmlElements: Set<String> = [
        "html", "head", "body", "p", "div", "span", "table", "a", "b", "i", "u", "font", "center", "pre", "br", "hr",
        "h1", "h2", "h3", "h4", "ul", "ol", "li", "img", "form", "title", "meta", "link", "style", "script", "base",
        "tr", "td", "blockquote", "strong", "em", "small", "section", "article", "main", "header", "footer", "nav",
    ]

    /// Octets of UTF-16 as ASCII where they are that; others without a byte order mark.
    private static func narrowed(_ prefix: [UInt8]) -> ArraySlice<UInt8> {
        if isByteOrderMark(prefix.prefix(3)) { return prefix.dropFirst(3) }
        switch (prefix.first, prefix.dropFirst().first) {
        case (0xFE, 0xFF): return everySecond(prefix.dropFirst(3))
        case (0xFF, 0xFE): return everySecond(prefix.dropFirst(2))
        case (0x00, 0x3C): return everySecond(prefix.dropFirst(1))
        case (0x3C, 0x00): return everySecond(prefix[...])
        default: return prefix[...]
        }
    }

    private static func everySecond(_ octets: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        stride(from: octets.startIndex, to: octets.endIndex, by: 2).map { octets[$0] }[...]
    }

    private static func firstIndex(of text: String, in octets: ArraySlice<UInt8>) -> Int? {
        octets.indices.first { octets[$0...].starts(with: text.utf8) }
    }

    /// The textual encoding of RFC 7468 §8 and §9.
    private static func isArmoured(_ prefix: [UInt8]) -> Bool {
        prefix.starts(with: "-----BEGIN PKCS7-----".utf8) || prefix.starts(with: "-----BEGIN CMS-----".utf8)
    }
}
