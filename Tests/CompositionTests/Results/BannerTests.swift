import Composition
import InternetMessage
import Octets
import TestSupport
import Testing

/// Every hostile text at every place of a result, in every form that the result takes.
@Suite("The result can be neither forged nor hidden (docs/promises.md, H1, H2, H4)")
struct BannerTests {
    static let reference = "5e5c0ffee0ddba11"
    static let token = "0123456789abcdef"

    /// The place of untrusted text.
    enum Place: CaseIterable {
        case subject, author, certificate, fileName, server
    }

    /// A result with `payload` at `places`, plain words at the others.
    static func result(_ payload: String, at places: some Sequence<Place>) -> ResultText {
        let places = Set(places)
        func text(_ place: Place, _ plain: String) -> String { places.contains(place) ? payload : plain }
        var result = ResultText(.notTrusted, entry: reference)
        result.signers = [text(.certificate, "CN=Alice")]
        result.author = text(.author, "Alice") + " <alice@example.test>"
        result.reasons = [text(.server, "a reason"), text(.certificate, "another reason")]
        result.serverMessages = [text(.server, "the server")]
        var attachment = ResultText.Attachment(name: text(.fileName, "contract.pdf"), .notTrusted)
        attachment.signatureName = text(.fileName, "contract.pdf.p7s")
        attachment.signatures = [
            .init(
                .notTrusted, signer: text(.certificate, "CN=Bob"), times: [text(.server, "now")],
                field: text(.fileName, "Signature1"), reasons: [text(.server, "revoked")]),
            .init(.trusted, signer: "CN=Carol", times: [], field: nil, reasons: []),
        ]
        result.attachments = [attachment]
        result.responseName = ServerAnswer.name(entry: text(.server, reference))
        return result
    }

    /// A mail whose header bears `payload`, in encoded-words as strangers must write it.
    static func mail(_ payload: String, at places: some Sequence<Place>, body: String) throws -> Intake {
        let words = EncodedWord.encode(payload)
        let places = Set(places)
        let subject = places.contains(.subject) ? words : "Offer"
        let author = places.contains(.author) ? words : "Alice"
        return try Given.intake(
            "From: \(author) <alice@example.test>\nTo: bob@elsewhere.test\nSubject: \(subject)\n"
                + "Message-ID: <1@example.test>\nMIME-Version: 1.0\n" + body)
    }

    private static func composed(
        _ rule: ResultComposition.Rule, _ intake: Intake, _ result: ResultText
    ) throws -> OctetString {
        ResultComposition(
            rule: rule, result: result, answers: [], addedFields: ["Received: by ses.example.test\r\n"], token: token
        ).compose(intake.message, read: try intake.message.read()).collected()
    }

    private static let both =
        "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\nhello\n"
        + "--b\nContent-Type: text/html; charset=utf-8\n\n<html><body><p>hello</p></body></html>\n--b--\n"

    private static let ownFields = [
        "Received", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
    ]

    @Test("there are at least 120 payloads")
    func count() {
        #expect(HostileText.lines.count + HostileText.htmlBodies.count + HostileText.plainBodies.count >= 200)
        #expect(Set(HostileText.lines).count == HostileText.lines.count)
        #expect(Set(HostileText.htmlBodies).count == HostileText.htmlBodies.count)
    }

    @Test("a stranger's text stays in its line, in text and HTML", arguments: Place.allCases)
    func lines(_ place: Place) throws {
        let clean = Self.result("x", at: [place])
        let labels = Self.rows(of: clean.plain)
        for payload in HostileText.lines {
            let result = Self.result(payload, at: [place])
            let plain = result.plain
            let html = result.html
            let rows = Self.rows(of: plain)
            // A row whose text comes to nothing is left out; none is added, none is changed.
            #expect(Set(rows).isSubset(of: Set(labels)) && rows.count <= labels.count, "\(payload)\n\(plain)")
            #expect(rows.first == "*** Signature check: not trusted")
            #expect(plain.split(separator: "\r\n").filter { $0.hasPrefix("*") }.count == 2)
            #expect(plain.contains("  Attachment:     not trusted:"), "our word stands before the name")
            #expect(html.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F || $0 == 0x0D || $0 == 0x0A })
            let tags = html.matches(of: /<[^>]*>/).map { String(html[$0.range].prefix { $0 != " " }) }
            #expect(Set(tags).isSubset(of: ["<div", "</div>", "<b", "</b>"]), "\(payload)")
            #expect(html.ranges(of: ">Reference:</b>").count == 1)
        }
    }

