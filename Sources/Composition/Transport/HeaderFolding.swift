public import InternetMessage
public import Octets

extension OctetRope {
    /// The same message with every header line above 998 octets folded (RFC 5322 §2.1.1, §2.2.3).
    ///
    /// A line is broken before an existing blank, so that the unfolded field is the same octet for octet. If there is
    /// none for too long, a blank is added where the grammar of the field allows one, and as a last resort anywhere, as
    /// mail servers do (Postfix, `smtp_line_length_limit`). The other lines and the body stay unchanged.
    /// - Parameter limits: A larger header stays unchanged.
    public func withFoldedHeader(limits: Message.Limits = Message.Limits()) -> OctetRope {
        guard let head = head(most: limits.headerOctets) else { return self }
        let header: Header
        // The only error is that of the limit.
        do { header = try Header(reading: head, limits: limits) } catch { return self }
        guard header.fields.contains(where: \.hasLongLine) else { return self }
        var folded: [UInt8] = []
        var position = 0
        for field in header.fields {
            folded += head.slice(position..<field.range.lowerBound)
            folded += field.hasLongLine ? FieldFolding(field).folded() : field.raw.array
            position = field.range.upperBound
        }
        var rope = OctetRope()
        rope.append(OctetString(folded))
        rope.append(Tail(whole: self, start: position))
        return rope
    }

    /// The octets up to the first empty line, or all; nil where there are more than `most`.
    private func head(most: Int) -> OctetString? {
        var head: [UInt8] = []
        var reader = makeReader()
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while head.count <= most {
            let read = chunk.withUnsafeMutableBytes { reader.read(into: $0) }
            if read == 0 { return OctetString(head) }
            // Three octets may belong to an empty line that ends in this chunk.
            let start = max(head.count - 3, 0)
            head += chunk[..<read]
            if Self.holdsEmptyLine(head[start...]) { return OctetString(head) }
        }
        return nil
    }

    private static func holdsEmptyLine(_ octets: ArraySlice<UInt8>) -> Bool {
        var index = octets.startIndex
        while let lineFeed = octets[index...].firstIndex(of: 0x0A) {
            index = lineFeed + 1
            let next = octets[index...].prefix(2)
            if next.first == 0x0A || next.elementsEqual([0x0D, 0x0A]) { return true }
        }
        return false
    }

    /// The octets after the first ones of a rope.
    private struct Tail: OctetSource {
        let whole: OctetRope
        let start: Int
        var count: Int { whole.count - start }

        func makeReader() -> any OctetReader {
            var reader = whole.makeReader()
            var left = start
            let skipped = UnsafeMutableRawBufferPointer.allocate(byteCount: 16_384, alignment: 16)
            defer { skipped.deallocate() }
            while left > 0 {
                left -= reader.read(into: UnsafeMutableRawBufferPointer(rebasing: skipped[..<min(left, skipped.count)]))
            }
            return reader
        }
    }
}

extension HeaderField {
    /// True if a line of it is above the limit of RFC 5322 §2.1.1.
    var hasLongLine: Bool {
        raw.count > FieldFolding.limit
            && raw.array.split(separator: 0x0A, omittingEmptySubsequences: false).contains {
                $0.count - ($0.last == 0x0D ? 1 : 0) > FieldFolding.limit
            }
    }
}
