import Foundation
import Glibc
import Synchronization
import TestSupport

/// A `ses` whose mail is counted: nothing may be diverted, be lost or come twice.
final class SESUnderFault: Sendable {
    let fixture: SpoolFixture
    private let wanted = Mutex<Set<String>>([])

    /// - Parameter configuration: Default: outgoing mail from Alice is signed, incoming mail is verified, by the shared
    ///   server.
    init(_ configuration: SESXML? = nil) async throws {
        let shared: SESXML
        if let configuration { shared = configuration } else { shared = try await Self.configuration() }
        fixture = try await SpoolFixture(shared)
    }

    /// A copy as it stands.
    init(copying other: SESUnderFault) async throws {
        fixture = try await SpoolFixture(copying: other.fixture)
        wanted.withLock { $0 = other.wanted.withLock { $0 } }
    }

    /// - Parameters:
    ///   - signing: The server that signs outgoing mail from Alice; default: the shared server.
    ///   - verification: The server that verifies incoming mail; default: the same.
    ///   - processing: More of `Processing`.
    static func configuration(
        signing: String? = nil, verification: String? = nil, processing: String = ""
    ) async throws -> SESXML {
        let shared = try await DSSFixture.shared.address
        var configuration = SESXML(servers: [signing ?? shared])
        configuration.verification = [(verification ?? shared) + "/adss/verification/dss"]
        configuration.outgoing = SESXML.sign(
            alias: MailSamples.alice, filter: "<Filter><AND><From contains=\"alice@*\"/></AND></Filter>")
        configuration.incoming = SESXML.verify()
        configuration.processing = processing
        return configuration
    }

    /// A mail that the programs themselves signed.
    static var signed: [UInt8] { get async throws { try await signing.value } }

    private static let signing = Task {
        let ses = try await SESUnderFault()
        try await ses.fixture.drop(MailSamples.plain(id: "signed"), to: .outgoing)
        try await ses.fixture.process()
        return try ses.fixture.onlyFile(in: "delivered").message
    }

    // MARK: Mail

    /// Puts a mail where a deliverer does; it is to end in `delivered`, once.
    /// - Parameter name: Its recipient's local part, by which it is known again.
    func put(_ name: String, _ message: [UInt8], to direction: SpoolFixture.Direction = .outgoing) throws {
        let traced =
            Array(
                "Return-Path: <a@example.test>\r\nDelivered-To: \(name)@example.test\r\nReceived: by mx; now\r\n".utf8)
            + message
        wanted.withLock { _ = $0.insert(name) }
        try fixture.place(traced, in: direction.rawValue + "/new", named: "1700000000.\(name).test")
    }

    /// To be signed.
    func putOutgoing(_ name: String) throws { try put(name, MailSamples.plain(id: name)) }

    /// Needs no server.
    func putUnmatched(_ name: String) throws {
        try put(name, MailSamples.plain(from: "carol@example.test", id: name))
    }

    /// To be verified.
    func putIncoming(_ name: String) async throws { try put(name, try await Self.signed, to: .incoming) }

    /// Files in `delivered`, by recipient.
    func delivered() throws -> [String: [SpoolFile]] {
        Dictionary(grouping: try fixture.files(in: "delivered")) { file in
            String((file.recipients.first ?? "").prefix { $0 != "@" })
        }
    }

    /// Waits for `name`.
    /// - Returns: The time it took since `begin`.
    func arrival(
        of name: String, since begin: ContinuousClock.Instant, within limit: Duration = .seconds(60)
    ) async throws -> Duration {
        try await eventually("\(name) is delivered: \(try counts())", within: limit) {
            (try? delivered()[name]) == nil ? nil : ()
        }
        return ContinuousClock.now - begin
    }

    /// Counts what stands where, as ``SpoolFixture/counts()`` does; a folder that is missing holds nothing.
    func counts() throws -> [String: Int] {
        let places = [
            "outgoing/new", "incoming/new", "delivered/new", "admin/new", "blocked/new", "retry/new", "work", "publish",
            "corrupt",
        ]
        var found: [String: Int] = [:]
        for place in places where FileManager.default.fileExists(atPath: fixture.spool + "/" + place) {
            let count = try fixture.names(in: place).count
            if count > 0 { found[place] = count }
        }
        return found
    }

    /// Returns the deviations in the end: each mail must be in `delivered`, once, and nothing anywhere else.
    func faults() throws -> [String] {
        let delivered = try delivered()
        let wanted = wanted.withLock { $0 }
        var faults: [String] = []
        for name in wanted.sorted() where delivered[name] == nil { faults.append("\(name) is not delivered") }
        for (name, files) in delivered where files.count > 1 || !wanted.contains(name) {
            faults.append("\(name) came \(files.count) times")
        }
        for file in delivered.values.joined() where file.octets.isEmpty { faults.append("\(file.name) is empty") }
        let isSigned = delivered.values.joined().filter { $0.envelopeField("X-SES-Outcome") == "signed" }
        for file in isSigned where !file.text.contains("multipart/signed") { faults.append("\(file.name): not signed") }
        let counts = try counts().filter { $0.key != "delivered/new" }
        if !counts.isEmpty { faults.append("in the end: \(counts)") }
        return faults
    }

    // MARK: Health

    /// Returns the report of `ses status`: whether all is well, and the reasons if not.
    func status() async throws -> (isHealthy: Bool, reasons: [String]) {
        let finished = try await fixture.ses(["status", "--json", "--config", fixture.configurationPath])
        let object = (try? JSONSerialization.jsonObject(with: Data(finished.output.utf8))) as? [String: Any]
        guard let status = object?["status"] as? String, let reasons = object?["reasons"] as? [[String: Any]] else {
            throw HarnessError("ses status: \(finished)")
        }
        return (status == "OK", reasons.compactMap { $0["text"] as? String })
    }

    /// Waits until everything is delivered and the status is healthy.
    /// - Returns: The time it took; nil if it did not recover.
    func recovers(within limit: Duration) async throws -> Duration? {
        let begin = ContinuousClock.now
        while ContinuousClock.now - begin < limit {
            let isDone = try counts().keys.allSatisfy { $0 == "delivered/new" }
            if isDone, try await status().isHealthy { return ContinuousClock.now - begin }
            try await Task.sleep(for: .milliseconds(100))
        }
        return nil
    }
}
