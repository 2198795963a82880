import MailEnvelope
import Testing

@testable import LMTP

/// Drives a session as the service does, and keeps what it was told.
struct Driven {
    var session: LMTPSession
    var replies: [String] = []
    var transactions: [LMTPTransaction] = []
    var messages: [String] = []
    var admissions: [Int?] = []
    var dropped = 0
    var isClosed = false
    /// The replies to MAIL and to DATA; nil for yes.
    var admission: LMTPReply?
    var beginning: LMTPReply?
    private var content: [UInt8] = []

    init(_ limits: LMTPLimits = LMTPLimits()) { session = LMTPSession(host: "ses.test", limits: limits) }

    mutating func send(_ text: String) { send(Array(text.utf8)) }

    mutating func send(_ octets: [UInt8]) {
        octets.withUnsafeBytes { session.append($0) }
        while true {
            switch session.next() {
            case .wait: return
            case .reply(let reply): replies.append(String(decoding: reply.octets, as: UTF8.self))
            case .admit(let octets):
                admissions.append(octets)
                session.answer(admission: admission)
            case .begin(let transaction):
                transactions.append(transaction)
                content = []
                session.answer(beginning: beginning)
            case .content(let octets): content += octets
            case .drop: dropped += 1
            case .commit(let transaction):
                messages.append(String(decoding: content, as: UTF8.self))
                session.answer(
                    outcome: transaction.recipients.indices.map { LMTPReply(250, "2.1.5", "recipient \($0)") })
            case .close(let reply):
                replies.append(String(decoding: reply.octets, as: UTF8.self))
                isClosed = true
                return
            }
        }
    }

    /// The first word of each reply's last line.
    var codes: [String] { replies.map { $0.split(separator: "\r\n").last.map { String($0.prefix(3)) } ?? "" } }
}

@Suite("LMTP session")
struct LMTPSessionTests {
    private static let dialogue =
        "LHLO client.test\r\nXFORWARD IDENT=4XyZ\r\nMAIL FROM:<a@b.test> SIZE=30 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=id+3D1\r\n"
        + "RCPT TO:<x@y.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;X+2Bz@y.test\r\nRCPT TO:<no address>\r\n"
        + "RCPT TO:<\"q>r\"@y.test> NOTIFY=SUCCESS,DELAY\r\nDATA\r\nSubject: x\r\n\r\n..\r\nRSET\r\n.\r\nNOOP\r\nQUIT\r\n"

