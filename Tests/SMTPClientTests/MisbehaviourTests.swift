import CurlTransfer
import Octets
import TestSupport
import Testing

@testable import SMTPClient

@Suite("Servers that refuse, break off or misbehave at each step", .timeLimit(.minutes(2)))
struct MisbehaviourTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let step: ScriptedMailServer.Step
        let deed: ScriptedMailServer.Deed
        /// The outcome of `a`, an innocent recipient.
        let outcome: String?
        let end: String
        /// Another end that is as right: which of the two it is, is a matter of microseconds.
        let otherEnd: String?
        var testDescription: String { "\(step): \(deed)".prefix(100).description }

        init(
            _ step: ScriptedMailServer.Step, _ deed: ScriptedMailServer.Deed, _ outcome: String?, _ end: String,
            or otherEnd: String? = nil
        ) {
            self.step = step
            self.deed = deed
            self.outcome = outcome
            self.end = end
            self.otherEnd = otherEnd
        }
    }

    static let long = String(repeating: "x", count: 5_000)
    static let endless = (0..<200).map { "250-\($0) " + String(repeating: "x", count: 500) }

    static let opening: [Case] = [
        Case(.connected, .say("554 5.7.1 go away"), nil, "not open permanent route greeting 554"),
        Case(.connected, .say(["554-5.7.1 go", "554 5.7.1 away"]), nil, "not open permanent route greeting 554"),
        Case(.connected, .say("421 4.3.2 busy"), nil, "not open transient route greeting 421"),
        Case(.connected, .say("451 busy"), nil, "not open transient route greeting 451"),
        Case(.connected, .close(["554 5.7.1 go away"]), nil, "not open permanent route greeting 554"),
        Case(.connected, .close([]), nil, "not open transient route greeting"),
        // The reset may come before libcurl has seen the connection stand.
        Case(.connected, .reset, nil, "not open transient route greeting", or: "not open transient route connect"),
        Case(.connected, .silence, nil, "not open transient route greeting"),
        Case(.connected, .drip("220 " + long), nil, "not open transient route greeting"),
        Case(.connected, .send(["HTTP/1.1 400 Bad\r\n\r\n"]), nil, "not open transient route greeting"),
        Case(.connected, .send(["2", "20 he", "llo\r", "\n"]), "accepted", "open"),
        Case(.connected, .say(["220-hello", "220-I say more", "220 than I have to"]), "accepted", "open"),
        Case(.connected, .say(endless.map { "220" + $0.dropFirst(3) }), nil, "not open transient route greeting"),
        Case(
            .connected, .say("220 " + String(repeating: "x", count: 400_000)), nil, "not open transient route greeting"),
        Case(.ehlo, .say("550 5.7.1 I do not know you"), nil, "not open permanent route ehlo 550"),
        Case(.ehlo, .say("451 later"), nil, "not open transient route ehlo 451"),
        Case(.ehlo, .close(["421 going down"]), nil, "not open transient route ehlo 421"),
        Case(.ehlo, .close([]), nil, "not open transient route ehlo"),
        Case(.ehlo, .reset, nil, "not open transient route ehlo"),
        Case(.ehlo, .silence, nil, "not open transient route ehlo"),
        Case(.ehlo, .drip("250-mail"), nil, "not open transient route ehlo"),
        Case(.ehlo, .send(["250-mail.exa", "mple.test\r", "\n250 SIZE", " 1000\r\n"]), "accepted", "open"),
        Case(.ehlo, .say(endless), nil, "not open transient route ehlo"),
        Case(.ehlo, .say("what?"), nil, "not open transient route ehlo"),
    ]

    static let dialogue: [Case] = [
        Case(.mail, .say("550 5.7.1 no mail from you"), "permanent message mail 550", "open"),
        Case(.mail, .say("451 4.3.0 later"), "transient message mail 451", "open"),
        Case(.mail, .say("552 5.3.4 too large"), "permanent message mail 552", "open"),
        Case(.mail, .say("530 5.7.0 AUTH first"), "permanent route mail 530", "open"),
        Case(.mail, .say("421 4.3.0 going down"), "transient route mail 421", "closed transient route mail 421"),
        Case(.mail, .close(["421 4.3.0 going down"]), "transient route mail 421", "closed transient route mail 421"),
        Case(.mail, .say("354 what?"), "transient route mail", "closed transient route mail"),
        Case(.mail, .say("what?"), "transient route mail", "closed transient route mail"),
        Case(.mail, .say(["250 ok", "250 ok again"]), "transient route rcpt", "closed transient route rcpt"),
        Case(.mail, .close([]), "transient route mail", "closed transient route mail"),
        Case(.mail, .reset, "transient route mail", "closed transient route mail"),
        Case(.mail, .silence, "transient route mail", "closed transient route mail"),
        Case(.mail, .drip("250 " + long), "transient route mail", "closed transient route mail"),
        Case(.mail, .say("250 " + long), "transient route mail", "closed transient route mail"),
        Case(.mail, .say(endless), "transient route mail", "closed transient route mail"),
        Case(.mail, .send(["25", "0 o", "k\r", "\n"]), "accepted", "open"),
        Case(.mail, .say(["250-ok", "250-and", "250 go on"]), "accepted", "open"),
        Case(.rcpt("a"), .say("550 5.1.1 no such user"), "permanent recipient rcpt 550", "open"),
        Case(.rcpt("a"), .say("450 4.2.1 greylisted"), "transient recipient rcpt 450", "open"),
        Case(.rcpt("a"), .say("452 4.5.3 too many"), "transient recipient rcpt 452", "open"),
        Case(.rcpt("a"), .say("251 forwarded"), "accepted", "open"),
        Case(.rcpt("a"), .say("421 going down"), "transient route rcpt 421", "closed transient route rcpt 421"),
        Case(.rcpt("a"), .say("garbage"), "transient route rcpt", "closed transient route rcpt"),
        Case(.rcpt("a"), .close([]), "transient route rcpt", "closed transient route rcpt"),
        Case(.rcpt("a"), .silence, "transient route rcpt", "closed transient route rcpt"),
        Case(.data, .say("554 5.5.0 no"), "permanent message data 554", "open"),
        Case(.data, .say("451 4.3.0 later"), "transient message data 451", "open"),
        Case(.data, .say("250 ok"), "transient route data", "closed transient route data"),
        Case(.data, .say("421 going down"), "transient route data 421", "closed transient route data 421"),
        Case(.data, .close([]), "transient route data", "closed transient route data"),
        Case(.data, .silence, "transient route data", "closed transient route data"),
        Case(.content, .say("554 5.6.0 I do not like it"), "permanent message finalReply 554", "open"),
        Case(.content, .say("451 4.3.0 later"), "transient message finalReply 451", "open"),
        Case(
            .content, .say("421 4.3.0 down"), "transient route finalReply 421", "closed transient route finalReply 421"),
        Case(.content, .say("354 what?"), "unknown", "closed transient route finalReply"),
        Case(.content, .say("what?"), "unknown", "closed transient route finalReply"),
        Case(.content, .say("250 " + long), "unknown", "closed transient route finalReply"),
        Case(.content, .close([]), "unknown", "closed transient route finalReply"),
        Case(.content, .reset, "unknown", "closed transient route finalReply"),
        Case(.content, .silence, "unknown", "closed transient route finalReply"),
        Case(.content, .drip("250 ok"), "unknown", "closed transient route finalReply"),
        Case(.content, .send(["25", "0-o\r\n", "250", " k\r\n"]), "accepted", "open"),
    ]

    @Test("while the connection is being made hit the route", arguments: opening)
    func connecting(_ given: Case) async throws { try await play(given, capabilities: ScriptedMailServer.capabilities) }

    @Test("in the dialogue affect what they say", arguments: dialogue)
    func stepwise(_ given: Case) async throws { try await play(given, capabilities: ScriptedMailServer.capabilities) }

    @Test("in a pipelined dialogue affect what they say", arguments: dialogue)
    func pipelined(_ given: Case) async throws {
        // What is said twice is here the reply to the next command; that it is one too many shows at DATA.
        let isTwice = given.deed == .say(["250 ok", "250 ok again"])
        let given =
            isTwice ? Case(given.step, given.deed, "transient route data", "closed transient route data") : given
        try await play(given, capabilities: ScriptedMailServer.capabilities + ["PIPELINING"])
    }

    private func play(_ given: Case, capabilities: [String]) async throws {
        let server = try ScriptedMailServer(capabilities: capabilities) { $0 == given.step ? given.deed : nil }
        let report = try await deliver(to: server)
        #expect(report.end == given.end || report.end == given.otherEnd, "\(report.end)")
        #expect(report.outcomes["a"] == given.outcome, "\(report.summaries)")
        if given.outcome != "unknown" { #expect(server.mails.count == (given.outcome == "accepted" ? 1 : 0)) }
    }

    @Test(
        "that stop reading a message are left in time, and heard if they say why",
        arguments: [
            (ScriptedMailServer.Deed.stopWithinContent, "transient route content"),
            (.closeWithinContent([]), "transient route content"),
            (.closeWithinContent(["552 5.3.4 too large"]), "permanent message content 552"),
            (.closeWithinContent(["421 4.3.0 going down"]), "transient route content 421"),
        ])
    func content(_ deed: ScriptedMailServer.Deed, _ outcome: String) async throws {
        let server = try ScriptedMailServer(capabilities: []) { $0 == .data ? deed : nil }
        let line = OctetString(String(repeating: "x", count: 99_999) + "\n")
        let content = OctetRope(Array(repeating: line, count: 200))
        let report = try await deliver(to: server, ["a"], content)
        #expect(report.outcomes["a"] == outcome, "\(report.summaries)")
        #expect(report.end.hasPrefix("closed"))
    }

    @Test("are left at once when the session is interrupted", .timeLimit(.minutes(1)))
    func interrupted() async throws {
        for step in [ScriptedMailServer.Step.connected, .mail, .content] {
            let interruption = Interruption()
            let server = try ScriptedMailServer { given in
                guard given == step else { return nil }
                interruption.raise()
                return .silence
            }
            let port = server.port
            let start = ContinuousClock.now
            let outcome = try await onOwnThread {
                Result { () throws -> String in
                    do throws(SMTPFailure) {
                        let session = try SMTPSession(
                            .loopback(port) { $0.openingTimeout = .seconds(60) }, interruption: interruption)
                        return try session.delivering(["a"]).outcomes["a"] ?? "none"
                    } catch {
                        return SMTPSession.word(error)
                    }
                }
            }.get()
            // Half of the shortest time that it would wait otherwise, on a machine that has other things to do, too.
            #expect(ContinuousClock.now - start < .seconds(30))
            // Whether libcurl has seen the connection stand before it is stopped is a matter of microseconds.
            let possible: [String] =
                switch step {
                case .mail: ["transient route mail"]
                case .content: ["unknown"]
                default: ["transient route connect", "transient route greeting"]
                }
            #expect(possible.contains(outcome), "\(outcome)")
        }
    }
}

