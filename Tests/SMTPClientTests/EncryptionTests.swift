import CurlTransfer
import Octets
import TestSupport
import Testing

@testable import SMTPClient

@Suite("Encryption and authentication (RFC 3207, 8314, 4954)", .timeLimit(.minutes(2)))
struct EncryptionTests {
    typealias Settings = MailConnectionSettings

    /// A server, a demand, and what comes of the two.
    struct Case: CustomTestStringConvertible, Sendable {
        let manner: TLSMailServer.Manner
        let certificate: TLSFixture.Server
        let encryption: Settings.Encryption
        let ending: String
        var testDescription: String { "\(manner) (\(certificate)) with \(encryption)" }

        init(
            _ manner: TLSMailServer.Manner, _ certificate: TLSFixture.Server, _ encryption: Settings.Encryption,
            _ ending: String
        ) {
            self.manner = manner
            self.certificate = certificate
            self.encryption = encryption
            self.ending = ending
        }
    }

    static let cases = [
        Case(.startTLS, .good, .off, "clear accepted"),
        Case(.startTLS, .selfSigned, .opportunistic, "tls accepted"),
        Case(.startTLS, .otherHost, .startTLS(.unverified), "tls accepted"),
        Case(.startTLS, .good, .startTLS(.verified), "tls accepted"),
        Case(.startTLS, .selfSigned, .startTLS(.verified), "transient route handshake"),
        Case(.startTLS, .otherHost, .startTLS(.verified), "transient route handshake"),
        Case(.startTLS, .expired, .startTLS(.verified), "transient route handshake"),
        Case(.implicit, .good, .implicitTLS(.verified), "tls accepted"),
        Case(.implicit, .otherHost, .implicitTLS(.verified), "transient route connect"),
        Case(.implicit, .expired, .implicitTLS(.unverified), "tls accepted"),
        Case(.stripped, .good, .implicitTLS(.unverified), "transient route connect"),
        Case(.stripped, .good, .opportunistic, "clear accepted"),
        Case(.stripped, .good, .startTLS(.unverified), "permanent route ehlo"),
        Case(.stripped, .good, .startTLS(.verified), "permanent route ehlo"),
        Case(.refused, .good, .opportunistic, "clear accepted"),
        Case(.refused, .good, .startTLS(.unverified), "transient route startTLS 454"),
        Case(.garbage, .good, .opportunistic, "clear accepted after handshake"),
        Case(.garbage, .good, .startTLS(.unverified), "transient route handshake"),
        Case(.closing, .good, .opportunistic, "clear accepted after handshake"),
        Case(.closing, .good, .startTLS(.unverified), "transient route handshake"),
        Case(.old, .good, .opportunistic, "clear accepted after handshake"),
        Case(.old, .good, .startTLS(.unverified), "transient route handshake"),
        Case(.injecting, .good, .opportunistic, "clear accepted after handshake"),
        Case(.injecting, .good, .startTLS(.unverified), "transient route handshake"),
        Case(.cutting, .good, .startTLS(.verified), "tls transient route content"),
    ]

    @Test("is as demanded, or there is no mail", arguments: cases)
    func levels(_ given: Case) async throws {
        let server = try await TLSMailServer(given.certificate, given.manner)
        let trustStore = try await TLSFixture.shared.authority
        let ending = try await Self.ending(server.port, large: given.manner == .cutting) {
            $0.encryption = given.encryption
            $0.trustStore = trustStore
        }
        #expect(ending == given.ending)
        let mails = server.log.filter { $0.contains("MAIL FROM") }
        #expect(mails.isEmpty == !given.ending.contains("accepted") || given.manner == .cutting)
        #expect(mails.allSatisfy { $0.hasPrefix(given.ending.hasPrefix("tls") ? "tls" : "clear") })
    }

    @Test("by a pin accepts that key, whatever else the certificate says, and no other")
    func pins() async throws {
        let fixture = try await TLSFixture.shared
        let right = try await Self.pin(fixture.certificate(.expired))
        let wrong = try await Self.pin(fixture.certificate(.good))
        for (manner, phase) in [(TLSMailServer.Manner.startTLS, "handshake"), (.implicit, "connect")] {
            let server = try await TLSMailServer(.expired, manner)
            for (pins, ending) in [
                ([right], "tls accepted"), ([wrong, right], "tls accepted"), ([wrong], "transient route \(phase)"),
                ([], "permanent route connect"),
            ] {
                let found = try await Self.ending(server.port) {
                    $0.encryption = manner == .implicit ? .implicitTLS(.pinned(pins)) : .startTLS(.pinned(pins))
                }
                #expect(found == ending)
            }
        }
    }

    @Test("pins are read as digits and as Base64, and nothing else is a pin")
    func pinSyntax() {
        let digits = String(repeating: "0aF1", count: 16)
        let pin = PublicKeyPin(digits)
        #expect(pin?.description == "sha256//CvEK8QrxCvEK8QrxCvEK8QrxCvEK8QrxCvEK8QrxCvE=")
        #expect(PublicKeyPin(pin?.description ?? "") == pin)
        #expect(PublicKeyPin("CvEK8QrxCvEK8QrxCvEK8QrxCvEK8QrxCvEK8QrxCvE=") == pin)
        #expect(PublicKeyPin(digits.uppercased()) == pin)
        for text in ["", "sha256//", "sha256//AAAA", String(repeating: "zz", count: 32), digits + "00"] {
            #expect(PublicKeyPin(text) == nil, "\(text)")
        }
    }

