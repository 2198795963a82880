import FoundationEssentials
import Glibc
import HostProcess

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
    var path: String? { ProgramStart.path(of: name) }

    /// Runs it to its end. Blocks.
    /// - Parameter input: Its standard input, smaller than what a pipe holds; nil for none.
    /// - Throws: ``ProgramError`` if it cannot be started.
    func run(
        _ arguments: [String], input: String? = nil, environment: [String: String] = [:]
    ) throws(ProgramError) -> Ending {
        var start = try prepared(arguments, environment)
        let given: PipeEnds? = input == nil ? nil : try Self.pipe()
        defer { given?.closeReading() }
        if let given {
            // What cannot be written, the program misses: its own words and exit status tell.
            _ = DescriptorIO.writeAll(Array((input ?? "").utf8), to: given.writing)
            given.closeWriting()
            start.input = .descriptor(given.reading)
        }
        let output = try Self.pipe()
        defer { output.closeReading() }
        let error = try Self.pipe()
        defer { error.closeReading() }
        start.output = .descriptor(output.writing)
        start.error = .descriptor(error.writing)
        let program: StartedProgram
        do {
            defer {
                output.closeWriting()
                error.closeWriting()
            }
            program = try self.start(start)
        }
        let said = Self.readToEnd([output.reading, error.reading])
        return Ending(
            status: program.wait(), output: String(decoding: said[0], as: UTF8.self),
            error: String(decoding: said[1], as: UTF8.self))
    }

    /// Starts it and lets it run; what it says is thrown away.
    /// - Throws: ``ProgramError`` if it cannot be started.
    func launch(_ arguments: [String]) throws(ProgramError) -> StartedProgram { try start(prepared(arguments, [:])) }

    /// Starts it, waits until it says a line that begins with `word`, and lets it run. Blocks.
    /// - Parameter patience: Seconds that it has for that.
    /// - Returns: The program, which may have ended; whether the line came; all that was said until then.
    /// - Throws: ``ProgramError`` if it cannot be started.
    func launch(
        _ arguments: [String], until word: String, patience: Int
    ) throws(ProgramError) -> (program: StartedProgram, isReady: Bool, said: String) {
        var start = try prepared(arguments, [:])
        let ends = try Self.pipe()
        start.output = .descriptor(ends.writing)
        start.error = .descriptor(ends.writing)
        let program: StartedProgram
        do throws(ProgramError) {
            program = try self.start(start)
            ends.closeWriting()
        } catch {
            ends.closeWriting()
            ends.closeReading()
            throw error
        }
        let end = ContinuousClock.now + .seconds(patience)
        var said: [UInt8] = []
        var isReady = false
        while !isReady, ContinuousClock.now < end {
            var wanted = pollfd(fd: ends.reading, events: Int16(POLLIN), revents: 0)
            let count = poll(&wanted, 1, Int32(ContinuousClock.now.duration(to: end) / .milliseconds(1)))
            if count < 0, errno == EINTR { continue }
            guard count > 0, DescriptorIO.readMore(ends.reading, into: &said) > 0 else { break }
            isReady = String(decoding: said, as: UTF8.self).split(separator: "\n").contains { $0.hasPrefix(word) }
        }
        // A program whose words nobody takes waits once the pipe is full.
        OwnThread.start("words of \(name)") {
            var rest: [UInt8] = []
            while DescriptorIO.readMore(ends.reading, into: &rest) > 0 { rest.removeAll(keepingCapacity: true) }
            ends.closeReading()
        }
        return (program, isReady, String(decoding: said, as: UTF8.self))
    }

    private func prepared(
        _ arguments: [String], _ environment: [String: String]
    ) throws(ProgramError) -> ProgramStart {
        guard let path else {
            throw ProgramError(.unavailable, "the program \(name) is neither beside this one nor in /usr/bin")
        }
        var all = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        var command = [path] + arguments
        if let user, geteuid() == 0, let account = getpwnam(user), account.pointee.pw_uid != 0 {
            command =
                ["/usr/bin/setpriv", "--reuid=\(user)", "--regid=\(account.pointee.pw_gid)", "--init-groups", "--"]
                + command
        } else if geteuid() == 0 {
            // A machine without the accounts, such as a container for trials, has no other user than root.
            all["SES_ALLOW_ROOT"] = "1"
        }
        var start = ProgramStart(command, environment: all)
        start.directory = "/"
        return start
    }

    private func start(_ start: ProgramStart) throws(ProgramError) -> StartedProgram {
        do throws(ProgramStartError) {
            return StartedProgram(try start.spawn())
        } catch {
            throw ProgramError(.system, "\(name) cannot be started: \(error)")
        }
    }

    // MARK: - Pipes

    /// The two ends of a pipe.
    private struct PipeEnds: Sendable {
        let reading: CInt
        let writing: CInt

        func closeReading() { close(reading) }
        func closeWriting() { close(writing) }
    }

    private static func pipe() throws(ProgramError) -> PipeEnds {
        do throws(ProgramStartError) {
            let (reading, writing) = try ProgramStart.makePipe()
            return PipeEnds(reading: reading, writing: writing)
        } catch {
            throw ProgramError(.system, "no pipe can be made: \(error)")
        }
    }

    /// Reads both side by side, because a program may fill one while the other is read.
    private static func readToEnd(_ descriptors: [CInt]) -> [[UInt8]] {
        var read = descriptors.map { _ in [UInt8]() }
        var open = Set(descriptors.indices)
        while !open.isEmpty {
            let order = open.sorted()
            var wanted = order.map { pollfd(fd: descriptors[$0], events: Int16(POLLIN), revents: 0) }
            if poll(&wanted, nfds_t(wanted.count), -1) < 0 {
                if errno == EINTR { continue }
                break
            }
            for (place, index) in order.enumerated() where wanted[place].revents != 0 {
                if DescriptorIO.readMore(descriptors[index], into: &read[index]) <= 0 { open.remove(index) }
            }
        }
        return read
    }
}
