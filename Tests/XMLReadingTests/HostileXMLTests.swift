import Glibc
import Octets
import TestSupport
import Testing

@testable import XMLReading

@Suite("Hostile XML", .timeLimit(.minutes(1)))
struct HostileXMLTests {
    private func failure(_ text: String, limits: XMLLimits = .tree) -> XMLReadingError? {
        do throws(XMLReadingError) {
            _ = try XMLTree.parse(OctetString(text), limits: limits)
            return nil
        } catch { return error }
    }

    @Test("a file that an entity names is never opened, and no connection is made")
    func bait() throws {
        let scratch = try ScratchDirectory()
        // Whoever opens this waits for ever, because nobody writes to it.
        try #require(mkfifo(scratch.file("bait"), 0o600) == 0)
        let listener = try LoopbackListener()
        for address in [
            "file://" + scratch.file("bait"), scratch.file("bait"), "http://127.0.0.1:\(listener.port)/bait",
        ] {
            let traps = [
                "<!DOCTYPE a [<!ENTITY e SYSTEM \"\(address)\">]><a>&e;</a>",
                "<!DOCTYPE a [<!ENTITY e SYSTEM \"\(address)\">]><a b='&e;'/>",
                "<!DOCTYPE a SYSTEM \"\(address)\"><a>&e;</a>",
                "<!DOCTYPE a PUBLIC \"-//x//y\" \"\(address)\"><a/>",
                "<!DOCTYPE a [<!ENTITY % p SYSTEM \"\(address)\"> %p;]><a/>",
                "<?xml version='1.0' standalone='no'?>\n<!DOCTYPE a [<!NOTATION n SYSTEM \"\(address)\">]>\n<a/>",
            ]
            for trap in traps { #expect(failure(trap)?.kind == .documentType) }
        }
        #expect(!listener.wasCalled)
    }

    @Test("no entity is ever expanded")
    func laughs() {
        var declarations = "<!ENTITY l0 \"lol\">"
        for level in 1...9 {
            declarations += "<!ENTITY l\(level) \"\(String(repeating: "&l\(level - 1);", count: 10))\">"
        }
        #expect(failure("<!DOCTYPE a [\(declarations)]>\n<a>&l9;</a>")?.kind == .documentType)
        let long = String(repeating: "x", count: 50_000)
        let many = String(repeating: "&q;", count: 50_000)
        #expect(failure("<!DOCTYPE a [<!ENTITY q \"\(long)\">]><a>\(many)</a>")?.kind == .documentType)
        #expect(
            failure("<!DOCTYPE a><a/>")
                == XMLReadingError(
                    .documentType, line: 1, reason: "a document type declaration is not allowed here"))
    }

    @Test("an XInclude is an element like any other")
    func include() throws {
        let scratch = try ScratchDirectory()
        try #require(mkfifo(scratch.file("bait"), 0o600) == 0)
        let root = try XMLTree.parse(
            OctetString(
                "<a xmlns:i='http://www.w3.org/2001/XInclude'><i:include href='\(scratch.file("bait"))' parse='text'/></a>"
            ))
        #expect(root.children.map(\.localName) == ["include"])
        #expect(root.text.isEmpty)
    }

    @Test("nesting of 100,000 is a clean error, and the deepest allowed one can be released")
    func deep() throws {
        let deep = String(repeating: "<a>", count: 100_000) + String(repeating: "</a>", count: 100_000)
        #expect(failure(deep)?.kind == .limit)
        #expect(failure(deep)?.line == 1)
        let depth = XMLLimits.tree.depth
        let allowed = String(repeating: "<a>", count: depth) + String(repeating: "</a>", count: depth)
        #expect(failure(allowed) == nil)
        #expect(failure("<b>" + allowed + "</b>")?.kind == .limit)
    }

