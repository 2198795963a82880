import Foundation

/// A real HTTP proxy on a free loopback port.
public final class ProxyFixture: Sendable {
    public enum Program: String, Sendable {
        case tinyproxy, squid

        /// nil where it is not installed.
        public var path: String? {
            ["/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/"].map { $0 + rawValue }.first {
                FileManager.default.isExecutableFile(atPath: $0)
            }
        }
    }
    public enum Scheme: String, Sendable { case basic, digest }

    public static let user = "proxy user"
    public static let password = "p&ss w/rd!"

    private let scratch: ScratchDirectory
    private let running: RunningProgram
    public let port: Int

    public init(_ program: Program, _ scheme: Scheme) async throws {
        guard let path = program.path else { throw HarnessError("\(program.rawValue) is not installed") }
        scratch = try ScratchDirectory()
        port = try DSSFixture.deadPort()
        let file = scratch.file
        switch program {
        case .tinyproxy:
            let lines = ["Port \(port)", "Listen 127.0.0.1", "BasicAuth user password", "LogLevel Error"]
            running = try RunningProgram(
                path, ["-d", "-c", try scratch.write((lines.joined(separator: "\n") + "\n").utf8, to: "tiny.conf")],
                asRoot: true)
        case .squid:
            // squid refuses to run as root.
            try SpoolFixture.own(scratch.path)
            try scratch.write("\(Self.user):\(Self.password)\n".utf8, to: "passwords")
            let hash = try await RunningProgram.run(
                "/usr/bin/openssl", ["passwd", "-apr1", Self.password], asRoot: true)
            try scratch.write("\(Self.user):\(hash.output)".utf8, to: "hashes")
            let digest = "/usr/lib/squid/digest_file_auth \(file("passwords"))"
            let basic = "/usr/lib/squid/basic_ncsa_auth \(file("hashes"))"
            let lines = [
                "http_port 127.0.0.1:\(port)",
                "auth_param \(scheme.rawValue) program \(scheme == .basic ? basic : digest)",
                "auth_param \(scheme.rawValue) children 1 startup=1", "auth_param \(scheme.rawValue) realm test",
                "acl known proxy_auth REQUIRED", "http_access allow known", "http_access deny all", "cache deny all",
                "cache_mem 1 MB", "access_log none", "cache_log \(file("squid.log"))", "pid_filename none",
                "coredump_dir \(scratch.path)", "shutdown_lifetime 0 seconds", "visible_hostname localhost",
            ]
            running = try RunningProgram(
                path,
                [
                    "-N", "-n", "ses\(port)", "-f",
                    try scratch.write((lines.joined(separator: "\n") + "\n").utf8, to: "squid.conf"),
                ],
                asRoot: false)
        }
        let port = port
        let running = running
        let log = file("squid.log")
        try await eventually("\(program.rawValue) to listen: \(running.text(.error))", within: .seconds(15)) {
            guard running.isRunning else {
                throw HarnessError(
                    "\(program.rawValue) ended: \(running.text(.error)) \(String(decoding: (try? TestMaterial.octets(log)) ?? [], as: UTF8.self))"
                )
            }
            return Self.isListening(port) ? () : nil
        }
    }

    deinit {
        // squid is killed and cannot remove its shared memory.
        for part in ["metadata", "queues", "readers"] { unlink("/dev/shm/ses\(port)-cf__\(part).shm") }
    }

    static func isListening(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = UInt16(port).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