    @Test("says the same wherever the client's octets are split")
    func split() throws {
        let octets = Array(Self.dialogue.utf8)
        for cut in 0...octets.count {
            var driven = Driven()
            driven.send(Array(octets[..<cut]))
            driven.send(Array(octets[cut...]))
            #expect(
                driven.codes == ["250", "250", "250", "250", "553", "250", "354", "250", "250", "250", "221"],
                "cut at \(cut)")
            #expect(driven.messages == ["Subject: x\r\n\r\n.\r\nRSET\r\n"])
            #expect(driven.isClosed)
            let transaction = try #require(driven.transactions.first)
            #expect(transaction.sender == ReversePath(parsing: "<a@b.test>"))
            #expect(transaction.queueID == "4XyZ")
            #expect(transaction.recipients.map(\.address.description) == ["x@y.test", "\"q>r\"@y.test"])
            let (envelopes, indices) = transaction.envelopes
            #expect(indices == [0, 0])
            let envelope = try #require(envelopes.first)
            #expect(envelope.notification.notify?.events == [.success, .delay])
            #expect(envelope.notification.returned == .header)
            #expect(envelope.notification.identifier?.text == "id=1")
            #expect(envelope.notification.originals.values.map(\.parameter) == ["rfc822;X+2Bz@y.test"])
        }
    }

    @Test("says what it can after LHLO")
    func capabilities() {
        var driven = Driven()
        driven.send("lhlo c.test\r\n")
        let lines = driven.replies[0].split(separator: "\r\n").map { $0.dropFirst(4) }
        #expect(
            lines == [
                "ses.test", "PIPELINING", "SIZE 104857600", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "DSN",
                "XFORWARD IDENT",
            ])
    }

    @Test(
        "refuses what is wrong or out of order",
        arguments: [
            ("HELO c\r\n", "500 5.5.1"), ("EHLO c\r\n", "500 5.5.1"), ("LHLO\r\n", "501 5.5.4"),
            ("MAIL FROM:<a@b.test>\r\n", "503 5.5.1"), ("NONSENSE\r\n", "500 5.5.2"), ("\r\n", "500 5.5.2"),
            ("NOOP\n", "500 5.5.2"), ("NO\rOP\r\n", "500 5.5.2"), ("NO\0OP\r\n", "500 5.5.2"),
            ("LHLO c\r\nRCPT TO:<a@b.test>\r\n", "503 5.5.1"), ("LHLO c\r\nDATA\r\n", "503 5.5.1"),
            ("LHLO c\r\nMAIL FROM:<a@b.test>\r\nDATA\r\n", "503 5.5.1"),
            ("LHLO c\r\nMAIL FROM:<a@b.test>\r\nMAIL FROM:<a@b.test>\r\n", "503 5.5.1"),
            ("LHLO c\r\nMAIL FROM:a@b.test\r\n", "501 5.5.4"), ("LHLO c\r\nMAIL FROM:<a@b.test\r\n", "501 5.5.4"),
            ("LHLO c\r\nMAIL FROM:<a@b.test>x\r\n", "501 5.5.4"), ("LHLO c\r\nMAIL FROM:<nobody>\r\n", "553 5.1.7"),
            ("LHLO c\r\nMAIL FROM:<a@b.test> SIZE=x\r\n", "501 5.5.4"),
            ("LHLO c\r\nMAIL FROM:<a@b.test> SIZE=1 SIZE=1\r\n", "501 5.5.4"),
            ("LHLO c\r\nMAIL FROM:<a@b.test> BODY=BINARYMIME\r\n", "501 5.5.4"),
            ("LHLO c\r\nMAIL FROM:<a@b.test> FUTURE=1\r\n", "555 5.5.4"),
            ("LHLO c\r\nMAIL FROM:<a@b.test> SIZE=99999999999999999999\r\n", "552 5.3.4"),
            ("LHLO c\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<x@y.test> NOTIFY=NEVER,SUCCESS\r\n", "501 5.5.4"),
            ("LHLO c\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<x@y.test> ORCPT=nothing\r\n", "501 5.5.4"),
            ("LHLO c\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<postmaster>\r\n", "553 5.1.3"),
            ("LHLO c\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<>\r\n", "553 5.1.3"),
            ("LHLO c\r\nDATA now\r\n", "501 5.5.4"),
        ])
    func refusals(_ given: String, _ expected: String) {
        var driven = Driven()
        driven.send(given)
        #expect(driven.replies.last?.hasPrefix(expected) == true, "\(driven.replies)")
        #expect(driven.messages.isEmpty)
    }

    @Test("takes the null sender, an address in UTF-8, and a blank behind the colon")
    func paths() {
        var driven = Driven()
        driven.send("LHLO c\r\nMAIL FROM: <>\r\nRCPT TO: <jos\u{E9}@m\u{FC}nchen.test>\r\nDATA\r\n.\r\n")
        #expect(driven.codes == ["250", "250", "250", "354", "250"])
        #expect(driven.transactions.first?.sender == .null)
        #expect(driven.messages == [""])
    }

    @Test("one reply for each recipient, also for one that is named twice")
    func replies() {
        var driven = Driven()
        driven.send(
            "LHLO c\r\nMAIL FROM:<>\r\n" + String(repeating: "RCPT TO:<x@y.test>\r\n", count: 3) + "DATA\r\n.\r\n")
        #expect(driven.replies.suffix(3) == (0..<3).map { "250 2.1.5 recipient \($0)\r\n" })
        #expect(driven.transactions.first?.envelopes.all.first?.recipients.count == 1)
    }

    @Test("has an envelope for each wish to be told, and as few as that")
    func envelopes() throws {
        var driven = Driven()
        driven.send(
            "LHLO c\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<1@y.test>\r\nRCPT TO:<2@y.test> NOTIFY=NEVER\r\n"
                + "RCPT TO:<3@y.test>\r\nRCPT TO:<4@y.test> NOTIFY=never\r\nDATA\r\n.\r\n")
        let (envelopes, indices) = try #require(driven.transactions.first).envelopes
        #expect(envelopes.map { $0.recipients.map(\.localPart) } == [["1", "3"], ["2", "4"]])
        #expect(indices == [0, 1, 0, 1])
    }

    @Test("more recipients than the limit are told to come in another transaction")
    func manyRecipients() {
        var limits = LMTPLimits()
        limits.recipients = 3
        var driven = Driven(limits)
        driven.send(
            "LHLO c\r\nMAIL FROM:<>\r\n" + (0..<5).map { "RCPT TO:<\($0)@y.test>\r\n" }.joined() + "DATA\r\n.\r\n")
        #expect(driven.codes == ["250", "250", "250", "250", "250", "452", "452", "354", "250", "250", "250"])
    }

    @Test("a message above the limit is refused for each recipient, and the session goes on")
    func large() {
        var limits = LMTPLimits()
        limits.messageOctets = 10
        var driven = Driven(limits)
        let start = "MAIL FROM:<>\r\nRCPT TO:<1@y.test>\r\nRCPT TO:<2@y.test>\r\nDATA\r\n"
        driven.send("LHLO c\r\n" + start + "01234567\r\n.\r\n")
        #expect(driven.messages == ["01234567\r\n"])
        driven.send(start + "012345678\r\n.\r\nNOOP\r\n")
        #expect(driven.codes.suffix(3) == ["552", "552", "250"])
        #expect(driven.dropped == 1)
        #expect(driven.messages.count == 1)
    }

    @Test("without room MAIL and DATA are answered with what the caller says")
    func room() {
        var driven = Driven()
        driven.admission = LMTPReply(452, "4.3.1", "full")
        driven.send("LHLO c\r\nMAIL FROM:<> SIZE=77\r\nRCPT TO:<1@y.test>\r\n")
        #expect(driven.codes == ["250", "452", "503"])
        #expect(driven.admissions == [77])
        driven.admission = nil
        driven.beginning = LMTPReply(451, "4.3.0", "not now")
        driven.send("MAIL FROM:<>\r\nRCPT TO:<1@y.test>\r\nDATA\r\nNOOP\r\n")
        #expect(driven.codes.suffix(4) == ["250", "250", "451", "250"])
        #expect(driven.messages.isEmpty)
    }

    @Test("a line without an end takes no more memory than the limit, and closes the connection")
    func endless() {
        var driven = Driven()
        for _ in 0..<100 where !driven.isClosed { driven.send(String(repeating: "x", count: 4_000)) }
        #expect(driven.isClosed)
        #expect(driven.replies.last?.hasPrefix("421") == true)
    }

    @Test("a line that is too long is refused whole, and the next is a command")
    func overlong() {
        var driven = Driven()
        driven.send("LHLO " + String(repeating: "x", count: 6_000) + "\r\nNOOP\r\n")
        #expect(driven.codes == ["500", "250"])
    }

    @Test("a client that talks nonsense is sent away, one with bad recipients is not")
    func faults() {
        var driven = Driven()
        driven.send("LHLO c\r\nMAIL FROM:<>\r\n" + String(repeating: "RCPT TO:<nobody>\r\n", count: 100))
        #expect(!driven.isClosed)
        driven.send(String(repeating: "GET / HTTP/1.1\r\n", count: 100))
        #expect(driven.isClosed)
        #expect(driven.codes.count == 2 + 100 + 20)
    }

    @Test("RSET and LHLO forget the transaction, a reply cannot be made longer than a line")
    func reset() {
        for command in ["RSET\r\n", "LHLO c\r\n"] {
            var driven = Driven()
            driven.send("LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<x@y.test>\r\n" + command + "DATA\r\n")
            #expect(driven.codes.last == "503")
        }
        let reply = LMTPReply(250, "2.0.0", String(repeating: "\r\n", count: 600))
        #expect(reply.octets.count == 512)
        #expect(reply.octets.filter { $0 == 0x0A }.count == 1)
    }
}
