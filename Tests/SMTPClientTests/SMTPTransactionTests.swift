import InternetMessage
import Octets
import Testing

@testable import SMTPClient

@Suite("A transaction, whatever the server says")
struct SMTPTransactionTests {
    /// A way to hold the dialogue.
    struct Manner: CustomTestStringConvertible, Sendable {
        let pipelines: Bool
        let partial: SMTPPartialDelivery
        let beginning: SMTPTransaction.Beginning
        var testDescription: String { "\(pipelines ? "pipelined" : "step by step"), partial \(partial), \(beginning)" }

        static let all = [true, false].flatMap { pipelines in
            [SMTPPartialDelivery.allowed, .refused].flatMap { partial in
                [SMTPTransaction.Beginning.fresh, .afterPause].map { beginning in
                    Manner(pipelines: pipelines, partial: partial, beginning: beginning)
                }
            }
        }
    }

    static let replies = [
        (250, "ok"), (354, "go"), (450, "later"), (452, "too many"), (550, "no"), (421, "going down"),
    ].compactMap { SMTPReply(code: $0.0, lines: [$0.1]) }

    /// The observations on one way through the dialogue.
    private struct Way {
        var machine: SMTPTransaction
        var events: [SMTPTransaction.Event] = []
        var results: [Int: SMTPRecipientResult.Outcome] = [:]
        var accepted: [Int] = []
        var asked: [SMTPCommand] = []
        var hasSentContent = false
        var hasFinalReply = false
    }

    @Test("gives each recipient one result that agrees with the server's replies", arguments: Manner.all)
    func allOrders(_ manner: Manner) {
        var machine = SMTPTransaction(
            Self.envelope, recipients: [0, 1], SMTPMailParameters(), pipelines: manner.pipelines,
            partial: manner.partial, beginning: manner.beginning)
        let action = machine.begin()
        var ways = 0
        var endings: Set<String> = []
        explore(Way(machine: machine), action, manner, &ways, &endings)
        #expect(ways > 200)
        #expect(endings.isSuperset(of: ["open", "closed", "accepted", "unknown", "failed"]))
        #expect(endings.contains("stale") == (manner.beginning == .afterPause))
        #expect(endings.contains("put off"))
    }

