import Octets

/// The places of elements in the text of `dss.xml`, so that one can be changed and everything else, comments included,
/// stays as a person wrote it. The text has been read as XML before: it is well-formed and has no DOCTYPE.
struct MarkupOutline {
    struct Attribute {
        let name: String
        let value: String
        /// From the white space before the name to the quotation mark behind the value.
        let range: Range<Int>
    }

    struct Element {
        let name: String
        /// From its `<` to the last `>`.
        var range: Range<Int>
        let startTag: Range<Int>
        let attributes: [Attribute]
        let parent: Int?
        /// True if it has no end tag.
        let isEmpty: Bool

        func attribute(_ name: String) -> String? { attributes.first { $0.name == name }?.value }
    }

    /// In the order in which they begin.
    private(set) var elements: [Element] = []
    private let octets: [UInt8]

    init(_ octets: [UInt8]) {
        self.octets = octets
        read()
    }

    /// The places of the children of an element.
    func children(_ name: String, of parent: Int) -> [Int] {
        elements.indices.filter { elements[$0].parent == parent && elements[$0].name == name }
    }

    /// The text between the tags of an element without children.
    func text(of place: Int) -> String {
        let element = elements[place]
        guard !element.isEmpty else { return "" }
        let inner = octets[element.startTag.upperBound..<element.range.upperBound]
        let end = inner.lastIndex(of: UInt8(ascii: "<")) ?? inner.endIndex
        return Self.unescaped(Array(inner[inner.startIndex..<end]))
    }

    // MARK: Reading

    private mutating func read() {
        var place = 0
        var open: [Int] = []
        while let start = index(of: "<", from: place) {
            if begins("<!--", at: start) {
                place = (index(of: "-->", from: start + 4) ?? octets.count) + 3
            } else if begins("<![CDATA[", at: start) {
                place = (index(of: "]]>", from: start) ?? octets.count) + 3
            } else if begins("<?", at: start) {
                place = (index(of: "?>", from: start) ?? octets.count) + 2
            } else if begins("</", at: start) {
                place = (index(of: ">", from: start) ?? octets.count) + 1
                if let last = open.popLast() {
                    elements[last].range = elements[last].range.lowerBound..<min(place, octets.count)
                }
            } else {
                let element = tag(at: start, parent: open.last)
                elements.append(element)
                if !element.isEmpty { open.append(elements.count - 1) }
                place = element.startTag.upperBound
            }
        }
    }

    private func tag(at start: Int, parent: Int?) -> Element {
        var place = start + 1
        let name = word(&place)
        var attributes: [Attribute] = []
        while place < octets.count {
            let before = place
            skipSpace(&place)
            guard place < octets.count, octets[place] != UInt8(ascii: ">"), octets[place] != UInt8(ascii: "/") else {
                break
            }
            let attribute = word(&place)
            skipSpace(&place)
            place += 1  // the equals sign
            skipSpace(&place)
            guard place < octets.count else { break }
            let quote = octets[place]
            let end = octets[(place + 1)...].firstIndex(of: quote) ?? octets.count - 1
            let value = Self.unescaped(Array(octets[(place + 1)..<end]))
            place = end + 1
            attributes.append(Attribute(name: attribute, value: value, range: before..<place))
        }
        let isEmpty = place < octets.count && octets[place] == UInt8(ascii: "/")
        let end = min((index(of: ">", from: place) ?? octets.count) + 1, octets.count)
        return Element(
            name: name, range: start..<end, startTag: start..<end, attributes: attributes, parent: parent,
            isEmpty: isEmpty)
    }

    private func word(_ place: inout Int) -> String {
        let start = place
        let ends = Set(" \t\r\n=/>".utf8)
        while place < octets.count, !ends.contains(octets[place]) { place += 1 }
        return String(decoding: octets[start..<place], as: UTF8.self)
    }

    private func skipSpace(_ place: inout Int) {
        while place < octets.count, [0x20, 0x09, 0x0D, 0x0A].contains(octets[place]) { place += 1 }
    }

    private func begins(_ text: String, at place: Int) -> Bool { octets[place...].starts(with: text.utf8) }

    private func index(of text: String, from place: Int) -> Int? {
        guard place <= octets.count else { return nil }
        let wanted = Array(text.utf8)
        guard octets.count >= wanted.count else { return nil }
        var index = place
        while index <= octets.count - wanted.count {
            if octets[index] == wanted[0], octets[index..<index + wanted.count].elementsEqual(wanted) { return index }
            index += 1
        }
        return nil
    }

    private static let entities = ["amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'"]

    private static func unescaped(_ octets: [UInt8]) -> String {
        let text = String(decoding: octets, as: UTF8.self)
        guard text.contains("&") else { return text }
        var result = ""
        var rest = text[...]
        while let start = rest.firstIndex(of: "&") {
            result += rest[..<start]
            guard let end = rest[start...].firstIndex(of: ";") else { break }
            let name = rest[rest.index(after: start)..<end]
            if let known = entities[String(name)] {
                result += known
            } else if name.hasPrefix("#x"), let code = UInt32(name.dropFirst(2), radix: 16),
                let scalar = Unicode.Scalar(code)
            {
                result.unicodeScalars.append(scalar)
            } else if name.hasPrefix("#"), let code = UInt32(name.dropFirst()), let scalar = Unicode.Scalar(code) {
                result.unicodeScalars.append(scalar)
            }
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }
}
