import Composition
import DSSProtocol
import InternetMessage
import Octets
import Processing
import Testing
import Workflows

@Suite("Ends of an entry beside its workflow: no recipients, release, loops, damage")
struct EntryEndTests {
    @Test(
        "recipients are not guessed from To in a delivered file: it goes to the administrator",
        arguments: [true, false])
    func noRecipients(_ isReleased: Bool) async {
        let bench = Bench(signatures: .signing)
        let message = OctetString(Mail.plain.replacingLineEnds)
        let outcome = await bench.process(message, direction: .outgoing, isBare: false, isReleased: isReleased)
        #expect(outcome.summary.first == "admin notice <> > admin@example.test incoming + message/rfc822")
        #expect(outcome.outputs.dropFirst().map(\.isKeptBesideNotice) == [true])
        #expect(bench.signatures.requests.isEmpty)
    }

    @Test("without recipients and administrator the message is kept in blocked")
    func noRecipientsNoAdministrator() async {
        var bench = Bench()
        bench.policy.administrator = nil
        let outcome = await bench.process(Mail.plain, direction: .outgoing, isBare: false)
        #expect(outcome.outputs.map(\.folder) == [.blocked])
    }

    @Test(
        "a recipient that cannot be read sends the whole message to the administrator, unchanged",
        arguments: [("To", true), ("Cc", true), ("Bcc", true), ("Envelope-To", false), ("Delivered-To", false)],
        [true, false])
    func unreadableRecipients(_ field: (name: String, isBare: Bool), _ hasAdministrator: Bool) async throws {
        var bench = Bench(signatures: .signing)
        if !hasAdministrator { bench.policy.administrator = nil }
        let message = "\(field.name): b ob@elsewhere.test, carl@elsewhere.test\n" + Mail.plain
        let outcome = await bench.process(message, direction: .outgoing, isBare: field.isBare)
        let output = try #require(outcome.outputs.first)
        #expect(outcome.outputs.count == (hasAdministrator ? 2 : 1))
        #expect(outcome.outputs.dropFirst().allSatisfy { $0.isClaimedFile && $0.isKeptBesideNotice })
        #expect(output.folder == (hasAdministrator ? .admin : .blocked))
        #expect(output.reason.contains("\(field.name): \"b ob@elsewhere.test\""))
        #expect(outcome.account.failure?.permanence == .permanent)
        #expect(bench.signatures.requests.isEmpty)
        if !hasAdministrator { #expect(output.content.collected().text == message.replacingLineEnds) }
    }

    @Test("an operator's release does not send to some recipients alone either")
    func unreadableRecipientsReleased() async {
        let bench = Bench(signatures: .signing)
        let message = "Envelope-To: bob, carl@elsewhere.test\n" + Mail.plain
        let outcome = await bench.process(
            OctetString(message.replacingLineEnds), direction: .outgoing, isBare: false, isReleased: true)
        #expect(outcome.outputs.map(\.folder) == [.admin, .blocked])
    }

    @Test("a bare file names its recipients in its header, Bcc too")
    func bare() async throws {
        let outcome = await Bench(signatures: .signing).process(
            "Bcc: hidden@elsewhere.test\n" + Mail.plain, direction: .outgoing)
        let output = try #require(outcome.outputs.first)
        #expect(
            output.envelope.recipients.map(\.description).sorted() == ["bob@elsewhere.test", "hidden@elsewhere.test"])
        #expect(output.word == .signed)
    }

    @Test("a released message goes out as it arrived, undecided, and never as trusted", arguments: Direction.allCases)
    func release(_ direction: Direction) async throws {
        let bench = Bench(signatures: .answering(.saying(.trusted)))
        let forged = "Authentication-Results: ses.example.test; smime=pass\n"
        let outcome = await bench.process(
            OctetString((forged + Mail.signed).replacingLineEnds), direction: direction, isReleased: true)
        let output = try #require(outcome.outputs.first)
        #expect(outcome.outputs.count == 1 && output.folder == .delivered && output.word == .released)
        #expect(output.text.hasSuffix(Mail.signed.replacingLineEnds))
        #expect(!output.text.contains("Authentication-Results"))
        #expect(bench.signatures.requests.isEmpty)
    }

