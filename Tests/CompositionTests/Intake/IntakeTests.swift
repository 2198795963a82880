import Composition
import InternetMessage
import Octets
import Testing

@Suite("Intake")
struct IntakeTests {
    @Test(
        "removes fields that claim to be ours, whatever their spelling",
        arguments: [
            "X-SES-Result: trusted", "x-ses-outcome: signed", "X-SES-Result : trusted", "X-Ses-End: 1\n folded",
            "X_SES_Result: trusted", "X-SES-:", "X-SES: 1", "X-SES-Verdict\t:\n trusted",
            "Authentication-Results: ses.example.test; smime=pass",
            "authentication-results: SES.Example.TEST; smime=pass",
            "Authentication-Results: (a (nested) comment) ses.example.test (x); none",
            "Authentication-Results: \"ses.example.test\"; smime=pass",
            "Authentication-Results: ses.example.test 1; x=y",
            "Authentication-Results:\n ses.example.test\n ;smime=pass",
            "Authentication-Results : ses.example.test; a=b",
            "Authentication-Results: ses.example.test/1; smime=pass", "Authentication-Results: (open ses.example.test",
            "Authentication-Results: ses.example.test", "Authentication-Results: \"ses.exam\\ple.test\"; smime=pass",
            "Authentication-Results: ses(c).example(d).test; smime=pass",
        ], ["\n", "\r\n"])
    func forgeries(_ field: String, _ lineEnd: String) throws {
        let given = "From: a@b.test\n" + field + "\nSubject: x\n" + field + "\n\nX-SES-Result: text\n"
        let intake = try Given.intake(given.replacing("\n", with: lineEnd))
        let wanted = "From: a@b.test\nSubject: x\n\nX-SES-Result: text\n"
        #expect(intake.message.rawRope.collected() == OctetString(wanted.replacing("\n", with: lineEnd)))
        #expect(intake.message.canonical == Given.crlf(wanted))
        #expect(intake.message.canonicalRope.collected() == intake.message.canonical)
        #expect(intake.header.fields.map(\.name) == ["From", "Subject"])
        #expect(intake.removed.count == 2)
    }

    @Test(
        "leaves everything else unchanged, byte for byte",
        arguments: [
            "Authentication-Results: mx.example.test; smime=pass", "Authentication-Results: myses.example.test; none",
            "Authentication-Results: ses.example.test.evil.test; smime=pass", "X-Session: 1", "X-SESAME: x",
            "ARC-Authentication-Results: i=1; ses.example.test; smime=pass", "Bcc: c@d.test", "Delivered-To: z@y.test",
        ])
    func others(_ field: String) throws {
        let given = OctetString("Received: by x\nFrom: a@b.test\n\(field)\n\nbody \u{E4}\r\rx\n")
        let intake = try Given.intake(given)
        #expect(intake.message.rawRope.collected() == given)
        #expect(intake.removed.isEmpty)
    }

    @Test(
        "removes results about S/MIME from within our domains, whoever wrote them (RFC 8601 §5)",
        arguments: [
            "example.test; smime=pass", "mx.example.test; smime=pass", "EXAMPLE.test 1; SMIME=pass",
            "mx.example.test/1; dkim=pass header.d=a.test; smime=pass", "\"mx.example.test\"; smime (x) = pass",
            "(x) mx.example.test (y); dkim=pass; smime/1=pass", "m\u{FC}nchen.test; smime=pass",
            "xn--mnchen-3ya.test; smime=pass", "mail.xn--mnchen-3ya.test; smime=fail", "example.test. ; smime=pass",
            "(open example.test; smime=pass", "ex\u{430}mple.test; smime=pass",
            "=?utf-8?Q?mx=2Eexample=2Etest=3B_smime=3Dpass?=", "mx.example.test;\n\tsmime\n =pass",
            "postmaster@example.test; smime=pass",
        ])
    func management(_ body: String) throws {
        let given = "From: a@b.test\nAuthentication-Results: \(body)\nSubject: x\n\nx\n"
        let intake = try Given.intake(given, domains: ["example.test", "xn--mnchen-3ya.test"])
        #expect(intake.header.fields.map(\.name) == ["From", "Subject"])
        #expect(intake.removed.count == 1)
    }

