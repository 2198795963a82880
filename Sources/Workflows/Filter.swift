/// `Filter`: criteria and how they are joined. Without criteria it holds for every message.
public struct Filter: Sendable, Hashable {
    public enum Combination: String, Sendable, Hashable {
        case all = "AND"
        case any = "OR"
    }
    public var combination: Combination
    public var criteria: [Criterion]

    public init(combination: Combination, criteria: [Criterion]) {
        self.combination = combination
        self.criteria = criteria
    }

    /// Returns true if a criterion asks for mail that is already signed, or encrypted.
    public func asksFor(_ kind: MailProtection.Kind) -> Bool {
        criteria.contains { criterion in
            guard case .email(let signed, let encrypted) = criterion.test else { return false }
            return switch kind {
            case .signed: signed == true
            case .encrypted: encrypted == true
            }
        }
    }

    /// Holds for every message.
    public static let everything = Filter(combination: .all, criteria: [])
}

/// One element of a filter; all that it says must hold.
public struct Criterion: Sendable, Hashable {
    public enum Test: Sendable, Hashable {
        case to([WildcardPattern])
        case from([WildcardPattern])
        case cc([WildcardPattern])
        case bcc([WildcardPattern])
        /// Literal, without case.
        case subject(contains: String)
        /// Literal, without case.
        case body(contains: String)
        /// Structure of the mail; nil is not asked for.
        case email(signed: Bool?, encrypted: Bool?)
        /// One and the same attachment satisfies all; nil is not asked for.
        case attachment(contains: [WildcardPattern]?, signed: Bool?)
    }
    public var test: Test
    /// The line of `ses.xml`.
    public var line: Int

    public init(_ test: Test, line: Int) {
        self.test = test
        self.line = line
    }

    /// The kinds of criterion, with the names of their elements in `ses.xml`.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case to = "To"
        case from = "From"
        case cc = "CC"
        case bcc = "BCC"
        case subject = "Subject"
        case body = "Body"
        case email = "Email"
        case attachment = "Attachment"
    }

    public var kind: Kind {
        switch test {
        case .to: .to
        case .from: .from
        case .cc: .cc
        case .bcc: .bcc
        case .subject: .subject
        case .body: .body
        case .email: .email
        case .attachment: .attachment
        }
    }
}

/// One alternative of a `contains` list, as written, trimmed and not empty; `*` stands for any run of characters.
public struct WildcardPattern: Sendable, Hashable {
    public let text: String

    public init?(_ text: String) {
        guard !text.isEmpty else { return nil }
        self.text = text
    }

    /// The alternatives of a comma-separated list; empty ones are left out.
    public static func list(_ text: String) -> [WildcardPattern] {
        text.split(separator: ",").compactMap { WildcardPattern(trimmed($0)) }
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}
