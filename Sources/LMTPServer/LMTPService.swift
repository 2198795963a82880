import Glibc
import HostProcess
import MailDrop
import Spool
import Synchronization

/// `ses-lmtp`: takes messages over LMTP on Unix sockets and puts them into a spool.
public final class LMTPService: Sendable {
    private struct Listener {
        let descriptor: CInt
        let socket: UnixSocket
        let identity: stat
        let run: SessionRun
    }

    private let options: LMTPServiceOptions
    private let log: ServiceLog
    /// Connections under way.
    private let count = Mutex(0)
    private let hasFailed = Atomic(false)
    /// Readable once connections are to end: its other end is closed then.
    private let stop: (read: CInt, write: CInt)
    /// An octet for each connection that has ended while the service stops.
    private let ended: (read: CInt, write: CInt)
    private let signals: (read: CInt, write: CInt)

    private init(_ options: LMTPServiceOptions) throws(ProgramError) {
        self.options = options
        log = ServiceLog(options.logFormat)
        stop = try Self.pipe()
        ended = try Self.pipe()
        signals = try Self.pipe()
    }

    /// Runs until SIGTERM or SIGINT.
    /// - Returns: The exit code: 0 after an order to stop, 64 for options that are wrong, 69 if it cannot listen, 74 if
    ///   the disk failed, 77 for root.
    public static func run(_ options: LMTPServiceOptions) -> Int32 {
        if geteuid() == 0, !options.allowsRoot, getenv("SES_ALLOW_ROOT").map({ String(cString: $0) }) != "1" {
            Console.writeError(
                "ses-lmtp: it does not run as root: start it as ses-drop:ses-drop, or say --allow-root or SES_ALLOW_ROOT=1"
            )
            return ExitStatus.noPermission.rawValue
        }
        do throws(ProgramError) {
            return try LMTPService(options).serve()
        } catch {
            Console.writeError("ses-lmtp: " + error.text)
            return error.status.rawValue
        }
    }

    private func serve() throws(ProgramError) -> Int32 {
        ServiceSignals.begin(to: signals.write)
        if let trouble = ProcessSecrets.protect() { Console.writeError("ses-lmtp: \(trouble)") }
        // The socket, and what a message has open: its file, and the directories that it passes.
        let room = Descriptors.raiseLimit(to: Descriptors.leastFree + 8 * options.connections) - Descriptors.leastFree
        let most = max(1, min(options.connections, room / 8))
        if most < options.connections {
            log.write("warning", "the limit of open files allows fewer connections", [("connections", "\(most)")])
        }
        var listeners: [Listener] = []
        defer { for listener in listeners { remove(listener) } }
        for door in options.doors { listeners.append(try listen(at: door)) }
        log.write("notice", "started", [("version", ProgramRelease.version), ("pid", "\(getpid())")])
        if let trouble = Supervisor.current.ready("listening") { log.write("warning", trouble, []) }
        accept(listeners, most: most)
        Supervisor.current.stopping()
        for listener in listeners { close(listener.descriptor) }
        close(stop.write)
        waitForConnections()
        log.write("notice", "stopped", [("version", ProgramRelease.version)])
        return hasFailed.load(ordering: .acquiring) ? ExitStatus.inputOutput.rawValue : 0
    }

    // MARK: - Listening

    private func listen(at door: LMTPServiceOptions.Door) throws(ProgramError) -> Listener {
        var socket = UnixSocket(path: door.socket)
        socket.mode = mode_t(options.mode)
        if let name = options.group {
            guard let group = UnixSocket.group(named: name) else {
                throw ProgramError(.usage, "--group \(EnvelopeReading.shown(name)): there is no such group")
            }
            socket.group = group
        }
        let room = IntakeRoom(
            spool: options.spool, queue: door.queue, maximumWaiting: options.maximumWaiting,
            leastFree: options.leastFree)
        do {
            // A spool that is not there, or may not be written to, shows at the start.
            _ = try room.lack(forOctets: 0)
            _ = try MaildirDelivery(spool: options.spool, queue: door.queue)
            let descriptor = try socket.listen(backlog: 256)
            try socket.open()
            var identity = stat()
            _ = lstat(door.socket, &identity)
            log.write("notice", "listening", [("folder", door.queue.rawValue), ("socket", door.socket)])
            let run = SessionRun(
                queue: door.queue, options: options, room: room, host: Self.hostName, log: log,
                failed: { [self] in
                    hasFailed.store(true, ordering: .releasing)
                    ServiceSignals.raiseStop()
                })
            return Listener(descriptor: descriptor, socket: socket, identity: identity, run: run)
        } catch let error as SpoolError {
            throw ProgramError(.unavailable, error.description)
        } catch {
            throw ProgramError(.unavailable, "\(error)")
        }
    }

