import HostProcess
import Glibc
import ProgramLife
import Spool

/// Tells somebody at a terminal how far a long drain has come.
struct DrainProgress: Sendable {
    let spool: Spool
    /// Entries brought to an end so far.
    let handled: @Sendable () -> Int

    /// Drains shorter than this say nothing; longer ones speak this often.
    private static let interval: Duration = .seconds(2)

    /// True if there is a terminal to write to.
    static var isWanted: Bool { isatty(STDERR_FILENO) == 1 }

    /// Runs until it is cancelled.
    func run() async {
        while (try? await Task.sleep(for: Self.interval)) != nil {
            Console.writeError("ses: \(handled()) done" + waiting())
        }
    }

    private func waiting() -> String {
        do {
            let counts = try spool.counts().filter { ["outgoing", "incoming", "retry"].contains($0.name) }
            return ", " + counts.map { "\($0.count) in \($0.name)" }.joined(separator: ", ")
        } catch {
            return " (the folders cannot be counted: \(error))"
        }
    }
}