    /// Follows every answer to `action`.
    private func explore(
        _ way: Way, _ action: SMTPTransaction.Action, _ manner: Manner, _ ways: inout Int,
        _ endings: inout Set<String>
    ) {
        var way = way
        func follow(_ event: SMTPTransaction.Event) {
            var next = way
            next.events.append(event)
            if case .reply(let reply) = event { note(reply, in: &next) }
            let action = next.machine.handle(event)
            explore(next, action, manner, &ways, &endings)
        }
        switch action {
        case .send(let commands):
            way.asked += commands
            for reply in Self.replies { follow(.reply(reply)) }
            for event in Self.breaks { follow(event) }
        case .awaitReply:
            for reply in Self.replies { follow(.reply(reply)) }
            for event in Self.breaks { follow(event) }
        case .sendLoneDot:
            #expect(way.results.count == 2 || !way.accepted.isEmpty || way.results.isEmpty)
            for reply in Self.replies { follow(.reply(reply)) }
        case .sendContent:
            #expect(!way.accepted.isEmpty, "\(way.events)")
            if manner.partial == .refused { #expect(way.results.isEmpty, "\(way.events)") }
            for event in Self.breaks { follow(event) }
            for reply in Self.replies { follow(.reply(reply)) }
            way.hasSentContent = true
            follow(.contentSent)
        case .report(let results):
            #expect(!results.isEmpty)
            for result in results {
                #expect(way.results.updateValue(result.outcome, forKey: result.recipient) == nil, "\(way.events)")
            }
            follow(.reported)
        case .finish(let end, let putOff):
            ways += 1
            judge(way, end, putOff, manner, &endings)
        }
    }

    /// Keeps which recipients were accepted, by the order of commands.
    private func note(_ reply: SMTPReply, in way: inout Way) {
        guard !way.asked.isEmpty else {
            way.hasFinalReply = way.hasSentContent
            return
        }
        let command = way.asked.removeFirst()
        if case .recipient(let index) = command, reply.severity == .positive { way.accepted.append(index) }
    }

    private func judge(
        _ way: Way, _ end: SMTPDeliveryEnd, _ putOff: [Int], _ manner: Manner, _ endings: inout Set<String>
    ) {
        let all = Set(way.results.keys).union(putOff)
        switch end {
        case .open, .closed:
            #expect(all == [0, 1] && way.results.count + putOff.count == 2, "\(way.events)")
        case .stale:
            #expect(way.results.isEmpty && putOff.isEmpty && way.events.count == 1, "\(way.events)")
            endings.insert("stale")
        }
        if case .open = end { endings.insert("open") }
        if case .closed = end {
            endings.insert("closed")
            #expect(putOff.isEmpty)
        }
        if !putOff.isEmpty { endings.insert("put off") }
        let permanences = way.results.values.compactMap { outcome -> SMTPFailure.Permanence? in
            if case .failed(let failure) = outcome { failure.permanence } else { nil }
        }
        // One too many is not refused: what becomes of it is another transaction's.
        if manner.partial == .refused, permanences.count == 2, !way.events.contains(.reply(Self.replies[3])) {
            #expect(Set(permanences).count == 1, "\(way.events)")
        }
        for (recipient, outcome) in way.results {
            switch outcome {
            case .accepted(let reply):
                endings.insert("accepted")
                #expect(reply.code == 250 && way.hasSentContent && way.accepted.contains(recipient), "\(way.events)")
            case .unknown(let failure):
                endings.insert("unknown")
                #expect(way.hasSentContent && failure.permanence == .transient, "\(way.events)")
            case .failed(let failure):
                endings.insert("failed")
                // Nothing is final that no reply said.
                if failure.permanence == .permanent {
                    #expect(way.events.contains { $0 == .reply(Self.replies[4]) }, "\(way.events)")
                }
            }
        }
    }

    private static let lost = SMTPFailure(.transient, .route, .mail, status: (4, 2), "lost")
    private static let breaks = [SMTPTransaction.Event.disconnected(lost), .abandoned(lost)]
    private static let envelope = SMTPEnvelope(
        sender: .null, recipients: ["a", "b"].compactMap { AddrSpec(localPart: $0, domain: "example.test") })
}

@Suite("Details of a transaction")
struct SMTPTransactionParticulars {
    @Test("pipelined commands go out together, but no more octets than both sides' windows hold")
    func flights() throws {
        let recipients = (0..<1_000).compactMap { AddrSpec(localPart: "recipient\($0)", domain: "example.test") }
        let envelope = SMTPEnvelope(sender: .null, recipients: recipients)
        var machine = SMTPTransaction(
            envelope, recipients: Array(recipients.indices), SMTPMailParameters(), pipelines: true, partial: .allowed,
            beginning: .fresh)
        var action = machine.begin()
        let ok = try #require(SMTPReply(code: 250, lines: ["ok"]))
        let go = try #require(SMTPReply(code: 354, lines: ["go"]))
        var flights: [Int] = []
        var sent = 0
        while action != .sendContent {
            if case .send(let commands) = action {
                flights.append(commands.map { $0.line(envelope, SMTPMailParameters()).utf8.count }.reduce(0, +))
                sent += commands.count
            }
            let isLast = sent == 1_002
            action = machine.handle(.reply(ok))
            if isLast, case .awaitReply(.data) = action { action = machine.handle(.reply(go)) }
        }
        #expect(flights.count > 1 && flights.allSatisfy { $0 < SMTPTransaction.maximumFlight + 600 })
    }

