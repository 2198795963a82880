import Composition
import InternetMessage

/// Compares the header that readers show with the signed copy of it in the signed part.
///
/// RFC 9788 puts the copy on the signed part itself and marks it by the parameter `hp`, earlier programs by
/// `protected-headers`. RFC 8551 §3.1 wraps the whole message as message/rfc822, with `forwarded="no"` if it is meant
/// as a protection. Without any of these marks a copy is compared too, but proves no forgery.
struct HeaderComparison {
    /// The reason why From is forged; nil if it is not, or no mark says so.
    let forgedAuthor: String?
    /// The fields that differ, a sentence each.
    let differences: [String]

    init(outer: Header, signed: Entity, using charsets: some CharsetDecoding) {
        var inner = signed.header
        var isMarked =
            signed.contentType.parameter("hp") != nil || signed.contentType.parameter("protected-headers") != nil
        // A marked part that is a message has its copy in its own header, or is the message that is protected.
        if case .message(let wrapped) = signed.content, !isMarked || inner.first("From") == nil {
            inner = wrapped.header
            isMarked = isMarked || signed.contentType.parameter("forwarded")?.text.asciiLowercased == "no"
            // A message of somebody else that is passed on whole has a header of its own.
            guard isMarked || Self.areSame(Author.of(inner), Author.of(outer)) else {
                forgedAuthor = nil
                differences = []
                return
            }
        }
        let hasAuthor = inner.first("From") != nil
        forgedAuthor = isMarked && hasAuthor ? Self.forgedAuthor(outer, inner) : nil
        let names = ["Subject", "To", "Cc", "Date", "Reply-To"] + (isMarked ? [] : ["From"])
        differences = names.compactMap { name in
            let copy = inner.first(name).map { Self.text($0, charsets) }
            let shown = outer.first(name).map { Self.text($0, charsets) }
            guard let copy else {
                // RFC 9788 §4.1.1: the copy has all fields of the header.
                guard isMarked, hasAuthor, shown != nil else { return nil }
                return "\(name) was not there when the message was signed"
            }
            guard Self.differ(inner, outer, name, charsets) else { return nil }
            return "\(name) differs from the signed copy of the header, which says: "
                + UntrustedText.quotedName(copy, limit: 200)
        }
    }

    private static func forgedAuthor(_ outer: Header, _ inner: Header) -> String? {
        let author = Author.of(inner)
        guard !areSame(author, Author.of(outer)) else { return nil }
        let shown =
            switch author {
            case .one(let address): address.description
            case .none(let why): why
            }
        return "From differs from the signed copy of the header, which says: " + shown
    }

    /// Returns true if both name one person, whatever the case and the form of the domain.
    private static func areSame(_ one: Author, _ other: Author) -> Bool {
        guard case .one(let address) = one, case .one(let second) = other else { return one == other }
        return CanonicalAddress(address) == CanonicalAddress(second)
    }

    /// Returns true if a person would read something else.
    private static func differ(
        _ inner: Header, _ outer: Header, _ name: String, _ charsets: some CharsetDecoding
    ) -> Bool {
        let (copies, shown) = (inner.all(name), outer.all(name))
        switch name {
        case "Date":
            let dates = (copies + shown).map { MailDate(parsing: $0.text) }
            if !dates.contains(nil) { return shown.isEmpty || Set(dates).count > 1 }
        case "To", "Cc", "Reply-To", "From":
            // Names beside addresses and the order of addresses are written anew by servers on the way.
            let lists = [copies, shown].map { $0.map { AddressList(parsing: $0.unfoldedBody) } }
            if lists.allSatisfy({ $0.allSatisfy(\.isWellFormed) }) {
                let addresses = lists.map { Set($0.flatMap(\.mailboxes).map { "\($0.address)".asciiLowercased }) }
                return addresses[0] != addresses[1]
            }
        default: break
        }
        return copies.map { text($0, charsets) } != shown.map { text($0, charsets) }
    }

    /// Decoded, with one blank for each run of them.
    private static func text(_ field: HeaderField, _ charsets: some CharsetDecoding) -> String {
        EncodedWords.decode(field.unfoldedBody, using: charsets).split(whereSeparator: \.isWhitespace)
            .joined(separator: " ")
    }
}
