import MailEnvelope
import Octets
import Testing

@Suite("Encoded-words (RFC 2047)")
struct EncodedWordTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let raw: String
        let text: String

        init(_ raw: String, _ text: String) {
            self.raw = raw
            self.text = text
        }

        var testDescription: String { raw }
    }

    static let cases = [
        Case("plain = text", "plain = text"),
        Case("=?US-ASCII?Q?Keith_Moore?= <moore@cs.test>", "Keith Moore <moore@cs.test>"),
        Case("=?ISO-8859-1?Q?Andr=E9?= Pirard", "André Pirard"),
        Case(
            "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n =?UTF-8?B?dSB1bmRlcnN0YW5k?=",
            "If you can read this you understand"),
        Case("(=?ISO-8859-1?Q?a?=)", "(a)"),
        Case("(=?ISO-8859-1?Q?a?= b)", "(a b)"),
        Case("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"),
        Case("=?ISO-8859-1?Q?a_b?=", "a b"),
        Case("=?utf-8?Q?=E2=82?= =?utf-8?Q?=AC?=", "€"),
        Case("=?utf-8?B?4oI=?=\n =?UTF-8?B?rA==?=", "€"),
        Case("=?utf-8*de?Q?=C3=BC?=", "ü"),
        Case("=?utf-8?Q?a b?= c", "a b c"),
        Case("a=?utf-8?Q?b?=c", "abc"),
        Case("=?utf-8?Q?a?==?utf-8?Q?b?=", "ab"),
        Case("=?x-none?Q?a?= =?utf-8?Q?b?=", "=?x-none?Q?a?= b"),
        Case("=?windows-1252?Q?=80?=", "€"),
        Case("=?utf-8?Q?=C3?=", "\u{FFFD}"),
        Case("=?utf-8?Q?100=?=", "100="),
        Case("=?utf-8?X?a?=", "=?utf-8?X?a?="),
        Case("=?utf-8?Q?open", "=?utf-8?Q?open"),
        Case("=?utf-8?Q?a?b?=", "=?utf-8?Q?a?b?="),
        Case("=?=?utf-8?Q?a?=", "=?a"),
        Case("=??Q?a?=", "=??Q?a?="),
        Case("Grüße", "Grüße"),
    ]

    @Test("are decoded in every place", arguments: cases)
    func decode(_ given: Case) {
        #expect(EncodedWords.decode(Array(given.raw.utf8), using: BuiltInCharsets()) == given.text)
        #expect(
            EncodedWords.decode(
                given.raw.replacing("\r\n", with: "").replacing("\n", with: ""), using: BuiltInCharsets()) == given.text
        )
    }

    @Test("octets that are not UTF-8 are read as western")
    func unlabelled() {
        #expect(EncodedWords.decode([0x47, 0x72, 0xFC, 0xDF, 0x65], using: BuiltInCharsets()) == "Grüße")
    }
}
