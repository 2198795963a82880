import CurlTransfer
import InternetMessage
import Octets
import TestSupport
import Testing

@testable import SMTPClient

@Suite("Mail servers of others", .timeLimit(.minutes(2)))
struct RealServerTests {
    @Test("aiosmtpd gets the message as it is on disk, with CRLF, and its envelope")
    func recorder() async throws {
        let server = try await RecordingMailServer()
        let content = OctetString("From: a@example.test\nSubject: x\n\n.\n..\n.a\nä\n\nno end")
        let port = server.port
        let ends = try await onOwnThread {
            Result {
                let session = try SMTPSession(.loopback(port))
                let ends = try [
                    session.delivering(["a", "a b", "jürgen"], content).outcomes,
                    session.delivering(["c"], OctetString(Array(repeating: UInt8(0x0A), count: 100_000))).outcomes,
                ]
                session.quit()
                return ends
            }
        }.get()
        #expect(ends == [["a": "accepted", "a b": "accepted", "jürgen": "accepted"], ["c": "accepted"]])
        let mails = try await eventually("two messages") { () -> [RecordingMailServer.Mail]? in
            let mails = try server.mails()
            return mails.count == 2 ? mails : nil
        }
        #expect(mails[0].text == content.text.replacing("\n", with: "\r\n") + "\r\n")
        #expect(mails[0].recipients == ["a@example.test", "\"a b\"@example.test", "jürgen@example.test"])
        #expect(mails[0].sender == "sender@example.test")
        #expect(mails[0].options.contains("SMTPUTF8") && mails[0].options.contains("BODY=8BITMIME"))
        #expect(mails[1].content.count == 200_000)
    }

    @Test("aiosmtpd that demands STARTTLS and AUTH gets both")
    func secured() async throws {
        let server = try await RecordingMailServer(secured: true)
        let authority = try await TLSFixture.shared.authority
        let port = server.port
        let outcome = try await onOwnThread {
            Result {
                let session = try SMTPSession(
                    .loopback(port) {
                        $0.encryption = .startTLS(.verified)
                        $0.trustStore = authority
                        $0.credentials = MailConnectionSettings.Credentials(
                            user: TLSMailServer.user, password: TLSMailServer.password)
                    })
                #expect(!session.hasEnded)
                return try session.delivering(["a"]).outcomes
            }
        }.get()
        #expect(outcome == ["a": "accepted"])
        #expect(try server.mails().map(\.encrypted) == [true])
    }

    struct Case: CustomTestStringConvertible, Sendable {
        let options: [String]
        let outcome: String
        var testDescription: String { "smtp-sink \(options.joined(separator: " "))" }
    }

    static let cases = [
        Case(options: [], outcome: "accepted"),
        Case(options: ["-p"], outcome: "accepted"),
        // Without ESMTP.
        Case(options: ["-e"], outcome: "accepted"),
        // -f is hard, -r is soft.
        Case(options: ["-f", "mail"], outcome: "permanent message mail 500"),
        Case(options: ["-r", "mail"], outcome: "transient message mail 450"),
        Case(options: ["-f", "rcpt"], outcome: "permanent recipient rcpt 500"),
        Case(options: ["-r", "rcpt"], outcome: "transient recipient rcpt 450"),
        Case(options: ["-f", "data"], outcome: "permanent message data 500"),
        Case(options: ["-f", "."], outcome: "permanent message finalReply 500"),
        Case(options: ["-r", "."], outcome: "transient message finalReply 450"),
        Case(options: ["-q", "mail"], outcome: "transient route mail"),
        Case(options: ["-q", "rcpt"], outcome: "transient route rcpt"),
        Case(options: ["-q", "data"], outcome: "transient route data"),
        Case(options: ["-q", "."], outcome: "unknown"),
        Case(options: ["-q", "connect"], outcome: "not open transient route greeting"),
        Case(options: ["-f", "connect"], outcome: "not open permanent route greeting 500"),
        Case(options: ["-r", "connect"], outcome: "not open transient route greeting 450"),
        Case(options: ["-Q", "connect"], outcome: "not open transient route greeting 421"),
        Case(options: ["-Q", "rcpt"], outcome: "transient route rcpt 421"),
        Case(options: ["-Q", "."], outcome: "transient route finalReply 421"),
        Case(options: ["-Q", "ehlo"], outcome: "not open transient route ehlo 421"),
    ]

    @Test("smtp-sink is understood in each of its modes", arguments: cases)
    func sink(_ given: Case) async throws {
        let server = try await SinkMailServer(given.options)
        let port = server.port
        let outcome = try await onOwnThread {
            do throws(SMTPFailure) {
                return try SMTPSession(.loopback(port), timeouts: .short).delivering(["a"]).outcomes["a"] ?? "none"
            } catch {
                return "not open " + SMTPSession.word(error)
            }
        }
        #expect(outcome == given.outcome)
    }

    @Test("smtp-sink takes a thousand messages over one connection")
    func thousand() async throws {
        let server = try await SinkMailServer()
        let port = server.port
        let accepted = try await onOwnThread {
            Result {
                let session = try SMTPSession(.loopback(port))
                let content = OctetString(String(repeating: String(repeating: "x", count: 75) + "\n", count: 270))
                let accepted = try (0..<1_000).count { _ in
                    try session.delivering(["a"], content).outcomes == ["a": "accepted"]
                }
                session.quit()
                return accepted
            }
        }.get()
        #expect(accepted == 1_000)
    }
}
