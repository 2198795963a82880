import Octets

/// Cuts an element out of a document that a parser has found well-formed, octet for octet: a signature covers prefixes
/// and white space, so nothing may be written anew.
struct InlineXML {
    private let octets: [UInt8]

    init(_ octets: [UInt8]) { self.octets = octets }

    /// The content of the element whose start tag is the `ordinal`-th of the document, counted from 1.
    ///
    /// Namespace declarations from around it that it uses are put into its first tag; others are not, because a
    /// signature may cover what is declared.
    func content(ofElement ordinal: Int) -> OctetString? {
        guard isASCIISuperset, let found = find(ordinal), let inner = found.content else { return nil }
        return cut(inner, declarations: found.declarations)
    }

    /// The element itself, start tag to end tag.
    func element(_ ordinal: Int) -> OctetString? {
        guard isASCIISuperset, let found = find(ordinal) else { return nil }
        return cut(found.whole, declarations: found.outerDeclarations)
    }

    // MARK: - Scanning

    private struct Found {
        let whole: Range<Int>
        /// nil for an empty-element tag.
        let content: Range<Int>?
        /// In force within the element, by prefix.
        let declarations: [String: [UInt8]]
        /// In force around it.
        let outerDeclarations: [String: [UInt8]]
    }

    private struct Tag {
        let range: Range<Int>
        let isEnd: Bool
        let isEmpty: Bool
        var isStart: Bool { !isEnd }
    }

    /// A document in another encoding could have a `<` that is not one.
    private var isASCIISuperset: Bool {
        guard !octets.starts(with: [0xFE, 0xFF]), !octets.starts(with: [0xFF, 0xFE]) else { return false }
        let head = String(decoding: octets.prefix(200), as: UTF8.self).lowercased()
        guard head.hasPrefix("<?xml"), let end = head.firstRange(of: "?>"),
            let declared = head[..<end.lowerBound].firstRange(of: "encoding")
        else { return true }
        let value = head[declared.upperBound..<end.lowerBound].filter { !"=\"' ".contains($0) && !$0.isWhitespace }
        return value.hasPrefix("utf-8") || value.hasPrefix("us-ascii")
    }

    private func find(_ ordinal: Int) -> Found? {
        var cursor = 0
        var started = 0
        var depth = 0
        var open: [[String: [UInt8]]] = []
        var target: (start: Tag, depth: Int, declarations: [String: [UInt8]], outer: [String: [UInt8]])?
        while let tag = nextTag(from: cursor) {
            cursor = tag.range.upperBound
            if tag.isEnd {
                if let target, depth == target.depth {
                    return Found(
                        whole: target.start.range.lowerBound..<tag.range.upperBound,
                        content: target.start.range.upperBound..<tag.range.lowerBound,
                        declarations: target.declarations, outerDeclarations: target.outer)
                }
                depth -= 1
                if target == nil { _ = open.popLast() }
                continue
            }
            started += 1
            let outer = open.last ?? [:]
            let inner = target == nil ? outer.merging(declarations(in: tag)) { $1 } : outer
            if started == ordinal {
                guard !tag.isEmpty else {
                    return Found(whole: tag.range, content: nil, declarations: inner, outerDeclarations: outer)
                }
                target = (tag, depth + 1, inner, outer)
            }
            if !tag.isEmpty {
                depth += 1
                if target == nil { open.append(inner) }
            }
        }
        return nil
    }

    /// The next tag; comments, CDATA sections and instructions are passed over.
    private func nextTag(from start: Int) -> Tag? {
        var cursor = start
        while let open = octets[cursor...].firstIndex(of: UInt8(ascii: "<")) {
            let rest = octets[(open + 1)...]
            if rest.starts(with: Array("!--".utf8)) {
                guard let end = position(of: "-->", from: open + 4) else { return nil }
                cursor = end + 3
            } else if rest.starts(with: Array("![CDATA[".utf8)) {
                guard let end = position(of: "]]>", from: open + 9) else { return nil }
                cursor = end + 3
            } else if rest.first == UInt8(ascii: "?") {
                guard let end = position(of: "?>", from: open + 2) else { return nil }
                cursor = end + 2
            } else {
                guard let end = endOfTag(from: open + 1) else { return nil }
                return Tag(
                    range: open..<end + 1, isEnd: rest.first == UInt8(ascii: "/"),
                    isEmpty: octets[end - 1] == UInt8(ascii: "/") && end - 1 > open)
            }
        }
        return nil
    }

