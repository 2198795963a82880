/// The points in one reading of a message at which readers with other habits may go another way.
///
/// A reader decides step by step. Each step depends only on the octets, on the steps before it and on the habits that
/// it uses. Hence two readers whose habits differ only in choices that never came up in the reading of one of them take
/// the same steps, and find the same parts. ``EntityReader`` records the choices while it reads with the habits of this
/// project, so that habits that cannot matter for a message need not be tried on it.
struct ReadingChoices: OptionSet, Hashable, Sendable {
    let rawValue: UInt32

    /// A line begins with the boundary of an open multipart, without regard to case, but is not exactly a delimiter; a
    /// boundary is longer than 70 octets or ends with a blank.
    static let delimiterForm = ReadingChoices(rawValue: 1 << 0)
    /// A line begins with the boundaries of two open multiparts.
    static let precedence = ReadingChoices(rawValue: 1 << 1)
    /// A line begins with the boundary of a multipart whose final delimiter was seen.
    static let epilogue = ReadingChoices(rawValue: 1 << 2)
    /// A delimiter stands in a header.
    static let delimiterInHeader = ReadingChoices(rawValue: 1 << 3)
    /// A CR without LF stands anywhere.
    static let bareCR = ReadingChoices(rawValue: 1 << 4)
    /// A NUL stands anywhere.
    static let nul = ReadingChoices(rawValue: 1 << 5)
    /// A header has a line that is no field.
    static let lineWithoutField = ReadingChoices(rawValue: 1 << 6)
    /// A field has a blank before its colon.
    static let blankBeforeColon = ReadingChoices(rawValue: 1 << 7)
    /// A header has a line of blanks alone.
    static let blankLine = ReadingChoices(rawValue: 1 << 8)
    /// A header begins with `>From `.
    static let quotedSeparator = ReadingChoices(rawValue: 1 << 9)
    /// A header has two fields of a name that may stand once.
    static let repeatedField = ReadingChoices(rawValue: 1 << 10)
    /// The message declares no MIME version, or one that is not 1.
    static let version = ReadingChoices(rawValue: 1 << 11)
    /// A preamble is a part with a content for some reader.
    static let preamble = ReadingChoices(rawValue: 1 << 12)
    /// The body of a Content-Type or Content-Transfer-Encoding comes out otherwise. Which habits make it so is found by
    /// reading that field alone: see ``StructuralField``.
    static let fieldForm = ReadingChoices(rawValue: 1 << 13)
}

extension ReadingHabits {
    /// The choices in which these habits differ from this project's.
    var choices: ReadingChoices {
        let own = ReadingHabits()
        var choices: ReadingChoices = []
        func note(_ choice: ReadingChoices, _ differs: Bool) { if differs { choices.insert(choice) } }
        note(.delimiterForm, delimiters != own.delimiters || ignoresBoundaryCase != own.ignoresBoundaryCase)
        note(.delimiterForm, maximumBoundaryLength != own.maximumBoundaryLength)
        note(.precedence, precedence != own.precedence)
        note(.epilogue, readsEpilogue != own.readsEpilogue)
        note(.delimiterInHeader, seeksDelimitersInHeader != own.seeksDelimitersInHeader)
        note(.bareCR, endsLinesAtCR != own.endsLinesAtCR)
        note(.nul, cutsLinesAtNUL != own.cutsLinesAtNUL)
        note(.lineWithoutField, lineWithoutField != own.lineWithoutField)
        note(.blankBeforeColon, allowsBlankBeforeColon != own.allowsBlankBeforeColon)
        note(.blankLine, endsHeaderAtBlankLine != own.endsHeaderAtBlankLine)
        note(.quotedSeparator, knowsQuotedSeparator != own.knowsQuotedSeparator)
        note(.repeatedField, fields != own.fields)
        note(.version, requiresMIMEVersion != own.requiresMIMEVersion)
        note(.preamble, showsPreamble != own.showsPreamble)
        note(.fieldForm, self != withFieldForms(of: own))
        return choices
    }

    /// These habits with those of `other` for what stands within a Content-Type or Content-Transfer-Encoding.
    func withFieldForms(of other: ReadingHabits) -> ReadingHabits {
        var habits = self
        habits.parameters = other.parameters
        habits.knowsComments = other.knowsComments
        habits.knowsQuotes = other.knowsQuotes
        habits.bareValue = other.bareValue
        habits.readsOverEmptyParameter = other.readsOverEmptyParameter
        habits.allowsBlankAtEquals = other.allowsBlankAtEquals
        habits.backslash = other.backslash
        habits.extended = other.extended
        habits.decodesEncodedWords = other.decodesEncodedWords
        habits.unwrapsValues = other.unwrapsValues
        habits.readsEncodingStrictly = other.readsEncodingStrictly
        return habits
    }
}
