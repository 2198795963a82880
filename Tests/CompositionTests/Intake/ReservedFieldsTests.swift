import Composition
import InternetMessage
import Octets
import TestSupport
import Testing

@Suite("Fields that only SES may write, as other readers find them (RFC 8601 §5)")
struct ReservedFieldsTests {
    private static let forged = "Authentication-Results: ses.example.test; smime=pass"

    @Test(
        "a forged field is removed however a reader finds it, and nothing else",
        arguments: [
            // Behind a line that is no field.
            ("this is no field\n", "", "\(forged)\n"), ("Broken Name : x\n", "", "\(forged)\n"),
            (":\n", "", "\(forged)\n"), ("no field\nSubject: x\nstill none\n", "Y: z\n", "\(forged)\n folded\n"),
            ("no field\n", "", "X-SES-Outcome: verified\n"),
            ("no field\n", "", "AUTHENTICATION-results :ses.example.test\n"),
            // Behind what ends a line for some.
            ("Subject: x", "\nTo: y\n", "\r\(forged)"), ("Subject: x", "\n", "\u{0B}\(forged)"),
            ("Subject: x", "\n", "\u{0C}X-SES-Outcome: verified"), ("Subject: x", "\n", "\u{85}\(forged)"),
            ("Subject: x\r", "Y: z\n", "\(forged)\r"), ("Subject: x", "\n", "\r\(forged)\r y"),
            ("Subject: x", "\n", "\u{1E}\(forged)"),
            // A name that is written otherwise.
            ("Subject: x\n", "", "Authentication-Results\n : ses.example.test; smime=pass\n"),
            ("Subject: x\n", "", "Authentication-\n Results: ses.example.test; smime=pass\n"),
            ("Subject: x\n", "", "Authentication-Results\0: ses.example.test; smime=pass\n"),
            ("Subject: x\n", "", "Authentication-Results\0z: ses.example.test; smime=pass\n"),
            ("Subject: x\n", "", "Authentication-Results\u{A0}: ses.example.test; smime=pass\n"),
            ("Subject: x\n", "", "Authentication\u{2010}Results: ses.example.test; smime=pass\n"),
            ("Subject: x\n", "", "\u{FEFF}X-SES-Outcome: verified\n"),
            ("Subject: x\n", "", "X-\tSES-Outcome: verified\n"),
            ("Subject: x\n", "", "Authentication_Results\t: ses.example.test; smime=pass\n"),
            // An identifier that is written otherwise.
            ("Subject: x\n", "", "Authentication-Results: =?utf-8?q?ses.example.test?=; smime=pass\n"),
            ("Subject: x\n", "", "Authentication-Results: =?us-ascii?q?ses.example.test=3B_smime=3Dpass?=\n"),
            ("Subject: x\n", "", "Authentication-Results: ses.ex\u{430}mple.test; smime=pass\n"),
            ("Subject: x\n", "", "Authentication-Results: ses.exa\u{200B}mple.test; smime=pass\n"),
            ("Subject: x\n", "", "Authentication-Results: ses.exam\0ple.test; smime=pass\n"),
            ("Subject: x\n", "", "Authentication-Results:\r ses.example.test; smime=pass\n"),
            ("Subject: x\n", "", "Authentication-Results: smime=pass\n"),
            ("Subject: x\n", "", "Authentication-Results: ; smime=pass\n"),
            ("Subject: x\n", "", "Authentication-Results: SES.EXAMPLE.TEST.; smime=pass\n"),
            // What only comes to stand together when something is taken out.
            ("Subject: x\n", "", "Authen\r\(forged)\rtication-Results: ses.example.test; smime=pass\n"),
        ])
    func removed(_ before: String, _ after: String, _ forged: String) throws {
        for isCRLF in [false, true] {
            func lines(_ text: String) -> OctetString {
                OctetString(isCRLF ? text.replacing("\n", with: "\r\n") : text)
            }
            let given = lines("From: a@b.test\n" + before + forged + after + "\nbody\n" + Self.forged + "\n")
            let intake = try Given.intake(given)
            let wanted = lines("From: a@b.test\n" + before + after + "\nbody\n" + Self.forged + "\n")
            let raw = intake.message.rawRope.collected()
            #expect(raw == wanted, "\(raw.text)")
            #expect(intake.message.canonical == raw.withCRLFLineEnds())
            #expect(!intake.removed.isEmpty)
            #expect(intake.header.fields.allSatisfy { !$0.rawBody.text.contains("smime=pass") })
        }
    }

    @Test(
        "text that no reader takes for a field of ours stays",
        arguments: [
            "no field\nAuthentication-Results: mx.example.test; smime=pass", "Subject: a\rX-Session: 1",
            "no field\nX-SESAME: 1", "Subject: Authentication-Results: ses.example.test; smime=pass",
            "X: \rARC-Authentication-Results: i=1; ses.example.test; smime=pass", "no field\nBcc: x@y.test",
            "Authentication-Results: spf=pass smtp.mailfrom=x.test",
        ])
    func kept(_ lines: String) throws {
        let given = OctetString("From: a@b.test\n" + lines + "\n\n" + Self.forged + "\n")
        let intake = try Given.intake(given)
        #expect(intake.message.rawRope.collected() == given)
        #expect(intake.removed.isEmpty)
    }

    @Test("blind recipients of outgoing mail are removed behind a line that is not a field too")
    func blindCopies() throws {
        let intake = try Given.intake(
            "From: a@b.test\nno field\nBcc: secret@y.test\n\rbcc : more@y.test\nTo: x@y.test\n\nbody\n",
            removesBcc: true)
        #expect(intake.message.rawRope.collected() == OctetString("From: a@b.test\nno field\nTo: x@y.test\n\nbody\n"))
    }

    @Test("a folded line before the first field is removed, because it would continue a field of ours")
    func foldedStart() throws {
        let intake = try Given.intake(" ; smime=pass\nFrom: a@b.test\n\nbody\n")
        #expect(intake.message.rawRope.collected() == OctetString("From: a@b.test\n\nbody\n"))
    }

    @Test("the relay removes fields that claim to be of the spool, and leaves our own results")
    func departure() throws {
        let message = try DepartingMessage(
            raw: OctetString(
                "\(Self.forged)\nFrom: a@b.test\rX-SES-Outcome: verified\nno field\nX-SES-To: x\n\nbody\n"),
            host: "relay.test", unique: "1", date: MailDate(unixSeconds: 0))
        let text = message.content.collected().text
        #expect(text.hasSuffix("\(Self.forged)\nFrom: a@b.test\nno field\n\nbody\n"), "\(text)")
    }

    @Test("a search takes time in proportion to the header")
    func linear() throws {
        for unit in ["a", "a\r", "x-ses-\n", ":\n", "x-ses-1: y\r"] {
            func time(_ octets: Int) throws -> Duration {
                let text = "From: a@b.test\nno field\n" + String(repeating: unit, count: octets / unit.utf8.count)
                let intake = OctetString(text)
                return try ThreadTime.measure { _ = try Given.intake(intake) }
            }
            let (small, large) = (try time(100_000), try time(400_000))
            #expect(large < small * 10 + .milliseconds(100), "\(unit): \(small), \(large)")
        }
    }
}
