import Glibc
import Octets

/// What a running process says of itself.
public struct ProcessState: Sendable, Hashable {
    public let program: String
    public let pid: Int32
    /// As it was published.
    public let json: [UInt8]
    /// Seconds since then.
    public let age: Int
}

extension Spool {
    /// Seconds after which a state says nothing any more.
    static let stateLifetime = 60
    private static let largestState = 1 << 20

    /// Replaces what this process says of itself. Call it on every change and every 10 s.
    /// - Parameter pid: Default: this process.
    public func publishState(_ json: [UInt8], program: String, pid: Int32? = nil) throws(SpoolError) {
        let name = "\(program)-\(pid ?? getpid()).json"
        let temporary = ".\(name).\(EntryID(random: random))"
        let file = try state.createFile(temporary, mode: Layout.fileMode)
        do throws(SpoolError) {
            var outcome: Result<Void, SpoolError> = .success(())
            json.withUnsafeBytes { octets in
                do throws(SpoolError) { try file.write(octets) } catch { outcome = .failure(error) }
            }
            try outcome.get()
            guard renameat(state.descriptor, temporary, state.descriptor, name) == 0 else {
                throw state.failure(errno, name, "cannot replace the state of this process")
            }
        } catch {
            try state.unlink(temporary)
            throw error
        }
    }

    /// Takes back what this process said of itself, because it ends.
    public func removeState(program: String, pid: Int32? = nil) throws(SpoolError) {
        try state.unlink("\(program)-\(pid ?? getpid()).json")
    }

    /// What the processes that run say of themselves; older than 60 s, or of a dead process: left out.
    public func readStates() throws(SpoolError) -> [ProcessState] {
        var states: [ProcessState] = []
        for name in try state.names() {
            guard let text = name.text, text.hasSuffix(".json"), !text.hasPrefix("."),
                let dash = text.lastIndex(of: "-"), text[..<dash].last?.isLetter == true,
                let number = parseDecimal(text[text.index(after: dash)...].dropLast(5)),
                let pid = Int32(exactly: number), pid > 0, kill(pid, 0) == 0 || errno == EPERM
            else { continue }
            let file: OpenFile
            do throws(SpoolError) {
                file = try state.openFile(name)
            } catch let error where [ENOENT, EACCES, ELOOP].contains(error.errno) {
                // Gone meanwhile, or none of ours.
                continue
            }
            let status = try file.status()
            let age = clock.now() - status.st_mtim.tv_sec
            // A little in the future is a clock that was set back.
            guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= Self.largestState, age <= Self.stateLifetime,
                age >= -Self.stateLifetime
            else { continue }
            states.append(
                ProcessState(
                    program: String(text[..<dash]), pid: pid, json: try file.contents(Int(status.st_size)).array,
                    age: max(0, age)))
        }
        return states.sorted { ($0.program, $0.pid) < ($1.program, $1.pid) }
    }
}