    @Test("a full mailbox is refused, and not taken for one recipient too many")
    func full() throws {
        let full = try #require(SMTPReply(code: 452, lines: ["4.2.2 mailbox full"]))
        let many = try #require(SMTPReply(code: 452, lines: ["4.5.3 too many recipients"]))
        let old = try #require(SMTPReply(code: 552, lines: ["5.5.3 too many recipients"]))
        let size = try #require(SMTPReply(code: 552, lines: ["5.3.4 too large"]))
        #expect(!full.meansTooManyRecipients && many.meansTooManyRecipients)
        #expect(old.meansTooManyRecipients && !size.meansTooManyRecipients)
    }

    @Test("a server that demands AUTH says nothing against the message")
    func authentication() throws {
        let envelope = SMTPEnvelope(
            sender: .null, recipients: [try #require(AddrSpec(localPart: "a", domain: "example.test"))])
        var machine = SMTPTransaction(
            envelope, recipients: [0], SMTPMailParameters(), pipelines: false, partial: .allowed, beginning: .fresh)
        _ = machine.begin()
        let action = machine.handle(.reply(try #require(SMTPReply(code: 530, lines: ["5.7.0 AUTH first"]))))
        guard case .report(let results) = action, case .failed(let failure)? = results.first?.outcome else {
            Issue.record("\(action)")
            return
        }
        #expect(failure.scope == .route && failure.permanence == .permanent)
        #expect(failure.status.description == "5.7.0")
    }

    @Test("without SMTPUTF8 a domain is named with A-labels, and a local part or header beyond ASCII is refused")
    func internationalDomains() throws {
        func address(_ local: String, _ domain: String) throws -> AddrSpec {
            try #require(AddrSpec(localPart: local, domain: domain))
        }
        let plain = try SMTPMessage(OctetString("Subject: x\n\n\u{E4}\n"))
        let other = try SMTPMessage(OctetString("Subject: \u{E4}\r\nTo: y\r\n\r\nx\r\n"))
        #expect(!plain.hasEightBitHeader && plain.hasEightBit && other.hasEightBitHeader)
        var capabilities = SMTPCapabilities()
        capabilities.takesEightBit = true
        let cases: [(AddrSpec, written: String, isSent: Bool)] = [
            (try address("bob", "m\u{FC}nchen.test"), "bob@xn--mnchen-3ya.test", true),
            (try address("bob", "M\u{DC}NCHEN.test"), "bob@xn--mnchen-3ya.test", true),
            (try address("bob", "xn--mnchen-3ya.test"), "bob@xn--mnchen-3ya.test", true),
            (try address("b\u{F6}b", "x.test"), "b\u{F6}b@x.test", false),
            (try address("b\u{F6}b", "m\u{FC}nchen.test"), "b\u{F6}b@m\u{FC}nchen.test", false),
        ]
        for (address, written, isSent) in cases {
            let envelope = SMTPEnvelope(sender: .address(address), recipients: [SMTPRecipient(address)])
            let recipient = envelope.recipients[0]
            #expect((SMTPPreparation.failure(recipient, plain, capabilities) == nil) == isSent, "\(address)")
            #expect((SMTPPreparation.failure(plain, envelope, capabilities) == nil) == isSent, "\(address)")
            let isASCII = address.domain.utf8.allSatisfy { $0 < 0x80 } && isSent
            #expect((SMTPPreparation.failure(recipient, other, capabilities) == nil) == isASCII, "\(address)")
            let parameters = SMTPMailParameters(plain, envelope, [0], capabilities)
            #expect(SMTPCommand.recipient(0).line(envelope, parameters) == "RCPT TO:<\(written)>\r\n")
            #expect(SMTPCommand.mail.line(envelope, parameters).hasPrefix("MAIL FROM:<\(written)>"))
        }
        capabilities.takesUTF8Addresses = true
        let bob = try address("bob", "m\u{FC}nchen.test")
        let envelope = SMTPEnvelope(sender: .null, recipients: [SMTPRecipient(bob)])
        let parameters = SMTPMailParameters(other, envelope, [0], capabilities)
        #expect(SMTPPreparation.failure(envelope.recipients[0], other, capabilities) == nil)
        #expect(SMTPCommand.recipient(0).line(envelope, parameters) == "RCPT TO:<bob@m\u{FC}nchen.test>\r\n")
        #expect(SMTPCommand.mail.line(envelope, parameters).contains(" SMTPUTF8"))
    }

    @Test("commands carry the parameters that the server takes, and only those")
    func parameters() throws {
        let address = try #require(AddrSpec(localPart: "a b", domain: "example.test"))
        let original = try #require(OriginalRecipient(parsing: "rfc822;\"a+20b\"@example.test"))
        let envelope = SMTPEnvelope(
            sender: .address(address),
            recipients: [
                SMTPRecipient(address, notify: NotificationRequest.Notify([.delay, .failure]), original: original),
                SMTPRecipient(address, notify: .never),
            ], returned: .header, identifier: EnvelopeIdentifier(xtext: "id+3D1+2B"))
        var parameters = SMTPMailParameters()
        #expect(SMTPCommand.mail.line(envelope, parameters) == "MAIL FROM:<\"a b\"@example.test>\r\n")
        #expect(SMTPCommand.recipient(0).line(envelope, parameters) == "RCPT TO:<\"a b\"@example.test>\r\n")
        parameters.size = 5
        parameters.isEightBit = true
        parameters.isUTF8 = true
        parameters.takesDSN = true
        #expect(
            SMTPCommand.mail.line(envelope, parameters)
                == "MAIL FROM:<\"a b\"@example.test> SIZE=5 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=id+3D1+2B\r\n")
        #expect(
            SMTPCommand.recipient(0).line(envelope, parameters)
                == "RCPT TO:<\"a b\"@example.test> NOTIFY=FAILURE,DELAY ORCPT=rfc822;\"a+20b\"@example.test\r\n")
        #expect(
            SMTPCommand.recipient(1).line(envelope, parameters)
                == "RCPT TO:<\"a b\"@example.test> NOTIFY=NEVER\r\n")
        #expect(
            SMTPCommand.mail.line(SMTPEnvelope(sender: .null, recipients: [address]), SMTPMailParameters())
                == "MAIL FROM:<>\r\n")
    }

