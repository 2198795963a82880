package import ArgumentParser
import FoundationEssentials
package import HostProcess

/// A command of one of the programs. A type that conforms does its work in ``perform()``; the frame is here.
///
/// Its configuration gives its name: one that is made of the type's takes a third of the time of a program's start.
package protocol ProgramCommand: AsyncParsableCommand {
    /// The name of the program, which begins each of its lines on standard error.
    static var program: String { get }
    /// True if the command reads its configuration again on SIGHUP, so that the signal does not end it.
    static var rereads: Bool { get }

    /// Does the work of the command.
    /// - Throws: ``ProgramError`` if the program ends early.
    func perform() async throws(ProgramError) -> ExitStatus
}

extension ProgramCommand {
    package static var rereads: Bool { false }

    /// Ends the program with the result of the command: its text goes to standard error, its status to the caller.
    /// - Throws: `ExitCode` for a status other than 0.
    package func run() async throws {
        if !Self.rereads { EarlySignals.releaseHangup() }
        if let trouble = ProcessSecrets.protect(ProcessInfo.processInfo.environment) {
            Console.writeError("\(Self.program): \(trouble)")
        }
        let status: ExitStatus
        do throws(ProgramError) {
            status = try await perform()
        } catch {
            Console.writeError("\(Self.program): \(error.text)")
            status = error.status
        }
        guard status == .success else { throw ExitCode(status.rawValue) }
    }
}
