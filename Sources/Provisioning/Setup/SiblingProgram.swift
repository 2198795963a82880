import Foundation
import Glibc
import HostProcess
import Synchronization

/// A program of the house beside this one, run as its own user.
struct SiblingProgram: Sendable {
    let name: String
    /// The account to run as if this process is root's and there is such an account; nil for the caller's.
    let user: String?

    init(_ name: String, as user: String? = nil) {
        self.name = name
        self.user = user
    }

    /// The output of a program that has ended.
    struct Ending: Sendable {
        let status: Int32
        let output: String
        let error: String

        /// The last line of what it said, for people.
        var words: String {
            let said = (error.isEmpty ? output : error).split(separator: "\n").last.map(String.init)
            return said ?? "exit status \(status)"
        }
    }

    /// The path: beside this program, else where the package puts it; nil if there is none.
    var path: String? {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return [SmallFile.directory(of: own) + "/" + name, "/usr/bin/" + name].first {
            access($0, X_OK) == 0
        }
    }

    /// Runs it to its end. Blocks.
    /// - Parameter input: Its standard input, smaller than what a pipe holds; nil for none.
    /// - Throws: ``ProgramError`` if it cannot be started.
    func run(
        _ arguments: [String], input: String? = nil, environment: [String: String] = [:]
    ) throws(ProgramError) -> Ending {
        let process = try prepared(arguments, environment)
        if let input {
            let pipe = Pipe()
            process.standardInput = pipe
            pipe.fileHandleForWriting.write(Data(input.utf8))
            try? pipe.fileHandleForWriting.close()
        }
        let output = Pipe()
        let error = Pipe()
        process.standardOutput = output
        process.standardError = error
        try start(process)
        // The two are read side by side, because a program may fill one while the other is read.
        let errors = Mutex(Data())
        let reader = DispatchGroup()
        DispatchQueue.global().async(group: reader) {
            let data = error.fileHandleForReading.readDataToEndOfFile()
            errors.withLock { $0 = data }
        }
        let said = output.fileHandleForReading.readDataToEndOfFile()
        reader.wait()
        process.waitUntilExit()
        return Ending(
            status: process.terminationStatus, output: String(decoding: said, as: UTF8.self),
            error: String(decoding: errors.withLock { $0 }, as: UTF8.self))
    }

    /// Starts it and lets it run; what it says is thrown away.
    /// - Throws: ``ProgramError`` if it cannot be started.
    func launch(_ arguments: [String]) throws(ProgramError) -> Process {
        let process = try prepared(arguments, [:])
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try start(process)
        return process
    }

    /// Starts it, waits until it says a line that begins with `word`, and lets it run. Blocks.
    /// - Parameter patience: Seconds that it has for that.
    /// - Returns: The process, which may have ended; whether the line came; all that was said until then.
    /// - Throws: ``ProgramError`` if it cannot be started.
    func launch(
        _ arguments: [String], until word: String, patience: Int
    ) throws(ProgramError) -> (process: Process, isReady: Bool, said: String) {
        let process = try prepared(arguments, [:])
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try start(process)
        let reading = pipe.fileHandleForReading
        let end = ContinuousClock.now + .seconds(patience)
        var said = ""
        var isReady = false
        while !isReady, ContinuousClock.now < end {
            var wanted = pollfd(fd: reading.fileDescriptor, events: Int16(POLLIN), revents: 0)
            let count = poll(&wanted, 1, Int32(ContinuousClock.now.duration(to: end) / .milliseconds(1)))
            if count < 0, errno == EINTR { continue }
            let more = count > 0 ? reading.availableData : Data()
            if more.isEmpty { break }
            said += String(decoding: more, as: UTF8.self)
            isReady = said.split(separator: "\n").contains { $0.hasPrefix(word) }
        }
        // A program whose words nobody takes waits once the pipe is full.
        DispatchQueue.global().async { _ = reading.readDataToEndOfFile() }
        return (process, isReady, said)
    }

    private func prepared(_ arguments: [String], _ environment: [String: String]) throws(ProgramError) -> Process {
        guard let path else {
            throw ProgramError(.unavailable, "the program \(name) is neither beside this one nor in /usr/bin")
        }
        let process = Process()
        process.standardInput = FileHandle.nullDevice
        var all = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        if let user, geteuid() == 0, let account = getpwnam(user), account.pointee.pw_uid != 0 {
            process.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
            process.arguments =
                ["--reuid=\(user)", "--regid=\(account.pointee.pw_gid)", "--init-groups", "--", path] + arguments
        } else {
            process.executableURL = URL(fileURLWithPath: path)
            process.arguments = arguments
            // A machine without the accounts, such as a container for trials, has no other user than root.
            if geteuid() == 0 { all["SES_ALLOW_ROOT"] = "1" }
        }
        process.environment = all
        process.currentDirectoryURL = URL(fileURLWithPath: "/")
        return process
    }

    private func start(_ process: Process) throws(ProgramError) {
        do {
            try process.run()
        } catch {
            throw ProgramError(.system, "\(name) cannot be started: \(error.localizedDescription)")
        }
    }
}
