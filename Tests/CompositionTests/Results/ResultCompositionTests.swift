import Composition
import InternetMessage
import Octets
import TestSupport
import Testing

@Suite("Showing the result")
struct ResultCompositionTests {
    static let token = "0123456789abcdef"
    static let received = "Received: by ses.example.test (SES) id x;\r\n now\r\n"

    private func composed(
        _ rule: ResultComposition.Rule, _ text: String, answer: Bool = false, verdict: ResultText.Verdict = .notTrusted
    ) throws -> OctetString { try composed(rule, OctetString(text), answer: answer, verdict: verdict) }

    private func composed(
        _ rule: ResultComposition.Rule, _ raw: OctetString, answer: Bool = false,
        verdict: ResultText.Verdict = .notTrusted
    ) throws -> OctetString {
        let intake = try Given.intake(raw)
        let response = ServerAnswer(OctetString("<VerifyResponse/>"), entry: "e1")
        var result = HostileTextTests.result("Grüße")
        if answer { result.responseName = response.name }
        return ResultComposition(
            rule: rule, result: result, answers: answer ? [response] : [],
            addedFields: [Self.received], token: Self.token
        ).compose(intake.message, read: try intake.message.read()).collected()
    }

    static let signed =
        "From: a@b.test\nSubject: s\nContent-Type: multipart/signed; boundary=b; protocol=\"application/pkcs7-signature\"\n\n"
        + "--b\n\nhi\n--b\nContent-Type: application/pkcs7-signature\n\nAA==\n--b--\n"

    @Test("the original goes on byte for byte below the added fields", arguments: ["\n", "\r\n"])
    func original(_ lineEnd: String) throws {
        let text = Self.signed.replacing("\n", with: lineEnd)
        let whole = try composed(.original, text, answer: true)
        #expect(whole == OctetString(Self.received + text))
    }