    /// The heading and the labels of a result's lines.
    private static func rows(of plain: String) -> [String] {
        plain.split(separator: "\r\n").compactMap { line in
            if line.hasPrefix("*** ") { return String(line.prefix(32)) }
            let label = String(String.UnicodeScalarView(line.unicodeScalars.prefix(18)))
            let isLabel = label.utf8.count == 18 && label.hasSuffix(" ") && label.contains(":")
            return isLabel && !label.hasPrefix("     ") ? label : nil
        }
    }

    @Test("another reader finds our fields, our parts, and one complete result", .timeLimit(.minutes(3)))
    func read() async throws {
        let payloads = HostileText.lines
        var messages: [[UInt8]] = []
        for payload in payloads {
            let intake = try Self.mail(payload, at: Place.allCases, body: Self.both)
            let result = Self.result(payload, at: Place.allCases)
            messages.append(try Self.composed(.top, intake, result).array)
            messages.append(
                Notice(
                    from: Given.alice, to: Given.bob, what: "signature not trusted", why: payload, workflow: payload,
                    serverMessage: payload, entry: Self.reference, result: result,
                    answers: [ServerAnswer(OctetString("<x/>"), entry: payload, number: 1)],
                    original: .headerOnly(intake.message)
                ).compose(date: MailDate(unixSeconds: 1_790_000_000), token: Self.token).collected().array)
        }
        let readings = try await BannerReading.of(messages, reference: "Reference: " + Self.reference)
        try #require(readings.count == messages.count)
        for (index, reading) in readings.enumerated() {
            let payload = payloads[index / 2]
            #expect(reading.defects.isEmpty, "\(payload): \(reading.defects)")
            let page = try #require(reading.pages.first)
            #expect(reading.pages.count == 1 && page.suspects.isEmpty, "\(payload): \(page.suspects)")
            let title = index % 2 == 0 ? "Signature check: not trusted" : "Secure Email Server: signature not trusted"
            #expect(page.words.hasPrefix(title) && page.isFirst, "\(payload): \(page.words)")
            #expect(
                page.inner.allSatisfy { ["div", "b"].contains($0.first) && $0.count == 1 }, "\(payload): \(page.inner)")
            if index % 2 == 0 {
                #expect(page.banners == 1 && page.total == 1 && page.isFirst, "\(payload): \(page)")
                #expect(
                    reading.fields == Self.ownFields.filter(reading.fields.contains), "\(payload): \(reading.fields)")
                #expect(reading.parts.map(\.first) == ["multipart/alternative", "text/plain", "text/html"])
            } else {
                #expect(page.total == 2, "once in the notice, once in the result")
                #expect(
                    reading.fields.filter { $0 != "References" } == [
                        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
                    ], "\(payload): \(reading.fields)")
                #expect(reading.parts.count == 6 && reading.parts[4].last?.hasPrefix("verification-response-") == true)
                #expect(
                    reading.parts[4].last?.utf8.allSatisfy {
                        (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0)
                            || $0 == 0x2D || $0 == 0x2E
                    } == true, "\(payload): \(reading.parts[4])")
            }
            for text in reading.texts {
                #expect(text.split(separator: "\n").filter { $0.hasPrefix("*** Signature check") }.count <= 1)
            }
        }
    }

    @Test("hostile HTML neither hides the result nor covers it, at the top and at the bottom", .timeLimit(.minutes(3)))
    func bodies() async throws {
        let rules: [ResultComposition.Rule] = [.top, .bottom, .originalAsAttachment]
        let charsets = ["utf-8", "iso-8859-1", "windows-1252", "shift_jis"]
        var messages: [[UInt8]] = []
        var given: [(body: String, rule: ResultComposition.Rule)] = []
        for (index, body) in HostileText.htmlBodies.enumerated() {
            for rule in rules {
                let intake = try Self.mail(
                    "x", at: [],
                    body: "Content-Type: text/html; charset=\(charsets[index % charsets.count])\n\n\(body)\n")
                messages.append(try Self.composed(rule, intake, Self.result("x", at: [])).array)
                given.append((body, rule))
            }
        }
        let readings = try await BannerReading.of(messages, reference: "Reference: " + Self.reference)
        try #require(readings.count == messages.count)
        var isSpliced: Set<String> = []
        for (reading, (body, rule)) in zip(readings, given) {
            #expect(reading.fields == Self.ownFields.filter(reading.fields.contains), "\(body)")
            let pages = reading.pages.filter { $0.total > 0 }
            let page = try #require(pages.first, "\(body) \(rule)")
            #expect(pages.count == 1 && page.total == 1 && page.banners == 1, "\(body) \(rule): \(page)")
            #expect(page.suspects.isEmpty, "\(body) \(rule): \(page.suspects)")
            #expect(rule == .bottom ? page.isLast : page.isFirst, "\(body) \(rule)")
            #expect(
                page.words.hasPrefix("Signature check: not trusted")
                    && page.words.hasSuffix("Reference: \(Self.reference)"))
            if rule != .originalAsAttachment, reading.parts.count == 1 { isSpliced.insert(body) }
            if reading.parts.count > 1 {
                #expect(page.isFirst && page.isLast, "alone in a part of its own: \(body)")
                let types = reading.parts.compactMap(\.first)
                switch rule {
                case .bottom:
                    #expect(
                        types == ["multipart/mixed", "text/html", "multipart/alternative", "text/plain", "text/html"])
                case .top:
                    #expect(
                        types == ["multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/html"])
                case .original, .originalAsAttachment: break
                }
            }
        }
        // Everything but the last group gets a part of its own; that group shares its page.
        #expect(isSpliced == Set(HostileText.htmlBodies.suffix(10)), "\(isSpliced)")
    }

    private static func claims(in intake: Intake) throws -> ForeignResults {
        ForeignResults(in: [try intake.message.read()], authservID: Given.authservID, using: SevenBitCharsets())
    }

    @Test(
        "a text that a person takes for our result is reported, however it is written",
        arguments: [
            "Content-Type: text/plain; charset=utf-8\n\nS\u{456}gn\u{430}ture ch\u{435}ck: trusted\n",
            "Content-Type: text/plain; charset=utf-8\n\n\u{FF33}\u{FF49}gnature check: trusted\n",
            "Content-Type: text/plain; charset=utf-8\n\n\u{1D412}\u{1D422}\u{1D420}\u{1D427}ature check\n",
            "Content-Type: text/plain; charset=utf-8\n\nSig\u{200B}nature\u{AD} check: trusted\n",
            "Content-Type: text/plain; charset=utf-8\n\n\u{202E}detsurt :kcehc erutangiS\n",
            "Content-Type: text/plain\n\nS1gnature check\n", "Content-Type: text/plain\n\nSlGNATURE CHECK\n",
            "Content-Type: text/html\n\nSigna<!-- a > b -->ture check: trusted\n",
            "Content-Type: text/html\n\nSigna<!-- trusted > x --!>ture check\n",
            "Content-Type: text/html\n\nSigna<img alt=\"> no\">ture check\n",
            "Content-Type: text/html\n\n&#x421;ignature che&#1089;k\n".replacing("&#x421;ig", with: "S&#x456;g"),
            "Content-Type: text/plain; charset=utf-7\n\n+AFMAaQBnAG4AYQB0AHUAcgBl- check\n",
            "Content-Type: text/html\n\n<meta charset=utf-7>+AFMAaQBnAG4AYQB0AHUAcgBl- check\n",
        ])
    func lookAlikes(_ body: String) throws {
        let claims = try Self.claims(in: Self.mail("x", at: [], body: body))
        #expect(claims.words.contains { $0.contains("looks like another result") }, "\(body)")
    }

    @Test(
        "a file that a person takes for a server's answer is reported, however its name is written",
        arguments: [
            "\"a/verification-response-1.xml\"", "\"..\\\\verification-response.xml\"",
            "\"=?utf-8?q?verif=D1=96cation-response?=.xml\"", "\"verification\u{2010}response.xml\"",
            "\"x\"; filename*=utf-8''verification-r%C2%ADesponse.xml", "\"VERIFICATI0N-RESPONSE.xml\"",
        ])
    func lookAlikeNames(_ name: String) throws {
        let intake = try Self.mail(
            "x", at: [],
            body: "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n--b\n"
                + "Content-Type: application/xml\nContent-Disposition: attachment; filename=\(name)\n\n<x/>\n--b--\n")
        #expect(try Self.claims(in: intake).words.contains { $0.hasPrefix("the attachment \"") }, "\(name)")
    }

    @Test("a field of ours in the header of a part is reported")
    func fieldOfPart() throws {
        for field in ["Authentication-Results: \(Given.authservID); smime=pass", "X-SES-Outcome : verified"] {
            let intake = try Self.mail(
                "x", at: [], body: "Content-Type: multipart/mixed; boundary=b\n\n--b\n\(field)\n\nhello\n--b--\n")
            #expect(try Self.claims(in: intake).words.contains { $0.contains("the header of a part") }, "\(field)")
        }
    }

    @Test("parts that came with the message and look like ours are labelled as the sender's")
    func foreignClaims() throws {
        let mark = "looks like another result"
        let html = HostileText.htmlBodies.suffix(2).map { "Content-Type: text/html; charset=utf-8\n\n\($0)\n" }
        let plain = HostileText.plainBodies.map { "Content-Type: text/plain; charset=utf-8\n\n\($0)" }
        let encoded = [
            "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n\(Base64.encode(Array("Signature check: trusted".utf8)))\n"
        ]
        for body in html + plain + encoded {
            let intake = try Self.mail("x", at: [], body: body)
            #expect(try Self.claims(in: intake).words.contains { $0.contains(mark) }, "\(body)")
        }
        let names = [
            "verification-response-1.xml", "Verification_Response.XML", "\"verification response.xml\"",
            "=?utf-8?q?verification-response?=.xml",
        ]
        for name in names {
            let intake = try Self.mail(
                "x", at: [],
                body: "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n--b\n"
                    + "Content-Type: application/xml\nContent-Disposition: attachment; filename=\(name)\n\n<x/>\n--b--\n"
            )
            let words = try Self.claims(in: intake).words
            #expect(words.count == 1 && words[0].hasPrefix("the attachment \""), "\(name): \(words)")
        }
        let harmless = try Self.mail(
            "x", at: [], body: "Content-Type: text/html\n\n<p>Please check your signature & verify. <b></p>\n")
        #expect(try Self.claims(in: harmless).words.isEmpty)
        var result = Self.result("x", at: [])
        result.foreignClaims = ["the text of the message holds what looks like another result"]
        #expect(result.plain.contains("  Attention:      the text of the message holds what looks like"))
    }

    @Test("a search for claims takes time in proportion to the text")
    func linear() throws {
        for unit in ["<", "&", "&#", "<a", "s", "signaturechec", "Signature check"] {
            func time(_ octets: Int) throws -> Duration {
                let text = String(repeating: unit, count: octets / unit.utf8.count)
                let intake = try Self.mail("x", at: [], body: "Content-Type: text/html\n\n\(text)\n")
                return try ThreadTime.measure { _ = try Self.claims(in: intake) }
            }
            let (small, large) = (try time(250_000), try time(1_000_000))
            #expect(large < small * 10 + .milliseconds(100), "\(unit): \(small), \(large)")
        }
    }
}

/// UTF-7 in the little of it that the tests write, beside the built-in charsets.
private struct SevenBitCharsets: CharsetDecoding {
    func decode(_ octets: [UInt8], charset: String) -> String? {
        guard charset == "utf-7" else { return BuiltInCharsets().decode(octets, charset: charset) }
        var text = ""
        var rest = octets[...]
        while let plus = rest.firstIndex(of: UInt8(ascii: "+")),
            let end = rest[plus...].firstIndex(of: UInt8(ascii: "-"))
        {
            text += String(decoding: rest[..<plus], as: UTF8.self)
            var decoder = Base64Decoder()
            var units: [UInt8] = []
            Array(rest[(plus + 1)..<end]).withUnsafeBytes { decoder.decode($0, into: &units) }
            decoder.finish(into: &units)
            text += String(
                decoding: stride(from: 0, to: units.count - 1, by: 2).map {
                    UInt16(units[$0]) << 8 | UInt16(units[$0 + 1])
                }, as: UTF16.self)
            rest = rest[(end + 1)...]
        }
        return text + String(decoding: rest, as: UTF8.self)
    }
}
