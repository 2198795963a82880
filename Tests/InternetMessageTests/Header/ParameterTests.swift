import InternetMessage
import Octets
import Testing

@Suite("Parameters of MIME fields (RFC 2045 §5.1, 2231)")
struct ParameterTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let body: String
        /// `name=decoded value`, in order.
        let parameters: [String]

        init(_ body: String, _ parameters: [String]) {
            self.body = body
            self.parameters = parameters
        }

        var testDescription: String { body }
    }

    static let standard = [
        Case("text/plain", []),
        Case("text/plain; charset=us-ascii", ["charset=us-ascii"]),
        Case("TEXT/Plain;CharSet=\"us-ascii\"", ["charset=us-ascii"]),
        Case("text/plain; charset=us-ascii (Plain text)", ["charset=us-ascii"]),
        Case(
            "text/plain; (c) charset (c) = (c) \"us-ascii\" (c) ; (c) format=flowed",
            ["charset=us-ascii", "format=flowed"]),
        Case(#"a/b; name="a;b=\"c\".txt""#, [#"name=a;b="c".txt"#]),
        Case("a/b; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A", ["title=This is ***fun***"]),
        Case(
            "a/b; title*0*=us-ascii'en'This%20is%20even%20more%20; title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2=\"isn't it!\"",
            ["title=This is even more ***fun*** isn't it!"]),
        Case("a/b; title*1=b; title*0=a; title*3=d", ["title=ab"]),
        Case("a/b; name*=utf-8''%e2%82%ac%20rates.pdf; name=\"EUR rates.pdf\"", ["name=€ rates.pdf"]),
        Case("a/b; name*0*=utf-8''%E2%82; name*1*=%AC", ["name=€"]),
        Case("a/b; name*=iso-8859-1'en'%A3%20rates", ["name=£ rates"]),
    ]

    static let seen = [
        Case("a/b; name=my file (final).pdf; x=y", ["name=my file (final).pdf", "x=y"]),
        Case(#"a/b; name="C:\temp\new.txt""#, [#"name=C:\temp\new.txt"#]),
        Case("a/b; name=\"=?utf-8?B?VmVydHLDpGdlLnBkZg==?=\"", ["name=Verträge.pdf"]),
        Case("a/b; name==?utf-8?Q?=E2=82=AC.pdf?=", ["name=€.pdf"]),
        Case("a/b; name=\"Verträge.pdf\"", ["name=Verträge.pdf"]),
        Case("a/b; name=\"a\" filename=\"b\"", ["name=a", "filename=b"]),
        Case("a/b;; ; name=a;", ["name=a"]),
        Case("a/b; name", []),
        Case("a/b; =x; name=a", ["name=a"]),
        Case("a/b; name=", ["name="]),
        Case("a/b; name=\"open", ["name=open"]),
        Case("a/b; name=a; NAME=b", ["name=a"]),
        Case("a/b; name*=no-quotes%41", ["name=no-quotesA"]),
        Case("a/b; name*=x-unknown''%41%zz", ["name=A%zz"]),
        Case("a/b; name*1=only; other=1", ["other=1"]),
        Case("a/b; name*x=1", ["name*x=1"]),
        Case("a/b; name*99999=1", ["name*99999=1"]),
    ]

    @Test("are read with their intended meaning", arguments: standard + seen)
    func parameters(_ given: Case) throws {
        let contentType = try #require(ContentType(parsing: given.body))
        let found = contentType.parameters.map { "\($0.name)=\($0.decoded(using: BuiltInCharsets()))" }
        #expect(found == given.parameters)
    }

    @Test(
        "a field without type and subtype is not a content type",
        arguments: [
            "", "text", "text/", "/plain", "text/plain/x", "text plain", "te xt/plain", "text/pl@in", ";charset=x",
        ])
    func noContentType(_ body: String) {
        #expect(ContentType(parsing: body) == nil)
    }

    @Test(
        "a disposition is one word; an unknown or missing one means attachment",
        arguments: [
            ("inline", "inline"), ("ATTACHMENT; filename=x", "attachment"), ("form-data; name=x", "form-data"),
            ("; filename=x", "attachment"),
        ])
    func disposition(_ body: String, _ type: String) {
        #expect(ContentDisposition(parsing: body).type == type)
    }

    @Test(
        "the transfer encoding is read with the extras that mailers put around it",
        arguments: [
            ("base64", ContentTransferEncoding.base64), ("BASE64 ", .base64),
            ("(c) quoted-printable", .quotedPrintable),
            ("\"base64\"", .base64), ("8bit;", .eightBit), ("7BIT", .sevenBit), ("binary", .binary), ("", .sevenBit),
            ("x-uuencode", .other("x-uuencode")), ("7 bit", .other("7 bit")),
        ])
    func transferEncoding(_ body: String, _ expected: ContentTransferEncoding) {
        #expect(ContentTransferEncoding(parsing: body) == expected)
    }

    @Test(
        "the file name is that of the disposition, otherwise the name of the type",
        arguments: [
            ("Content-Disposition: attachment; filename=a.pdf\nContent-Type: application/pdf; name=b.pdf", "a.pdf"),
            ("Content-Disposition: attachment\nContent-Type: application/pdf; name=b.pdf", "b.pdf"),
            ("Content-Disposition: attachment; filename=\"\"\nContent-Type: application/pdf; name=b.pdf", "b.pdf"),
            ("Content-Disposition: attachment; filename*=utf-8''..%2F..%2Fx", "../../x"),
            ("Content-Type: application/pdf", nil),
        ])
    func fileName(_ header: String, _ expected: String?) throws {
        #expect(try Message(reading: OctetString(header + "\n\n")).root.fileName(using: BuiltInCharsets()) == expected)
    }
}