    @Test("the original travels octet for octet within a new mail that stands in its place")
    func enclosed() async throws {
        let text =
            "Return-Path: <a@b.test>\nReceived: by mx; then\nFrom: =?utf-8?Q?J=C3=B6rg?= <a@b.test>\nTo: c@d.test\nDate: Mon, 5 Jan 2026 10:00:00 +0000\n"
            + "Subject: s\nReply-To: r@b.test\nMessage-ID: <1@b.test>\nX-Other: x\nDKIM-Signature: v=1\n\nGrüße"
        let whole = try composed(.originalAsAttachment, text, answer: true)
        let reading = try await PythonReading.of(whole.array)
        #expect(reading.defects.isEmpty)
        #expect(
            reading.parts.map(\.type) == [
                "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "application/xml",
                "message/rfc822",
                "text/plain",
            ])
        #expect(
            reading.fields.compactMap(\.first) == [
                "Received", "Received", "From", "To", "Date", "Subject", "Reply-To", "Message-ID", "MIME-Version",
                "Content-Type", "Content-Transfer-Encoding",
            ])
        let read = try Message(reading: whole)
        let part = try #require(read.root.children.last)
        #expect(part.body == Given.crlf(String(text.split(separator: "\n", maxSplits: 1)[1])))
        #expect(part.transferEncoding == .eightBit && read.root.transferEncoding == .eightBit)
        #expect(reading.parts[2].text?.contains("Grüße") == true)
        #expect(reading.parts[4].name == "verification-response-e1.xml")
    }

    @Test(
        "a message that message/rfc822 cannot carry travels as a file in base64",
        arguments: [
            "From: a@b.test\n\nNUL \u{0}\n", "From: a@b.test\r\n\r\na\rb\r\n", "From: a@b.test\r\n\r\nmixed\n\r\n",
            "From: a@b.test\n\n" + String(repeating: "x", count: 999) + "\n",
        ])
    func asFile(_ text: String) throws {
        let read = try Message(reading: try composed(.originalAsAttachment, text))
        let part = try #require(read.root.children.last)
        #expect(part.contentType.mediaType == "application/octet-stream")
        #expect(part.fileName(using: BuiltInCharsets()) == "original.eml")
        #expect(part.decodedBody == OctetString(text))
    }

    @Test("signed and encrypted mail is never edited", arguments: [ResultComposition.Rule.top, .bottom])
    func untouched(_ rule: ResultComposition.Rule) throws {
        let encrypted = "From: a@b.test\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nAAAA\n"
        let pgp = "From: a@b.test\nContent-Type: multipart/encrypted; boundary=b\n\n--b\n\nx\n--b--\n"
        let partly =
            "Content-Type: multipart/mixed; boundary=o\n\n--o\n" + Self.signed.split(separator: "\n", maxSplits: 2)[2]
            + "\n--o--\n"
        let enclosing =
            "Content-Type: multipart/mixed; boundary=o\n\n--o\n\nhi\n--o\nContent-Type: application/pkcs7-mime; smime-type=signed-data\n\n"
            + "AAAA\n--o--\n"
        for text in [Self.signed, encrypted, pgp, partly, enclosing] {
            let root = try Message(reading: try composed(rule, text)).root
            #expect(root.children.map(\.contentType.mediaType) == ["multipart/alternative", "message/rfc822"])
            #expect(root.children.last?.body == Given.crlf(text))
        }
    }

    struct Body: CustomTestStringConvertible, Sendable {
        let what: String
        let text: String
        let words: [String]
        var isWrapped = false
        var testDescription: String { what }
    }

    static let bodies: [Body] = [
        Body(what: "plain", text: "From: a@b.test\n\nhello\n", words: ["hello\r\n"]),
        Body(what: "plain without a line end", text: "From: a@b.test\n\nhello", words: ["hello"]),
        Body(
            what: "latin-1",
            text:
                "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nh=E4llo\n",
            words: ["h\u{FFFD}llo\r\n"]),
        Body(
            what: "base64 in UTF-8",
            text: "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\naMOkbGxv\n",
            words: ["hällo"]),
        Body(
            what: "8bit", text: "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nhällo\n",
            words: ["hällo\r\n"]),
        Body(
            what: "html",
            text:
                "Content-Type: text/html; charset=utf-8\n\n<!DOCTYPE html><html><head><title>x</title></head><body bgcolor=\"white\"><p>hello</p></body></html>\n",
            words: ["<p>hello</p>"]),
        Body(
            what: "both, with a file",
            text: String(decoding: MailSamples.withAttachment(), as: UTF8.self).replacing("\r\n", with: "\n"),
            words: ["The terms are attached.", "<p>The terms are attached.</p>"]),
        Body(
            what: "html with a style sheet",
            text: "Content-Type: text/html\n\n<style>*{display:none}</style><p>hello\n",
            words: ["<p>hello\r\n"], isWrapped: true),
        Body(
            what: "utf-16",
            text: "Content-Type: text/plain; charset=utf-16\nContent-Transfer-Encoding: base64\n\naABpAA==\n",
            words: ["h\u{0}i\u{0}"], isWrapped: true),
        Body(
            what: "only a file", text: "Content-Type: application/pdf; name=x.pdf\n\n%PDF\n", words: [], isWrapped: true
        ),
        Body(
            what: "a calendar beside the text",
            text:
                "Content-Type: multipart/alternative; boundary=b\n\n--b\n\nhi\n--b\nContent-Type: text/calendar\n\nBEGIN\n--b--\n",
            words: ["hi"], isWrapped: true),
        Body(
            what: "a message alone", text: "Content-Type: message/rfc822\n\nSubject: x\n\nhi\n", words: ["hi\r\n"],
            isWrapped: true),
        Body(what: "no body", text: "Subject: x\n\n", words: []),
        Body(
            what: "two types, of which readers take one or the other",
            text: "Content-Type: text/plain\nContent-Type: text/html\n\n<style>*{display:none}</style>\n",
            words: ["<style>*{display:none}</style>\r\n"], isWrapped: true),
        Body(
            what: "two encodings", text: "Content-Transfer-Encoding: 8bit\nContent-Transfer-Encoding: base64\n\nhi\n",
            words: ["hi\r\n"], isWrapped: true),
        Body(
            what: "two charsets", text: "Content-Type: text/plain; charset=utf-8; charset=utf-16\n\nhi\n",
            words: ["hi\r\n"], isWrapped: true),
        Body(
            what: "a type that only some can read", text: "Content-Type: text/html charset=utf-8\n\n<p>hi\n",
            words: [], isWrapped: true),
        Body(
            what: "two types further down",
            text: "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n"
                + "Content-Type: text/html\n\n<style>*{display:none}</style>\n--b--\n",
            words: ["<style>*{display:none}</style>"], isWrapped: true),
    ]

    @Test("the text gets the result in its place, and keeps its content", arguments: bodies, [true, false])
    func edited(_ body: Body, _ isAtTop: Bool) async throws {
        let whole = try composed(isAtTop ? .top : .bottom, body.text)
        #expect(whole.starts(with: Self.received.utf8))
        let reading = try await PythonReading.of(whole.array)
        #expect(reading.defects.isEmpty)
        let texts = reading.parts.filter { $0.type == "text/plain" || $0.type == "text/html" }.compactMap(\.text)
        for words in body.words {
            #expect(texts.contains { $0.contains(words) }, "\(texts)")
        }
        let before = try Message(reading: Given.crlf(body.text)).root.walk(.ownParts).count
        let after = try Message(reading: whole).root.walk(.ownParts).count
        #expect(after == before + (body.isWrapped ? 4 : 0))
        for text in texts where !body.isWrapped {
            let banner = try #require(text.firstRange(of: "Signature check"))
            let words = body.words.lazy.compactMap { text.firstRange(of: $0) }.first
            if let words { #expect((banner.lowerBound < words.lowerBound) == isAtTop) }
        }
        if body.isWrapped {
            let kinds = try Message(reading: whole).root.children.map(\.contentType.mediaType)
            #expect(kinds.count == 2 && kinds[isAtTop ? 0 : 1] == "multipart/alternative")
        }
    }

    @Test("the server's answer stands beside an edited text")
    func answer() async throws {
        let reading = try await PythonReading.of(try composed(.top, Self.bodies[6].text, answer: true).array)
        #expect(
            reading.parts.map(\.type) == [
                "multipart/mixed", "multipart/mixed", "multipart/alternative", "text/plain", "text/html",
                "application/octet-stream", "application/xml",
            ])
        #expect(reading.parts[5].digest != nil && reading.parts[6].text == "<VerifyResponse/>")
        #expect(reading.parts[3].text?.contains("verification-response-e1.xml") == true)
    }

    @Test(
        "hostile HTML gets the result in a part of its own",
        arguments: [
            "<html><style>*{display:none}</style><body>x</body></html>", "<!-- open <body>x", "<plaintext>",
            "<body style=\"display:none\">x</body>",
            "</body><body>x", "<body><div style=\"position:fixed;top:0\">x</div></body>", "<body><textarea>x</body>",
            "<script>1</script>", "<body hidden>x</body>", "<body dir=rtl>x</body>",
            "<html><body>x</body></html><html>",
            "<body><a href=\"x\">y</body", "<body onload=x>y</body>", "<body><img src=x onerror=y></body>",
            "<svg><p>x</p></svg>",
            "<body><p title='<body>'>x</body>",
            "<!-->x-->", "<!--[if mso]>x<![endif]-->", "<body><select><option>x</body>", "<body><!-- a -- b --></body>",
            "<body><div style=\"margin-top:-500px\">x</div></body>", "<title><body>x", "<base href=x>",
            "<meta http-equiv=refresh content=0>",
            "<body a=\"1\"b=2>x</body>", "<body\u{0}>x</body>", "<frameset>", "<noscript>", "<body><b/c>x</body>",
            "text<body>x</body>",
        ], [true, false])
    func hostile(_ html: String, _ isAtTop: Bool) throws {
        let whole = try composed(isAtTop ? .top : .bottom, "Content-Type: text/html\n\n" + html + "\n")
        let children = try Message(reading: whole).root.children
        #expect(children.count == 2)
        #expect(children.contains { $0.body == Given.crlf(html + "\n") })
    }

    @Test("at the bottom of HTML that is left open the result stands apart; at the top it does not matter")
    func open() throws {
        let text = "Content-Type: text/html\n\n<html><body><div style=\"display:none\"><p>x</body></html>\n"
        #expect(try Message(reading: try composed(.top, text)).root.children.isEmpty)
        #expect(try Message(reading: try composed(.bottom, text)).root.children.count == 2)
    }

    @Test(
        "nothing is written into a header that readers end at different places",
        arguments: [
            "Fr\u{F6}m: a@b.test\nTo: c@d.test\n\nhello\n", "From: a@b.test\nno field\nTo: c@d.test\n\nhello\n",
        ])
    func doubtfulHeader(_ text: String) async throws {
        let whole = try composed(.top, text)
        let reading = try await PythonReading.of(whole.array)
        #expect(reading.defects.filter { $0 != "MissingHeaderBodySeparatorDefect" }.isEmpty)
        #expect(reading.parts.first?.type == "multipart/mixed")
        #expect(try Message(reading: whole).root.children.last?.body == Given.crlf(text))
    }

    @Test("damaged mail of every kind is shown without a crash, and never edited where it is signed")
    func damaged() throws {
        var random = SeededNumbers(seed: 11)
        let seeds = (Self.bodies.map(\.text) + [Self.signed]).map { Array($0.utf8) }
        for round in 0..<500 {
            var octets = seeds[round % seeds.count]
            for _ in 0..<Int.random(in: 1...5, using: &random) where !octets.isEmpty {
                let place = Int.random(in: 0..<octets.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: octets[place] = UInt8.random(in: 0...255, using: &random)
                case 1: octets.removeSubrange(place..<min(octets.count, place + 7))
                default: octets.insert(contentsOf: octets[..<min(place, 30)], at: place)
                }
            }
            if octets.isEmpty { continue }
            for rule in [ResultComposition.Rule.top, .bottom, .originalAsAttachment, .original] {
                let whole = try composed(rule, OctetString(octets), answer: round % 2 == 0)
                let root = try Message(reading: whole).root
                if rule != .original, case .multipartSigned = SMIMEForm.of(root) { Issue.record("an edit was signed") }
            }
        }
    }
}

