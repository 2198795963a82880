import Foundation
import Glibc

/// dnsmasq on a free loopback port, with the records of a test.
public final class DNSFixture: Sendable {
    private let running: RunningProgram
    public let port: Int
    static let path = "/usr/sbin/dnsmasq"

    /// - Parameter records: Options of dnsmasq(8), such as `mx-host=example.test,mx.example.test,10`. Names that end
    ///   with `.test` and have no record do not exist; others are refused.
    public init(_ records: [String]) async throws {
        guard FileManager.default.isExecutableFile(atPath: Self.path) else {
            throw HarnessError("\(Self.path) is not there; install dnsmasq-base")
        }
        port = try DSSFixture.deadPort()
        running = try RunningProgram(
            Self.path,
            [
                "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--no-poll", "--pid-file=",
                "--port=\(port)", "--listen-address=127.0.0.1", "--bind-interfaces", "--local=/test/",
            ] + records.map { "--" + $0 }, asRoot: true)
        let (port, running) = (port, running)
        // It answers over TCP, too.
        try await eventually("dnsmasq to listen") {
            guard running.isRunning else { throw HarnessError("dnsmasq ended: \(running.text(.error))") }
            return ProxyFixture.isListening(port) ? () : nil
        }
    }
}

/// A DNS server that never answers: a port of UDP that nobody reads.
public final class SilentDNS: Sendable {
    private let descriptor: Int32
    public let port: Int

    public init() throws {
        (descriptor, port) = try LoopbackPlace().boundSocket(Int32(SOCK_DGRAM.rawValue), backlog: nil)
    }

    deinit { close(descriptor) }

    /// True when a question waits that nobody reads.
    public var hasBeenAsked: Bool {
        var octets = [UInt8](repeating: 0, count: 512)
        return recv(descriptor, &octets, octets.count, Int32(MSG_DONTWAIT) | Int32(MSG_PEEK)) > 0
    }
}
