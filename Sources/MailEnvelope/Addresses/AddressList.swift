public import Octets

/// The mailboxes of an address field: From, To, Cc, Reply-To and their like (RFC 5322 §3.4, 6532).
///
/// What the grammar does not allow is read as mail readers read it: an address in angle brackets after any display
/// text, in apostrophes, in doubled brackets, with `mailto:` before it, or with misplaced dots. Nothing is left out
/// without a word: an element without an address that can be made out is in ``unreadable``.
public struct AddressList: Sendable, Hashable {
    /// The degree to which the field follows the grammar.
    public enum Reading: Sendable, Hashable {
        /// The grammar allows all of it, obsolete forms included (§4.4).
        case wellFormed
        /// The grammar does not allow it, but every reader finds the same mailboxes: brackets in a display name without
        /// quotes, an address as display name, misplaced dots in a local-part.
        case plain
        /// Another reader may find something else.
        case doubtful
    }

    /// The mailboxes in order; those of groups are among them.
    public let mailboxes: [Mailbox]
    public let reading: Reading
    /// The text of each element in which no address can be made out. Untrusted; octets that are no UTF-8 are U+FFFD.
    public let unreadable: [String]

    /// True if the grammar allows all of it.
    public var isWellFormed: Bool { reading == .wellFormed }

    init(mailboxes: [Mailbox], reading: Reading, unreadable: [String]) {
        self.mailboxes = mailboxes
        self.reading = reading
        self.unreadable = unreadable
    }

    /// Reads a field body; it may still be folded. Takes time in proportion to its length.
    public init(parsing body: OctetString) {
        self = FieldCursor.reading(body.unfolded.array) { cursor in
            var reader = AddressListReader(cursor: cursor)
            return reader.readList()
        }
    }

    /// Reads a list from text.
    public init(parsing text: some StringProtocol) { self.init(parsing: OctetString(text)) }
}

extension AddrSpec {
    /// Reads an addr-spec that stands alone: dot-atom or quoted string, `@`, dot-atom or domain literal (RFC 5322
    /// §3.4.1).
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
    /// Reads a path as Return-Path and MAIL FROM have it (RFC 5321 §4.1.2): `<a@b>`, `<>`, or an address without
    /// brackets.
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

    /// Reads a path as mail servers and their scripts write it: also what ``AddressList`` can make out, and the names
    /// by which they call the null sender.
    ///
    /// - Returns: nil when no single address can be made out.
    public init?(reading text: some StringProtocol) {
        let trimmed = text.utf8.drop { $0 <= 0x20 }.reversed().drop { $0 <= 0x20 }.reversed()
        let plain = String(decoding: Array(trimmed), as: UTF8.self)
        if let path = ReversePath(parsing: plain) {
            self = path
            return
        }
        let name = plain.hasPrefix("<") && plain.hasSuffix(">") ? String(plain.dropFirst().dropLast()) : plain
        if Self.nullSenderNames.contains(name.asciiLowercased) {
            self = .null
            return
        }
        guard let address = AddrSpec(reading: plain) else { return nil }
        self = .address(address)
    }

    /// The names that stand for the null sender, lower case: Postfix and sendmail write `MAILER-DAEMON` (pipe(8),
    /// `null_sender`), Postfix `double-bounce` for its own probes, qmail `#@[]` for a bounce of a bounce, fetchmail
    /// `FETCHMAIL-DAEMON`. Only without a domain: with one each is an address that mail can be sent to.
    private static let nullSenderNames: Set<String> = [
        "mailer-daemon", "mailer_daemon", "mailerdaemon", "double-bounce", "fetchmail-daemon", "#@[]",
    ]
}

extension AddrSpec {
    /// Reads one address as ``AddressList`` reads a field; a display name is passed over.
    ///
    /// - Returns: nil when it is not exactly one address, or holds line ends or other control characters.
    public init?(reading text: some StringProtocol) {
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else { return nil }
        let list = AddressList(parsing: text)
        guard list.unreadable.isEmpty, list.mailboxes.count == 1 else { return nil }
        self = list.mailboxes[0].address
    }
}
