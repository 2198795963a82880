import TestSupport
import Testing

@testable import SESConfiguration

@Suite("Hostile ses.xml", .timeLimit(.minutes(1)))
struct HostileConfigurationTests {
    @Test("XML traps are one fault each, and a bait is never opened")
    func traps() throws {
        let scratch = try ScratchDirectory()
        // Whoever opens this waits for ever, because nobody writes to it.
        try #require(NamedPipe.make(at: scratch.file("bait")))
        let good = ConfigurationFixture().text
        let bait = "file://" + scratch.file("bait")
        let traps = [
            "<!DOCTYPE SES [<!ENTITY e SYSTEM \"\(bait)\">]>" + good.replacing("client", with: "&e;"),
            "<!DOCTYPE SES SYSTEM \"\(bait)\">" + good, "<!DOCTYPE SES [<!ENTITY % p SYSTEM \"\(bait)\"> %p;]>" + good,
            "<!DOCTYPE SES [<!ENTITY a \"b\">]>" + good, good.replacing("client", with: "&e;"),
            String(repeating: "<SES>", count: 100_000) + String(repeating: "</SES>", count: 100_000),
            good + good, good + "x", String(good.dropLast(8)), "",
            good.replacing("<SES>", with: "<SES a='' a=''>"), "<?xml version='1.0' encoding='UTF-7'?>" + good,
            "<?xml version='1.0' encoding='UTF-16'?>" + good,
        ]
        for trap in traps {
            #expect(try ConfigurationFixture.faults(trap).map(\.code) == [.xml], "\(trap.prefix(80))")
        }
        let include = "<x:include xmlns:x='http://www.w3.org/2001/XInclude' href='\(bait)' parse='text'/>"
        #expect(
            try ConfigurationFixture.faults(good.replacing("client", with: include)).map(\.code)
                == [.unknownElement, .badValue])
    }

    @Test("any changed file is loaded or refused with faults in it", arguments: 0..<6)
    func mutations(seed: UInt64) throws {
        let path = TestMaterial.fixtures + "/configuration/valid/everything.xml"
        let good = String(decoding: try TestMaterial.octets(path), as: UTF8.self)
        let lines = good.split(separator: "\n", omittingEmptySubsequences: false).map { Array($0.utf8) }
        let words = [
            "", "true", "-1", "9223372036854775808", "*", ",", " ", "ABC", "SIGN_EMAIL", "&#38;", "é", "@", "a@b",
            "%00",
            "<AND/>", "<Workflow/>", "<To contains='*'/>", "<Sign/>", "5 minutes", "1000*1 day", "/dev/null",
        ].map { Array($0.utf8) }
        let scratch = try ScratchDirectory()
        var random = SeededNumbers(seed: seed)
        var refused = 0
        for _ in 0..<150 {
            var changed = lines
            for _ in 0...(random.next() % 3) {
                let place = Int(random.next() % UInt64(changed.count))
                switch random.next() % 5 {
                case 0: changed.remove(at: place)
                case 1: changed.insert(changed[Int(random.next() % UInt64(changed.count))], at: place)
                case 2: changed.swapAt(place, Int(random.next() % UInt64(changed.count)))
                default:
                    // Another content for an element or an attribute, which leaves the document well-formed.
                    let line = changed[place]
                    let quotes = line.indices.filter { line[$0] == UInt8(ascii: "\"") }
                    let word = words[Int(random.next() % UInt64(words.count))]
                    if quotes.count >= 2 {
                        changed[place] = Array(line[...quotes[0]]) + word + Array(line[quotes[1]...])
                    } else if let open = line.firstIndex(of: UInt8(ascii: ">")),
                        let close = line.lastIndex(of: UInt8(ascii: "<")), open < close
                    {
                        changed[place] = Array(line[...open]) + word + Array(line[close...])
                    }
                }
            }
            let file = try scratch.write(Array(changed.joined(separator: [0x0A])), to: "ses.xml")
            do {
                _ = try load(path: file)
            } catch {
                refused += 1
                #expect(!error.faults.isEmpty)
                #expect(error.faults.allSatisfy { $0.line >= 0 && $0.line <= changed.count + 1 && !$0.text.isEmpty })
                #expect(error.description.unicodeScalars.allSatisfy { $0.value >= 0x20 || $0 == "\n" })
            }
        }
        #expect(refused > 50)
    }
}