    @Test(
        "leaves results about other things, which the mail server before us writes, and those of others",
        arguments: [
            "mx.example.test; dkim=pass header.d=us.mimecast.test; spf=pass smtp.mailfrom=a@b.test",
            "example.test; none", "partner.test; smime=pass", "example.test.evil.test; smime=pass",
            "notexample.test; smime=pass",
        ])
    func otherManagement(_ body: String) throws {
        let given = "From: a@b.test\nAuthentication-Results: \(body)\nSubject: x\n\nx\n"
        let intake = try Given.intake(given, domains: ["example.test", "xn--mnchen-3ya.test"])
        #expect(intake.removed.isEmpty)
    }

    @Test("takes the trace fields above the first Received as the envelope, and no others")
    func trace() throws {
        let intake = try Given.intake(
            "Return-Path: <alice@example.test>\nX-Original-To: bob@elsewhere.test\nDelivered-To: alias@inner.test\n"
                + "Received: by mx; now\nDelivered-To: forged@evil.test\nTo: list@example.test\n\nx\n")
        #expect(intake.envelope.sender == .address(Given.alice))
        #expect(intake.envelope.recipients == [Given.bob])
        #expect(intake.envelope.source == .trace)
        #expect(intake.header.fields.map(\.name) == ["Received", "Delivered-To", "To"])
    }

    @Test(
        "octets before the header that are no part of it are neither read nor written",
        arguments: ["\u{FEFF}", "\n", "\n\n", " \t\n", "\u{FEFF}\n", "\n\u{FEFF}", "\u{FEFF}\u{FEFF}\n"],
        ["\n", "\r\n"])
    func before(_ head: String, _ lineEnd: String) throws {
        let wanted = "From: a@b.test\nSubject: x\n\n\u{FEFF}body\n"
        let intake = try Given.intake((head + wanted).replacing("\n", with: lineEnd))
        #expect(intake.header.first("From")?.text == "a@b.test")
        #expect(intake.message.rawRope.collected() == OctetString(wanted.replacing("\n", with: lineEnd)))
        #expect(intake.message.canonical == Given.crlf(wanted))
    }

    @Test(
        "a byte order mark behind the trace fields of a mail server hides no field, and is removed",
        arguments: ["\n", "\r\n"])
    func byteOrderMarkWithin(_ lineEnd: String) throws {
        let given =
            "Received: by mx\n\u{FEFF}From: a@b.test\n\u{FEFF}X-SES-Result: trusted\n\u{FEFF}\u{FEFF}To: c@d.test\n\nx\n"
        let intake = try Given.intake(given.replacing("\n", with: lineEnd))
        #expect(intake.header.first("From")?.text == "a@b.test")
        #expect(intake.header.first("X-SES-Result") == nil)
        let wanted = "Received: by mx\nFrom: a@b.test\nTo: c@d.test\n\nx\n"
        #expect(intake.message.rawRope.collected() == OctetString(wanted.replacing("\n", with: lineEnd)))
    }

    @Test("a file of empty lines stays unchanged")
    func onlyEmptyLines() throws {
        #expect(try Given.intake("\n\n").message.rawRope.collected() == OctetString("\n\n"))
    }

    @Test(
        "a recipient that cannot be read is reported, in a delivered file",
        arguments: [
            ("Envelope-To: bob, carl@x.test", ["carl@x.test"], ["Envelope-To: \"bob\""]),
            ("Delivered-To: <root>", [], ["Delivered-To: \"<root>\""]),
            ("X-Original-To: bob@x.test\nDelivered-To: root", ["bob@x.test"], []),
        ])
    func unreadableTrace(_ fields: String, _ recipients: [String], _ unreadable: [String]) throws {
        let intake = try Given.intake(
            "Return-Path: <MAILER-DAEMON>\n" + fields + "\nReceived: by mx\nFrom: a@b.test\n\nx\n")
        #expect(intake.envelope.sender == .null)
        #expect(intake.envelope.recipients.map(\.description) == recipients)
        #expect(intake.envelope.unreadable.map(\.words) == unreadable)
    }

    @Test("never guesses recipients from To in a delivered message")
    func noGuess() throws {
        let intake = try Given.intake("Received: by mx; now\nFrom: alice@example.test\nTo: bob@elsewhere.test\n\nx\n")
        #expect(intake.envelope.recipients.isEmpty)
        #expect(intake.envelope.sender == nil)
    }

    @Test("without any Received only the unbroken run at the top is trace")
    func noReceived() throws {
        let intake = try Given.intake(
            "Return-Path: <>\nDelivered-To: bob@elsewhere.test\nSubject: x\nDelivered-To: forged@evil.test\n\nx\n")
        #expect(intake.envelope.sender == .null)
        #expect(intake.envelope.recipients == [Given.bob])
    }

