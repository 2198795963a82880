import Octets

/// Readings that differ and yet show nobody anything that is not signed.
extension Entity.Multipart {
    /// Whether the preamble is a part with a content for Email::MIME, which takes one with a colon for a part.
    ///
    /// Everything up to the first empty line is the header of that part: nobody sees it. So a preamble without an empty line
    /// makes a part that is empty. It has no name and is plain text as long as there is no Content-* field.
    func showsPreamble(in message: OctetString) -> Bool {
        message.slice(preamble).withUnsafeBytes { octets in
            guard octets.firstOffset(of: 0x3A) != nil else { return false }
            let namesContent = Self.fieldPrefix.withUnsafeBytes { prefix in
                octets.indices.contains { octets.holdsIgnoringCase(prefix, at: $0) }
            }
            if namesContent { return true }
            var isBehindHeader = false
            var start = 0
            while start < octets.count {
                let end = octets.firstLineEndOctet(from: start) ?? octets.count
                let isBlank = octets.octets(start..<end).allSatisfy(\.isBlankOrCR)
                if isBehindHeader && !isBlank { return true }
                if isBlank { isBehindHeader = true }
                // The two octets of CRLF are one line end.
                let isPair = end + 1 < octets.count && octets[end] == 0x0D && octets[end + 1] == 0x0A
                start = end + (isPair ? 2 : 1)
            }
            return false
        }
    }

    private static let fieldPrefix = Array("content-".utf8)
}

extension Entity {
    /// Whether a reader that takes the whole body for one plain text shows nothing more to read than other readers do.
    ///
    /// Such readers go by RFC 2045 §4 where there is no MIME-Version. They show the source: delimiters, the headers of
    /// parts, base64. A text that stands there and in no part would be taken for a part of the message, so there is none:
    /// nothing but blanks before the first and behind the last boundary, and Content-* fields alone in the headers of parts.
    /// What is signed shows as it is; a leaf shows as its base64. A file that a reader finds in a part has no name there.
    var isHarmlessAsText: Bool {
        // A version that is not known may stand for anything.
        guard path.isEmpty, header.first("MIME-Version") == nil else { return false }
        switch content {
        case .leaf: return transferEncoding == .base64 && transferEncodingFault == nil
        case .message: return false
        case .multipart: break
        }
        var waiting = [self]
        while let entity = waiting.popLast() {
            guard case .multipart(let multipart) = entity.content else { continue }
            guard isBlank(multipart.preamble), isBlank(multipart.epilogue), multipart.isClosed else { return false }
            // The first part of a multipart/signed is signed with all that stands in it.
            let isSigned = entity.path.isEmpty && contentType.subtype == "signed"
            let parts = isSigned ? multipart.parts.dropFirst() : multipart.parts[...]
            guard parts.allSatisfy({ $0.hasContentFieldsAlone }) else { return false }
            waiting += parts
        }
        return true
    }

    private func isBlank(_ range: Range<Int>) -> Bool {
        message.slice(range).withUnsafeBytes { octets in octets.allSatisfy { $0.isBlankOrCR || $0 == 0x0A } }
    }

    private var hasContentFieldsAlone: Bool {
        header.fields.allSatisfy { $0.name.asciiLowercased.hasPrefix("content-") }
    }
}