    @Test("no address, whatever its local-part, adds a line or ends the path early")
    func injection() throws {
        for localPart in ["a>\"", "a> RCPT TO:<b", "\\", "\"", "a\" b", " ", "a@b", "ü>"] {
            let address = try #require(AddrSpec(localPart: localPart, domain: "example.test"))
            let line = SMTPCommand.recipient(0).line(
                SMTPEnvelope(sender: .null, recipients: [address]), SMTPMailParameters())
            #expect(line.hasSuffix("@example.test>\r\n"))
            #expect(line.utf8.filter { $0 == 0x0D || $0 == 0x0A }.count == 2)
            // A reader of quoted-strings comes to the path's end at the end of the line only.
            var isQuoted = false
            var isEscaped = false
            var end: Int?
            for (offset, octet) in line.utf8.enumerated() where offset > "RCPT TO:<".utf8.count - 1 && end == nil {
                if isEscaped {
                    isEscaped = false
                } else if isQuoted, octet == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if octet == UInt8(ascii: "\"") {
                    isQuoted.toggle()
                } else if octet == UInt8(ascii: ">"), !isQuoted {
                    end = offset
                }
            }
            #expect(end == line.utf8.count - 3, "\(line)")
        }
        for localPart in ["a\r\nRCPT TO:<b", "a\n", "\0", "\u{7F}"] {
            #expect(AddrSpec(localPart: localPart, domain: "example.test") == nil)
        }
        for domain in ["a>b", "a b", "a\r\nb", "<", "a,b"] { #expect(AddrSpec(localPart: "a", domain: domain) == nil) }
    }
}
