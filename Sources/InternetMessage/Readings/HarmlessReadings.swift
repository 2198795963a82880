import Octets

/// Readings that differ, but show nobody anything that is not signed.
extension Entity.Multipart {
    /// True if the preamble is a part with content for Email::MIME, which reads a preamble with a colon as a part.
    ///
    /// Everything up to the first empty line is the header of that part, which nobody sees. A preamble without an empty
    /// line is therefore an empty part. Without a Content-* field it is plain text and has no name.
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
    /// True if a reader that takes the whole body for one plain text shows no more text than other readers do.
    ///
    /// Such readers follow RFC 2045 §4 if there is no MIME-Version. They show the source: delimiters, the headers of
    /// parts, base64. People would read text outside of the parts as text of the message, so there must be none: only
    /// blanks before the first and behind the last boundary, and only Content-* fields in the headers of parts. Signed
    /// text is shown as it is, and a leaf as its base64. A file that another reader finds in a part has no name for
    /// such a reader.
    var isHarmlessAsText: Bool {
        // An unknown version may mean anything.
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
            // The first part of a multipart/signed is signed with all its content.
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
