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
        var standing = try steered.standing(in: places, selection)
        // Beside a notice to the administrator stands the message that it is about.
        let own = standing.filter { $0.place == .blocked || $0.place == .retry }
        if folder == nil, own.count == 1 { standing = own }
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
                    let count = Glibc.write(
                        STDOUT_FILENO, octets.baseAddress.map { $0 + written }, octets.count - written)
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

    /// Writes each message that `selection` admits into a file of its own in `directory`. A file that is there is never
    /// replaced.
    /// - Parameter tell: Called with the path of each.
    /// - Returns: The number of messages.
    /// - Throws: ``ProgramError`` if a message cannot be read or a file not be written; those before it are written.
    public static func run(
        _ steered: SteeredSpool, _ selection: MessageSelection, to directory: String, _ tell: (String) -> Void
    ) throws(ProgramError) -> Int {
        let places = StandingPlace.allCases.filter { selection.places.isEmpty || selection.places.contains($0) }
        var count = 0
        for message in try steered.standing(in: places, selection) {
            guard let facts = steered.facts(of: message), selection.admits(facts) else { continue }
            let name = "\(message.entry?.digits ?? "file-\(count)")-\(message.place.rawValue)"
            guard let path = try write(message, in: steered.spool, directory + "/" + name) else { continue }
            count += 1
            tell(path)
        }
        return count
    }

    /// - Returns: The path; nil if the message is gone.
    private static func write(
        _ message: StandingMessage, in spool: Spool, _ stem: String
    ) throws(ProgramError) -> String? {
        var path = stem + ".eml"
        var file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        for number in 2..<100 where file < 0 && errno == EEXIST {
            path = "\(stem)-\(number).eml"
            file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        }
        guard file >= 0 else {
            throw ProgramError(.cannotCreate, "\(path) cannot be made: \(String(cString: strerror(errno)))")
        }
        defer { close(file) }
        do throws(SpoolError) {
            let isThere = try spool.read(message) { (octets) throws(SpoolError) in
                var written = 0
                while written < octets.count {
                    let some = Glibc.write(file, octets.baseAddress.map { $0 + written }, octets.count - written)
                    if some < 0, errno == EINTR { continue }
                    guard some > 0 else {
                        throw SpoolError(.system, path: path, errno: errno, "cannot write the message")
                    }
                    written += some
                }
            }
            if !isThere { unlink(path) }
            return isThere ? path : nil
        } catch {
            throw ProgramError(.inputOutput, error.description)
        }
    }
}
