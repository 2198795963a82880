import Composition
import InternetMessage
import Octets
import TestSupport
import Testing

@Suite("Untrusted text stays in its place (docs/promises.md, H1, H3, H6)")
struct HostileTextTests {
    static let payloads = HostileText.lines

    /// Characters that act on a screen or cannot be seen.
    private static func acts(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: true
        default: scalar.properties.isDefaultIgnorableCodePoint
        }
    }

    /// Fields of a header that has nothing but fields, in lines of at most 998 octets of printable US-ASCII.
    private func fields(of text: String) throws -> [HeaderField] {
        let octets = OctetString(text)
        for line in text.utf8.split(separator: 0x0A) {
            #expect(line.count <= 999, "a line of \(line.count) octets")
            #expect(line.allSatisfy { ($0 >= 0x20 && $0 < 0x7F) || $0 == 0x0D })
            #expect(line.last == 0x0D)
            #expect(line.contains { $0 > 0x20 }, "a line of blanks ends the header once they are stripped")
        }
        let header = try Header(reading: octets)
        #expect(header.range == 0..<octets.count)
        return header.fields
    }

    @Test("in a line of plain text", arguments: payloads)
    func plainTextLine(_ payload: String) {
        let line = UntrustedText.plainTextLine(payload)
        #expect(!line.unicodeScalars.contains(where: Self.acts))
        #expect(line.unicodeScalars.count <= 503)
        #expect(!line.hasPrefix(" ") && !line.hasSuffix(" "))
        #expect(UntrustedText.plainTextLine(line) == line || line.hasSuffix("..."))
    }

    @Test("in HTML", arguments: payloads)
    func htmlText(_ payload: String) {
        let text = UntrustedText.htmlText(payload)
        #expect(!text.unicodeScalars.contains { "<>\"'`".unicodeScalars.contains($0) })
        #expect(!text.unicodeScalars.contains(where: Self.acts))
    }

    @Test("in a header", arguments: payloads)
    func headerText(_ payload: String) throws {
        let text = UntrustedText.headerText(payload)
        let read = try fields(of: "Subject: x " + text + "\r\n")
        #expect(read.map(\.name) == ["Subject"])
        #expect(
            !EncodedWords.decode(read[0].unfoldedBody, using: BuiltInCharsets()).unicodeScalars.contains(
                where: Self.acts))
    }

    @Test("in the envelope block", arguments: payloads)
    func envelopeBlock(_ payload: String) throws {
        let block = EnvelopeBlock(
            envelope: Envelope(sender: .null, recipients: [Given.bob], source: .block), entry: payload,
            outcome: payload, workflow: payload, reason: payload)
        let octets = block.rendered()
        let names = try fields(of: octets.text).map(\.name)
        #expect(
            Set(names).isSubset(of: [
                "Return-Path", "Envelope-To", "X-SES-Entry", "X-SES-Outcome", "X-SES-Workflow", "X-SES-Reason",
                "X-SES-Origin", "X-SES-End",
            ]))
        #expect(names.filter { $0 == "X-SES-End" }.count == 1 && names.last == "X-SES-End")
        #expect(try EnvelopeBlock(parsing: octets).envelope.recipients == [Given.bob])
    }

    @Test("in Authentication-Results", arguments: payloads)
    func authenticationResults(_ payload: String) throws {
        let field = AuthenticationResults(
            authservID: Given.authservID, result: .fail, reason: payload,
            signers: [
                .init(identifier: payload, issuer: payload, serial: payload), .init(identifier: payload),
            ]
        ).field
        let read = try fields(of: field)
        #expect(read.map(\.name) == ["Authentication-Results"])
        // Outside of quotes stands only what is ours.
        var bare = ""
        var isQuoted = false
        var isEscaped = false
        for character in read[0].text.unicodeScalars {
            if isEscaped {
                isEscaped = false
            } else if isQuoted && character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                isQuoted.toggle()
            } else if !isQuoted {
                bare.unicodeScalars.append(character)
            }
        }
        #expect(!isQuoted)
        let words = bare.split { $0 == " " || $0 == ";" }.map { $0.prefix { $0 != "=" } }
        let known: Set<Substring> = [
            "ses.example.test", "smime", "reason", "body.smime-identifier", "body.smime-issuer", "body.smime-serial",
        ]
        #expect(words.allSatisfy(known.contains), "\(bare)")
        #expect(!bare.contains("smime=pass"))
    }

    @Test("in a result, as text and as HTML, also decoded by Python")
    func results() async throws {
        for payload in Self.payloads {
            let result = Self.result(payload)
            let lines = result.plain.split(separator: "\r\n", omittingEmptySubsequences: false)
            #expect(lines.first?.hasPrefix("*** Signature check: not trusted ***") == true)
            #expect(lines.filter { $0.hasPrefix("***") }.count == 2, "\(result.plain)")
            #expect(lines.dropFirst().dropLast(2).allSatisfy { $0.hasPrefix("  ") }, "\(result.plain)")
            #expect(lines.allSatisfy { $0.count <= 76 && $0.last != " " }, "\(result.plain)")
            #expect(!result.plain.unicodeScalars.contains { Self.acts($0) && $0 != "\r" && $0 != "\n" })
            #expect(result.html.utf8.allSatisfy { $0 < 0x80 })
            let clean = Self.result("x")
            #expect(
                result.html.count { $0 == "<" } == clean.html.count { $0 == "<" } || payload.allSatisfy(\.isWhitespace)
                    || UntrustedText.plainTextLine(payload).isEmpty)
        }
    }

    static func result(_ payload: String) -> ResultText {
        var result = ResultText(.notTrusted, entry: payload)
        result.signers = [payload]
        result.author = payload
        result.mismatch = payload + "m"
        result.signingTimes = [payload]
        result.reasons = [payload]
        result.serverMessages = [payload + "s"]
        var attachment = ResultText.Attachment(name: payload, .notTrusted)
        attachment.signatureName = payload
        attachment.signatures = [payload, nil].map {
            ResultText.Signature(
                .notTrusted, signer: $0, times: [payload], field: $0, reasons: [payload + "a"])
        }
        attachment.reasons = [payload + "b"]
        result.attachments = [attachment, ResultText.Attachment(name: nil, .notSigned)]
        result.remarks = [payload + "n"]
        result.foreignClaims = [payload + "f"]
        return result
    }

    @Test("in a notice: Python finds our fields, our parts and no others")
    func notices() async throws {
        var messages: [[UInt8]] = []
        for payload in Self.payloads {
            // In the header of a message a stranger has no raw line ends, but can use encoded-words.
            let words = EncodedWord.encode(payload)
            let intake = try Given.intake(
                "From: \(words) <a@b.test>\nTo: c@d.test\nSubject: \(words)\nDate: \(words)\nMessage-ID: <\(words)@x>\n\nhello\n"
            )
            let notice = Notice(
                from: Given.alice, to: Given.bob, what: "Message was not signed", why: payload, workflow: payload,
                serverMessage: payload, entry: payload, result: Self.result(payload),
                answers: [ServerAnswer(OctetString("<x/>"), entry: payload)], original: .headerOnly(intake.message))
            let octets = notice.compose(date: MailDate(unixSeconds: 1_790_000_000), token: "0123456789abcdef")
                .collected()
            let message = try Message(reading: octets)
            #expect(
                message.header.fields.map(\.name).filter { $0 != "References" } == [
                    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
                ])
            #expect(
                message.root.children.map(\.contentType.mediaType) == [
                    "multipart/alternative", "application/xml", "text/rfc822-headers",
                ], "\(payload)")
            #expect(octets.allSatisfy { $0 < 0x80 })
            #expect(octets.split(separator: 0x0A).allSatisfy { $0.count <= 999 })
            messages.append(octets.array)
        }
        for message in [messages[0], messages[5], messages[20]] {
            let reading = try await PythonReading.of(message)
            #expect(reading.defects.isEmpty)
            #expect(
                reading.parts.map(\.type) == [
                    "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "application/xml",
                    "text/rfc822-headers",
                ])
            #expect(reading.values("Bcc").isEmpty)
            #expect(reading.part("text/plain")?.text?.contains("not trusted") == true)
        }
    }
}