    // MARK: - Loops

    @Test("a message that comes back to the same recipients is blocked", arguments: Direction.allCases)
    func loop(_ direction: Direction) async throws {
        var bench = Bench(signatures: .signing)
        bench.policy.incoming.workflows = []
        let block = Mail.block()
        let first = await bench.process(Mail.plain, direction: direction, block: block, isBare: false)
        let passed = try #require(first.delivered).octets
        let again = await bench.process(passed, direction: direction, block: block, isBare: false)
        #expect(again.outputs.map(\.folder) == [.blocked])
        #expect(again.account.reason.contains("loop"))
        let back = await bench.process(
            passed, direction: direction == .outgoing ? .incoming : .outgoing, block: block, isBare: false)
        #expect(back.outputs.map(\.folder) == [.delivered], "the other direction is another passage")
    }

    @Test("a list that sends a mail out again to others passes, until it has passed five times")
    func list() async throws {
        var bench = Bench()
        bench.policy.outgoing.workflows = []
        var message = OctetString(Mail.plain.replacingLineEnds)
        for round in 0..<5 {
            let outcome = await bench.process(
                message, direction: .outgoing, block: Mail.block(to: "member\(round)@elsewhere.test"), isBare: false)
            message = try #require(outcome.delivered, "round \(round)").octets
        }
        let sixth = await bench.process(
            message, direction: .outgoing, block: Mail.block(to: "member6@elsewhere.test"), isBare: false)
        #expect(sixth.outputs.map(\.folder) == [.blocked])
    }

    @Test("more than 50 Received fields are a loop", arguments: [(50, Output.Folder.delivered), (51, .blocked)])
    func received(_ count: Int, _ folder: Output.Folder) async {
        var bench = Bench()
        bench.policy.outgoing.workflows = []
        let trace = String(repeating: "Received: from a by b; Mon, 23 Nov 2026 10:00:00 +0000\n", count: count)
        let outcome = await bench.process(trace + Mail.plain, direction: .outgoing)
        #expect(outcome.outputs.map(\.folder) == [folder])
    }

    // MARK: - Bcc

