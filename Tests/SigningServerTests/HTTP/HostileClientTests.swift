import Foundation
import Glibc
import HostProcess
import NIOCore
import SigningServer
import TestSupport
import Testing

@Suite("Hostile clients of the signing server", .serialized)
struct HostileClientTests {
    private static let program = Result { try Programs.path("ses-dss") }

    /// Those of every run; `SES_HOSTILE=all` runs all.
    static let scenarios =
        ProcessInfo.processInfo.environment["SES_HOSTILE"] == "all"
        ? ["/"]
        : [
            "silent/crowd", "half-head/few-descriptors", "half-body/many", "half-body/unix", "chunked-half-body/few",
            "one-octet-a-time/many", "unknown-client/few", "silent/come-back",
            "answer-not-read/few-descriptors", "half-body/fewest-descriptors",
        ]

    @Test("honest clients are served meanwhile, memory is bounded, and SIGTERM ends it in time", arguments: scenarios)
    func crowds(_ scenario: String) async throws {
        let scratch = try ScratchDirectory()
        try DemonstrationSite.make(in: scratch.file("site"), now: Int(Date().timeIntervalSince1970))
        // A debug build needs several times as long as the second that a built one has, and others may be busy here.
        let output = try await TestPython.run(
            "endtoend/hostile_clients.py", [try Self.program.get(), scratch.file("site"), "--patience=10", scenario])
        #expect(output.contains(" scenarios good"))
    }

    @Test(
        "a request that does not arrive in time is given up, at any point",
        arguments: [
            "", "POST /adss/signing/dss HTTP/1.1\r\nHost: x\r\n",
            "POST /adss/signing/dss HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n<a>",
            "POST /adss/signing/dss HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<a>bc",
        ])
    func deadlines(_ beginning: String) async throws {
        var deadlines = ConnectionDeadlines()
        deadlines.head = .milliseconds(300)
        deadlines.grace = .milliseconds(300)
        let server = try await RunningServer(isOnSocket: true, deadlines: deadlines)
        let path = server.site + "/socket"
        #expect(try await Task.detached { try Self.isClosedByServer(path, beginning) }.value)
    }

    /// Sends `text` and nothing more. The minute that it waits for the end is far above the deadlines, for a busy
    /// machine.
    private static func isClosedByServer(_ path: String, _ text: String) throws -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        var patience = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        try #require(isConnected)
        _ = Array(text.utf8).withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        var count = 1
        while count > 0 { count = recv(descriptor, &buffer, buffer.count, 0) }
        return count == 0 || errno == ECONNRESET
    }

    @Test("a Unix socket serves the clients that its permissions admit")
    func unixSocket() async throws {
        let server = try await RunningServer(isOnSocket: true)
        let path = server.site + "/socket"
        #expect(server.address == "http://unix:\(path):")
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let signed = try await server.sign(Array(SignedMail.entity.utf8))
        #expect(signed.text(of: "ResultMajor")?.hasSuffix(":Success") == true, "\(signed)")
        let group = try await RunningServer(isOnSocket: true) {
            $0.replacing("unix=\"socket\"", with: "unix=\"socket\" mode=\"660\"")
        }
        let open = try FileManager.default.attributesOfItem(atPath: group.site + "/socket")
        #expect(open[.posixPermissions] as? Int == 0o660)
    }

    @Test("a socket that another server listens on is refused, and one that was left behind is replaced")
    func takenSocket() async throws {
        let server = try await RunningServer(isOnSocket: true)
        let socket = UnixSocket(path: server.site + "/socket")
        #expect(throws: SocketError.self) { try socket.prepare() }
        let scratch = try ScratchDirectory()
        let left = UnixSocket(path: scratch.file("left"))
        try Self.leave(left.path)
        try left.prepare()
        let file = UnixSocket(path: try scratch.write(Array("text".utf8), to: "file"))
        #expect(throws: SocketError.self) { try file.prepare() }
    }

    @Test("a port that another server listens on is refused with the address and advice")
    func takenPort() async throws {
        let server = try await RunningServer()
        let port = try #require(server.address.split(separator: ":").last)
        let error = await #expect(throws: ListeningError.self) {
            _ = try await RunningServer { $0.replacing("port=\"0\"", with: "port=\"\(port)\"") }
        }
        #expect(
            error?.description.hasPrefix("cannot listen on 127.0.0.1:\(port): Address already in use; stop the program")
                == true, "\(String(describing: error))")
    }

    /// Makes a socket that nobody listens on.
    private static func leave(_ path: String) throws {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        try #require(isBound)
    }
}
