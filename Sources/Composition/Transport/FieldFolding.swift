import InternetMessage
import Octets

/// Folds the lines of one header field that are above 998 octets (RFC 5322 §2.1.1, §2.2.3).
struct FieldFolding {
    /// Octets in a line, without its end.
    static let limit = 998
    /// The column up to which a line is folded if there is a blank: RFC 5322 §2.1.1 recommends at most 78.
    private static let preferred = 78

    /// The places where a blank may be added to a field that has none.
    enum Grammar {
        /// Behind the comma of an address list, outside quotes and angle brackets.
        case addresses
        /// Behind a message identifier (RFC 5322 §3.6.4), which ends with `>`, and the comma that some write behind it.
        case identifiers
        /// Behind the semicolon of a parameter or a tag, and behind the colons and commas of a tag's value (RFC 6376
        /// §3.2).
        case parameters
        /// Anywhere, best behind a comma or semicolon.
        case text

        init(_ name: String) {
            switch name.asciiLowercased {
            case "from", "sender", "reply-to", "to", "cc", "bcc", "resent-from", "resent-sender", "resent-to",
                "resent-cc",
                "resent-bcc", "resent-reply-to", "disposition-notification-to", "list-unsubscribe", "list-post",
                "list-help":
                self = .addresses
            case "references", "in-reply-to", "message-id", "resent-message-id": self = .identifiers
            case "content-type", "content-disposition", "dkim-signature", "arc-seal", "arc-message-signature",
                "arc-authentication-results", "authentication-results", "received", "autocrypt":
                self = .parameters
            default: self = .text
            }
        }
    }

    private let field: HeaderField
    private let grammar: Grammar

    init(_ field: HeaderField) {
        self.field = field
        grammar = Grammar(field.name)
    }

    /// The whole field with its final line end, its long lines folded with their own kind of line end.
    func folded() -> [UInt8] {
        if let rewritten = withShortParameters() { return rewritten }
        var output: [UInt8] = []
        var rest = field.raw.array[...]
        var isFirst = true
        while !rest.isEmpty {
            let lineFeed = rest.firstIndex(of: 0x0A)
            var line = rest[..<(lineFeed ?? rest.endIndex)]
            rest = lineFeed.map { rest[($0 + 1)...] } ?? []
            var end: [UInt8] = lineFeed == nil ? [] : [0x0A]
            if line.last == 0x0D && lineFeed != nil {
                line = line.dropLast()
                end = [0x0D, 0x0A]
            }
            if line.count > Self.limit {
                fold(withShortEncodedWords(line), isFirst: isFirst, end.isEmpty ? [0x0D, 0x0A] : end, into: &output)
            } else {
                output += line
            }
            output += end
            isFirst = false
        }
        return output
    }

    // MARK: - Words that are too long

    /// A Content-Type or Content-Disposition with a value that is too long for a line, in the sections of RFC 2231 §3.
    private func withShortParameters() -> [UInt8]? {
        guard ["content-type", "content-disposition"].contains(field.name.asciiLowercased),
            field.raw.array.split(whereSeparator: { $0.isBlank || $0 == 0x3B || $0 == 0x0A }).contains(where: {
                $0.count > Self.limit
            })
        else { return nil }
        let body = field.unfoldedBody.text
        let parameters =
            field.isNamed("Content-Type")
            ? ContentType(parsing: body)?.parameters ?? [] : ContentDisposition(parsing: body).parameters
        let isOnlyName = parameters.allSatisfy { $0.value.count <= 500 || $0.name == "name" || $0.name == "filename" }
        guard isOnlyName else { return nil }
        let fit: OctetString
        // A field that cannot be rewritten is folded like any other.
        do { fit = try FieldFitting(path: []).fit(field) } catch { return nil }
        return field.raw.suffix(2).elementsEqual([0x0D, 0x0A]) ? fit.array : fit.array.filter { $0 != 0x0D }
    }

    /// The same with encoded-words that are too long for a line as several: a blank within one would make it none.
    private func withShortEncodedWords(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var output: [UInt8] = []
        var rest = line
        while !rest.isEmpty {
            output += rest.prefix { $0.isBlank }
            rest = rest.drop { $0.isBlank }
            let word = rest.prefix { !$0.isBlank }
            rest = rest[word.endIndex...]
            let text = word.count > Self.limit - 100 ? EncodedWords.decode(Array(word), using: BuiltInCharsets()) : ""
            if text.isEmpty || text.contains("=?") || text.utf8.elementsEqual(word) {
                output += word
            } else {
                output += EncodedWord.encoded(text).joined(separator: " ").utf8
            }
        }
        return output[...]
    }

