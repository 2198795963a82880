import DomainNames
import InternetMessage
import LookAlikes
import Octets

/// The service named in an Authentication-Results field that somebody else wrote (RFC 8601 §2.2, §5).
struct ForeignClaim {
    /// The body of the field, and what a reader that decodes encoded-words makes of it.
    private let bodies: [String]

    /// - Parameter body: Still folded.
    init(of body: OctetString) {
        let text = String(body.text.unicodeScalars.map { Character($0.value < 0x20 || $0.value == 0x7F ? " " : $0) })
        let decoded = text.contains("=?") ? EncodedWords.decode(text, using: BuiltInCharsets()) : text
        bodies = decoded == text ? [text] : [text, decoded]
    }

    /// Returns true if some reader takes it for a field of `authservID`.
    ///
    /// Comments, quotes, case and a version make no difference, nor do invisible characters. If the field cannot be
    /// parsed, naming us is enough. A result about S/MIME without an identifier counts as ours, for readers of such
    /// fields.
    func mayBe(of authservID: String) -> Bool {
        let wanted = LookAlikes.folded(authservID)
        return bodies.contains { Self.mayBe($0, of: wanted) }
    }

    /// Returns the domain from within which some reader takes it for a result about S/MIME; nil if there is none.
    ///
    /// RFC 8601 §5 has the border of an organisation remove what claims to be from within it and did not come directly
    /// from a trusted server. Results about SPF, DKIM and the like are left: the mail server before us writes them and
    /// removes forged ones. About S/MIME nobody but SES has anything to say.
    /// - Parameter domains: Those of our organisation.
    func originOfSMIME(within domains: [CanonicalDomain]) -> CanonicalDomain? {
        domains.first { domain in
            bodies.contains { Self.namesSMIME(in: $0) && Self.mayBe($0, within: domain) }
        }
    }

    /// True if the method smime may be in `body`, whatever is around the word (§2.2).
    private static func namesSMIME(in body: String) -> Bool {
        let letters = LookAlikes.folded(body).filter { !$0.isWhitespace }
        return ["smime=", "smime/", "smime("].contains { letters.contains($0) }
    }

    private static func mayBe(_ body: String, within domain: CanonicalDomain) -> Bool {
        let (words, isWhole) = identifier(in: body)
        guard isWhole, !words.isEmpty else { return LookAlikes.folded(body).contains(domain.name) }
        let joined = words.joined()
        let look = LookAlikes.skeleton(joined)
        if joined.utf8.contains(where: { $0 >= 0x80 }), look.contains(LookAlikes.skeleton(domain.unicodeName)) {
            return true
        }
        return [words[0], joined, LookAlikes.folded(joined)].contains { reading in
            // An address or a version is read over.
            let name = reading.prefix { $0 != "/" }
            let named = CanonicalDomain(name.split(separator: "@").last ?? name)
            return named == domain || named.isBelow(domain)
        }
    }

    private static func mayBe(_ body: String, of wanted: String) -> Bool {
        let (words, isWhole) = identifier(in: body)
        guard isWhole else { return LookAlikes.folded(body).contains(wanted) }
        let joined = words.joined()
        if words.isEmpty || words[0].contains("=") { return LookAlikes.folded(body).contains("smime") }
        let readings = [words[0], joined, LookAlikes.folded(joined)]
        if readings.contains(wanted) { return true }
        let look = LookAlikes.skeleton(joined)
        if joined.utf8.contains(where: { $0 >= 0x80 }), look.contains(LookAlikes.skeleton(wanted)) { return true }
        return readings.contains { reading in
            reading.hasPrefix(wanted)
                && reading.dropFirst(wanted.count).allSatisfy { $0 == "/" || $0 == "." || $0.isNumber }
        }
    }

    /// The words before the first semicolon, lower case, without comments and quotes.
    private static func identifier(in body: String) -> (words: [String], isWhole: Bool) {
        var words: [String] = []
        var word = ""
        var depth = 0
        var isQuoted = false
        var isEscaped = false
        func end(_ word: inout String) {
            if !word.isEmpty { words.append(word.asciiLowercased) }
            word = ""
        }
        for scalar in body.unicodeScalars {
            if isEscaped {
                isEscaped = false
                if depth == 0 { word.unicodeScalars.append(scalar) }
            } else if scalar == "\\" && (isQuoted || depth > 0) {
                isEscaped = true
            } else if isQuoted {
                if scalar == "\"" { isQuoted = false } else { word.unicodeScalars.append(scalar) }
            } else if scalar == "(" {
                depth += 1
            } else if scalar == ")" && depth > 0 {
                depth -= 1
            } else if depth > 0 {
                continue
            } else if scalar == "\"" {
                isQuoted = true
            } else if scalar == ";" {
                end(&word)
                return (words, true)
            } else if scalar.value <= 0x20 {
                end(&word)
            } else {
                word.unicodeScalars.append(scalar)
            }
        }
        end(&word)
        return (words, depth == 0 && !isQuoted)
    }
}
