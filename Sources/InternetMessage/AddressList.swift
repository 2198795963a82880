public import Octets

/// The mailboxes of an address field: From, To, Cc, Reply-To and their like (RFC 5322 §3.4, 6532).
public struct AddressList: Sendable, Hashable {
    /// In order; those of groups are among them.
    public let mailboxes: [Mailbox]
    /// Whether all of it was understood, obsolete forms included (§4.4). If not, ``mailboxes`` holds what could be found, and
    /// another reader may find something else.
    public let isWellFormed: Bool

    public init(mailboxes: [Mailbox], isWellFormed: Bool) {
        self.mailboxes = mailboxes
        self.isWellFormed = isWellFormed
    }

    /// Reads a field body; it may still be folded. Takes time in proportion to its length.
    public init(parsing body: OctetString) {
        self = FieldCursor.reading(body.unfolded.array) { cursor in
            var reader = AddressListReader(cursor: cursor)
            reader.readList()
            return AddressList(mailboxes: reader.mailboxes, isWellFormed: !reader.isMalformed)
        }
    }

    /// Reads the body of `field`.
    public init(parsing field: HeaderField) { self.init(parsing: field.rawBody) }

    /// Reads a list from text.
    public init(parsing text: some StringProtocol) { self.init(parsing: OctetString(text)) }
}

extension AddrSpec {
    /// Reads an addr-spec that stands alone: dot-atom or quoted string, `@`, dot-atom or domain literal (RFC 5322 §3.4.1).
    ///
    /// Comments, blanks and obsolete forms are refused: this is for envelopes and configuration.
    public init?(parsing text: some StringProtocol) {
        let address: AddrSpec? = FieldCursor.reading(Array(text.utf8)) { cursor in
            guard !cursor.current.isBlankOrCR, !cursor.isAtEnd else { return nil }
            var reader = AddressListReader(cursor: cursor)
            return reader.readStrictAddrSpec()
        }
        guard let address else { return nil }
        self = address
    }
}

extension ReversePath {
    /// Reads a path as Return-Path and MAIL FROM have it (RFC 5321 §4.1.2): `<a@b>`, `<>`, or an address without brackets.
    public init?(parsing text: some StringProtocol) {
        var inner = Substring(text)
        if inner.hasPrefix("<") {
            guard inner.hasSuffix(">") else { return nil }
            inner = inner.dropFirst().dropLast()
            if inner.isEmpty {
                self = .null
                return
            }
        }
        guard let address = AddrSpec(parsing: inner) else { return nil }
        self = .address(address)
    }
}
