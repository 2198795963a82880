public import Foundation

/// aiosmtpd on a free loopback port.
public final class RecordingMailServer: Sendable {
    public struct Mail: Decodable, Sendable {
        /// Empty: the null sender.
        public let sender: String
        public let recipients: [String]
        /// Parameters of MAIL.
        public let options: [String]
        public let encrypted: Bool
        /// The content as received, transparency undone.
        public let content: Data
        public var text: String { String(decoding: content, as: UTF8.self) }
    }

    private let running: RunningProgram
    public let port: Int

    /// - Parameter secured: Demands STARTTLS, with the fixture's good certificate, and AUTH with the name and password
    ///   of ``TLSMailServer``.
    public init(secured: Bool = false) async throws {
        let python = TestPython.path
        var arguments = [TestMaterial.fixtures + "/python/smtp_recorder.py"]
        if secured {
            let fixture = try await TLSFixture.shared
            arguments += [
                fixture.certificate(.good), fixture.key(.good), TLSMailServer.user, TLSMailServer.password,
            ]
        }
        running = try RunningProgram(python, arguments, asRoot: true)
        do {
            port = Int(try await running.line(containing: "port ").split(separator: " ").last ?? "") ?? 0
        } catch {
            throw HarnessError(
                "\(python) does not run aiosmtpd; set SES_TEST_PYTHON to a Python that has it, or run scripts/setup --test: \(error)"
            )
        }
    }

    /// Returns the mails it has taken so far.
    public func mails() throws -> [Mail] {
        try running.text(.output).split(separator: "\n").filter { $0.first == "{" }.map {
            try JSONDecoder().decode(Mail.self, from: Data($0.utf8))
        }
    }
}

/// Postfix's `smtp-sink` on a free loopback port: it takes and drops mail, or misbehaves as its options say.
public final class SinkMailServer: Sendable {
    private let running: RunningProgram
    public let port: Int
    static let path = "/usr/sbin/smtp-sink"

    /// - Parameter options: Of smtp-sink(1).
    public init(_ options: [String] = []) async throws {
        guard FileManager.default.isExecutableFile(atPath: Self.path) else {
            throw HarnessError("\(Self.path) is not there; install postfix")
        }
        port = try DSSFixture.deadPort()
        running = try RunningProgram(Self.path, options + ["127.0.0.1:\(port)", "64"])
        let (port, running) = (port, running)
        try await eventually("smtp-sink to listen") {
            guard running.isRunning else { throw HarnessError("smtp-sink ended: \(running.text(.error))") }
            return ProxyFixture.isListening(port) ? () : nil
        }
    }
}
