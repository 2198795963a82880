import Composition
import Foundation
import InternetMessage
import Octets
import TestSupport
import Testing

@Suite("The result in texts of every charset and transfer encoding")
struct BannerCharsetTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        /// The Content-Type field's body, nil for none.
        let type: String?
        /// None is written for nil.
        var encoding: String?
        let body: [UInt8]
        /// As which charset the part is declared afterwards, and as what it reads.
        let charset: String
        let text: String
        /// The signer in the result, and the expected reading of the name.
        var signer = "Jörg"
        var shownSigner = "Jörg"
        /// True if the charset cannot be the declared one.
        var isDamaged = false
        var testDescription: String { name }
    }

    private static func latin(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8($0.value) } }

    static let cases = [
        Case(
            name: "no Content-Type", type: nil, body: Array("hello\r\n".utf8), charset: "utf-8", text: "hello\r\n"),
        Case(
            name: "us-ascii", type: "text/plain; charset=us-ascii; x=y", encoding: "7bit",
            body: Array("hello\r\n".utf8), charset: "utf-8", text: "hello\r\n"),
        Case(
            name: "us-ascii, all in it", type: "text/plain; charset=US-ASCII", encoding: "7bit",
            body: Array("hello\r\n".utf8), charset: "us-ascii", text: "hello\r\n", signer: "Joerg", shownSigner: "Joerg"
        ),
        Case(
            name: "us-ascii that is none", type: "text/plain", encoding: "8bit", body: latin("h\u{E4}llo\r\n"),
            charset: "us-ascii", text: "h\u{FFFD}llo\r\n", shownSigner: "J?rg",
            isDamaged: true),
        Case(
            name: "utf-8", type: "text/plain; charset=UTF-8", encoding: "8bit", body: Array("h\u{E4}llo\r\n".utf8),
            charset: "utf-8", text: "h\u{E4}llo\r\n"),
        Case(
            name: "utf-8 in base64", type: "text/plain; charset=utf-8", encoding: "base64",
            body: Array((Base64.encode(Array("h\u{E4}llo".utf8)) + "\r\n").utf8), charset: "utf-8", text: "h\u{E4}llo"),
        Case(
            name: "iso-8859-1 in quoted-printable", type: "text/plain; charset=\"ISO-8859-1\"",
            encoding: "quoted-printable", body: Array("h=E4llo =\r\nyou\r\n".utf8), charset: "iso-8859-1",
            text: "h\u{E4}llo you\r\n"),
        Case(
            name: "iso-8859-1 in 8bit, a name beyond it", type: "text/plain; charset=iso-8859-1; format=flowed",
            encoding: "8bit", body: latin("h\u{E4}llo \r\nyou\r\n"), charset: "utf-8", text: "h\u{E4}llo \r\nyou\r\n",
            signer: "Łukasz", shownSigner: "Łukasz"),
        Case(
            name: "windows-1252 in base64, a name beyond it", type: "text/plain; charset=windows-1252",
            encoding: "base64", body: Array((Base64.encode([0x80, 0x20, 0xE4]) + "\r\n").utf8), charset: "utf-8",
            text: "\u{20AC} \u{E4}", signer: "日本", shownSigner: "日本"),
        Case(
            name: "windows-1252 with octets that it has not", type: "text/plain; charset=windows-1252",
            encoding: "8bit", body: [0x81, 0x0D, 0x0A], charset: "windows-1252", text: "\u{FFFD}\r\n",
            signer: "日本", shownSigner: "??", isDamaged: true),
        Case(
            name: "iso-8859-15", type: "text/plain; charset=iso-8859-15", encoding: "8bit",
            body: [0xA4, 0x0D, 0x0A], charset: "iso-8859-15", text: "\u{20AC}\r\n"),
        Case(
            name: "iso-8859-15, a name beyond it", type: "text/plain; charset=iso-8859-15", encoding: "8bit",
            body: [0xA4, 0x0D, 0x0A], charset: "iso-8859-15", text: "\u{20AC}\r\n", signer: "J\u{F6}rg \u{BD}",
            shownSigner: "J?rg ?"),
        Case(
            name: "koi8-r", type: "text/plain; charset=koi8-r", encoding: "8bit", body: [0xC1, 0x0D, 0x0A],
            charset: "koi8-r", text: "\u{430}\r\n", shownSigner: "J?rg"),
        Case(
            name: "shift_jis in base64", type: "text/plain; charset=shift_jis", encoding: "base64",
            body: Array((Base64.encode([0x82, 0xA0]) + "\r\n").utf8), charset: "shift_jis", text: "\u{3042}",
            shownSigner: "J?rg"),
        Case(
            name: "format=flowed", type: "text/plain; charset=utf-8; format=flowed; delsp=yes", encoding: "7bit",
            body: Array("one \r\ntwo\r\n".utf8), charset: "utf-8", text: "one \r\ntwo\r\n"),
    ]

    private static func composed(_ given: Case, _ rule: ResultComposition.Rule) throws -> OctetString {
        let raw =
            Array("From: a@b.test\r\nMIME-Version: 1.0\r\n".utf8)
            + Array((given.type.map { "Content-Type: \($0)\r\n" } ?? "").utf8)
            + Array((given.encoding.map { "Content-Transfer-Encoding: \($0)\r\n" } ?? "").utf8)
            + [0x0D, 0x0A] + given.body
        let intake = try Given.intake(OctetString(raw))
        var result = ResultText(.trusted, entry: "e1")
        result.signers = [given.signer]
        return ResultComposition(rule: rule, result: result, answers: [], addedFields: [], token: "00ff")
            .compose(intake.message, read: try intake.message.read()).collected()
    }

    @Test("reads correctly in Python, and the text that was there reads as before", arguments: [true, false])
    func charset(_ isAtTop: Bool) async throws {
        let messages = try Self.cases.map { try Self.composed($0, isAtTop ? .top : .bottom) }
        let readings = try await BannerReading.of(messages.map(\.array), reference: "Reference: e1")
        try #require(readings.count == Self.cases.count)
        for (given, (whole, reading)) in zip(Self.cases, zip(messages, readings)) {
            #expect(whole.allSatisfy { $0 < 0x80 }, "fit for every way")
            #expect(reading.parts.count == 1 && reading.defects.isEmpty != given.isDamaged, "\(given): \(reading)")
            let type = try Message(reading: whole).root.contentType
            #expect((type.parameter("charset")?.text ?? "us-ascii").lowercased() == given.charset, "\(given)")
            for parameter in ["format=flowed", "delsp=yes", "x=y"] where given.type?.contains(parameter) == true {
                let name = String(parameter.prefix { $0 != "=" })
                #expect(type.parameter(name)?.text == String(parameter.dropFirst(name.count + 1)), "\(given)")
            }
            let text = try #require(reading.texts.first)
            #expect(isAtTop ? text.hasSuffix(given.text) : text.hasPrefix(given.text), "\(given): \(text)")
            #expect(text.contains("  Signed by:      \(given.shownSigner)\r\n"), "\(given): \(text)")
            let ours = text.split(separator: "\r\n").filter { $0.hasPrefix("*") || $0.hasPrefix("  ") }
            #expect(ours.allSatisfy { !$0.hasSuffix(" ") }, "a flowed line would take the next one in")
        }
    }
}
