import Glibc
import InternetMessage
import Testing

@testable import MessageInspection

@Suite("Charsets")
struct CharsetsTests {
    struct Case: CustomTestStringConvertible {
        let charset: String
        let octets: [UInt8]
        let text: String
        var testDescription: String { charset }

        init(_ charset: String, _ octets: [UInt8], _ text: String) {
            self.charset = charset
            self.octets = octets
            self.text = text
        }
    }

    @Test("a set that cannot be loaded is a fault of the machine, one that there is not is none")
    func faults() async {
        func conversion(_ number: Int32) async -> Int32? {
            let (isKnown, noted) = await ConversionFaults.noting {
                switch CharsetConversion(
                    from: "KOI8-R",
                    open: { _, _ in
                        errno = number
                        return iconv_t(bitPattern: -1)
                    })
                {
                case .some: true
                case .none: false
                }
            }
            #expect(!isKnown)
            return noted
        }
        for number in [EMFILE, ENFILE, ENOMEM, EIO] { #expect(await conversion(number) == number) }
        #expect(await conversion(EINVAL) == nil)
        let good = await ConversionFaults.noting { Charsets().decode([0xD0], charset: "koi8-r") }
        #expect(good.result == "п" && good.errno == nil)
    }

    @Test(
        "are known by the names that mail uses",
        arguments: [
            Case("UTF-8", [0xC3, 0xA9], "é"), Case("utf8", [0xC3, 0xA9], "é"), Case("us-ascii", [0x41], "A"),
            Case("ISO-8859-1", [0xE9, 0x80], "é€"), Case("iso_8859-1:1987", [0xE9], "é"), Case("latin1", [0xE9], "é"),
            Case("iso-8859-2", [0xB9], "š"), Case("ISO8859-5", [0xDF], "п"), Case("iso-8859-8-i", [0xE0], "א"),
            Case("iso-8859-15", [0xA4], "€"), Case("cp1252", [0x80, 0x93], "€“"), Case("Windows-1252", [0x80], "€"),
            Case("x-cp1251", [0xEF], "п"), Case("win-1250", [0x9E], "ž"), Case("koi8-r", [0xD0], "п"),
            Case("ibm850", [0x82], "é"), Case("macintosh", [0x8E], "é"), Case("tis-620", [0xA1], "ก"),
            Case("gb2312", [0xC4, 0xE3, 0xBA, 0xC3], "你好"), Case("GBK", [0x95, 0xB7], "暦"),
            Case("gb18030", [0x81, 0x30, 0x81, 0x30], "\u{80}"), Case("big5", [0xA7, 0x41], "你"),
            Case("ks_c_5601-1987", [0xC7, 0xD1], "한"), Case("euc-kr", [0xC7, 0xD1], "한"),
            Case("cp949", [0x81, 0x41], "갂"),
            Case("Shift_JIS", [0x93, 0xFA], "日"), Case("x-sjis", [0x93, 0xFA], "日"), Case("cp932", [0x87, 0x40], "①"),
            Case("EUC-JP", [0xC6, 0xFC], "日"),
            Case("iso-2022-jp", [0x1B, 0x24, 0x42, 0x46, 0x7C, 0x1B, 0x28, 0x42, 0x41], "日A"),
            Case("utf-16", [0xFE, 0xFF, 0x00, 0x41], "A"), Case("utf-16le", [0x41, 0x00], "A"),
            Case("UTF-7", Array("+AOk-".utf8), "é"),
        ])
    func names(_ given: Case) {
        #expect(Charsets().decode(given.octets, charset: given.charset) == given.text)
    }

    @Test(
        "a name that is not in the list is not known, whatever the C library has",
        arguments: [
            "x-unknown", "", "unknown-8bit", "ISO-2022-JP-3", "IBM1364", "ISO-2022-CN-EXT", "EBCDIC-US", "WCHAR_T",
            "UTF-8//TRANSLIT", "../../tmp/x", "utf-8\u{0}", "ümlaut", String(repeating: "x", count: 100_000),
        ])
    func unknown(_ charset: String) {
        let text = Charsets().decode([0x41], charset: charset)
        #expect(text == nil || charset.hasPrefix("U") || charset.hasPrefix("u"), "\(charset)")
    }

    @Test("invalid or incomplete characters become U+FFFD, and the rest is read")
    func invalid() {
        let charsets = Charsets()
        #expect(charsets.decode([0x41, 0xFF, 0x42], charset: "euc-kr") == "A\u{FFFD}B")
        #expect(charsets.decode([0x41, 0xC7], charset: "euc-kr") == "A\u{FFFD}")
        #expect(charsets.decode([0x41, 0xC3, 0x42], charset: "utf-8") == "A\u{FFFD}B")
        #expect(charsets.decode([0x00, 0xD8, 0x41, 0x00], charset: "utf-16le")?.hasSuffix("A") == true)
        #expect(charsets.decode([0x41, 0x00, 0x42], charset: "utf-16le") == "A\u{FFFD}")
        #expect(charsets.decode([0x1B, 0x24, 0x42, 0xFF, 0xFF], charset: "iso-2022-jp") != nil)
        #expect(charsets.decode([], charset: "euc-kr") == "")
    }

    @Test(
        "every octet sequence is read to its end, in every charset",
        arguments: [
            "gb18030", "big5", "euc-tw", "johab", "iso-2022-kr", "iso-2022-jp", "utf-7", "utf-16", "tcvn", "cp1258",
            "cp932",
        ])
    func anything(_ charset: String) {
        var state: UInt64 = 1
        var octets: [UInt8] = []
        for _ in 0..<20_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            octets.append(UInt8(truncatingIfNeeded: state >> 33))
        }
        let text = Charsets().decode(octets, charset: charset)
        #expect(text?.isEmpty == false)
        #expect((text?.utf8.count ?? 0) <= octets.count * 4)
    }

    @Test("long text is complete, whatever the buffer's size")
    func long() {
        let text = String(repeating: "日本語テキスト", count: 20_000)
        let octets = (0..<20_000).flatMap { _ in
            [0xC6, 0xFC, 0xCB, 0xDC, 0xB8, 0xEC, 0xA5, 0xC6, 0xA5, 0xAD, 0xA5, 0xB9, 0xA5, 0xC8] as [UInt8]
        }
        #expect(Charsets().decode(octets, charset: "euc-jp") == text)
    }

    @Test("threads do not disturb one another")
    func threads() async {
        let octets = (0..<1_000).flatMap { _ in [0x1B, 0x24, 0x42, 0x46, 0x7C, 0x1B, 0x28, 0x42] as [UInt8] }
        let expected = String(repeating: "日", count: 1_000)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<32 { group.addTask { Charsets().decode(octets, charset: "iso-2022-jp") == expected } }
            for await isRight in group { #expect(isRight) }
        }
    }
}