    @Test(
        "Bcc is removed from outgoing mail wherever it goes, and its recipients stay in the envelope",
        arguments: RoutingAction.allCases)
    func bcc(_ action: RoutingAction) async {
        var bench = Bench()
        bench.policy.outgoing = DirectionPolicy(workflows: [], noFilterAction: action)
        let outcome = await bench.process(
            "Bcc: Hidden <hidden@elsewhere.test>,\n second@elsewhere.test\n" + Mail.plain, direction: .outgoing)
        #expect(!outcome.outputs.isEmpty)
        for output in outcome.outputs {
            // The administrator's notice names them once each, above the message, which does not.
            let text =
                output.folder == .admin
                ? String(output.text.split(separator: "message/rfc822").last ?? "") : output.text
            #expect(!text.contains("hidden") && !text.contains("second@"))
        }
        for output in outcome.outputs where output.word != .notice { #expect(output.envelope.recipients.count == 3) }
        #expect(outcome.account.removed.contains { $0.contains("Bcc") })
    }

    @Test("Bcc is removed from a mail that is signed")
    func bccSigned() async throws {
        let outcome = await Bench(signatures: .signing).process(
            "Bcc: hidden@elsewhere.test\n" + Mail.plain, direction: .outgoing)
        let output = try #require(outcome.delivered)
        #expect(output.word == .signed && !output.text.contains("hidden"))
    }

    @Test("Bcc of incoming mail stays")
    func bccIncoming() async throws {
        let outcome = await Bench().process("Bcc: hidden@elsewhere.test\n" + Mail.plain, direction: .incoming)
        #expect(try #require(outcome.delivered).text.contains("hidden"))
    }

    // MARK: - Null sender and line ends

    @Test("a bounce goes out unchanged unless SignNullSender", arguments: [true, false])
    func bounce(_ signs: Bool) async throws {
        var bench = Bench(signatures: .signing)
        bench.policy.signNullSender = signs
        let outcome = await bench.process(
            Mail.plain, direction: .outgoing, block: Mail.block(from: "<>"), isBare: false)
        let output = try #require(outcome.delivered)
        #expect(output.word == (signs ? .signed : .passed))
        #expect(output.envelope.sender == .null)
    }

    @Test("a file with LF is passed with its LF; only our own fields have CRLF, which the writer maps")
    func lineFeeds() async throws {
        var bench = Bench()
        bench.policy.outgoing.workflows = []
        let outcome = await bench.process(OctetString(Mail.plain), direction: .outgoing)
        #expect(try #require(outcome.delivered).text.hasSuffix("\r\n" + Mail.plain))
    }

    @Test("a file with LF is signed over CRLF")
    func lineFeedsSigned() async throws {
        let bench = Bench(
            signatures: ScriptedSignatures(sign: { operation in
                let sent = operation.document.collected().text
                #expect(sent.contains("Hello\r\n") && !sent.replacing("\r\n", with: "").contains("\n"))
                return .cms(OctetString("0000"))
            }))
        let outcome = await bench.process(OctetString(Mail.plain), direction: .outgoing)
        #expect(outcome.delivered?.word == .signed)
    }

    // MARK: - Damage

    @Test("a damaged envelope block sends the whole file to the administrator, block included")
    func damagedBlock() async throws {
        let damaged = "Envelope-To: hidden@elsewhere.test\nX-SES-Entry: 1\n"
        let outcome = await Bench().process(Mail.plain, direction: .outgoing, block: damaged, isBare: false)
        #expect(outcome.summary.first == "admin notice <> > admin@example.test incoming + application/octet-stream")
        #expect(outcome.outputs.dropFirst().map(\.isKeptBesideNotice) == [true])
        let attached = try #require(try outcome.outputs.first?.message.root.children.last).decodedBody.text
        #expect(attached == (damaged + Mail.plain).replacingLineEnds)
    }

    @Test(
        "a header that cannot be read sends the raw file to the administrator, or keeps it in blocked",
        arguments: [true, false])
    func unreadable(_ hasAdministrator: Bool) async throws {
        var bench = Bench()
        if !hasAdministrator { bench.policy.administrator = nil }
        let huge = "Subject: " + String(repeating: "x", count: 300 << 10) + "\n" + Mail.plain
        let outcome = await bench.process(huge, direction: .incoming)
        let output = try #require(outcome.outputs.first)
        #expect(outcome.outputs.count == (hasAdministrator ? 2 : 1))
        #expect(output.folder == (hasAdministrator ? .admin : .blocked))
        if hasAdministrator {
            #expect(try #require(try output.message.root.children.last).decodedBody.text == huge.replacingLineEnds)
        } else {
            #expect(output.text == huge.replacingLineEnds)
        }
    }

    @Test("a message with too many parts is a failure of its operation, not of the program")
    func tooManyParts() async {
        let parts = String(repeating: "--b\n\nx\n", count: 1_200)
        let message =
            "From: alice@example.test\nTo: bob@elsewhere.test\nMIME-Version: 1.0\n"
            + "Content-Type: multipart/mixed; boundary=b\n\n" + parts + "--b--\n"
        let outcome = await Bench().process(message, direction: .outgoing)
        #expect(outcome.outputs.map(\.folder) == [.admin, .blocked])
        #expect(outcome.account.failure?.permanence == .permanent)
    }

    @Test("a message that ended the program is handed on unchanged, unparsed")
    func poisoned() async throws {
        let file = OctetString("\u{0}\u{1} not a message at all")
        let services = Bench().services
        let outcome = UnreadMessage.poisoned(
            entry: "e", direction: .incoming, file: file, policy: .example, services: services)
        #expect(outcome.summary.first == "admin notice <> > admin@example.test incoming + application/octet-stream")
        #expect(outcome.outputs.dropFirst().map(\.isKeptBesideNotice) == [true])
        #expect(try #require(try outcome.outputs.first?.message.root.children.last).decodedBody == file)
    }
}
