import CurlTransfer
import InternetMessage
import Octets
import TestSupport
import Testing

@testable import SMTPClient

@Suite("A session with a server that does as it should")
struct SessionTests {
    static let pipelining = [ScriptedMailServer.capabilities, ScriptedMailServer.capabilities + ["PIPELINING"]]

    @Test("delivers to all recipients, with CRLF and dots made transparent", arguments: pipelining)
    func plain(_ capabilities: [String]) async throws {
        let server = try ScriptedMailServer(capabilities: capabilities)
        let report = try await deliver(to: server, ["a", "b"])
        #expect(report.outcomes == ["a": "accepted", "b": "accepted"] && report.end == "open" && report.reports == 1)
        let mail = try #require(server.mails.first)
        #expect(mail.text == sample.text.replacing("\n", with: "\r\n"))
        #expect(mail.recipients == ["a", "b"])
        #expect(mail.mailLine == "MAIL FROM:<sender@example.test> SIZE=\(mail.content.count)")
        #expect(server.lines.first == "<connected>" && server.lines.contains("EHLO client.example.test"))
        #expect(server.lines.last == "QUIT")
    }

    @Test("delivers many messages over one connection")
    func many() async throws {
        let server = try ScriptedMailServer()
        let port = server.port
        let reports = try await onOwnThread {
            Result {
                let session = try SMTPSession(.loopback(port), timeouts: .short)
                let reports = try (0..<20).map { try session.delivering(["r\($0)"]) }
                session.quit()
                return reports
            }
        }.get()
        #expect(reports.allSatisfy { $0.end == "open" && $0.outcomes.values.allSatisfy { $0 == "accepted" } })
        #expect(server.mails.map(\.recipients) == (0..<20).map { ["r\($0)"] })
        #expect(server.connections == 1)
    }

    @Test("delivers a message of many megabytes completely")
    func large() async throws {
        let server = try ScriptedMailServer(capabilities: [])
        let line = Array(".line with a dot at its begin, and some more octets in it\n".utf8)
        let content = OctetString(Array(repeatElement(line, count: 100_000).joined()))
        let report = try await deliver(to: server, ["a"], content)
        #expect(report.outcomes == ["a": "accepted"])
        #expect(server.mails.first?.content.count == content.count + 100_000)
        #expect(server.mails.first?.text.hasSuffix("more octets in it\r\n") == true)
    }

    @Test("delivers in several transactions what the server cannot take in one")
    func manyRecipients() async throws {
        for capabilities in Self.pipelining {
            let transaction = Counter()
            let server = try ScriptedMailServer(capabilities: capabilities) { step in
                switch step {
                case .mail: transaction.reset()
                case .rcpt:
                    if transaction.next() > 3 { return .say("452 4.5.3 too many recipients") }
                default: break
                }
                return nil
            }
            let names = (0..<8).map { "r\($0)" }
            let report = try await deliver(to: server, names, atOnce: 5)
            #expect(report.outcomes == Dictionary(uniqueKeysWithValues: names.map { ($0, "accepted") }))
            #expect(server.mails.flatMap(\.recipients) == names)
            #expect(server.mails.count == 3)
        }
    }

    @Test("says BODY=8BITMIME and SMTPUTF8 if the message and the addresses need them")
    func extensions() async throws {
        let server = try ScriptedMailServer()
        let report = try await deliver(to: server, ["jürgen"], OctetString("Subject: x\n\nä\n"))
        #expect(report.outcomes == ["jürgen": "accepted"])
        #expect(server.mails.first?.mailLine.hasSuffix(" BODY=8BITMIME SMTPUTF8") == true)
    }

    @Test("refuses before the first command a message that the server cannot take")
    func preparation() async throws {
        let bare = try ScriptedMailServer(capabilities: ["SIZE 10"])
        var report = try await deliver(to: bare, ["a"])
        #expect(report.outcomes == ["a": "permanent message preparation"] && report.end == "open")
        report = try await deliver(to: bare, ["a"], OctetString("ä\n"))
        #expect(report.outcomes == ["a": "permanent message preparation"])
        report = try await deliver(to: bare, ["ü", "a"], OctetString("a\n"))
        #expect(report.outcomes == ["ü": "permanent recipient preparation", "a": "accepted"])
        report = try await deliver(to: bare, ["ü", "a"], OctetString("a\n"), partial: .refused)
        #expect(report.outcomes == ["ü": "permanent recipient preparation", "a": "permanent message preparation"])
        #expect(bare.mails.count == 1 && bare.lines.filter { $0.hasPrefix("MAIL") }.count == 1)
    }

