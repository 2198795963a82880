import Foundation

/// The embedded signing server, on a port of its own.
public final class DSSFixture: Sendable {
    /// The configuration and keys of `ses-dss init`, made once in a test run.
    public struct Site: Sendable {
        public let scratch: ScratchDirectory
        public var directory: String { scratch.file("dss") }
        public var configuration: String { directory + "/dss.xml" }
        /// The demo CA's certificate.
        public let anchor: String
    }

    public let site: Site
    public let port: Int
    private let running: RunningProgram
    public var address: String { "http://127.0.0.1:\(port)" }
    public var log: String { running.text(.error) + running.text(.output) }

    private static let making = Task {
        let scratch = try ScratchDirectory()
        try SpoolFixture.own(scratch.path)
        let directory = scratch.file("dss")
        let made = try await RunningProgram.run(try Programs.path("ses-dss"), ["init", directory])
        guard made.status == 0 else { throw HarnessError("ses-dss init: \(made)") }
        let names = try FileManager.default.subpathsOfDirectory(atPath: directory)
        guard let anchor = names.first(where: { $0.hasSuffix("ca.pem") }) else {
            throw HarnessError("ses-dss init made no CA certificate, but \(names)")
        }
        return Site(scratch: scratch, anchor: directory + "/" + anchor)
    }

    private static let starting = Task { try await DSSFixture() }

    /// The demo keys that all tests share.
    public static var demo: Site { get async throws { try await making.value } }

    /// One server that all tests share; nobody stops it.
    public static var shared: DSSFixture { get async throws { try await starting.value } }

    /// Starts a server of a test's own.
    /// - Parameters:
    ///   - port: 0 for a free one; a former server's to come back where it was.
    ///   - faults: `NAME` or `NAME=PERCENT`.
    ///   - configuration: Instead of the demo one.
    ///   - environment: More of it.
    public init(
        port: Int = 0, faults: [String] = [], configuration: String? = nil, environment: [String: String] = [:]
    ) async throws {
        site = try await Self.demo
        let arguments =
            ["run", "--config", configuration ?? site.configuration, "--port", String(port)]
            // Keys that a test makes may have any mode.
            + (configuration == nil ? [] : ["--allow-readable-secrets"])
        running = try RunningProgram(
            try Programs.path("ses-dss"), arguments + faults.flatMap { ["--fault", $0] },
            environment: environment)
        let line = try await running.line(containing: "listening on http://127.0.0.1:", within: .seconds(30))
        guard let colon = line.lastIndex(of: ":"),
            let number = Int(line[line.index(after: colon)...].prefix { $0.isNumber })
        else {
            throw HarnessError("no port in: \(line)")
        }
        self.port = number
    }

    /// Ends it without a chance to tidy up.
    public func crash() async throws { try await running.crash() }

    @discardableResult
    public func stop() async throws -> RunningProgram.Finished { try await running.terminate() }

    /// A port of the loopback that nobody listens on.
    public static func deadPort() throws -> Int { try SilentServer().port }
}