@Suite("Recipients of whom some are refused")
struct PartialTests {
    struct Case: CustomTestStringConvertible, Sendable {
        /// The replies to `a`, `b`, `c`; nil: accepted.
        let replies: [String: String]
        let partial: SMTPPartialDelivery
        let outcomes: [String: String]
        var testDescription: String { "\(replies.sorted { $0.key < $1.key }), partial \(partial)" }
    }

    static let cases = [
        Case(
            replies: ["b": "550 5.1.1 no"], partial: .allowed,
            outcomes: ["a": "accepted", "b": "permanent recipient rcpt 550", "c": "accepted"]),
        Case(
            replies: ["a": "450 4.2.1 later", "b": "550 5.1.1 no"], partial: .allowed,
            outcomes: [
                "a": "transient recipient rcpt 450", "b": "permanent recipient rcpt 550", "c": "accepted",
            ]),
        Case(
            replies: ["a": "550 no", "b": "550 no", "c": "450 later"], partial: .allowed,
            outcomes: [
                "a": "permanent recipient rcpt 550", "b": "permanent recipient rcpt 550",
                "c": "transient recipient rcpt 450",
            ]),
        Case(
            replies: ["b": "450 4.2.1 later"], partial: .refused,
            outcomes: [
                "a": "transient message rcpt", "b": "transient recipient rcpt 450", "c": "transient message rcpt",
            ]),
        Case(
            replies: ["a": "450 4.2.1 later", "b": "550 5.1.1 no"], partial: .refused,
            outcomes: [
                "a": "permanent recipient rcpt 450", "b": "permanent recipient rcpt 550",
                "c": "permanent message rcpt",
            ]),
        Case(
            replies: [:], partial: .refused, outcomes: ["a": "accepted", "b": "accepted", "c": "accepted"]),
    ]

