public import InternetMessage
public import Octets

extension Message {
    /// The message with its From field written as the grammar has it, where mail programs can read it and the grammar
    /// cannot: a quote that never ends, doubled brackets, `mailto:`. Whoever verifies would have doubts about the author.
    ///
    /// - Returns: nil where From is beyond doubt as it is, or no address, or not all of it, can be made out.
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
