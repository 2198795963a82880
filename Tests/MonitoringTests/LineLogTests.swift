import Foundation
import Glibc
import Logging
import TestSupport
import Testing

@testable import HostProcess
@testable import Monitoring

@Suite("Log lines: one event, one line, whatever the text")
struct LineLogTests {
    static let hostile = [
        "a\nb", "a\r\nverdict=trusted", "a\u{2028}b", "a\u{85}b", "\u{1B}[31mred\u{1B}[0m", "\u{202E}gpj", "\u{0}",
        "\u{7F}",
        "a \"quoted\" \\ text", "x verdict=trusted", "x=\"y\"", "", " ", "a\u{A0}b", "\"\u{301}", "{\"a\":1}",
        "Grüße 日本",
    ]

    static let text = LineLogHandler(label: "ses", format: .text)
    static let json = LineLogHandler(label: "ses", format: .json)
    static let journal = LineLogHandler(label: "ses", format: .journal)

    @Test("every hostile text stays one value of one line, as text and as JSON")
    func payloads() throws {
        for payload in HostileText.lines + HostileText.htmlBodies {
            let line = Self.text.line(.info, "verified", ["reason": "\(payload)", "z": "last"])
            #expect(Self.isOneSafeLine(line) && line.hasSuffix(" z=last"), "\(payload)")
            var facts = line
            facts.replace(/"(?:[^"\\]|\\.)*"/.matchingSemantics(.unicodeScalar), with: "\"\"")
            #expect(facts.unicodeScalars.count { $0 == "=" } == 2, "\(facts)")
            let json = Self.json.line(.info, "verified", ["reason": "\(payload)"])
            #expect(Self.isOneSafeLine(json), "\(payload)")
            let read = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
            #expect(read?["reason"] != nil && read?["verdict"] == nil, "\(json)")
        }
    }

    static func isOneSafeLine(_ line: String) -> Bool {
        line.unicodeScalars.allSatisfy {
            ![.control, .format, .lineSeparator, .paragraphSeparator].contains($0.properties.generalCategory)
        }
    }

    @Test("text", arguments: hostile)
    func text(_ text: String) {
        let line = Self.text.line(.info, text, ["reason": "\(text)", "z": "last"])
        #expect(Self.isOneSafeLine(line))
        #expect(line.hasSuffix(" z=last"))
    }

    @Test(
        "a value cannot look like another fact",
        arguments: ["x verdict=trusted", "x\" verdict=trusted", "\\\" verdict=trusted"])
    func forgedFact(_ value: String) throws {
        let line = Self.text.line(.info, "signed", ["server": "\(value)"])
        var facts = line
        // What stands between quotes, with escapes, is one value.
        facts.replace(/"(?:[^"\\]|\\.)*"/, with: "")
        #expect(!facts.contains("verdict"))
        #expect(facts.hasSuffix(" server="))
    }

    @Test("JSON has the event unchanged, without characters that could do harm", arguments: hostile)
    func json(_ text: String) throws {
        let line = Self.json.line(.error, text, ["reason": "\(text)"])
        #expect(Self.isOneSafeLine(line))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
        #expect(Set(object.keys) == ["t", "level", "program", "message", "reason"])
        #expect(object["level"] == "error" && object["program"] == "ses")
        #expect(object["reason"] == LogLine.visible(text))
    }

    @Test("a fact cannot take the place of time, level, program or message")
    func reserved() throws {
        let line = Self.json.line(
            .error, "m", ["message": "forged", "level": "trace", "t": "0"])
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
        #expect(object["message"] == "m" && object["level"] == "error" && object["t"] != "0")
    }

    @Test("JSON has its keys in a fixed order: time, level, program, message, entry, the facts of mail, the others")
    func order() throws {
        let line = Self.json.line(
            .warning, "held",
            ["zone": "z", "reason": "r", "entry": "e", "size": "1", "about": "a", "to": "2", "from": "x@y.test"])
        let keys = line.matches(of: /"([a-z]+)":/).map { String($0.1) }
        #expect(keys == ["t", "level", "program", "message", "entry", "from", "to", "size", "reason", "about", "zone"])
        #expect(line.contains(/"t":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/))
    }

    @Test("a terminal gets local time with its zone, the entry's beginning, and the level of what matters")
    func terminal() throws {
        let entry = String(repeating: "0c1f", count: 8)
        let line = Self.text.line(.info, "signed", ["entry": "\(entry)", "size": "12.4k"])
        #expect(line.contains(/^\d\d:\d\d:\d\d \S+ 0c1f0c1f signed       size=12\.4k$/), "\(line)")
        #expect(Self.text.line(.warning, "held", [:]).contains(/^\S+ \S+ -        WARNING held/))
    }

    @Test("journald gets a priority in front of the line, and no time")
    func journalPriority() {
        let levels: [(Logger.Level, Int)] = [
            (.critical, 2), (.error, 3), (.warning, 4), (.notice, 5), (.info, 6), (.debug, 7), (.trace, 7),
        ]
        for (level, priority) in levels {
            #expect(Self.journal.line(level, "signed", ["entry": "e"]) == "<\(priority)>signed entry=e")
        }
        for text in Self.hostile { #expect(Self.isOneSafeLine(Self.journal.line(.info, text, ["reason": "\(text)"]))) }
    }

    @Test("the journal is recognised by device and inode of standard error, which the variable must name")
    func journalStream() {
        var status = stat()
        #expect(fstat(STDERR_FILENO, &status) == 0)
        #expect(LogFormat.isJournal("\(status.st_dev):\(status.st_ino)"))
        #expect(!LogFormat.isJournal("\(status.st_dev):\(status.st_ino + 1)") && !LogFormat.isJournal(nil))
    }

    @Test("plain words stay unchanged")
    func plain() {
        #expect(LogLine.visible("Grüße, 日本 <a@x>") == "Grüße, 日本 <a@x>")
        #expect(LogLine.visible("a\nb") == "a\\u{a}b")
    }
}