    // MARK: - Lines

    private func fold(_ given: ArraySlice<UInt8>, isFirst: Bool, _ lineEnd: [UInt8], into output: inout [UInt8]) {
        var line = given
        while let last = line.last, last.isBlank { line.removeLast() }
        var body = line.startIndex
        if isFirst, let colon = line.firstIndex(of: 0x3A) {
            // The name stays on its line with some of the body, where that is not too long.
            output += line[...colon]
            body = colon + 1
        }
        var column = body - line.startIndex
        var rest = Self.withoutExcessBlanks(line[body...])
        while column + rest.count > Self.preferred {
            guard let (end, addsBlank) = breakPoint(rest, column) else { break }
            output += rest[..<end] + lineEnd + (addsBlank ? [0x20] : [])
            rest = Self.withoutExcessBlanks(rest[end...])
            column = addsBlank ? 1 : 0
        }
        output += rest
    }

    /// Returns the place where the rest of a line is broken: before a blank, or where one is added. Nil if all of it
    /// may stay unchanged.
    /// - Parameter column: The octets that stand before it on its line.
    private func breakPoint(_ rest: ArraySlice<UInt8>, _ column: Int) -> (end: Int, addsBlank: Bool)? {
        guard let lastWord = rest.lastIndex(where: { !$0.isBlank }) else { return nil }
        let firstWord = rest.firstIndex { !$0.isBlank } ?? rest.startIndex
        var best: Int?
        var index = firstWord
        while index < lastWord, column + index - rest.startIndex <= Self.limit {
            if rest[index].isBlank && !rest[index - 1].isBlank {
                let isShort = column + index - rest.startIndex <= Self.preferred
                if isShort || best == nil { best = index }
                if !isShort { break }
            }
            index += 1
        }
        if let best { return (best, false) }
        guard column + rest.count > Self.limit else { return nil }
        // One word, behind the name of the field: alone on its line it may fit.
        if column > 1, firstWord > rest.startIndex, rest[firstWord...].prefix(while: { !$0.isBlank }).count < Self.limit
        {
            return (rest.startIndex, false)
        }
        let start = firstWord + 1
        return (placeForBlank(rest, from: start, to: max(rest.startIndex + Self.limit - 98 - column, start)), true)
    }

    // MARK: - Added blanks

    /// Returns the place where a blank is added within octets of `word`, which contain none.
    private func placeForBlank(_ word: ArraySlice<UInt8>, from start: Int, to most: Int) -> Int {
        if let place = grammaticalPlace(word, from: start, to: most) { return place }
        var place = most
        // Not within a character.
        while place > start, word[place] & 0xC0 == 0x80 { place -= 1 }
        return place > start ? place : most
    }

    private func grammaticalPlace(_ word: ArraySlice<UInt8>, from start: Int, to most: Int) -> Int? {
        var found: Int?
        var colon: Int?
        var isQuoted = word[start - 1] == 0x22 && grammar != .text
        var depth = word[start - 1] == 0x3C ? 1 : 0
        var index = start
        while index < most {
            switch word[index] {
            case 0x5C where isQuoted: index += 1
            case 0x22 where grammar == .addresses || grammar == .parameters: isQuoted.toggle()
            case 0x3C: depth = 1
            case 0x3E:
                depth = 0
                if grammar == .identifiers {
                    found = index + 1 < most && word[index + 1] == 0x2C ? index + 2 : index + 1
                }
            case 0x2C where !isQuoted && (depth == 0 || grammar != .addresses) && grammar != .identifiers,
                0x3B where !isQuoted && grammar != .identifiers:
                found = index + 1
            case 0x3A where !isQuoted && grammar == .parameters: colon = index + 1
            default: break
            }
            index += 1
        }
        return found ?? colon
    }

    /// More blanks in a row than a line may hold are cut down to one: a line of nothing but blanks would end the
    /// header for some.
    private static func withoutExcessBlanks(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let blanks = line.prefix { $0.isBlank }.count
        return blanks > preferred ? line.dropFirst(blanks - 1) : line
    }
}

extension UInt8 {
    fileprivate var isBlank: Bool { self == 0x20 || self == 0x09 }
}
