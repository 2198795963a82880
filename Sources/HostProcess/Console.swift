import Glibc

/// Standard output and standard error, written at once and whole.
public enum Console {
    public static func write(_ text: String) { put(text + "\n", to: STDOUT_FILENO) }
    public static func writeError(_ text: String) { put(text + "\n", to: STDERR_FILENO) }
    /// Writes a question to standard error; the answer is typed behind it.
    public static func prompt(_ question: String) { put(question, to: STDERR_FILENO) }

    private static func put(_ text: String, to descriptor: CInt) {
        // A reader that has gone away (a closed pipe) is no reason to fail what was asked for.
        _ = DescriptorIO.writeAll(Array(text.utf8), to: descriptor)
    }
}

/// An optional of a report: `null` where there is nothing, so that a reader finds every field of the shape.
@propertyWrapper
package struct OrNull<Value: Encodable & Sendable>: Encodable, Sendable {
    package var wrappedValue: Value?

    package init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(wrappedValue)
    }
}

/// The result of a command that reports: text for people, JSON for programs, and an exit status.
public protocol ConsoleReport: Encodable {
    /// The report for people.
    var text: String { get }
    /// The exit status of the command.
    var status: ExitStatus { get }
}
