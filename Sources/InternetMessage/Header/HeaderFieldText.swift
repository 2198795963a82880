public import Octets

extension HeaderField {
    /// The body without its line ends: what folding put there is gone (RFC 5322 §2.2.3). A CR alone stays.
    public var unfoldedBody: OctetString { rawBody.unfolded }

    /// The unfolded body as text, read as UTF-8, without the blanks around it; encoded-words stay encoded.
    public var text: String {
        let octets = unfoldedBody
        var start = 0
        var end = octets.count
        while start < end, octets[start].isBlankOrCR { start += 1 }
        while end > start, octets[end - 1].isBlankOrCR { end -= 1 }
        return octets.slice(start..<end).text
    }
}

extension OctetString {
    /// Without LF, and without the CR before each.
    var unfolded: OctetString {
        withUnsafeBytes { octets in
            guard let first = octets.firstOffset(of: 0x0A) else { return self }
            var unfolded: [UInt8] = []
            unfolded.reserveCapacity(octets.count)
            var copied = 0
            var next: Int? = first
            while let lineFeed = next {
                let end = lineFeed > copied && octets[lineFeed - 1] == 0x0D ? lineFeed - 1 : lineFeed
                unfolded.append(contentsOf: octets.octets(copied..<end))
                copied = lineFeed + 1
                next = octets.firstOffset(of: 0x0A, from: copied)
            }
            unfolded.append(contentsOf: octets.octets(copied..<octets.count))
            return OctetString(unfolded)
        }
    }
}
