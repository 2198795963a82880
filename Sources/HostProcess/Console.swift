import Foundation

/// Standard output and standard error, written at once and whole.
public enum Console {
    public static func write(_ text: String) { put(text, to: .standardOutput) }
    public static func writeError(_ text: String) { put(text, to: .standardError) }

    private static func put(_ text: String, to handle: FileHandle) {
        // A reader that has gone away (a closed pipe) is no reason to fail what was asked for.
        try? handle.write(contentsOf: Data((text + "\n").utf8))
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

extension ConsoleReport {
    /// Prints the report to standard output.
    /// - Returns: The exit status of the command.
    /// - Throws: ``ProgramError`` if a value has no form in JSON.
    public func printed(asJSON: Bool) throws(ProgramError) -> ExitStatus {
        Console.write(asJSON ? try JSONText.of(self) : text)
        return status
    }
}

/// The JSON of the `--json` commands: sorted keys, one document.
public enum JSONText {
    /// Encodes a report as JSON with sorted keys.
    /// - Throws: ``ProgramError`` if a value has no form in JSON.
    public static func of(_ value: some Encodable) throws(ProgramError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            throw ProgramError(.software, "the report cannot be written as JSON: \(error)")
        }
    }
}
