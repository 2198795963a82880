import Glibc
import Octets
import Synchronization

/// The state that a running process publishes.
public struct ProcessState: Sendable, Hashable {
    public let program: String
    public let pid: Int32
    /// As it was published.
    public let json: [UInt8]
    /// Seconds since then; negative if the file is dated in the future.
    public let age: Int
    /// True if a process with its number lives. 0 is the number of a state that an ended process left.
    public internal(set) var isAlive = false
    /// The reason why the file cannot be read, although its process lives; nil if it can. ``json`` is empty then.
    public internal(set) var defect: String?
}

/// Room that a process took for its state while there was some: on a full disk the state is written over it in place.
final class StateReserve: Sendable {
    fileprivate struct Spare: Sendable {
        let name: String
        let file: OpenFile
    }

    fileprivate let spare = Mutex<Spare?>(nil)

    init() {}
}

extension Spool {
    /// A state has at most this many octets.
    public static let maximumStateSize = 65_536

    /// Replaces what this process says of itself. Call it on every change and every few seconds.
    ///
    /// A reader sees the old or the new one. If no new file can be made (a full disk), the state is written in place
    /// over a file that was made before.
    /// - Parameters:
    ///   - json: At most ``maximumStateSize`` octets.
    ///   - pid: Default: this process.
    /// - Throws: ``SpoolError`` if the state cannot be written.
    public func publishState(_ json: [UInt8], program: String, pid: Int32? = nil) throws(SpoolError) {
        let name = "\(program)-\(pid ?? getpid()).json"
        guard json.count <= Self.maximumStateSize else {
            throw SpoolError(
                .layout, path: name, "the state of this process has more than \(Self.maximumStateSize) octets")
        }
        let state = try state
        if stateReserve.spare.withLock({ $0 == nil }) {
            try sweepStates(of: program, in: state)
            keepSpare(name, in: state)
        }
        do throws(SpoolError) {
            try replaceState(name, json, in: state)
        } catch {
            guard try overwriteSpare(name, json, in: state) else { throw error }
        }
    }

    private func replaceState(_ name: String, _ json: [UInt8], in state: Directory) throws(SpoolError) {
        let temporary = ".\(name).\(EntryID(random: random))"
        let file = try state.createFile(temporary, mode: Layout.stateMode)
        do throws(SpoolError) {
            try file.write(json)
            file.setMode(Layout.stateMode)
            guard renameat(state.descriptor, temporary, state.descriptor, name) == 0 else {
                throw state.failure(errno, name, "cannot replace the state of this process")
            }
        } catch {
            // The first error says more than one of the removal.
            do throws(SpoolError) { try state.unlink(temporary) } catch {}
            throw error
        }
    }

    /// Removes what processes of this program that died have left: states, room for them, and half-made files.
    private func sweepStates(of program: String, in state: Directory) throws(SpoolError) {
        for name in try state.names() {
            guard let text = name.text else { continue }
            let plain = text.hasPrefix(".") ? text.dropFirst() : text[...]
            guard plain.hasPrefix(program + "-") else { continue }
            let rest = plain.dropFirst(program.utf8.count + 1)
            let digits = rest.prefix { ("0"..."9").contains($0) }
            guard rest.dropFirst(digits.count).hasPrefix(".json"), let number = parseDecimal(digits),
                let pid = Int32(exactly: number), pid > 0, kill(pid, 0) != 0, errno == ESRCH
            else { continue }
            try state.unlink(name)
        }
    }

    /// Without it the state is merely not renewed while the disk is full, which its age shows.
    private func keepSpare(_ name: String, in state: Directory) {
        let spare = ".\(name).spare"
        do throws(SpoolError) {
            let file = try state.createFile(spare, mode: Layout.stateMode)
            file.setMode(Layout.stateMode)
            do throws(SpoolError) {
                try file.write([UInt8](repeating: UInt8(ascii: " "), count: Self.maximumStateSize))
                stateReserve.spare.withLock { $0 = StateReserve.Spare(name: spare, file: file) }
            } catch {
                try state.unlink(spare)
                throw error
            }
        } catch {
            return
        }
    }

