public import InternetMessage
public import Octets

extension Message {
    /// Returns the message with its From field rewritten as the grammar requires, if mail programs can read the field
    /// but the grammar does not allow it: an unterminated quote, doubled brackets, `mailto:`. A verifier would have
    /// doubts about the author.
    ///
    /// - Returns: nil if From is correct, or its addresses cannot all be made out.
    public func withReadableFrom() -> OctetRope? {
        let fields = header.all("From")
        guard let field = fields.first, fields.count == 1 else { return nil }
        let list = AddressList(parsing: field)
        guard list.reading == .doubtful, list.unreadable.isEmpty, !list.mailboxes.isEmpty else { return nil }
        let written = FieldLines.field("From", AddressWords.list(list.mailboxes))
        var rope = HeaderRevision(replacements: [("from", written)]).applied(to: root)
        rope.append(octets.slice(root.header.range.upperBound..<octets.count))
        return rope
    }
}
