import Foundation
import Glibc
import Synchronization

/// An HTTP server that hangs at one step of every exchange.
public final class HangingPeer: Sendable {
    public enum Step: String, Sendable, CaseIterable {
        /// No connection comes about: the kernel's queue of the port is full.
        case connect
        /// The connection stands and nobody takes it.
        case accept
        /// The same, with an https address: the handshake never ends.
        case handshake
        /// The request is read to its end; nothing is said.
        case silence
        /// The request is not read, and is too long to fit in between.
        case upload
        /// The answer breaks off in its first line, in its header, before or within its body.
        case statusLine, header, body, halfBody
        /// One octet of the header, or of the body, each 200 ms, without an end.
        case slowHeader, slowBody
        /// The server's name has no end of being looked up. (The program runs with ``environment(program:)``.)
        case name
    }

    public let step: Step
    public let address: String
    private let peer: ScriptedPeer?
    private let silent: SilentServer?
    private let full: FullPort?
    /// True if a client has come to the step at which this server hangs; always true for steps that cannot know it.
    public var isReached: Bool {
        switch step {
        case .silence, .statusLine, .header, .body, .halfBody, .slowHeader, .slowBody: peer?.requests.isEmpty == false
        case .upload: peer?.connections ?? 0 > 0
        case .connect, .accept, .handshake, .name: true
        }
    }

    public init(_ step: Step) throws {
        self.step = step
        var (peer, silent, full): (ScriptedPeer?, SilentServer?, FullPort?)
        switch step {
        case .connect:
            full = try FullPort()
            address = "http://127.0.0.1:\(full?.port ?? 0)"
        case .accept, .handshake:
            silent = try SilentServer()
            address = (step == .accept ? "http" : "https") + "://127.0.0.1:\(silent?.port ?? 0)"
        case .name: address = "http://hangs.example.test:8777"
        case .upload:
            peer = try ScriptedPeer { $0.waitForClose() }
            address = peer?.address ?? ""
        default:
            peer = try ScriptedPeer { connection in
                guard connection.readRequest() != nil else { return }
                connection.send(Self.beginning(step))
                if step == .slowHeader || step == .slowBody {
                    while connection.send("x"), !connection.waitForOther(milliseconds: 200) {}
                } else {
                    connection.waitForClose()
                }
            }
            address = peer?.address ?? ""
        }
        (self.peer, self.silent, self.full) = (peer, silent, full)
    }

    private static func beginning(_ step: Step) -> String {
        let line = "HTTP/1.1 200 OK\r\n"
        let header = line + "Content-Type: text/xml\r\nContent-Length: 900000\r\n\r\n"
        return switch step {
        case .statusLine: "HTTP/1."
        case .header: line + "Content-Type: te"
        case .body: header
        case .halfBody:
            header + "<?xml version=\"1.0\"?><dss:SignResponse xmlns:dss=\"urn:oasis:names:tc:dss:1.0:core:schema\">"
        case .slowHeader: line + "X-Slow: "
        case .slowBody: header + "<?xml version=\"1.0\"?><dss:SignResponse><!--"
        case .connect, .accept, .handshake, .silence, .upload, .name: ""
        }
    }

    /// Returns the environment with which `program` hangs.
    public func environment(program: String) async throws -> [String: String] {
        guard step == .name else { return [:] }
        var environment = try await FaultPoint.environment(program: program)
        environment["FAULTPOINT_NAME"] = "hangs.example.test"
        return environment
    }
}

/// A port to which no connection comes about: its queue is full, and nobody takes from it.
private final class FullPort: Sendable {
    let port: Int
    private let descriptors: [Int32]

    init() throws {
        let (listener, port) = try LoopbackPlace().boundSocket(Int32(SOCK_STREAM.rawValue), backlog: 0)
        self.port = port
        var address = LoopbackPlace(port: port).socketAddress
        var descriptors = [listener]
        // The first fill the queue; what comes after them waits for an answer that never comes.
        for _ in 0..<4 {
            let client = socket(
                AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
            guard client >= 0 else { throw HarnessError("socket: \(errno)") }
            withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = connect(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            descriptors.append(client)
        }
        self.descriptors = descriptors
    }

    deinit { for descriptor in descriptors { close(descriptor) } }
}
