import Composition
import InternetMessage
import Octets
import Testing

@Suite("Envelope block")
struct EnvelopeBlockTests {
    static let alice = AddrSpec(localPart: "alice", domain: "example.test")!
    static let bob = AddrSpec(localPart: "bob", domain: "elsewhere.test")!

    @Test("is read as it was written", arguments: [LineEnding.crlf, .lf])
    func roundTrip(_ ending: LineEnding) throws {
        let block = EnvelopeBlock(
            envelope: Envelope(sender: .address(Self.alice), recipients: [Self.bob, Self.alice], source: .block),
            entry: "0123456789abcdef", outcome: "signed", workflow: "Grüße\r\nBcc: x@y.test",
            reason: "first line\nX-SES-End: 1\n\nbody", direction: .outgoing)
        let octets = block.rendered(lineEnd: ending)
        let read = try EnvelopeBlock(parsing: octets)
        #expect(read.envelope == block.envelope)
        #expect(read.workflow == "Grüße Bcc: x@y.test")
        #expect(read.reason == "first line X-SES-End: 1 body")
        #expect(octets.text.hasSuffix(ending == .lf ? "\nX-SES-End: 1\n" : "\r\nX-SES-End: 1\r\n"))
        #expect(octets.contains(0x0D) == (ending == .crlf))
    }

    @Test("keeps the sender's notification request, and has no such fields without one")
    func notification() throws {
        let requests = [
            NotificationRequest(),
            NotificationRequest(notify: .never),
            NotificationRequest(returned: .full),
            NotificationRequest(
                notify: NotificationRequest.Notify([.success, .delay]), returned: .header,
                identifier: EnvelopeIdentifier(xtext: String(repeating: "+20", count: 33) + "x")),
        ]
        for request in requests {
            for ending in [LineEnding.crlf, .lf] {
                let block = EnvelopeBlock(
                    envelope: Envelope(
                        sender: .null, recipients: [Self.bob], source: .block, notification: request), entry: "e")
                let octets = block.rendered(lineEnd: ending)
                #expect(try EnvelopeBlock(parsing: octets).envelope == block.envelope)
                let hasAny = ["X-SES-Notify", "X-SES-Return", "X-SES-Envelope-Id"].contains { octets.text.contains($0) }
                #expect(hasAny == (request != NotificationRequest()))
            }
        }
    }

    @Test("keeps each recipient's original name, also beside an address with blanks, and none for other recipients")
    func originals() throws {
        let odd = try #require(AddrSpec(localPart: "a b", domain: "example.test"))
        let names = try ["rfc822;\"a+20b\"@example.test", "utf-8;\\x{E9}@example.test"].map {
            try #require(OriginalRecipient(parsing: $0))
        }
        let request = NotificationRequest(originals: [odd: names[0], Self.bob: names[1], Self.alice: names[0]])
        for ending in [LineEnding.crlf, .lf] {
            let block = EnvelopeBlock(
                envelope: Envelope(
                    sender: .null, recipients: [odd, Self.bob], source: .block, notification: request), entry: "e")
            let read = try EnvelopeBlock(parsing: block.rendered(lineEnd: ending)).envelope
            #expect(read.notification.originals == [odd: names[0], Self.bob: names[1]])
        }
    }

    @Test(
        "with an original name that is none is damaged",
        arguments: ["rfc822;x", "x y@example.test", "rfc822;x no address", "rfc822;a=b y@example.test"])
    func damagedOriginals(_ value: String) {
        let text = "Return-Path: <>\r\nX-SES-Original-Recipient: \(value)\r\nX-SES-End: 1\r\n"
        #expect(throws: CompositionError.self) { try EnvelopeBlock(parsing: OctetString(text)) }
    }

    @Test("distinguishes the null sender from an unknown one")
    func senders() throws {
        for sender in [ReversePath?.none, .null] {
            let block = EnvelopeBlock(envelope: Envelope(sender: sender, recipients: [], source: .block), entry: nil)
            #expect(try EnvelopeBlock(parsing: block.rendered()).envelope.sender == sender)
        }
    }

    @Test("ten thousand recipients stay complete, in lines of at most 78 octets")
    func manyRecipients() throws {
        let recipients = (0..<10_000).map { AddrSpec(localPart: "user\($0)", domain: "example.test")! }
        let block = EnvelopeBlock(
            envelope: Envelope(sender: .null, recipients: recipients, source: .block), entry: "e")
        let octets = block.rendered()
        #expect(octets.text.split(separator: "\r\n").allSatisfy { $0.utf8.count <= 78 })
        #expect(try EnvelopeBlock(parsing: octets).envelope.recipients == recipients)
    }

    @Test(
        "is refused if it is incomplete",
        arguments: [
            "", "Return-Path: <a@b.test>\r\n", "X-SES-End: 1\r\nTo: x@y.test\r\n", "X-SES-End: 1\r\n\r\nbody",
            "Return-Path: nobody\r\nX-SES-End: 1\r\n", "Envelope-To: a@b.test, <<\r\nX-SES-End: 1\r\n",
            "X-SES-Notify: always\r\nX-SES-End: 1\r\n", "X-SES-Return: some\r\nX-SES-End: 1\r\n",
            "X-SES-Envelope-Id: a b\r\nX-SES-End: 1\r\n", "X-SES-Envelope-Id: \r\nX-SES-End: 1\r\n",
            "X-SES-End: 2\r\n", "no field\r\nX-SES-End: 1\r\n",
        ])
    func damaged(_ text: String) {
        #expect(throws: CompositionError.self) { try EnvelopeBlock(parsing: OctetString(text)) }
    }
}
