import Foundation
import InternetMessage
import Octets
import TestSupport
import Testing

@testable import Composition

@Suite("Departing messages")
struct DepartureTests {
    private func departing(_ text: String) throws -> DepartingMessage {
        try DepartingMessage(
            raw: OctetString(text), host: "relay.example.test", unique: "17.e.f", date: MailDate(unixSeconds: 0))
    }

    @Test("lose the fields of the spool and of earlier deliveries, and nothing else", arguments: ["\n", "\r\n"])
    func removal(_ end: String) throws {
        let body = "Bcc: not a field\n\nX-SES-Reason: text\n.\n".replacing("\n", with: end)
        let text = [
            "Return-Path: <a@x.test>", "Received: from p by q; Mon, 5 Jan 2026 10:00:00 +0000",
            "Delivered-To: b@x.test",
            "X-Original-To: c@x.test", "Envelope-To: d@x.test", "From: a@x.test", "BCC: hidden@x.test,",
            " other@x.test", "X-SES-Outcome: signed", "Resent-Bcc: e@x.test", "Subject: kept",
        ].joined(separator: end)
        let message = try departing(text + end + end + body)
        let sent = message.content.collected().text
        #expect(
            sent
                == [
                    "Received: by relay.example.test (SES relay) id 17.e.f;", " Thu, 01 Jan 1970 00:00:00 +0000",
                    "Received: from p by q; Mon, 5 Jan 2026 10:00:00 +0000", "From: a@x.test", "Subject: kept", "",
                ].joined(separator: end) + end + body)
        #expect(message.loop == .none)
    }

    @Test(
        "a signed body must not be changed",
        arguments: [
            ("multipart/signed; protocol=x", true), ("Multipart/Signed", true), ("application/pkcs7-mime", true),
            ("text/plain", false), ("multipart/mixed", false),
        ])
    func protection(_ type: String, _ isProtected: Bool) throws {
        #expect(try departing("Content-Type: \(type)\r\n\r\nx\r\n").isProtected == isProtected)
    }

    @Test("too many Received fields, or too many of ours, are a loop")
    func loops() throws {
        func fields(_ count: Int, _ text: String) -> String { String(repeating: text, count: count) }
        let other = "Received: from a by b; x\r\n"
        let ours = "Received: by relay.example.test\r\n (SES relay) id 1; x\r\n"
        let rest = "From: a@x.test\r\n\r\nx\r\n"
        #expect(try departing(fields(50, other) + rest).loop == .none)
        #expect(try departing(fields(51, other) + rest).loop != .none)
        #expect(try departing(fields(4, ours) + rest).loop == .none)
        #expect(try departing(fields(5, ours) + rest).loop != .none)
        #expect(try departing(fields(9, ours.replacing("relay.", with: "other.")) + rest).loop == .none)
    }

    // MARK: - Reports

    private func report(
        _ action: DeliveryStatusNotification.Action = .failed, diagnostic: String = "550 5.1.1 no such user",
        address: String = "b@x.test", status: String = "5.1.1", named: String? = nil, original: String
    ) throws -> [UInt8] {
        DeliveryStatusNotification(
            action, from: try #require(AddrSpec(parsing: "pm@example.test")),
            to: try #require(AddrSpec(parsing: "a@example.test")),
            recipients: [
                .init(
                    try #require(AddrSpec(parsing: address)), status: status, server: "mx.x.test",
                    diagnostic: diagnostic, isReply: true)
            ], host: "relay.example.test", arrived: 1_790_000_000, triedUntil: action == .delayed ? 1_790_400_000 : nil,
            entry: "abc", original: try departing(original),
            request: NotificationRequest(
                originals: try named.map {
                    [try #require(AddrSpec(parsing: address)): try #require(OriginalRecipient(parsing: $0))]
                } ?? [:])
        ).compose(date: MailDate(unixSeconds: 0), token: "token").collected().array
    }

    /// The fields of each block of the message/delivery-status, as Python's email package reads them.
    private func status(_ report: [UInt8]) async throws -> [[String: String]] {
        let script = """
            import email, email.policy, json, sys
            message = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.compat32)
            assert message.get_content_type() == "multipart/report", message.get_content_type()
            assert message.get_param("report-type") == "delivery-status"
            part = message.get_payload(1)
            assert part.get_content_type() == "message/delivery-status"
            assert not message.defects and not part.defects
            print(json.dumps([{k: " ".join(v.split()) for k, v in block.items()} for block in part.get_payload()]))
            """
        let run = try await RunningProgram.run("/usr/bin/python3", ["-c", script], input: report, asRoot: true)
        try #require(run.status == 0, "\(run)")
        return try JSONDecoder().decode([[String: String]].self, from: Data(run.output.utf8))
    }

    @Test("a failure has the fields of RFC 3464, for programs")
    func failure() async throws {
        let made = try report(
            named: "rfc822;Bob+2Bx@y.test", original: "Subject: hi\nMessage-ID: <1@x.test>\n\nbody\n")
        let blocks = try await status(made)
        #expect(blocks.count == 2)
        #expect(blocks[1]["Original-Recipient"] == "rfc822; Bob+x@y.test")
        #expect(blocks[0]["Reporting-MTA"] == "dns; relay.example.test" && blocks[0]["Arrival-Date"] != nil)
        #expect(blocks[1]["Final-Recipient"] == "rfc822; b@x.test" && blocks[1]["Action"] == "failed")
        #expect(blocks[1]["Status"] == "5.1.1" && blocks[1]["Remote-MTA"] == "dns; mx.x.test")
        #expect(blocks[1]["Diagnostic-Code"] == "smtp; 550 5.1.1 no such user")
        let reading = try await PythonReading.of(made)
        #expect(reading.values("Auto-Submitted") == ["auto-replied"] && reading.values("References") == ["<1@x.test>"])
        #expect(reading.values("Subject") == ["Undelivered mail: hi"])
        #expect(reading.parts.contains { $0.type == "message/rfc822" })
        #expect(reading.parts.last?.text == "body\r\n" || reading.parts.last?.text == "body\n")
    }

    @Test("a delay says until when it is tried, and returns the header alone")
    func delay() async throws {
        let made = try report(.delayed, status: "4.4.1", original: "Subject: hi\n\nsecret body\n")
        let blocks = try await status(made)
        #expect(blocks[1]["Action"] == "delayed" && blocks[1]["Will-Retry-Until"] != nil)
        #expect(try await PythonReading.of(made).parts.last?.type == "text/rfc822-headers")
        #expect(!String(decoding: made, as: UTF8.self).contains("secret body"))
    }

    @Test(
        "no text of a server can leave its field",
        arguments: [
            "550 a\r\nAction: delivered", "550 a\u{2028}b\u{202E}c", "550 \r\n\r\nFinal-Recipient: rfc822; z@z.test",
            "550 " + String(repeating: "x", count: 5_000), "550 Grüße", "--ses-report-token", "", "550 =?utf-8?q?a?=",
        ])
    func hostile(_ text: String) async throws {
        let made = try report(diagnostic: text, status: "5.1.1\r\nX: y", original: "Subject: hi\n\nbody\n")
        let blocks = try await status(made)
        #expect(blocks.count == 2 && blocks[1]["Action"] == "failed" && blocks[1]["Status"] == "5.0.0")
        #expect(
            Set(blocks[1].keys).isSubset(of: ["Final-Recipient", "Action", "Status", "Remote-MTA", "Diagnostic-Code"]))
        #expect(made.allSatisfy { $0 < 0x80 })
        let lines = made.split(separator: 0x0A)
        #expect(lines.allSatisfy { $0.count <= 999 })
    }

    @Test("a large original, or one with 8-bit octets, is returned as its header")
    func sizes() async throws {
        let large = "Subject: hi\n\n" + String(repeating: "0123456789\n", count: 7_000)
        for original in [large, "Subject: hi\n\nGrüße\n"] {
            let made = try report(original: original)
            #expect(made.count < 10_000)
            #expect(try await PythonReading.of(made).parts.last?.type == "text/rfc822-headers")
        }
        let manyFields = String(repeating: "X-Filler: 0123456789 0123456789\n", count: 6_000) + "Subject: hi\n\nx\n"
        #expect(try report(original: manyFields).count < 40_000)
    }

    @Test("an address beyond US-ASCII has the form of RFC 6533")
    func address() async throws {
        let made = try report(address: "grüße@x.test", original: "Subject: hi\n\nx\n")
        #expect(try await status(made)[1]["Final-Recipient"] == "utf-8; gr\\x{FC}\\x{DF}e@x.test")
    }
}