    /// Writes over the spare file, padded with blanks, and gives it the state's name.
    /// - Returns: False if there is none.
    private func overwriteSpare(_ name: String, _ json: [UInt8], in state: Directory) throws(SpoolError) -> Bool {
        guard let spare = stateReserve.spare.withLock({ $0 }) else { return false }
        let padded = json + [UInt8](repeating: UInt8(ascii: " "), count: Self.maximumStateSize - json.count)
        let written = padded.withUnsafeBytes { pwrite(spare.file.descriptor, $0.baseAddress, $0.count, 0) }
        guard written == padded.count else {
            throw spare.file.failure(errno, "cannot write the state of this process")
        }
        // Done before, the spare has the state's name already.
        guard renameat(state.descriptor, spare.name, state.descriptor, name) == 0 || errno == ENOENT else {
            throw state.failure(errno, name, "cannot replace the state of this process")
        }
        let isInPlace = try state.status(name).map(FileIdentity.init) == FileIdentity(try spare.file.status())
        if !isInPlace { stateReserve.spare.withLock { $0 = nil } }
        return isInPlace
    }

    /// Takes back what this process said of itself, because it ends. The last state stays as `PROGRAM.last`, from which
    /// a status sees when the program ran, and the next process goes on counting.
    /// - Throws: ``SpoolError`` if the file cannot be moved.
    public func retireState(program: String) throws(SpoolError) {
        let name = "\(program)-\(getpid()).json"
        let spare = stateReserve.spare.withLock { spare in
            defer { spare = nil }
            return spare
        }
        if let spare { try state.unlink(spare.name) }
        guard
            renameat(try state.descriptor, name, try state.descriptor, program + Self.lastSuffix) == 0
                || errno == ENOENT
        else { throw try state.failure(errno, name, "cannot put away the state of this process") }
    }

    /// The end of the name of the state that the last process of a program left.
    static let lastSuffix = ".last"

    /// The last state that a process of this program published, which has ended or was killed; nil if there is none.
    public func lastState() -> ProcessState? {
        guard let directory = try? state, let states = try? ProcessState.all(in: directory, now: clock.now()) else {
            return nil
        }
        return states.filter { $0.program == program.name && !$0.isAlive }.min { $0.age < $1.age }
    }

}

extension ProcessState {
    /// Returns the states in a folder: those of processes that live, and those that ended ones have left. A file that
    /// cannot be read is among them, with the reason.
    /// - Parameter now: Unix seconds.
    /// - Throws: ``SpoolError`` if the folder cannot be listed.
    static func all(in directory: Directory, now: Int) throws(SpoolError) -> [ProcessState] {
        var states: [ProcessState] = []
        for name in try directory.names() {
            guard let text = name.text, !text.hasPrefix(".") else { continue }
            if text.hasSuffix(Spool.lastSuffix) {
                let program = String(text.dropLast(Spool.lastSuffix.utf8.count))
                if let state = try read(name, of: program, 0, in: directory, now: now) { states.append(state) }
            }
            guard text.hasSuffix(".json"), let dash = text.lastIndex(of: "-"), text[..<dash].last?.isLetter == true,
                let number = parseDecimal(text[text.index(after: dash)...].dropLast(5)),
                let pid = Int32(exactly: number), pid > 0
            else { continue }
            guard var state = try read(name, of: String(text[..<dash]), pid, in: directory, now: now) else { continue }
            state.isAlive = kill(pid, 0) == 0 || errno == EPERM
            states.append(state)
        }
        return states.sorted { ($0.program, $0.pid) < ($1.program, $1.pid) }
    }

    /// - Returns: nil when it is gone meanwhile.
    private static func read(
        _ name: FileName, of program: String, _ pid: Int32, in directory: Directory, now: Int
    ) throws(SpoolError) -> ProcessState? {
        func defective(_ defect: String, age: Int = 0) -> ProcessState {
            var state = ProcessState(program: program, pid: pid, json: [], age: age)
            state.defect = defect
            return state
        }
        let file: OpenFile
        do throws(SpoolError) {
            file = try directory.openFile(name)
        } catch let error where [ENOENT, ELOOP, ENXIO].contains(error.errno) {
            // Gone meanwhile, or not ours.
            return nil
        } catch let error where error.kind == .system {
            return defective(String(cString: strerror(error.errno)))
        }
        let status = try file.status()
        let age = now - status.st_mtim.tv_sec
        guard status.st_mode & S_IFMT == S_IFREG else { return nil }
        guard status.st_size <= Spool.maximumStateSize else {
            return defective("it has \(status.st_size) octets, more than any state has", age: age)
        }
        return ProcessState(
            program: program, pid: pid, json: try file.contents(Int(status.st_size)).array, age: age)
    }
}
