/// The choices in which programs that read mail differ, where the standards leave one or are not followed.
///
/// ``ReadingHabits/init()`` holds the habits of this project. Every other value stands for readers in use: if they
/// divide a mail in another way, they show their users something other than what was verified here.
struct ReadingHabits: Hashable, Sendable {
    /// The lines that separate or end the parts of a multipart (RFC 2046 §5.1.1).
    enum Delimiters: Hashable, Sendable {
        /// The whole line except for trailing blanks.
        case wholeLine
        /// The whole line, blanks included, as the boundary was written.
        case exactLine
        /// Every line that begins with the boundary, as the RFC says; the final one when hyphens follow at once.
        case prefix
        /// The same; final only when nothing follows the hyphens.
        case prefixWithExactEnd
    }

    /// To which of several open multiparts a line belongs.
    enum Precedence: Hashable, Sendable {
        /// To the one whose boundary fits best, and of those to the innermost.
        case longest
        /// To the outermost that it fits.
        case outermost
    }

    /// The handling of a header line that is not a field.
    enum LineWithoutField: Hashable, Sendable {
        /// It is the first line of the body.
        case endsHeader
        /// It is read over.
        case isSkipped
        /// It is the last line of the header, where an empty line was expected.
        case replacesEmptyLine
        /// It continues the field before it.
        case continuesField
    }

    /// The one that counts of several fields, or parameters of one field, with the same name.
    enum Several: Hashable, Sendable { case first, last }

    /// The end of a parameter's value without quotes (RFC 2045 §5.1).
    enum BareValue: Hashable, Sendable {
        /// Up to the semicolon, without a comment at its end.
        case toSemicolon
        /// Up to the semicolon, whatever stands before it.
        case everythingToSemicolon
        /// Up to the first blank.
        case word
        /// Up to the first octet that no token has.
        case token
    }

    /// The meaning of a backslash in a quoted string.
    enum Backslash: Hashable, Sendable {
        /// It quotes itself and the quote: mailers write Windows paths into file names, backslashes and all.
        case quotesQuotes
        /// It quotes any octet (RFC 5322 §3.2.4).
        case quotesAll
        /// An octet like any other; the string ends at the next quote.
        case isPlain
    }

    /// The meaning of the forms of RFC 2231.
    enum Extended: Hashable, Sendable {
        /// They count before the plain form.
        case preferred
        /// The plain form counts where there is one.
        case fallback
        /// Names like any other.
        case unknown
    }

    var delimiters = Delimiters.wholeLine
    var precedence = Precedence.longest
    /// True if boundaries are compared without regard to the case of letters.
    var ignoresBoundaryCase = false
    /// The longest boundary that is compared; what is behind that counts for nothing. RFC 2046 §5.1.1 allows 70 octets.
    var maximumBoundaryLength = Int.max
    /// True if parts are looked for behind the final delimiter too.
    var readsEpilogue = false
    /// True if a preamble with a colon in it, which may be a header, is a part too.
    var showsPreamble = false
    /// True if a line that is a delimiter ends a header too.
    var seeksDelimitersInHeader = true
    /// True if a CR alone ends a line.
    var endsLinesAtCR = false
    /// True if a line has no meaning from a NUL on, as in a string of C.
    var cutsLinesAtNUL = false
    var lineWithoutField = LineWithoutField.endsHeader
    /// True if a blank may stand before the colon of a field (RFC 5322 §4.5).
    var allowsBlankBeforeColon = true
    /// True if a line of blanks alone ends the header; RFC 5322 §4.2 makes it a part of the field before.
    var endsHeaderAtBlankLine = false
    /// True if `>From ` as the first line is skipped like `From `, a separator of mbox files.
    var knowsQuotedSeparator = true
    var fields = Several.first
    var parameters = Several.first
    /// True if comments are known (RFC 2045 §5.1).
    var knowsComments = true
    /// True if a semicolon within quotes separates no parameters.
    var knowsQuotes = true
    var bareValue = BareValue.toSemicolon
    /// True if parameters go on behind two semicolons with nothing between them.
    var readsOverEmptyParameter = true
    /// True if blanks may stand before and behind the equals sign of a parameter.
    var allowsBlankAtEquals = true
    var backslash = Backslash.quotesQuotes
    var extended = Extended.preferred
    /// True if encoded-words in parameters are decoded, which RFC 2047 §5 forbids.
    var decodesEncodedWords = false
    /// True if `'value'` and `<value>` are read as `value`.
    var unwrapsValues = false
    /// True if a message without a MIME-Version of 1 is plain text (RFC 2045 §4).
    var requiresMIMEVersion = false
    /// True if a Content-Transfer-Encoding with anything beside the word is an unknown one.
    var readsEncodingStrictly = false
}

