import HostProcess

/// One thing that a call to a server has shown.
package struct ProbeFinding: Sendable, Hashable {
    package enum Level: Sendable, Hashable {
        /// All is well.
        case fine
        /// Some mail would go astray.
        case warning
        /// Mail would stand still.
        case fault
    }

    package enum Subject: Sendable, Hashable { case signing, verifying, nextHop, administrator }

    package let level: Level
    package let subject: Subject
    /// A stable word: `unreachable`, `unknown-profile`, `unknown-key`, `wrong-format`, `refused`, `next-hop` or
    /// `recipient-refused`; `ok` where all is well.
    package let code: String
    /// The file whose setting was tried.
    package let file: String
    /// Of the setting; 0 where it has none.
    package let line: Int
    /// The observation, and why it matters.
    package let text: String
    /// The remedy; nil where nothing has to be done.
    package let remedy: String?

    /// Observation and remedy in one sentence.
    package var sentence: String { text + (remedy.map { "; " + $0 } ?? "") }

    package init(
        _ level: Level, _ subject: Subject, _ code: String, _ file: String, line: Int = 0, _ text: String,
        remedy: String? = nil
    ) {
        self.level = level
        self.subject = subject
        self.code = code
        self.file = file
        self.line = line
        self.text = text
        self.remedy = remedy
    }
}
