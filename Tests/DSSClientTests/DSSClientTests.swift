import DSSClient
import DSSProtocol
import Foundation
import Octets
import Processing
import Synchronization
import TestSupport
import Testing

@Suite("The client of the signing server")
struct DSSClientTests {
    @Test("has a mail signed and a PDF verified")
    func results() async throws {
        let peer = try ScriptedPeer.answering { request in
            Self.answer(request.line.contains("verification") ? "verify-trusted" : "sign-cms")
        }
        let client = DSSClient(
            .init(
                signing: .init(primary: peer.address + "/adss/signing/dss", secondary: nil),
                verification: .init(primary: peer.address + "/adss/verification/dss", secondary: nil)))
        guard case .cms = try await client.sign(Self.signing, answers: Self.answers) else {
            Issue.record("no CMS")
            return
        }
        let verdict = try await client.verify(Self.verification, answers: Self.answers)
        #expect(verdict.verdict == .trusted)
        #expect(verdict.raw.text == Self.fixture("verify-trusted"))
        #expect(
            peer.requests.map(\.line) == [
                "POST /adss/signing/dss HTTP/1.1", "POST /adss/verification/dss HTTP/1.1",
            ])
        #expect(peer.requests.first?.value("content-type") == "text/xml; charset=utf-8")
        await client.shutDown()
    }

    @Test(
        "goes to the secondary address with the same octets when the primary has trouble", arguments: Trouble.transient)
    func secondary(_ trouble: Trouble) async throws {
        let primary = try trouble.peer()
        let secondary = try ScriptedPeer.answering { _ in Self.answer("sign-cms") }
        let client = try Self.client(primary.address, secondary.address)
        guard case .cms = try await client.sign(Self.signing, answers: Self.answers) else {
            Issue.record("no CMS")
            return
        }
        #expect(secondary.requests.count == 1)
        if let first = primary.requests.first { #expect(first.body == secondary.requests.first?.body) }
    }

    @Test("stays with the primary when its refusal is final", arguments: Trouble.permanent)
    func permanent(_ trouble: Trouble) async throws {
        let primary = try trouble.peer()
        let secondary = try ScriptedPeer.answering { _ in Self.answer("sign-cms") }
        let client = try Self.client(primary.address, secondary.address)
        let failure = await Self.failure { () async throws(Failure) in
            try await client.sign(Self.signing, answers: Self.answers)
        }
        #expect(failure?.permanence == .permanent)
        #expect(failure?.summary.contains(primary.address) == true)
        #expect(secondary.connections == 0)
    }

    @Test("fails transiently when no address answers, and names them all without their credentials")
    func transientFailure() async throws {
        let primary = try DSSFixture.deadPort()
        let secondary = try ScriptedPeer.answering { _ in
            ScriptedPeer.answer(503, body: "<html>down\r\nfor repair</html>")
        }
        let client = try Self.client("http://127.0.0.1:\(primary)/dss?token=canary", secondary.address)
        let failure = await Self.failure { () async throws(Failure) in
            try await client.sign(Self.signing, answers: Self.answers)
        }
        let summary = try #require(failure?.summary)
        #expect(failure?.permanence == .transient && failure?.pointsAtConfiguration == false)
        #expect(summary.contains("http://127.0.0.1:\(primary)/dss") && summary.contains(secondary.address))
        #expect(summary.contains("HTTP 503: down for repair"))
        #expect(!summary.contains("canary") && !summary.contains("\n"))
    }

    @Test("points at the configuration when the server refuses access", arguments: [401, 403, 404, 407, 302])
    func configuration(status: Int) async throws {
        let peer = try ScriptedPeer.answering { _ in ScriptedPeer.answer(status, body: "") }
        let client = try Self.client(peer.address, nil)
        let failure = await Self.failure { () async throws(Failure) in
            try await client.sign(Self.signing, answers: Self.answers)
        }
        #expect(failure?.permanence == .transient && failure?.pointsAtConfiguration == true)
    }

    @Test("keeps the answer of a refusal for the administrator")
    func refusalAnswer() async throws {
        let peer = try ScriptedPeer.answering { _ in Self.answer("sign-refused") }
        let client = try Self.client(peer.address, nil)
        let failure = await Self.failure { () async throws(Failure) in
            try await client.sign(Self.signing, answers: Self.answers)
        }
        #expect(failure?.answer == Self.fixture("sign-refused"))
        #expect(
            failure?.summary.contains("signing profile is not assigned to this client (RequesterError, NotSupported)")
                == true)
    }

    @Test("does not ask an address that did not answer three times, until its pause is over")
    func circuit() async throws {
        let uptime = Mutex(ContinuousClock.now)
        let clock = DSSClientClock(monotonic: { uptime.withLock { $0 } }, unixSeconds: { 1_000_000 })
        let isDown = Mutex(true)
        let primary = try ScriptedPeer { connection in
            while connection.readRequest() != nil, !isDown.withLock({ $0 }) { connection.send(Self.answer("sign-cms")) }
        }
        let secondary = try ScriptedPeer.answering { _ in Self.answer("sign-cms") }
        let client = DSSClient(
            .init(signing: .init(primary: primary.address, secondary: secondary.address), verification: nil),
            clock: clock)
        for _ in 0..<5 { _ = try await client.sign(Self.signing, answers: Self.answers) }
        #expect(primary.requests.count == 3)
        #expect(secondary.requests.count == 5)
        uptime.withLock { $0 += .seconds(2) }
        let silent = try #require(client.circuits().first { $0.address == primary.address })
        #expect(silent.state == .notAnswering && silent.service == .signing && silent.reason != nil)
        #expect(silent.since == 999_998 && silent.nextTry == 1_000_003)
        isDown.withLock { $0 = false }
        uptime.withLock { $0 += .seconds(10) }
        _ = try await client.sign(Self.signing, answers: Self.answers)
        #expect(primary.requests.count == 4 && secondary.requests.count == 5)
        #expect(client.circuits().allSatisfy { $0.state == .answering })
    }

    @Test("refuses answers that were swapped between two requests")
    func swapped() async throws {
        let peer = try ScriptedPeer.answering { request in
            let text = String(decoding: request.body, as: UTF8.self)
            return Self.answer("sign-cms", id: text.contains("\"SES-a\"") ? "SES-b" : "SES-a")
        }
        let client = try Self.client(peer.address, nil)
        for id in ["SES-a", "SES-b"] {
            let failure = await Self.failure { () async throws(Failure) in
                try await client.sign(Self.signing(id), answers: Self.answers)
            }
            #expect(failure?.permanence == .permanent)
        }
    }

    @Test("without a service says so")
    func unconfigured() async throws {
        let client = try Self.client("http://127.0.0.1:1", nil)
        let failure = await Self.failure { () async throws(Failure) in
            try await client.verify(Self.verification, answers: Self.answers)
        }
        #expect(failure?.permanence == .permanent)
    }

    @Test("sends a signed mail as content and CMS when the dialect says so")
    func detached() async throws {
        let peer = try ScriptedPeer.answering { _ in Self.answer("verify-trusted") }
        let client = DSSClient(
            .init(
                signing: nil, verification: .init(primary: peer.address, secondary: nil), dialect: .dss10))
        let mail =
            "From: a@x.test\r\nContent-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b\r\n\r\n"
            + "--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Type: application/pkcs7-signature\r\n"
            + "Content-Transfer-Encoding: base64\r\n\r\nMIAGCSqGSIb3DQEHAg==\r\n--b--\r\n"
        let operation = VerificationOperation(
            kind: .email, document: OctetRope([OctetString(mail)]), signature: nil, originatorID: "c",
            requestID: "SES-1")
        _ = try await client.verify(operation, answers: Self.answers)
        let sent = String(decoding: try #require(peer.requests.first).body, as: UTF8.self)
        #expect(sent.contains(Base64.encode("Content-Type: text/plain\r\n\r\nhello".utf8) + "</dss:Base64Data>"))
        #expect(sent.contains(">MIAGCSqGSIb3DQEHAg==</dss:Base64Signature>"))
    }

    @Test("presents its client certificate, and names no password when that fails")
    func clientCertificate() async throws {
        let fixture = try await TLSFixture.shared
        let peer = try await TLSPeer(.good, demandsClient: true)
        var configuration = DSSClientConfiguration(
            signing: .init(primary: peer.address, secondary: nil), verification: nil)
        configuration.trustStore = fixture.authority
        configuration.clientCertificate = .file(path: fixture.clientPFX, password: TLSFixture.password)
        let right = await Self.failure { () async throws(Failure) in
            try await DSSClient(configuration).sign(Self.signing, answers: Self.answers)
        }
        // It let us in; what it says is no DSS answer.
        #expect(right?.summary.contains("tls") == true && right?.pointsAtConfiguration == false)
        configuration.clientCertificate = .file(path: fixture.clientPFX, password: "canary-password")
        let wrong = await Self.failure { () async throws(Failure) in
            try await DSSClient(configuration).sign(Self.signing, answers: Self.answers)
        }
        #expect(wrong?.permanence == .transient && wrong?.pointsAtConfiguration == true)
        #expect(wrong?.summary.contains("canary") == false)
    }

    // MARK: - Samples

    static let answers = MemoryCollecting(limit: 1 << 20)
    static let signing = signing("SES-1")
    static let verification = VerificationOperation(
        kind: .pdf, document: OctetString("%PDF-1.7"), signature: nil, originatorID: "c", requestID: "SES-1")

    static func signing(_ id: String) -> SigningOperation {
        SigningOperation(
            kind: .email, document: OctetString("Content-Type: text/plain\r\n\r\nhello\r\n"), profile: "p",
            keyAlias: nil,
            attributes: [], originatorID: "c", requestID: id)
    }

    static func fixture(_ name: String) -> String {
        let path = TestMaterial.fixtures + "/dss/responses/\(name).xml"
        return (try? TestMaterial.octets(path)).map { String(decoding: $0, as: UTF8.self) } ?? "no fixture \(name)"
    }

    static func answer(_ name: String, id: String = "SES-1") -> String {
        ScriptedPeer.answer(
            200, ["Content-Type: text/xml"],
            body: fixture(name).replacingOccurrences(of: "RequestID=\"SES-1\"", with: "RequestID=\"\(id)\""))
    }

    static func client(_ primary: String, _ secondary: String?) throws -> DSSClient {
        var configuration = DSSClientConfiguration(
            signing: .init(primary: primary, secondary: secondary), verification: nil)
        configuration.totalTimeout = .milliseconds(1500)
        return DSSClient(configuration)
    }

    static func failure<Answer>(_ body: () async throws(Failure) -> Answer) async -> Failure? {
        do throws(Failure) {
            _ = try await body()
            return nil
        } catch {
            return error
        }
    }
}