extension ReadingHabits {
    /// Readers that differ from this project's in one respect or, where two work together, in several.
    static let others: [(habits: ReadingHabits, because: String)] = [
        (with { $0.delimiters = .prefix }, prefixReason),
        (with { $0.delimiters = .prefixWithExactEnd }, prefixReason),
        (
            with { ($0.delimiters, $0.ignoresBoundaryCase) = (.prefix, true) },
            "a line differs from a boundary only in case"
        ),
        (with { $0.precedence = .outermost }, "a boundary occurs again within a part"),
        (
            with { ($0.delimiters, $0.readsEpilogue) = (.prefix, true) },
            "more parts follow a closing boundary"
        ),
        (with { $0.delimiters = .exactLine }, "a boundary is followed by blanks"),
        (with { $0.maximumBoundaryLength = 70 }, "a boundary is longer than 70 octets (RFC 2046 §5.1.1)"),
        (
            with { ($0.seeksDelimitersInHeader, $0.lineWithoutField) = (false, .isSkipped) },
            "a boundary occurs in the header of a part"
        ),
        (with { $0.endsLinesAtCR = true }, bareCRReason),
        (with { ($0.endsLinesAtCR, $0.delimiters) = (true, .prefix) }, bareCRReason),
        (with { $0.cutsLinesAtNUL = true }, nulReason),
        (with { ($0.cutsLinesAtNUL, $0.delimiters) = (true, .prefix) }, nulReason),
        (with { $0.lineWithoutField = .isSkipped }, noFieldReason),
        (with { $0.lineWithoutField = .replacesEmptyLine }, noFieldReason),
        (with { $0.lineWithoutField = .continuesField }, noFieldReason),
        (
            with { $0.allowsBlankBeforeColon = false },
            "a header has a blank before a colon, where some readers end it (RFC 5322 §4.5)"
        ),
        (
            with { ($0.allowsBlankBeforeColon, $0.lineWithoutField) = (false, .isSkipped) },
            "a header has a blank before a colon, and some readers leave out such fields (RFC 5322 §4.5)"
        ),
        (with { $0.endsHeaderAtBlankLine = true }, "a header has a line of blanks alone, where some readers end it"),
        (with { $0.knowsQuotedSeparator = false }, "the header begins with a line that is not a field"),
        (with { $0.fields = .last }, "a header has more than one field of a kind that may occur only once"),
        (with { $0.parameters = .last }, "a Content-Type has more than one parameter of a name"),
        (with { ($0.knowsComments, $0.bareValue) = (false, .word) }, commentReason),
        (with { ($0.knowsComments, $0.bareValue) = (false, .everythingToSemicolon) }, commentReason),
        (with { $0.knowsQuotes = false }, "a parameter has a semicolon in quotes, where some readers end it"),
        (with { $0.bareValue = .token }, bareReason),
        (with { ($0.bareValue, $0.parameters) = (.token, .last) }, bareReason),
        (with { $0.readsOverEmptyParameter = false }, "an empty parameter precedes others (Email::MIME)"),
        (with { $0.allowsBlankAtEquals = false }, "a parameter has a blank before or after its equals sign"),
        (with { $0.backslash = .quotesAll }, backslashReason),
        (with { $0.backslash = .isPlain }, backslashReason),
        (with { $0.extended = .fallback }, extendedReason),
        (with { $0.extended = .unknown }, extendedReason),
        (with { $0.decodesEncodedWords = true }, "a parameter has an encoded-word, which some readers decode"),
        (with { $0.unwrapsValues = true }, "a parameter is in quotes or brackets that some readers leave out"),
        (
            with { $0.requiresMIMEVersion = true },
            "there is no MIME-Version 1.0, without which the message is plain text for some readers (RFC 2045 §4)"
        ),
        (with { $0.readsEncodingStrictly = true }, "a Content-Transfer-Encoding is more than one word"),
        (
            with { $0.showsPreamble = true },
            "the text before the first boundary contains a colon, and some readers take it for a part (Email::MIME)"
        ),
    ]

    private static let bareReason = "a parameter has special characters without quotes (RFC 2045 §5.1)"
    private static let commentReason = "a header field has a comment, which some readers take as text"
    private static let prefixReason =
        "a line begins with a boundary and continues; for some readers it separates parts (RFC 2046 §5.1.1)"
    private static let bareCRReason =
        "a CR without LF is next to what may be a boundary, or in a header, and some readers end a line there"
    private static let nulReason =
        "a NUL is next to what may be a boundary, or in a header, and some readers stop there"
    private static let noFieldReason =
        "a header has a line that is not a field, and readers treat it differently"
    private static let backslashReason = "a parameter contains a backslash, which readers interpret differently"
    private static let extendedReason =
        "a parameter that determines the structure of the mail is encoded by RFC 2231, which not all readers know"

    /// Readers for whom the last of several parameters of one name counts.
    static let lastParameter = with { $0.parameters = .last }

    private static func with(_ change: (inout ReadingHabits) -> Void) -> ReadingHabits {
        var habits = ReadingHabits()
        change(&habits)
        return habits
    }
}