    /// Returns the `>` that ends a tag, not one in an attribute value.
    private func endOfTag(from start: Int) -> Int? {
        var quote: UInt8?
        for index in start..<max(start, octets.count) {
            let octet = octets[index]
            if let open = quote {
                if octet == open { quote = nil }
            } else if octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "'") {
                quote = octet
            } else if octet == UInt8(ascii: ">") {
                return index
            }
        }
        return nil
    }

    private func position(of pattern: String, from start: Int) -> Int? {
        let pattern = Array(pattern.utf8)
        var cursor = start
        while cursor + pattern.count <= octets.count {
            guard let next = octets[cursor...].firstIndex(of: pattern[0]) else { return nil }
            if octets[next...].starts(with: pattern) { return next }
            cursor = next + 1
        }
        return nil
    }

    // MARK: - Namespaces

    /// The namespace declarations of a start tag, as written, by prefix.
    private func declarations(in tag: Tag) -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        var index = tag.range.lowerBound + 1
        let end = tag.range.upperBound - 1
        while index < end, !Self.isSpace(octets[index]) { index += 1 }
        while index < end {
            while index < end, Self.isSpace(octets[index]) { index += 1 }
            let nameStart = index
            while index < end, octets[index] != UInt8(ascii: "="), !Self.isSpace(octets[index]) { index += 1 }
            let name = String(decoding: octets[nameStart..<index], as: UTF8.self)
            guard let quoteStart = octets[index..<end].firstIndex(where: { $0 == 0x22 || $0 == 0x27 }),
                let quoteEnd = octets[(quoteStart + 1)..<end].firstIndex(of: octets[quoteStart])
            else { break }
            if name == "xmlns" || name.hasPrefix("xmlns:") { found[name] = Array(octets[quoteStart...quoteEnd]) }
            index = quoteEnd + 1
        }
        return found
    }

    private func cut(_ range: Range<Int>, declarations outer: [String: [UInt8]]) -> OctetString? {
        guard let first = nextTag(from: range.lowerBound), first.isStart, first.range.upperBound <= range.upperBound
        else { return nil }
        let own = declarations(in: first)
        var nameEnd = first.range.lowerBound + 1
        while nameEnd < first.range.upperBound, !Self.isSpace(octets[nameEnd]), octets[nameEnd] != UInt8(ascii: ">"),
            octets[nameEnd] != UInt8(ascii: "/")
        { nameEnd += 1 }
        let isPrefixed = octets[first.range.lowerBound..<nameEnd].contains(UInt8(ascii: ":"))
        var missing: [UInt8] = []
        for (name, value) in outer.sorted(by: { $0.key < $1.key }) where own[name] == nil {
            let prefix = name.dropFirst("xmlns:".count)
            let isUsed = prefix.isEmpty ? !isPrefixed : isMentioned(prefix + ":", in: range)
            if isUsed { missing += [0x20] + Array(name.utf8) + [UInt8(ascii: "=")] + value }
        }
        var start = range.lowerBound
        while start < first.range.lowerBound, Self.isSpace(octets[start]) { start += 1 }
        var end = range.upperBound
        while end > nameEnd, Self.isSpace(octets[end - 1]) { end -= 1 }
        return OctetString(Array(octets[start..<nameEnd]) + missing + Array(octets[nameEnd..<end]))
    }

    /// Prefixes occur in names and, as with xsi:type, in values too.
    private func isMentioned(_ text: some StringProtocol, in range: Range<Int>) -> Bool {
        guard let found = position(of: String(text), from: range.lowerBound) else { return false }
        return found < range.upperBound
    }

    private static func isSpace(_ octet: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(octet) }
}