@Suite("Notices")
struct NoticeTests {
    private func notice(_ original: Notice.Original) -> Message? {
        try? Message(
            reading: Notice(
                from: Given.alice, to: Given.bob, what: "A message was not signed", why: "the key is not known",
                workflow: "w", serverMessage: "no such key", entry: "e1", original: original
            ).compose(date: MailDate(unixSeconds: 1_790_000_000), token: "00ff").collected())
    }

    @Test("carries the original, its header, the raw file, or nothing")
    func originals() throws {
        let text = "From: c@d.test\nSubject: Grüße\nMessage-ID: <1@d.test>\n\nsecret\n"
        let intake = try Given.intake(text)
        let attached = try #require(notice(.attached(intake.message)))
        #expect(attached.root.children.last?.body == Given.crlf(text))
        #expect(attached.header.first("References")?.text == "<1@d.test>")
        #expect(attached.header.first("Auto-Submitted")?.text == "auto-generated")
        let header = try #require(notice(.headerOnly(intake.message)))
        #expect(header.root.children.last?.contentType.mediaType == "text/rfc822-headers")
        #expect(!header.octets.text.contains("secret"))
        let poison = OctetString([0, 255, 10] + Array("Subject: x".utf8))
        let raw = try #require(notice(.raw(poison)))
        #expect(raw.root.children.last?.decodedBody == poison)
        #expect(raw.header.first("Subject")?.text == "A message was not signed")
        #expect(notice(.none)?.root.children.count == 1)
    }