    @Test("notices that the server hung up between two messages, and distinguishes it from a failure")
    func stale() async throws {
        for deed in [ScriptedMailServer.Deed.close([]), .close(["421 4.4.2 idle too long"]), .reset] {
            let mails = Counter()
            let server = try ScriptedMailServer { $0 == .mail && mails.next() == 2 ? deed : nil }
            let port = server.port
            let reports = try await onOwnThread {
                Result {
                    let session = try SMTPSession(.loopback(port), timeouts: .short)
                    let first = try session.delivering(["a"])
                    return [first, try session.delivering(["b"])]
                }
            }.get()
            #expect(reports[0].end == "open")
            #expect(reports[1].end == "stale" && reports[1].outcomes.isEmpty && !reports[1].isOpen)
        }
    }

    @Test("does not take an unasked line for the reply to its next message")
    func unasked() async throws {
        let server = try ScriptedMailServer {
            $0 == .content ? .say(["250 2.0.0 taken", "550 5.7.1 and another thing"]) : nil
        }
        let port = server.port
        let reports = try await onOwnThread {
            Result {
                let session = try SMTPSession(.loopback(port), timeouts: .short)
                return [try session.delivering(["a"]), try session.delivering(["b"])]
            }
        }.get()
        #expect(reports[0].outcomes == ["a": "accepted"] && reports[1].outcomes.isEmpty)
        #expect(reports[1].end == "stale" && !reports[1].isOpen)
    }

    @Test("knows that the server hung up before it says anything")
    func hungUp() async throws {
        let server = try ScriptedMailServer { $0 == .content ? .close(["250 2.0.0 taken"]) : nil }
        let port = server.port
        let (before, after) = try await onOwnThread {
            Result {
                let session = try SMTPSession(.loopback(port), timeouts: .short)
                let before = session.hasEnded
                _ = try session.delivering(["a"])
                let limit = ContinuousClock.now + .seconds(10)
                while !session.hasEnded, ContinuousClock.now < limit {}
                return (before, session.hasEnded)
            }
        }.get()
        #expect(!before && after)
    }

    @Test("may last longer than the time limit for opening")
    func openingTime() async throws {
        let slow = ("250 " + String(repeating: "x", count: 100) + "\r\n").map(String.init)
        let server = try ScriptedMailServer { $0 == .mail ? .send(slow) : nil }
        let port = server.port
        let outcome = try await onOwnThread {
            Result {
                let session = try SMTPSession(.loopback(port) { $0.openingTimeout = .milliseconds(300) })
                let start = ContinuousClock.now
                let outcome = try session.delivering(["a"]).outcomes
                return (outcome, ContinuousClock.now - start)
            }
        }.get()
        #expect(outcome.0 == ["a": "accepted"] && outcome.1 > .milliseconds(300))
    }

    @Test("comes from the configured address and gives the configured name")
    func origin() async throws {
        let server = try ScriptedMailServer()
        let port = server.port
        let peers = try await onOwnThread {
            Result {
                let session = try SMTPSession(
                    .loopback(port) {
                        $0.host = "mx.example.test"
                        $0.address = "127.0.0.1"
                        $0.bindAddress = "127.0.0.2"
                        $0.heloName = "[192.0.2.1]"
                    }, timeouts: .short)
                return try [session.peerAddress, session.delivering(["a"]).outcomes["a"] ?? "none"]
            }
        }.get()
        #expect(peers == ["127.0.0.1", "accepted"])
        #expect(server.lines.contains("EHLO [192.0.2.1]"))
    }

