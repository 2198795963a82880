/// Reads the mailboxes of one field body, element by element: by the grammar, and where that fails as
/// ``AddressRecovery`` can.
struct AddressListReader {
    private var cursor: FieldCursor
    private var mailboxes: [Mailbox] = []
    private var unreadable: [String] = []
    private var reading = AddressList.Reading.wellFormed
    /// The grammar does not allow the element that is being read.
    private var hasFault = false
    private var isInGroup = false
    /// Octets that may still be read more than once, so that no field costs more than a multiple of its length.
    private var budget: Int

    init(cursor: FieldCursor) {
        self.cursor = cursor
        budget = 64 * (cursor.end - cursor.index) + 4_096
    }

    /// The words before the character that tells what they are: a display name, a local-part, a group's name.
    private struct Phrase {
        /// The words' values, joined as a display name would be.
        var display: [UInt8] = []
        /// The words' values, joined as a local-part would be.
        var local: [UInt8] = []
        /// True if words and dots alternate, as in a local-part.
        var isLocalPart = true
        var isEmpty = true
        private var endsWithWord = false

        mutating func append(word: some Collection<UInt8>, afterBlank: Bool) {
            if endsWithWord { isLocalPart = false }
            if afterBlank && !isEmpty { display.append(0x20) }
            display.append(contentsOf: word)
            local.append(contentsOf: word)
            endsWithWord = true
            isEmpty = false
        }

        mutating func appendDot(afterBlank: Bool) {
            if !endsWithWord { isLocalPart = false }
            if afterBlank && !isEmpty { display.append(0x20) }
            display.append(0x2E)
            local.append(0x2E)
            endsWithWord = false
            isEmpty = false
        }

        /// A local-part ends with a word.
        var isWholeLocalPart: Bool { isLocalPart && endsWithWord }
    }

    mutating func readList() -> AddressList {
        while budget > 0 {
            let start = cursor
            cursor.skipCFWS()
            if cursor.isMalformed {
                // A comment that never ends would swallow the rest of the list.
                cursor = start
                cursor.skipBlanks()
                recover()
                continue
            }
            if cursor.isAtEnd || cursor.current == 0x2C || cursor.current == 0x3B {
                noteCommentAlone(start.index..<cursor.index)
                if cursor.isAtEnd { break }
                if cursor.current == 0x3B {
                    if !isInGroup { reading = .doubtful }
                    isInGroup = false
                }
                cursor.advance()
                continue
            }
            readOrRecoverElement()
        }
        if !cursor.isAtEnd { addUnreadable(cursor.index..<cursor.end) }
        if isInGroup { reading = .doubtful }
        return AddressList(mailboxes: mailboxes, reading: reading, unreadable: unreadable)
    }

    /// Reads the element at the cursor by the grammar; where that fails, takes nothing of it and recovers it.
    private mutating func readOrRecoverElement() {
        let start = cursor
        let known = mailboxes.count
        hasFault = false
        readElement()
        guard hasFault || cursor.isMalformed else { return }
        budget -= cursor.index - start.index
        mailboxes.removeSubrange(known...)
        cursor = start
        recover()
    }

    private mutating func recover() {
        var recovery = AddressRecovery(cursor: cursor)
        let found = recovery.read()
        budget -= recovery.work
        switch found.content {
        case .mailbox(let mailbox, let isPlain):
            mailboxes.append(mailbox)
            if !isPlain { reading = .doubtful } else if reading == .wellFormed { reading = .plain }
        case .group:
            isInGroup = true
            reading = .doubtful
        case .nobody: reading = .doubtful
        case .unreadable: addUnreadable(cursor.index..<found.end)
        }
        cursor.go(to: found.end)
    }

    /// A comment without an address beside it: an address in it was meant to be one.
    private mutating func noteCommentAlone(_ range: Range<Int>) {
        if cursor.slice(range).contains(0x40) { addUnreadable(range) }
    }

    private mutating func addUnreadable(_ range: Range<Int>) {
        reading = .doubtful
        guard unreadable.count < Self.maximumUnreadable else { return }
        let octets = cursor.slice(range.lowerBound..<min(range.upperBound, range.lowerBound + 1_000))
        let text = String(decoding: octets, as: UTF8.self)
        unreadable.append(
            String(text.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed()))
    }

    /// Texts beyond that are not counted: one is enough to hold a message.
    private static let maximumUnreadable = 1_000

    /// dot-atom or quoted string, `@`, domain, and nothing else.
    mutating func readStrictAddrSpec() -> AddrSpec? {
        let local: [UInt8]
        if cursor.current == 0x22 {
            local = cursor.parseQuotedString()
        } else {
            let run = cursor.consume { !$0.isAtext && $0 != 0x2E }
            guard Self.isDotAtom(cursor.slice(run)) else { return nil }
            local = [UInt8](cursor.slice(run))
        }
        guard cursor.skip(0x40), !cursor.isMalformed else { return nil }
        let run: Range<Int>
        if cursor.current == 0x5B {
            guard let literal = parseDomainLiteral() else { return nil }
            run = literal
        } else {
            run = cursor.consume { !$0.isAtext && $0 != 0x2E }
            guard Self.isDotAtom(cursor.slice(run)) else { return nil }
        }
        guard cursor.isAtEnd else { return nil }
        return Self.addrSpec(local, [UInt8](cursor.slice(run)))
    }

    private static func isDotAtom(_ octets: UnsafeBufferPointer<UInt8>) -> Bool {
        var afterDot = true
        for octet in octets {
            if octet == 0x2E && afterDot { return false }
            afterDot = octet == 0x2E
        }
        return !afterDot
    }

