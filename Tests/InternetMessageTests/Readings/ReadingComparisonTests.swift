import Octets
import Testing

@testable import InternetMessage

/// Mails that some reader takes apart in another way, and those that all read alike.
@Suite("Readers of mail that differ (RFC 2045 §5.1, RFC 2046 §5.1.1)")
struct ReadingComparisonTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let what: String
        /// Lines with LF; CRLF is put in.
        let mail: String
        var testDescription: String { what }

        init(_ what: String, _ mail: String) {
            self.what = what
            self.mail = mail
        }
    }

    /// - Parameter type: The text after `multipart/mixed` in Content-Type.
    private static func mail(
        _ type: String = "; boundary=\"b\"", name: String = "Content-Type: multipart/mixed",
        fields: String = "MIME-Version: 1.0\n",
        preamble: String = "", first: String = "Content-Type: text/plain\n\none\n", end: String = "--b--\n"
    ) -> String {
        "From: a@x.test\n\(fields)\(name)\(type)\n\n\(preamble)--b\n\(first)--b\nContent-Type: text/plain\n\ntwo\n\(end)"
    }

    private static func reasons(_ mail: String) throws -> [String] {
        try Message(reading: OctetString(mail).withCRLFLineEnds()).differingReadings
    }

    static let alike: [Case] = [
        Case("a plain multipart", mail()),
        Case("a preamble in words", mail(preamble: "This is a message in MIME format.\n")),
        Case("a preamble with a colon that nobody shows", mail(preamble: "In MIME format: see http://x.test/\n")),
        Case("the same with an empty line behind it", mail(preamble: "In MIME format:\nsee above.\n\n \n")),
        Case("an epilogue in words", mail(end: "--b--\nThis is the end.\n")),
        Case("equal fields twice", mail(fields: "MIME-Version: 1.0\nMIME-Version: 1.0\n")),
        Case("equal parameters twice", mail("; boundary=\"b\"; boundary=b")),
        Case("a comment behind the version", mail(fields: "MIME-Version: 1.0 (made by hand)\n")),
        Case("other parameters without quotes", mail("; boundary=b; x=a/b:c; y=a b c; z=(d)e")),
        Case("a file name in the form of RFC 2231", mail(first: "Content-Type: a/b; name*=utf-8''%C3%A4\n\none\n")),
        Case("a file name with a backslash", mail(first: "Content-Type: a/b; name=\"c:\\d.pdf\"\n\none\n")),
        Case("hyphens in the text", mail(first: "\n--\nAnn\n--\n---- b\n")),
        Case("a boundary that is quoted in the text", mail(first: "\n> --b\n")),
        Case("a folded header", mail(";\n\tboundary=\"b\"")),
        Case(
            "an inner boundary that begins with the outer one, as readers that seek the longest take it",
            mail(first: "Content-Type: text/plain\n\none\n")),
        Case("a message that is odd within", mail(first: "Content-Type: message/rfc822\n\nX : y\nno field\n\none\n")),
        Case(
            "no multipart, and blanks in a file name",
            "MIME-Version: 1.0\nContent-Type: text/plain; name=a b.txt\n\nx\n"),
        Case("a semicolon at the end", mail("; boundary=b;")),
        Case("no MIME at all", "From: a@x.test\n\nx\n"),
        Case("no version, and nothing but parts", mail(fields: "")),
        Case(
            "no version, and base64",
            "From: a@x.test\nContent-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n\nMIAG\n"),
        Case(
            "an entity from an S/MIME object, which needs no version",
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n"),
    ]

    @Test("all readers agree", arguments: alike)
    func agreement(_ given: Case) throws { #expect(try Self.reasons(given.mail) == []) }

    static let different: [Case] = [
        Case("words behind a boundary", mail(preamble: "--b evil\n\nforged\n")),
        Case("the final delimiter goes on", mail(first: "\none\n--b--x\n")),
        Case(
            "another case of letters",
            mail("; boundary=\"abc\"", preamble: "--ABC\n\nforged\n").replacing("--b\n", with: "--abc\n")),
        Case(
            "the same boundary within", mail(first: "Content-Type: multipart/mixed; boundary=b\n\nx\n--b\n\ny\n--b--\n")
        ),
        Case("parts behind the final delimiter", mail(end: "--b--\n--b\n\nforged\n--b--\n")),
        Case("blanks behind a delimiter", mail(preamble: "--b \n\nforged\n")),
        Case(
            "a long boundary",
            "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\(long)\n\n--\(long)\n\none\n--\(long)--\n"),
        Case("a delimiter in the header of a part", mail(first: "X: y\n--b\n\none\n")),
        Case("a delimiter behind a CR", mail(preamble: "x\r--b\n\nforged\n")),
        Case("a field behind a CR", mail(fields: "MIME-Version: 1.0\nX: y\rContent-Type: text/html\n")),
        Case("a NUL behind a boundary", mail(preamble: "--b\0x\n\nforged\n")),
        Case("a NUL in a field", mail("; boundary=\"b\0x\"")),
        Case("a line that is no field", mail(fields: "MIME-Version: 1.0\nno field\n")),
        Case("a part's line that is no field", mail(first: "Content-Type: text/html\nno field\n\none\n")),
        Case("a blank before a colon", mail(fields: "MIME-Version: 1.0\nX : y\n")),
        Case("a line of blanks in the header", mail(fields: "MIME-Version: 1.0\nX: y\n \t\n")),
        Case("a quoted mbox separator", ">From a@x.test Mon Jan  6\n" + mail()),
        Case("two types", mail(fields: "MIME-Version: 1.0\nContent-Type: text/html\n")),
        Case("two boundaries", mail("; boundary=\"b\"; boundary=c")),
        Case("a boundary in a comment", mail(" (;boundary=c;); boundary=\"b\"")),
        Case("a comment behind a boundary", mail("; boundary=b(c)")),
        Case("a comment and a blank behind a boundary", mail("; boundary=b (c)")),
        Case("a boundary in the quotes of another parameter", mail("; x=\";boundary=c;\"; boundary=\"b\"")),
        Case("special characters without quotes", mail("; boundary=b=c").replacing("--b", with: "--b=c")),
        Case("a boundary behind a blank in another value", mail("; x=y boundary=c; boundary=\"b\"")),
        Case("the same behind the boundary", mail("; boundary=\"b\"; x=y boundary=c")),
        Case("two semicolons", mail(";; boundary=\"b\"")),
        Case("a blank before the equals sign", mail("; boundary =\"b\"")),
        Case("a backslash in a boundary", mail("; boundary=\"\\b\"").replacing("--b", with: "--\\b")),
        Case("a boundary in the form of RFC 2231", mail("; boundary*=us-ascii''b")),
        Case("two forms of a boundary", mail("; boundary*=us-ascii''b; boundary=c")),
        Case(
            "an encoded boundary", mail("; boundary=\"=?us-ascii?Q?b?=\"").replacing("--b", with: "--=?us-ascii?Q?b?=")),
        Case("a boundary in brackets", mail("; boundary=\"<b>\"").replacing("--b", with: "--<b>")),
        Case("no version, and words before the parts", mail(fields: "", preamble: "forged\n")),
        Case("no version, and words behind the parts", mail(fields: "", end: "--b--\nforged\n")),
        Case("no version, and words in the header of a part", mail(fields: "", first: "X: forged\n\none\n")),
        Case("no version, and a text in another form", "From: a@x.test\nContent-Type: text/html\n\nx\n"),
        Case("no version, and no end", mail(fields: "", end: "")),
        Case(
            "no version, and base64 with words in it",
            "From: a@x.test\nContent-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n\nforged!\n"),
        Case("another version", mail(fields: "MIME-Version: 2.0\n")),
        Case("two words of encoding", mail(first: "Content-Transfer-Encoding: base64 7bit\n\none\n")),
        Case("a semicolon behind the encoding", mail(first: "Content-Transfer-Encoding: base64;\n\nb25l\n")),
        Case("a preamble that may be a header", mail(preamble: "Content-Type: text/html\n\nforged\n")),
        Case("a preamble with a text behind a header", mail(preamble: "In MIME format: x\n\nforged\n")),
        Case("the same behind a line of blanks", mail(preamble: "In MIME format: x\n \nforged\n")),
        Case("the same behind bare CRs", mail(preamble: "In MIME format: x\r\rforged\n")),
        Case("a preamble that names a file", mail(preamble: "Content-Type: a/b; name=contract.pdf\n")),
    ]
    private static let long = String(repeating: "b", count: 71)

    @Test("readers differ, and the difference is reported", arguments: different)
    func difference(_ given: Case) throws { #expect(try Self.reasons(given.mail) != []) }

    @Test("each of the other readers differs in some mail")
    func noReaderInVain() throws {
        for (habits, because) in ReadingHabits.others {
            let isFound = try Self.different.contains { given in
                try Self.reasons(given.mail).contains { $0.hasSuffix(because) }
            }
            #expect(isFound, "nothing differs by \(habits)")
        }
    }

    @Test("a mail that is read again has the same outline")
    func candidates() throws {
        for given in Self.alike + Self.different {
            for ending in ["\n", "\r\n"] {
                let octets = OctetString(given.mail.replacing("\n", with: ending))
                let scanned = try Message(reading: octets).root.walk().map {
                    [$0.range.lowerBound, $0.range.upperBound]
                }
                let again = try octets.withUnsafeBytes { buffer in
                    var reader = EntityReader(
                        octets: octets, buffer: buffer, limits: Message.Limits(),
                        candidates: DelimiterCandidates(buffer))
                    return try reader.read().walk().map { [$0.range.lowerBound, $0.range.upperBound] }
                }
                #expect(scanned == again, "\(given.what)")
            }
        }
    }
}
