import Foundation
import Glibc
import TestSupport

/// A running `ses-lmtp` with a socket for each direction, to which every user may connect.
final class LMTPFixture: Sendable {
    private let scratch: ScratchDirectory
    let program: RunningProgram
    /// The directory of the sockets `outgoing` and `incoming`.
    var directory: String { scratch.path }

    init(spool: String, options: [String] = []) async throws {
        scratch = try ScratchDirectory()
        guard chmod(scratch.path, 0o755) == 0 else { throw HarnessError("chmod: \(errno)") }
        try SpoolFixture.own(scratch.path)
        program = try RunningProgram(
            try Programs.path("ses-lmtp"),
            [
                "--spool", spool, "--mode", "0666", "--folder", "outgoing", "--socket", scratch.file("outgoing"),
                "--folder", "incoming", "--socket", scratch.file("incoming"),
            ] + options)
        _ = try await program.line(containing: scratch.file("incoming"))
    }
}