    /// Takes the socket away, unless another server has put its own there.
    private func remove(_ listener: Listener) {
        var status = stat()
        guard lstat(listener.socket.path, &status) == 0, status.st_ino == listener.identity.st_ino,
            status.st_dev == listener.identity.st_dev
        else { return }
        listener.socket.remove()
    }

    /// Accepts connections until an order to stop.
    private func accept(_ listeners: [Listener], most: Int) {
        var waited = [pollfd(fd: signals.read, events: Int16(POLLIN), revents: 0)]
        waited += listeners.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        // The loop that takes connections feeds the watchdog itself, so that it is fed only while the loop goes round.
        let rest = Supervisor.current.watchdogInterval.map { Int($0 / .milliseconds(1)) / 3 }
        var fed = Deadline(seconds: 0)
        while true {
            if let rest, fed.millisecondsLeft <= 0 {
                Supervisor.current.alive()
                fed = Deadline(milliseconds: rest)
            }
            let patience = rest == nil ? -1 : CInt(clamping: max(0, fed.millisecondsLeft))
            guard poll(&waited, nfds_t(waited.count), patience) > 0 else { continue }
            if waited[0].revents != 0 { return }
            for (index, listener) in listeners.enumerated() where waited[index + 1].revents != 0 {
                let descriptor = Descriptors.accept(listener.descriptor)
                if descriptor >= 0 {
                    begin(descriptor, listener.run, most: most)
                } else if ![EAGAIN, EINTR, ECONNABORTED].contains(errno) {
                    log.writeRarely(
                        "error", "a connection cannot be accepted", [("error", String(cString: strerror(errno)))])
                    // Without descriptors or memory the listener stays readable: what is under way must end first.
                    var signal = waited[0]
                    _ = poll(&signal, 1, 200)
                }
            }
        }
    }

    private func begin(_ descriptor: CInt, _ run: SessionRun, most: Int) {
        let isAdmitted = count.withLock { count in
            guard count < most else { return false }
            count += 1
            return true
        }
        let isStarted =
            isAdmitted
            && DetachedThread.start { [self] in
                run.run(descriptor, stop: stop.read)
                end()
            }
        guard !isStarted else { return }
        if isAdmitted { end() }
        log.writeRarely("warning", "too many connections", [("most", "\(most)")])
        let octets = Array("421 4.3.2 Too many connections\r\n".utf8)
        _ = send(descriptor, octets, octets.count, CInt(MSG_NOSIGNAL | MSG_DONTWAIT))
        close(descriptor)
    }

    private func end() {
        count.withLock { $0 -= 1 }
        var octet: UInt8 = 1
        // The pipe does not block: a full one says as much.
        _ = write(ended.write, &octet, 1)
    }

    /// Gives connections the time to end: a message that is complete is made durable and answered.
    private func waitForConnections() {
        let deadline = Deadline(seconds: 8)
        var waited = pollfd(fd: ended.read, events: Int16(POLLIN), revents: 0)
        var drain = [UInt8](repeating: 0, count: 4_096)
        while count.withLock({ $0 }) > 0 {
            let left = deadline.millisecondsLeft
            guard left > 0 else {
                log.write("warning", "connections did not end in time", [])
                return
            }
            if poll(&waited, 1, CInt(clamping: left)) > 0 { _ = read(ended.read, &drain, drain.count) }
        }
    }

    // MARK: - The machine

    private static func pipe() throws(ProgramError) -> (read: CInt, write: CInt) {
        guard let ends = Descriptors.pipe() else {
            throw ProgramError(.unavailable, "no pipe can be made: \(String(cString: strerror(errno)))")
        }
        return ends
    }

    private static var hostName: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        let name = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return name.isEmpty ? "localhost" : name
    }
}

/// A thread that nobody waits for.
private enum DetachedThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// - Returns: False if the system has none.
    static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        var attributes = pthread_attr_t()
        guard pthread_attr_init(&attributes) == 0 else { return false }
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 1 << 20)
        let held = Unmanaged.passRetained(Body(body))
        var thread = pthread_t()
        let outcome = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, held.toOpaque())
        if outcome != 0 { held.release() }
        return outcome == 0
    }
}