    @Test("reads the address fields of a file that a person put in")
    func bare() throws {
        let intake = try Given.intake(
            "Delivered-To: no@no.test\nFrom: Carol <carol@example.test>\nSender: alice@example.test\nTo: g: bob@elsewhere.test;\n"
                + "Cc: bob@elsewhere.test, d@d.test\nBcc: e@e.test\n\nx\n", isBare: true, removesBcc: true)
        #expect(intake.envelope.sender == .address(Given.alice))
        #expect(intake.envelope.recipients.map(\.description) == ["bob@elsewhere.test", "d@d.test", "e@e.test"])
        #expect(intake.envelope.source == .addressFields)
        #expect(intake.header.first("Bcc") == nil)
    }

    @Test(
        "takes the recipients of the newest Resent- fields of a file that a person put in, and shows none of Resent-Bcc"
    )
    func resent() throws {
        let again =
            "Resent-From: alice@example.test\nResent-Date: now\nResent-To: bob@elsewhere.test\nResent-Bcc: e@e.test\n"
        let before = "Resent-From: x@x.test\nResent-Date: then\nResent-To: y@y.test\nResent-Cc: z@z.test\n"
        let intake = try Given.intake(
            again + "Received: by mx; now\n" + before + "From: carol@example.test\nTo: t@t.test\nBcc: u@u.test\n\nx\n",
            isBare: true, removesBcc: true)
        #expect(intake.envelope.sender == .address(Given.alice))
        #expect(intake.envelope.recipients.map(\.description) == ["bob@elsewhere.test", "e@e.test"])
        #expect(intake.header.first("Resent-Bcc") == nil && intake.header.first("Bcc") == nil)
        #expect(intake.header.all("Resent-To").count == 2)
    }

    @Test(
        "asks a person where recipients may stand behind a header line that is no field",
        arguments: [
            ("To: bob@elsewhere.test,\ncarl@x.test\n", "carl@x.test"),
            ("To: bob@elsewhere.test\nnot a field\nX: y\nBcc: carl\n", "not a field"),
            ("To: bob@elsewhere.test\nnot a field\nReply-To: c@x.test\n", "not a field"),
            ("To: bob@elsewhere.test\nHello Bob,\nhow are you?\n", nil),
            ("To: bob@elsewhere.test\n\nHello carl@x.test\n", nil),
        ])
    func brokenHeader(_ header: String, _ told: String?) throws {
        let intake = try Given.intake(
            "From: alice@example.test\n" + header + "\nx\nCc: c@x.test\n", isBare: true, removesBcc: true)
        #expect(intake.envelope.recipients == [Given.bob])
        #expect(intake.envelope.unreadable.map(\.text) == (told.map { [$0] } ?? []))
    }

    @Test("trusts the block above everything else")
    func block() throws {
        let block = EnvelopeBlock(
            envelope: Envelope(sender: .null, recipients: [Given.bob], source: .arguments), entry: "e1")
        let intake = try Given.intake(
            "Return-Path: <x@y.test>\nDelivered-To: z@y.test\nReceived: x\n\nbody\n", block: block, isBare: true)
        #expect(intake.envelope.sender == .null)
        #expect(intake.envelope.recipients == [Given.bob])
        #expect(intake.header.fields.count == 3)
    }

    @Test("shares storage if nothing is removed, or only from the top")
    func sharing() throws {
        let body = String(repeating: "line\r\n", count: 1_000)
        let whole = OctetString("Return-Path: <>\r\nDelivered-To: bob@elsewhere.test\r\nReceived: x\r\n\r\n" + body)
        let intake = try Given.intake(whole)
        let isShared = whole.withUnsafeBytes { outer in
            intake.message.canonical.withUnsafeBytes { inner in
                inner.baseAddress.map { $0 > outer.baseAddress! && $0 < outer.baseAddress! + outer.count } ?? false
            }
        }
        #expect(isShared)
    }

    @Test("names the first of many removed fields, and counts the rest")
    func many() throws {
        let intake = try Given.intake(String(repeating: "X-SES-A: 1\n", count: 5_000) + "\nx\n")
        #expect(intake.removed.count == 21)
        #expect(intake.removed.last == "and 4980 more")
        #expect(intake.message.rawRope.collected() == OctetString("\nx\n"))
    }

    @Test("a header beyond the limit is an error")
    func tooLarge() {
        #expect(throws: CompositionError.self) {
            try Given.intake("X-Long: " + String(repeating: "a", count: 300_000) + "\n\nx\n")
        }
    }
}