    @Test(
        "authenticates by each mechanism, under TLS",
        arguments: Settings.Credentials.Mechanism.allCases, [TLSMailServer.Manner.startTLS, .implicit])
    func mechanisms(_ mechanism: Settings.Credentials.Mechanism, _ manner: TLSMailServer.Manner) async throws {
        let server = try await TLSMailServer(.good, manner, mechanisms: [mechanism.rawValue])
        let ending = try await Self.ending(server.port) {
            $0.encryption = manner == .implicit ? .implicitTLS(.unverified) : .startTLS(.unverified)
            $0.credentials = Self.credentials()
        }
        #expect(ending == "tls accepted")
        #expect(server.log.contains { $0.hasPrefix("tls AUTH \(mechanism.rawValue)") })
    }

    @Test("never sends a password in clear unless it is told to", arguments: [TLSMailServer.Manner.stripped, .refused])
    func inClear(_ manner: TLSMailServer.Manner) async throws {
        for encryption in [Settings.Encryption.off, .opportunistic, .startTLS(.unverified)] {
            let server = try await TLSMailServer(.good, manner, mechanisms: ["PLAIN", "LOGIN", "CRAM-MD5"])
            let ending = try await Self.ending(server.port) {
                $0.encryption = encryption
                $0.credentials = Self.credentials()
            }
            #expect(ending.contains("route") && !ending.contains("auth"), "\(encryption): \(ending)")
            #expect(!server.log.contains { $0.contains("AUTH") || $0.contains("MAIL") })
            guard encryption != .startTLS(.unverified) else { continue }
            let forced = try await Self.ending(server.port) {
                $0.encryption = encryption
                $0.credentials = Self.credentials(exposure: .inClear)
            }
            #expect(forced == "clear accepted")
        }
    }

    @Test("that is refused hits the route, with the server's words and without the password")
    func refused() async throws {
        for mechanism in ["PLAIN", "LOGIN", "CRAM-MD5"] {
            let server = try await TLSMailServer(.good, .startTLS, mechanisms: [mechanism])
            let failure = try await Self.failure(server.port) {
                $0.encryption = .startTLS(.unverified)
                $0.credentials = Self.credentials(password: "canary-password")
            }
            #expect(failure?.scope == .route && failure?.permanence == .permanent && failure?.phase == .auth)
            #expect(failure?.reply?.code == 535 && failure?.status.description == "5.7.8")
            #expect(failure?.summary.contains("who are you?") == true)
            #expect(failure?.summary.contains("canary") == false)
        }
        let busy = try await TLSMailServer(
            .good, .startTLS, mechanisms: ["PLAIN"], refusal: "454 4.7.0 the directory is down")
        let failure = try await Self.failure(busy.port) {
            $0.encryption = .startTLS(.unverified)
            $0.credentials = Self.credentials()
        }
        #expect(failure?.permanence == .transient && failure?.reply?.code == 454)
    }

    @Test("without a mechanism in common there is no mail", arguments: [[], ["XOAUTH2"], ["LOGIN"]])
    func noMechanism(_ mechanisms: [String]) async throws {
        let server = try await TLSMailServer(.good, .startTLS, mechanisms: mechanisms)
        let failure = try await Self.failure(server.port) {
            $0.encryption = .startTLS(.unverified)
            $0.credentials = Self.credentials(mechanisms: [.plain])
        }
        #expect(failure?.scope == .route && failure?.permanence == .permanent && failure?.phase == .auth)
        #expect(!server.log.contains { $0.contains("MAIL") })
    }

    private static func credentials(
        password: String = TLSMailServer.password,
        mechanisms: Set<Settings.Credentials.Mechanism> = Set(Settings.Credentials.Mechanism.allCases),
        exposure: Settings.Credentials.Exposure = .underTLS
    ) -> Settings.Credentials {
        Settings.Credentials(
            user: TLSMailServer.user, password: password, mechanisms: mechanisms, exposure: exposure)
    }

    private static func pin(_ certificate: String) async throws -> PublicKeyPin {
        let command = """
            openssl x509 -in "$0" -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -r | cut -c1-64
            """
        let run = try await RunningProgram.run("/bin/sh", ["-c", command, certificate], asRoot: true)
        return try #require(PublicKeyPin(run.output.split(separator: "\n").first.map(String.init) ?? ""))
    }

    private static func failure(
        _ port: Int, _ change: @escaping @Sendable (inout Settings) -> Void
    ) async throws -> SMTPFailure? {
        try await onOwnThread {
            do throws(SMTPFailure) {
                _ = try SMTPSession(.loopback(port, change), timeouts: .short)
                return nil
            } catch {
                return error
            }
        }
    }

    /// One delivery in a word: whether encrypted, and how it ended.
    private static func ending(
        _ port: Int, large: Bool = false, _ change: @escaping @Sendable (inout Settings) -> Void
    ) async throws -> String {
        let line = OctetString(String(repeating: "x", count: 99_999) + "\n")
        let content: any OctetSource = large ? OctetRope(Array(repeating: line, count: 100)) : sample
        return try await onOwnThread {
            do throws(SMTPFailure) {
                let session = try SMTPSession(.loopback(port, change), timeouts: .short)
                let outcome = try session.delivering(["a"], OctetRope([content])).outcomes["a"] ?? "none"
                let way = session.isEncrypted ? "tls" : "clear"
                let fallback = session.encryptionFailure.map { " after " + $0.prefix { $0 != ":" } } ?? ""
                session.quit()
                return "\(way) \(outcome)\(fallback)"
            } catch {
                return SMTPSession.word(error)
            }
        }
    }
}
