import FoundationEssentials
public import HostProcess

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