    @Test("are distinguished, and the connection is used on", arguments: cases, SessionTests.pipelining)
    func apart(_ given: Case, _ capabilities: [String]) async throws {
        let server = try ScriptedMailServer(capabilities: capabilities) { step in
            if case .rcpt(let name) = step { given.replies[name].map { .say($0) } } else { nil }
        }
        let port = server.port
        let reports = try await onOwnThread {
            Result {
                let session = try SMTPSession(.loopback(port), timeouts: .short)
                let first = try session.delivering(["a", "b", "c"], partial: given.partial)
                let second = try session.delivering(["other"])
                session.quit()
                return [first, second]
            }
        }.get()
        #expect(reports[0].outcomes == given.outcomes)
        #expect(reports[1].outcomes == ["other": "accepted"])
        let accepted = given.outcomes.filter { $0.value == "accepted" }.keys.sorted()
        #expect(server.mails.map(\.recipients) == (accepted.isEmpty ? [] : [accepted]) + [["other"]])
    }

    @Test("DATA answered 354 without recipients is ended by a lone dot")
    func loneDot() async throws {
        for reply in ["554 5.5.1 no valid recipients", "250 whatever"] {
            let messages = Counter()
            let server = try ScriptedMailServer(capabilities: ["PIPELINING"]) { step in
                switch step {
                case .rcpt("no"): .say("550 5.1.1 no")
                case .content: messages.next() == 1 ? .say(reply) : nil
                default: nil
                }
            }
            let port = server.port
            let reports = try await onOwnThread {
                Result {
                    let session = try SMTPSession(.loopback(port), timeouts: .short)
                    return [try session.delivering(["no"]), try session.delivering(["a"])]
                }
            }.get()
            #expect(reports[0].outcomes == ["no": "permanent recipient rcpt 550"] && reports[0].end == "open")
            #expect(reports[1].outcomes == ["a": "accepted"])
            // The server notes a mail after its reply.
            try await eventually("the mail is noted") { server.mails.last?.recipients == ["a"] ? () : nil }
        }
    }
}
