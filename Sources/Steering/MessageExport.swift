import Glibc
public import HostProcess
public import Spool

/// `ses export`: one message on standard output.
public enum MessageExport {
    /// Writes the octets of a standing message behind its envelope block.
    /// - Parameter folder: The folder; nil for the one where the entry stands.
    /// - Throws: ``ProgramError`` with 66 if there is none or it is gone, 64 if several files fit, 74 if standard
    ///   output takes no more.
    public static func run(
        _ steered: SteeredSpool, entry: String, folder: StandingPlace?
    ) throws(ProgramError) {
        let selection = try MessageSelection(entries: [entry])
        let places = folder.map { [$0] } ?? StandingPlace.allCases
        let standing = try steered.standing(in: places, selection)
        try MessageSelection.requireOne(of: Set(standing.compactMap(\.entry?.digits)), entry)
        guard let message = standing.first else { throw MessageSelection.nothing(entry) }
        guard standing.count == 1 else {
            let folders = standing.map(\.place.rawValue).joined(separator: " and ")
            throw ProgramError(.usage, "entry \(entry) stands in \(folders): choose one by --folder")
        }
        do throws(SpoolError) {
            let isThere = try steered.spool.read(message) { (octets) throws(SpoolError) in
                var written = 0
                while written < octets.count {
                    let count = write(STDOUT_FILENO, octets.baseAddress.map { $0 + written }, octets.count - written)
                    if count >= 0 {
                        written += count
                    } else if errno != EINTR {
                        throw SpoolError(.system, path: "standard output", errno: errno, "cannot write")
                    }
                }
            }
            guard isThere else { throw SpoolError(.raced, path: message.path, errno: ENOENT, "it was taken meanwhile") }
        } catch {
            throw ProgramError(error.path == "standard output" ? .inputOutput : .noInput, error.description)
        }
    }
}
