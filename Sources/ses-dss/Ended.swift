import ArgumentParser
import Foundation

/// The exit codes of sysexits.h that are used here.
enum Sysexit: Int32 {
    case usage = 64
    case unavailable = 69
    case system = 71
    case cannotCreate = 73
    case configuration = 78
}

/// Says on standard error why the program ends, and with which code.
func Ended(_ code: Sysexit, _ reason: String) -> ExitCode {
    ProgramOutput.put("ses-dss: \(reason)", to: .standardError)
    return ExitCode(code.rawValue)
}

enum ProgramOutput {
    /// Writes one line to standard output at once, whatever stands behind it.
    static func line(_ text: String) { put(text, to: .standardOutput) }

    static func put(_ text: String, to handle: FileHandle) {
        // A reader that has gone away is no reason to end.
        try? handle.write(contentsOf: Data((text + "\n").utf8))
    }
}