    @Test("elements, attributes, declarations and markup have limits")
    func limits() {
        let few = XMLLimits(octets: 10_000, depth: 10, elements: 5, attributes: 3, markup: 4_000)
        #expect(failure("<a><b/><b/><b/><b/></a>", limits: few) == nil)
        #expect(failure("<a><b/><b/><b/><b/><b/></a>", limits: few)?.kind == .limit)
        #expect(failure("<a b='' c='' d=''/>", limits: few) == nil)
        #expect(failure("<a b='' c='' d='' e=''/>", limits: few)?.kind == .limit)
        #expect(failure("<a xmlns:b='u' xmlns:c='u'><d xmlns:b='v' xmlns:e='v'/></a>", limits: few)?.kind == .limit)
        #expect(failure("<a xmlns:b='u' xmlns:c='u'><d xmlns:b='v'/><d xmlns:b='v'/></a>", limits: few) == nil)
        #expect(failure("<a>" + String(repeating: " ", count: 10_000) + "</a>", limits: few)?.kind == .limit)
        #expect(failure("<a b='" + String(repeating: "x", count: 2 << 20) + "'/>")?.kind == .limit)
        #expect(failure("<a><!--" + String(repeating: "x", count: 2 << 20) + "--></a>")?.kind == .limit)
    }

    @Test("tags full of attributes or declarations end soon")
    func crowded() {
        let attributes = (0..<20_000).map { "a\($0)='' " }.joined()
        #expect(failure("<a \(attributes)/>")?.kind == .limit)
        let declarations = (0..<14_000).map { "xmlns:a\($0)='u' " }.joined()
        #expect(failure("<a \(declarations)/>")?.kind == .limit)
    }

    @Test("UTF-16 is read, and text that contradicts itself or hides markup is refused")
    func encodings() throws {
        let text = "<?xml version='1.0' encoding='UTF-16'?><a b='é'>日本</a>"
        var utf16: [UInt8] = [0xFE, 0xFF]
        for unit in text.utf16 { utf16 += [UInt8(unit >> 8), UInt8(unit & 0xFF)] }
        let root = try XMLTree.parse(OctetString(utf16))
        #expect(root.text == "日本")
        #expect(root.attribute("b") == "é")
        let latin = Array("<?xml version='1.0' encoding='ISO-8859-1'?><a>".utf8) + [0xE9] + Array("</a>".utf8)
        #expect(try XMLTree.parse(OctetString(latin)).text == "é")
        #expect(failure(text)?.kind == .malformed)
        #expect(failure("<?xml version='1.0' encoding='UTF-7'?><a>+ADw-b/+AD4-</a>")?.kind == .malformed)
        #expect(throws: XMLReadingError.self) {
            try XMLTree.parse(OctetString(Array("<a>".utf8) + [0xE9] + Array("</a>".utf8)))
        }
        #expect(throws: XMLReadingError.self) {
            try XMLTree.parse(OctetString([0x3C, 0x61, 0x3E, 0xC0, 0xAF, 0x3C, 0x2F, 0x61, 0x3E]))
        }
    }

    @Test("octets changed at random are read or refused, never more", arguments: 0..<8)
    func mutations(seed: UInt64) {
        var random = SeededNumbers(seed: seed)
        let original = Array(
            "<?xml version=\"1.0\"?>\n<a xmlns:p=\"urn:p\" b=\"&amp;1\"><p:c d='x'/>te&#120;t<![CDATA[<]]><!-- c --><?p i?></a>\n"
                .utf8)
        let alphabet = Array("<>/&;'\"=!-[]?: \n\u{0}abp#x1".utf8)
        for _ in 0..<2_000 {
            var octets = original
            for _ in 0...Int(random.next() % 4) {
                let place = Int(random.next() % UInt64(octets.count))
                switch random.next() % 3 {
                case 0: octets[place] = alphabet[Int(random.next() % UInt64(alphabet.count))]
                case 1: octets.insert(alphabet[Int(random.next() % UInt64(alphabet.count))], at: place)
                default: octets.remove(at: place)
                }
            }
            do throws(XMLReadingError) { _ = try XMLTree.parse(OctetString(octets)) } catch {
                #expect(!error.reason.isEmpty && error.line >= 1)
            }
        }
    }
}

/// A port that takes note of being called.
private final class LoopbackListener {
    let port: Int
    private let descriptor: Int32

    init() throws {
        let nonblocking = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue)
        (descriptor, port) = try LoopbackPlace().boundSocket(nonblocking, backlog: 8)
    }

    deinit { close(descriptor) }

    var wasCalled: Bool { accept(descriptor, nil, nil) >= 0 }
}
