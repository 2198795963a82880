import Glibc
public import HostProcess

/// A question to the person at the terminal.
public enum Confirmation {
    /// Asks `question` on standard error, and reads one line.
    /// - Returns: True if the answer begins with y.
    /// - Throws: ``ProgramError`` with 64 if standard input is no terminal, so that nobody can be asked.
    public static func ask(_ question: String) throws(ProgramError) -> Bool {
        guard isatty(STDIN_FILENO) == 1 else {
            throw ProgramError(.usage, "\(question) Nobody can be asked here: say --yes")
        }
        Console.writeError(question + " [y/N]")
        return readLine()?.lowercased().hasPrefix("y") ?? false
    }
}