    // MARK: - Elements

    private mutating func readElement() {
        cursor.forgetComment()
        let phrase = parsePhrase()
        switch cursor.current {
        case _ where cursor.isAtEnd:
            hasFault = true
        case 0x40:
            readBareAddress(phrase)
        case 0x3C:
            readAngleAddress(displayName: phrase.isEmpty ? nil : phrase.display)
        case 0x3A:
            cursor.advance()
            if isInGroup || phrase.isEmpty { hasFault = true } else { isInGroup = true }
        default:
            hasFault = true
        }
    }

    /// Words and dots, with the comments among them, up to a character that is neither.
    private mutating func parsePhrase() -> Phrase {
        var phrase = Phrase()
        while true {
            let afterBlank = cursor.skipCFWS()
            if cursor.isAtEnd { return phrase }
            if cursor.current == 0x22 {
                phrase.append(word: cursor.parseQuotedString(), afterBlank: afterBlank)
            } else if cursor.current == 0x2E {
                cursor.advance()
                phrase.appendDot(afterBlank: afterBlank)
            } else {
                let run = cursor.consume { !$0.isAtext }
                if run.isEmpty { return phrase }
                phrase.append(word: cursor.slice(run), afterBlank: afterBlank)
            }
        }
    }

    /// `local-part@domain` without angle brackets; the comment behind it is the name, as old mailers wrote it.
    private mutating func readBareAddress(_ phrase: Phrase) {
        cursor.advance()
        let domain = parseDomain()
        cursor.skipCFWS()
        let name = cursor.lastComment.map { [UInt8](cursor.slice($0)) }
        add(phrase, domain, displayName: name)
        expectSeparator()
    }

    /// `<local-part@domain>`, with the route of RFC 5322 §4.4 before it or not.
    private mutating func readAngleAddress(displayName: [UInt8]?) {
        cursor.advance()
        cursor.skipCFWS()
        if cursor.current == 0x40 { skipRoute() }
        let phrase = parsePhrase()
        if cursor.skip(0x40) {
            let domain = parseDomain()
            cursor.skipCFWS()
            add(phrase, domain, displayName: displayName)
        } else {
            hasFault = true
        }
        if !cursor.skip(0x3E) { hasFault = true }
        expectSeparator()
    }

    /// obs-route: domains with `@` before each, commas between, a colon at the end.
    private mutating func skipRoute() {
        while true {
            cursor.skipCFWS()
            if cursor.skip(0x2C) { continue }
            guard cursor.skip(0x40) else { break }
            if parseDomain() == nil { hasFault = true }
        }
        cursor.skipCFWS()
        if !cursor.skip(0x3A) { hasFault = true }
    }

    /// A domain: atoms and dots, blanks and comments around them (obs-domain), or a literal.
    private mutating func parseDomain() -> [UInt8]? {
        cursor.skipCFWS()
        if cursor.current == 0x5B { return parseDomainLiteral().map { [UInt8](cursor.slice($0)) } }
        var domain: [UInt8] = []
        while true {
            let atom = cursor.consume { !$0.isAtext }
            if atom.isEmpty { return nil }
            domain.append(contentsOf: cursor.slice(atom))
            let end = cursor.index
            cursor.skipCFWS()
            guard cursor.skip(0x2E) else {
                // Left for the caller, who may take a comment as the name.
                cursor.go(to: end)
                return domain
            }
            domain.append(0x2E)
            cursor.skipCFWS()
        }
    }

    private mutating func parseDomainLiteral() -> Range<Int>? {
        let start = cursor.index
        cursor.advance()
        _ = cursor.consume { $0 == 0x5D || $0 == 0x5B || $0 == 0x5C || $0 <= 0x20 || $0 == 0x7F }
        guard cursor.skip(0x5D) else { return nil }
        return start..<cursor.index
    }

    // MARK: - Results

    private mutating func add(_ phrase: Phrase, _ domain: [UInt8]?, displayName: [UInt8]?) {
        guard let domain, phrase.isWholeLocalPart, let address = Self.addrSpec(phrase.local, domain) else {
            hasFault = true
            return
        }
        let name = displayName.map { String(decoding: $0, as: UTF8.self) }
        mailboxes.append(Mailbox(displayName: name?.isEmpty == true ? nil : name, address: address))
    }

    /// Octets that are not UTF-8 are not an address, because they could not be written again unchanged.
    /// Neither is a local-part that is an encoded-word, which RFC 2047 §5 forbids there and some readers decode.
    private static func addrSpec(_ local: [UInt8], _ domain: [UInt8]) -> AddrSpec? {
        guard !EncodedWords.isWord(local), let local = String(validating: local, as: UTF8.self),
            let domain = String(validating: domain, as: UTF8.self)
        else { return nil }
        return AddrSpec(localPart: local, domain: domain)
    }

    /// After an address a comma, the end of the group, or the end.
    private mutating func expectSeparator() {
        cursor.skipCFWS()
        if !cursor.isAtEnd && cursor.current != 0x2C && cursor.current != 0x3B { hasFault = true }
    }
}

extension UInt8 {
    /// atext (RFC 5322 §3.2.3), octets of 128 and above among it (RFC 6532 §3.2).
    var isAtext: Bool {
        switch self {
        case 0x41...0x5A, 0x61...0x7A, 0x30...0x39, 0x80...0xFF: true
        case 0x21, 0x23, 0x24, 0x25, 0x26, 0x27, 0x2A, 0x2B, 0x2D, 0x2F, 0x3D, 0x3F, 0x5E, 0x5F, 0x60, 0x7B, 0x7C,
            0x7D, 0x7E:
            true
        default: false
        }
    }
}
