import Octets

/// Reads tag and length of BER (X.690 §8.1), the content left where it is.
///
/// A cursor over octets that an attacker wrote: every step is bounded, nothing recurses.
struct BERReader {
    /// The element at one place.
    struct Element {
        /// The first octet: class, constructed bit and tag number; numbers above 30 do not occur in CMS.
        let tag: UInt8
        /// From the tag to the end of the content, with the end-of-contents octets of an indefinite length.
        let range: Range<Int>
        /// The content without end-of-contents octets.
        let content: Range<Int>

        var isConstructed: Bool { tag & 0x20 != 0 }
    }

    /// The beginning of an element; its end is not known when the length is indefinite.
    struct Opening {
        let tag: UInt8
        let start: Int
        let contentStart: Int
        /// nil: indefinite.
        let length: Int?

        var isConstructed: Bool { tag & 0x20 != 0 }
    }

    /// The deepest nesting that is followed.
    static let maximumDepth = 32

    let octets: UnsafeRawBufferPointer

    init(_ octets: UnsafeRawBufferPointer) { self.octets = octets }

    /// Tag and length at `offset`, within `limit`; nil when they are no BER, or lead beyond it.
    func opening(at offset: Int, limit: Int) -> Opening? {
        guard offset >= 0, limit <= octets.count, offset &+ 2 <= limit else { return nil }
        let tag = octets[offset]
        guard tag & 0x1F != 0x1F else { return nil }
        let first = octets[offset &+ 1]
        if first < 0x80 {
            guard Int(first) <= limit &- offset &- 2 else { return nil }
            return Opening(tag: tag, start: offset, contentStart: offset &+ 2, length: Int(first))
        }
        if first == 0x80 {
            guard tag & 0x20 != 0 else { return nil }
            return Opening(tag: tag, start: offset, contentStart: offset &+ 2, length: nil)
        }
        let size = Int(first & 0x7F)
        guard size <= 8, size <= limit &- offset &- 2 else { return nil }
        var length: UInt64 = 0
        for index in 0..<size { length = length << 8 | UInt64(octets[offset &+ 2 &+ index]) }
        let contentStart = offset &+ 2 &+ size
        guard length <= UInt64(limit &- contentStart) else { return nil }
        return Opening(tag: tag, start: offset, contentStart: contentStart, length: Int(length))
    }

    /// The whole element at `offset`. An indefinite length is followed to its end, however deep, without recursion.
    func element(at offset: Int, limit: Int) -> Element? {
        guard let opening = opening(at: offset, limit: limit) else { return nil }
        guard let length = opening.length else {
            guard let end = endOfContents(from: opening.contentStart, limit: limit) else { return nil }
            return Element(tag: opening.tag, range: offset..<end &+ 2, content: opening.contentStart..<end)
        }
        let end = opening.contentStart &+ length
        return Element(tag: opening.tag, range: offset..<end, content: opening.contentStart..<end)
    }

    /// Returns the place of the end-of-contents octets that belong to an indefinite length whose content begins at
    /// `start`.
    private func endOfContents(from start: Int, limit: Int) -> Int? {
        var offset = start
        var depth = 1
        while true {
            guard offset &+ 2 <= limit else { return nil }
            if octets[offset] == 0 && octets[offset &+ 1] == 0 {
                depth -= 1
                if depth == 0 { return offset }
                offset &+= 2
                continue
            }
            guard let inner = opening(at: offset, limit: limit) else { return nil }
            if let length = inner.length {
                offset = inner.contentStart &+ length
            } else {
                depth += 1
                guard depth <= Self.maximumDepth else { return nil }
                offset = inner.contentStart
            }
        }
    }

    /// The elements within `element`; nil when they are more than `limit`, or no BER.
    func children(of element: Element, limit: Int = 64) -> [Element]? {
        var found: [Element] = []
        var offset = element.content.lowerBound
        while offset < element.content.upperBound {
            guard found.count < limit, let child = self.element(at: offset, limit: element.content.upperBound) else {
                return nil
            }
            found.append(child)
            offset = child.range.upperBound
        }
        return found
    }
}