    @Test("reads the same in Python as for a person")
    func python() async throws {
        let intake = try Given.intake(
            "From: =?utf-8?Q?J=C3=B6rg?= <c@d.test>\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\n\nx\n")
        let reading = try await PythonReading.of(try #require(notice(.attached(intake.message))).octets.array)
        let text = try #require(reading.part("text/plain")?.text)
        for words in [
            "A message was not signed", "the key is not known", "no such key", "Jörg <c@d.test>", "Grüße", "e1",
        ] {
            #expect(text.contains(words), "\(text)")
        }
        #expect(reading.defects.isEmpty)
        #expect(reading.part("text/html")?.text?.contains("J&#246;rg &lt;c@d.test&gt;") == true)
    }

    @Test(
        "is never sent about a program's message, or to nobody",
        arguments: [
            ("Subject: x\n", true), ("Auto-Submitted: no\n", true), ("Auto-Submitted: No (really)\n", true),
            ("Auto-Submitted: auto-replied\n", false), ("auto-submitted: auto-generated; x=y\n", false),
            ("Auto-Submitted:\n", false), ("Auto-Submitted: no\nAuto-Submitted: auto-replied\n", false),
            (String(repeating: "Received: x\n", count: 51), false),
        ])
    func mayNotify(_ fields: String, _ wanted: Bool) throws {
        let header = try Given.intake(fields + "\nx\n").header
        #expect(Notice.mayNotify(sender: .address(Given.bob), header: header) == wanted)
        #expect(!Notice.mayNotify(sender: .null, header: header))
        #expect(!Notice.mayNotify(sender: nil, header: header))
    }
}
