import Octets

/// The encoding of a document's characters in octets, as far as markup is concerned.
enum DocumentEncoding {
    /// One octet of ASCII for each character of markup.
    case ascii
    case utf16(isBigEndian: Bool)

    init(_ octets: OctetString) {
        switch (octets.first, octets.dropFirst().first) {
        case (0xFE, 0xFF), (0x00, 0x3C): self = .utf16(isBigEndian: true)
        case (0xFF, 0xFE), (0x3C, 0x00): self = .utf16(isBigEndian: false)
        default: self = .ascii
        }
    }

    /// ASCII text as it stands in this encoding.
    func octets(of text: String) -> [UInt8] {
        switch self {
        case .ascii: Array(text.utf8)
        case .utf16(isBigEndian: true): text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        case .utf16(isBigEndian: false): text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        }
    }
}

/// The place in a well-formed document behind the last child of its root.
///
/// Found by looking for markup alone, in one pass; whether it was found right is seen when the result is read again.
struct RootEnd {
    /// The octets up to here stay in front.
    let front: Int
    /// The octets from here on stay behind: the end tag, or for an empty root what follows its tag.
    let back: Int
    /// The name of a root that is an empty element tag, which becomes a start tag and an end tag.
    let emptyName: Range<Int>?

    static func find(in octets: OctetString, _ encoding: DocumentEncoding) throws(XMLSignatureError) -> RootEnd {
        let found = octets.withUnsafeBytes { buffer in
            var scan = MarkupScan(units: CodeUnits(buffer: buffer, encoding: encoding))
            return scan.rootEnd()
        }
        guard let found else { throw XMLSignatureError(.malformed, "the end of the root element cannot be found") }
        return found
    }

    /// The document with `text` (ASCII) as last child of its root; all else is as it was.
    func insert(_ text: String, into octets: OctetString, _ encoding: DocumentEncoding) -> OctetString {
        var made: [UInt8] = []
        made.reserveCapacity(octets.count + 2 * text.utf8.count + 64)
        octets.withUnsafeBytes { buffer in
            made.append(contentsOf: buffer.octets(0..<front))
            if emptyName != nil { made.append(contentsOf: encoding.octets(of: ">")) }
            made.append(contentsOf: encoding.octets(of: text))
            if let emptyName {
                made.append(contentsOf: encoding.octets(of: "</"))
                made.append(contentsOf: buffer.octets(emptyName))
                made.append(contentsOf: encoding.octets(of: ">"))
            }
            made.append(contentsOf: buffer.octets(back..<buffer.count))
        }
        return OctetString(made)
    }
}

/// A buffer as units of one or two octets.
private struct CodeUnits {
    let buffer: UnsafeRawBufferPointer
    let width: Int
    let isBigEndian: Bool
    var count: Int { buffer.count / width }

    init(buffer: UnsafeRawBufferPointer, encoding: DocumentEncoding) {
        self.buffer = buffer
        switch encoding {
        case .ascii:
            width = 1
            isBigEndian = false
        case .utf16(let isBigEndian):
            width = 2
            self.isBigEndian = isBigEndian
        }
    }

    subscript(index: Int) -> UInt16 {
        guard width == 2 else { return UInt16(buffer[index]) }
        let (first, second) = (UInt16(buffer[2 * index]), UInt16(buffer[2 * index + 1]))
        return isBigEndian ? first << 8 | second : second << 8 | first
    }

    /// The first `octet` at or after `start`.
    func first(_ octet: UInt8, from start: Int) -> Int? {
        if width == 1 { return buffer.firstOffset(of: octet, from: start) }
        var index = start
        while index < count {
            if self[index] == UInt16(octet) { return index }
            index += 1
        }
        return nil
    }

    func holds(_ text: StaticString, at index: Int) -> Bool {
        guard text.utf8CodeUnitCount <= count - index else { return false }
        return (0..<text.utf8CodeUnitCount).allSatisfy { self[index + $0] == UInt16(text.utf8Start[$0]) }
    }

    /// Returns the end of the first `text` at or after `start`.
    func end(of text: StaticString, from start: Int) -> Int? {
        var index = start
        while let found = first(text.utf8Start[0], from: index) {
            if holds(text, at: found) { return found + text.utf8CodeUnitCount }
            index = found + 1
        }
        return nil
    }
}

/// Goes from tag to tag of a document that is known to be well-formed and without a document type.
private struct MarkupScan {
    let units: CodeUnits
    private var depth = 0

    init(units: CodeUnits) { self.units = units }

    mutating func rootEnd() -> RootEnd? {
        var index = 0
        while let open = units.first(UInt8(ascii: "<"), from: index) {
            let next: Int?
            if units.holds("<!--", at: open) {
                next = units.end(of: "-->", from: open + 4)
            } else if units.holds("<![CDATA[", at: open) {
                next = units.end(of: "]]>", from: open + 9)
            } else if units.holds("<?", at: open) {
                next = units.end(of: "?>", from: open + 2)
            } else if units.holds("</", at: open) {
                depth -= 1
                if depth == 0 { return RootEnd(front: open * units.width, back: open * units.width, emptyName: nil) }
                next = units.end(of: ">", from: open)
            } else {
                guard let close = endOfTag(from: open + 1) else { return nil }
                let isEmpty = units[close - 1] == UInt16(UInt8(ascii: "/"))
                if isEmpty && depth == 0 { return emptyRoot(from: open, to: close) }
                if !isEmpty { depth += 1 }
                next = close + 1
            }
            guard let next else { return nil }
            index = next
        }
        return nil
    }

    /// The place of the `>`; one in a quoted value does not count.
    private func endOfTag(from start: Int) -> Int? {
        var quote: UInt16?
        var index = start
        while index < units.count {
            let unit = units[index]
            if let open = quote {
                if unit == open { quote = nil }
            } else if unit == 0x22 || unit == 0x27 {
                quote = unit
            } else if unit == 0x3E {
                return index
            }
            index += 1
        }
        return nil
    }

    private func emptyRoot(from open: Int, to close: Int) -> RootEnd {
        var end = open + 1
        while end < close - 1, ![0x20, 0x09, 0x0A, 0x0D].contains(units[end]) { end += 1 }
        return RootEnd(
            front: (close - 1) * units.width, back: (close + 1) * units.width,
            emptyName: (open + 1) * units.width..<end * units.width)
    }
}
