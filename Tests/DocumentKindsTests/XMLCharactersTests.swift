import Octets
import Testing

@testable import DocumentKinds

@Suite("The characters of an XML document (XML 1.0 §2.2, §4.3.3)")
struct XMLCharactersTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let octets: [UInt8]
        /// nil for a document without a fault.
        let fault: XMLTextFault.Kind?
        let line: Int

        init(_ description: String, _ octets: [UInt8], _ fault: XMLTextFault.Kind?, line: Int = 1) {
            testDescription = description
            self.octets = octets
            self.fault = fault
            self.line = line
        }

        init(_ description: String, _ text: String, _ fault: XMLTextFault.Kind?, line: Int = 1) {
            self.init(description, Array(text.utf8), fault, line: line)
        }

        static func wide(_ text: String, isBigEndian: Bool, mark: Bool = true) -> [UInt8] {
            ((mark ? "\u{FEFF}" : "") + text).utf16.flatMap { unit in
                let octets = [UInt8(unit >> 8), UInt8(unit & 255)]
                return isBigEndian ? octets : octets.reversed()
            }
        }

        static let plain = Array("<a>".utf8)
        static let sound = [
            Case("UTF-8", "<a>\t\r\nä€😀\u{7F}\u{85}\u{FFFD}</a>", nil),
            Case("a declaration", "<?xml version=\"1.0\"?><a/>", nil),
            Case("all of a declaration", "<?xml version = '1.0' encoding='utf-8' standalone='yes' ?><a/>", nil),
            Case("standalone alone", "<?xml version='1.0' standalone='no'?><a/>", nil),
            Case("a byte order mark", "\u{FEFF}<?xml version='1.0' encoding='UTF-8'?><a/>", nil),
            Case("an instruction that begins alike", "<?xml-stylesheet href='a'?><a/>", nil),
            Case("UTF-16 with a mark, big", wide("<a>ä😀</a>", isBigEndian: true), nil),
            Case("UTF-16 with a mark, little", wide("<a>ä😀</a>", isBigEndian: false), nil),
            Case(
                "UTF-16 that is declared and has no mark",
                wide("<?xml version='1.0' encoding='UTF-16'?><a/>", isBigEndian: true, mark: false), nil),
            Case(
                "UTF-16LE with a mark",
                wide("<?xml version='1.0' encoding='UTF-16LE'?><a/>", isBigEndian: false), nil),
            Case(
                "ISO 8859-1", Array("<?xml version='1.0' encoding='ISO-8859-1'?><a>".utf8) + [0xE4, 0x80], nil),
            Case("Windows-1252", Array("<?xml version='1.0' encoding='windows-1252'?><a>".utf8) + [0x80], nil),
        ]
        static let faulty = [
            Case("a NUL behind the root", "<a/>\n\0<b/>", .malformed, line: 2),
            Case("a NUL alone at the end", "<a/>\0", .malformed), Case("a NUL within", "<a>\0</a>", .malformed),
            Case("a control character", "<a>\n\u{1}</a>", .malformed, line: 2),
            Case("U+FFFE", "<a>\u{FFFE}</a>", .malformed), Case("U+FFFF", "<a>\u{FFFF}</a>", .malformed),
            Case("an octet that is not UTF-8", plain + [0xFF], .malformed),
            Case("a continuation alone", plain + [0x80], .malformed),
            Case("a longer form than needed", plain + [0xC0, 0xAF], .malformed),
            Case("a longer form of three", plain + [0xE0, 0x80, 0xAF], .malformed),
            Case("a surrogate in UTF-8", plain + [0xED, 0xA0, 0x80], .malformed),
            Case("above U+10FFFF", plain + [0xF4, 0x90, 0x80, 0x80], .malformed),
            Case("a character that is cut off", plain + [0xE2, 0x82], .malformed),
            Case("UTF-16 with an odd octet", wide("<a/>", isBigEndian: true) + [0x00], .malformed),
            Case("UTF-16 with a NUL behind the root", wide("<a/>\0<b/>", isBigEndian: false), .malformed),
            Case(
                "half of a surrogate pair", wide("<a>", isBigEndian: true) + [0xD8, 0x00, 0x00, 0x61], .malformed),
            Case("the other half first", wide("<a>", isBigEndian: true) + [0xDC, 0x00], .malformed),
            Case("UTF-16 that says so nowhere", wide("<a/>", isBigEndian: true, mark: false), .malformed),
            Case(
                "UTF-16 that is declared as UTF-8",
                wide("<?xml version='1.0' encoding='UTF-8'?><a/>", isBigEndian: true), .malformed),
            Case(
                "the other order than declared",
                wide("<?xml version='1.0' encoding='UTF-16BE'?><a/>", isBigEndian: false), .malformed),
            Case("UTF-8 that is declared as UTF-16", "<?xml version='1.0' encoding='UTF-16'?><a/>", .malformed),
            Case(
                "a mark of UTF-8 before ISO 8859-1", "\u{FEFF}<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
                .malformed),
            Case("ASCII with more", "<?xml version='1.0' encoding='US-ASCII'?><a>ä</a>", .malformed),
            Case("a NUL in ISO 8859-1", "<?xml version='1.0' encoding='ISO-8859-1'?><a/>\0", .malformed),
            Case("XML 1.1", "<?xml version='1.1'?><a/>", .unsupported),
            Case("a version that nobody has", "<?xml version='1.5'?><a/>", .unsupported),
            Case("UTF-7", "<?xml version='1.0' encoding='UTF-7'?><a/>", .unsupported),
            Case("Shift_JIS", "<?xml version='1.0' encoding='Shift_JIS'?><a/>", .unsupported),
            Case("a suffix for iconv", "<?xml version='1.0' encoding='ISO-8859-1//IGNORE'?><a/>", .unsupported),
            Case("UTF-32", [0, 0, 0xFE, 0xFF, 0, 0, 0, 0x3C], .unsupported),
            Case("UTF-32, little", [0xFF, 0xFE, 0, 0, 0x3C, 0, 0, 0], .unsupported),
            Case("an endless declaration", "<?xml version='1.0' " + String(repeating: " ", count: 2_000), .malformed),
            Case("two encodings", "<?xml version='1.0' encoding='a' encoding='UTF-8'?><a/>", .malformed),
            Case("an encoding without a version", "<?xml encoding='UTF-8'?><a/>", .malformed),
            Case("no blank between", "<?xml version='1.0'encoding='UTF-8'?><a/>", .malformed),
        ]
    }

    @Test("a sound document has no fault", arguments: Case.sound)
    func sound(_ given: Case) {
        #expect(throws: Never.self) { try XMLCharacters.check(OctetString(given.octets)) }
    }

    @Test("text on which readers disagree is a fault with its line", arguments: Case.faulty)
    func faulty(_ given: Case) {
        let fault = #expect(throws: XMLTextFault.self) { try XMLCharacters.check(OctetString(given.octets)) }
        #expect(fault?.kind == given.fault)
        #expect(fault?.line == given.line)
        #expect(fault?.reason.isEmpty == false)
    }

    @Test("the encoding has the name that a charset parameter takes")
    func names() throws {
        #expect(try XMLOpening(of: OctetString("<a/>")).encoding.name == "utf-8")
        let latin = OctetString("<?xml version='1.0' encoding='ISO-8859-15'?><a/>")
        #expect(try XMLOpening(of: latin).encoding.name == "iso-8859-15")
        #expect(try XMLOpening(of: OctetString(Case.wide("<a/>", isBigEndian: true))).encoding.name == "utf-16")
    }
}