/// The fault of a server.
struct Trouble: CustomTestStringConvertible, Sendable {
    let testDescription: String
    private let serve: @Sendable (ScriptedPeer.Connection) -> Void

    func peer() throws -> ScriptedPeer { try ScriptedPeer(serve) }

    private init(_ name: String, answer: @escaping @Sendable () -> String) {
        testDescription = name
        serve = { connection in
            while connection.readRequest() != nil { if !connection.send(answer()) { return } }
        }
    }

    private init(_ name: String, _ serve: @escaping @Sendable (ScriptedPeer.Connection) -> Void) {
        testDescription = name
        self.serve = serve
    }

    private init(fixture: String) { self.init(fixture) { DSSClientTests.answer(fixture) } }

    private init(status: Int) { self.init("HTTP \(status)") { ScriptedPeer.answer(status, body: "<p>no</p>") } }

    static let transient: [Trouble] =
        [
            Trouble("silence") {
                _ = $0.waitForOther(milliseconds: 1); _ = $0.readRequest(); _ = $0.waitForOther(milliseconds: 5000)
            },
            Trouble("a closed connection") { _ = $0.readRequest() },
            Trouble("a cut answer") { connection in
                _ = connection.readRequest()
                connection.send(
                    "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + DSSClientTests.fixture("sign-cms").prefix(300))
            },
            Trouble("a stopped service") {
                ScriptedPeer.answer(
                    200, ["RESPONSE_STATUS: FAILED", "ERROR_CODE: 41003", "MESSAGE: [Error-41003] stopped"], body: "")
            },
            Trouble("an empty answer") { ScriptedPeer.answer(body: "") },
        ]
        + ["fault11-server", "fault12-receiver", "sign-responder-error", "sign-unknown-client", "page", "cut"].map {
            Trouble(fixture: $0)
        } + [401, 403, 404, 407, 429, 500, 502, 503, 301].map { Trouble(status: $0) }

    static let permanent: [Trouble] =
        [
            "sign-refused", "sign-key-lookup-failed", "sign-pending", "sign-wrong-id", "sign-nothing", "fault11-client",
            "document-type",
        ].map { Trouble(fixture: $0) } + [400, 405, 413].map { Trouble(status: $0) }
}
