import Glibc
import Synchronization

/// A server on a loopback port that does to each connection what a test says, however wrong.
public final class ScriptedPeer: Sendable {
    /// A request as received.
    public struct Request: Sendable {
        public let line: String
        /// Names in lower case.
        public let fields: [(name: String, value: String)]
        public let body: [UInt8]

        public func value(_ name: String) -> String? { fields.first { $0.name == name }?.value }
    }

    /// One connection, in the hands of the thread that serves it.
    public final class Connection {
        private let descriptor: Int32
        private let note: (Request) -> Void
        private var pending: [UInt8] = []

        init(_ descriptor: Int32, note: @escaping (Request) -> Void) {
            self.descriptor = descriptor
            self.note = note
        }

        /// The next request; nil when the other side has closed.
        public func readRequest() -> Request? {
            while true {
                if let end = Self.position(of: Array("\r\n\r\n".utf8), in: pending) {
                    let lines = String(decoding: pending[..<end], as: UTF8.self).split(separator: "\r\n")
                    let fields = lines.dropFirst().map { line in
                        let colon = line.firstIndex(of: ":") ?? line.startIndex
                        let value = line[colon...].dropFirst().drop { $0 == " " }
                        return (name: line[..<colon].lowercased(), value: String(value))
                    }
                    let length = fields.first { $0.name == "content-length" }.flatMap { Int($0.value) } ?? 0
                    while pending.count < end + 4 + length { guard readMore() else { return nil } }
                    let body = Array(pending[(end + 4)..<(end + 4 + length)])
                    pending.removeFirst(end + 4 + length)
                    let request = Request(line: String(lines.first ?? ""), fields: fields, body: body)
                    note(request)
                    return request
                }
                guard readMore() else { return nil }
            }
        }

        /// The next octets up to and with `end`; nil when the other side closes before.
        public func read(through end: String) -> [UInt8]? {
            let pattern = Array(end.utf8)
            while true {
                if let found = Self.position(of: pattern, in: pending) {
                    let octets = Array(pending[..<(found + pattern.count)])
                    pending.removeFirst(octets.count)
                    return octets
                }
                guard readMore() else { return nil }
            }
        }

        /// Gives up what has come and was not read.
        public func reset() {
            var now = linger(l_onoff: 1, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
            // A socket whose last descriptor is replaced is closed, here with a reset; the number stays valid.
            let other = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            guard other >= 0 else { return }
            dup2(other, descriptor)
            close(other)
        }

        /// - Returns: True if the other side still takes it.
        @discardableResult
        public func send(_ octets: some Sequence<UInt8>) -> Bool {
            let octets = Array(octets)
            var sent = 0
            while sent < octets.count {
                let count = octets.withUnsafeBytes {
                    Glibc.send(
                        descriptor, $0.baseAddress?.advanced(by: sent), $0.count - sent, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { return false }
                sent += count
            }
            return true
        }

        @discardableResult
        public func send(_ text: String) -> Bool { send(text.utf8) }

        /// Waits until the other side closes or sends something, at most for `milliseconds`.
        /// - Returns: True if it did.
        public func waitForOther(milliseconds: Int32) -> Bool {
            var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            return Glibc.poll(&poll, 1, milliseconds) > 0
        }

        /// Waits until the other side has closed, without taking what it sends.
        public func waitForClose() {
            // POLLRDHUP, which the Glibc module does not show.
            var poll = pollfd(fd: descriptor, events: 0x2000, revents: 0)
            _ = Glibc.poll(&poll, 1, 60_000)
        }

        private func readMore() -> Bool {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return false }
            pending.append(contentsOf: buffer[..<count])
            return true
        }

        private static func position(of pattern: [UInt8], in octets: [UInt8]) -> Int? {
            guard octets.count >= pattern.count else { return nil }
            return octets.withUnsafeBytes { octets -> Int? in
                guard let base = octets.baseAddress else { return nil }
                var start = 0
                while start <= octets.count - pattern.count {
                    let room = octets.count - pattern.count + 1 - start
                    guard let found = memchr(base + start, Int32(pattern[0]), room) else { return nil }
                    start = UnsafeRawPointer(found) - base
                    if octets[start..<start + pattern.count].elementsEqual(pattern) { return start }
                    start += 1
                }
                return nil
            }
        }
    }

    public let port: Int
    public var address: String { "http://127.0.0.1:\(port)" }
    private let listener: Int32
    private let seen = Mutex<(requests: [Request], connections: Int)>(([], 0))

    /// All requests that were read so far.
    public var requests: [Request] { seen.withLock { $0.requests } }
    /// The number of connections so far.
    public var connections: Int { seen.withLock { $0.connections } }

    /// - Parameters:
    ///   - place: The address to listen on; by default a free port of 127.0.0.1.
    ///   - script: Serves one connection, on a thread of its own; the connection is closed when it returns.
    public init(
        at place: LoopbackPlace = LoopbackPlace(), _ script: @escaping @Sendable (Connection) -> Void
    ) throws {
        let (listener, port) = try place.boundSocket(Int32(SOCK_STREAM.rawValue), backlog: 64)
        self.listener = listener
        self.port = port
        Self.startThread { [weak self] in
            // Closed here and nowhere else: another test may get the number as soon as it is free, and its connections
            // would be taken here.
            defer { close(listener) }
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else { return }
                // The peer is being given up: its end shuts the listener down, and the next round ends this thread.
                guard let self else {
                    close(descriptor)
                    continue
                }
                self.seen.withLock { $0.connections += 1 }
                Self.startThread { [weak self] in
                    script(Connection(descriptor) { request in self?.seen.withLock { $0.requests.append(request) } })
                    // Octets that were sent must not be lost to a reset, so what still comes is read.
                    shutdown(descriptor, Int32(SHUT_WR))
                    var rest = [UInt8](repeating: 0, count: 65_536)
                    while recv(descriptor, &rest, rest.count, 0) > 0 {}
                    close(descriptor)
                }
            }
        }
    }

    deinit {
        // Ends the thread that accepts.
        shutdown(listener, Int32(SHUT_RDWR))
    }

    /// A peer that answers every request in order, on connections that it keeps.
    public static func answering(_ answer: @escaping @Sendable (Request) -> String) throws -> ScriptedPeer {
        try ScriptedPeer { connection in
            while let request = connection.readRequest() { if !connection.send(answer(request)) { return } }
        }
    }

    /// An answer with its length.
    public static func answer(_ status: Int = 200, _ fields: [String] = [], body: String) -> String {
        let lines = ["HTTP/1.1 \(status) Words", "Content-Length: \(body.utf8.count)"] + fields
        return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    private static func startThread(_ body: @escaping @Sendable () -> Void) {
        final class Box: Sendable {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
                return nil
            }, Unmanaged.passRetained(Box(body)).toOpaque())
        pthread_detach(thread)
    }
}