    @Test("is not opened with impossible settings, and names them")
    func settings() async throws {
        let changes: [(@Sendable (inout MailConnectionSettings) -> Void, String)] = [
            ({ $0.host = "a b" }, "'a b'"), ({ $0.host = "" }, "host name"), ({ $0.port = 0 }, "port 0"),
            ({ $0.heloName = "a\r\nMAIL" }, "EHLO"), ({ $0.heloName = "" }, "EHLO"),
            ({ $0.address = "mail" }, "'mail'"), ({ $0.bindAddress = "lo" }, "'lo'"),
            ({ $0.bindAddress = "192.0.2.1" }, "bind"),
        ]
        for (change, word) in changes {
            let failure = try await onOwnThread { () -> SMTPFailure? in
                do throws(SMTPFailure) {
                    _ = try SMTPSession(.loopback(25, change), timeouts: .short)
                    return nil
                } catch {
                    return error
                }
            }
            #expect(failure?.scope == .route && failure?.permanence == .permanent)
            #expect(failure?.summary.contains(word) == true, "\(failure?.summary ?? "opened")")
        }
        let dead = try DSSFixture.deadPort()
        for (change, phase) in [
            ({ @Sendable (_: inout MailConnectionSettings) in }, "connect"),
            ({ @Sendable in $0.host = "nowhere.invalid" }, "connect"),
        ] {
            let word = try await onOwnThread { () -> String in
                do throws(SMTPFailure) {
                    _ = try SMTPSession(.loopback(dead, change), timeouts: .short)
                    return "opened"
                } catch {
                    return SMTPSession.word(error)
                }
            }
            #expect(word == "transient route \(phase)")
        }
    }

    @Test("keeps nothing open if a report cannot be kept", arguments: [["a"], ["a", "no"]])
    func reportFails(_ names: [String]) async throws {
        struct DiskFull: Error {}
        let server = try ScriptedMailServer { step in
            step == .rcpt("no") ? .say("550 5.1.1 no") : nil
        }
        let port = server.port
        let isOpen = try await onOwnThread {
            Result {
                let session = try SMTPSession(.loopback(port), timeouts: .short)
                let envelope = SMTPEnvelope(sender: .null, recipients: addresses(names))
                let message = try SMTPMessage(sample)
                do throws(DiskFull) {
                    _ = try session.deliver(
                        envelope, message, offering: { _ throws(DiskFull) in }
                    ) { _ throws(DiskFull) in throw DiskFull() }
                    Issue.record("the fault was lost")
                } catch {
                    return session.isOpen
                }
                return true
            }
        }.get()
        #expect(!isOpen)
        // The refusal could not be kept, so the message was not sent.
        #expect(server.mails.count == (names.count == 1 ? 1 : 0))
    }

    @Test("when the offer cannot be recorded, the end of the message is not sent", arguments: [3, 200_000])
    func offerFails(_ octets: Int) async throws {
        struct DiskFull: Error {}
        let server = try ScriptedMailServer()
        let port = server.port
        let isOpen = try await onOwnThread {
            Result {
                let session = try SMTPSession(.loopback(port), timeouts: .short)
                let envelope = SMTPEnvelope(sender: .null, recipients: addresses(["a", "b"]))
                let text = "Subject: x\r\n\r\n" + String(repeating: "line\r\n", count: octets / 6)
                let message = try SMTPMessage(OctetString(text))
                do throws(DiskFull) {
                    _ = try session.deliver(envelope, message) { offered throws(DiskFull) in
                        #expect(offered == [0, 1])
                        throw DiskFull()
                    } report: { _ throws(DiskFull) in
                        Issue.record("something was reported")
                    }
                    Issue.record("the fault was lost")
                } catch {
                    return session.isOpen
                }
                return true
            }
        }.get()
        #expect(!isOpen)
        #expect(server.mails.isEmpty)
    }

    @Test("the end of each transaction is offered for its recipients, before it is sent")
    func offers() async throws {
        let server = try ScriptedMailServer { $0 == .rcpt("no") ? .say("550 5.1.1 no") : nil }
        let report = try await deliver(to: server, ["a", "no", "b", "c"], atOnce: 3)
        #expect(report.offers == [["a", "b"], ["c"]])
    }

    @Test("a server that takes too long for the whole of a message is left, however long each reply may take")
    func wholeTakesLong() async throws {
        let server = try ScriptedMailServer { $0 == .rcpt("b") ? .silence : nil }
        let port = server.port
        let begin = ContinuousClock.now
        let end = try await onOwnThread {
            Result {
                var timeouts = SMTPTimeouts()
                timeouts.message = .milliseconds(300)
                let session = try SMTPSession(.loopback(port), timeouts: timeouts)
                let envelope = SMTPEnvelope(sender: .null, recipients: addresses(["a", "b"]))
                return session.deliver(envelope, try SMTPMessage(sample), offering: { _ in }) { _ in }
            }
        }.get()
        guard case .closed = end else {
            Issue.record("ended \(end)")
            return
        }
        #expect(ContinuousClock.now - begin < .seconds(120))
    }
}
