import HostProcess
import Foundation
import Logging
import TestSupport
import Testing

@testable import ProgramLife

@Suite("Log lines: one event, one line, whatever the text")
struct LineLogTests {
    static let hostile = [
        "a\nb", "a\r\nverdict=trusted", "a\u{2028}b", "a\u{85}b", "\u{1B}[31mred\u{1B}[0m", "\u{202E}gpj", "\u{0}",
        "\u{7F}",
        "a \"quoted\" \\ text", "x verdict=trusted", "x=\"y\"", "", " ", "a\u{A0}b", "\"\u{301}", "{\"a\":1}",
        "Grüße 日本",
    ]

    @Test("every hostile text stays one value of one line, as text and as JSON")
    func payloads() throws {
        for payload in HostileText.lines + HostileText.htmlBodies {
            let line = LineLogHandler.textLine(.info, "verified", ["reason": "\(payload)", "z": "last"])
            #expect(Self.isOneSafeLine(line) && line.hasSuffix(" z=last"), "\(payload)")
            var facts = line
            facts.replace(/"(?:[^"\\]|\\.)*"/.matchingSemantics(.unicodeScalar), with: "\"\"")
            #expect(facts.unicodeScalars.count { $0 == "=" } == 2, "\(facts)")
            let json = LineLogHandler.jsonLine(.info, "verified", ["reason": "\(payload)"], label: "ses")
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
        let line = LineLogHandler.textLine(.info, text, ["reason": "\(text)", "z": "last"])
        #expect(Self.isOneSafeLine(line))
        #expect(line.hasSuffix(" z=last"))
    }

    @Test(
        "a value cannot look like another fact",
        arguments: ["x verdict=trusted", "x\" verdict=trusted", "\\\" verdict=trusted"])
    func forgedFact(_ value: String) throws {
        let line = LineLogHandler.textLine(.info, "signed", ["server": "\(value)"])
        var facts = line
        // What stands between quotes, with escapes, is one value.
        facts.replace(/"(?:[^"\\]|\\.)*"/, with: "")
        #expect(!facts.contains("verdict"))
        #expect(facts.hasSuffix(" server="))
    }

    @Test("JSON has the event unchanged, without characters that could do harm", arguments: hostile)
    func json(_ text: String) throws {
        let line = LineLogHandler.jsonLine(.error, text, ["reason": "\(text)"], label: "ses")
        #expect(Self.isOneSafeLine(line))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
        #expect(Set(object.keys) == ["t", "level", "program", "message", "reason"])
        #expect(object["level"] == "error" && object["program"] == "ses")
        #expect(object["reason"] == LogLine.visible(text))
    }

    @Test("a fact cannot take the place of time, level, program or message")
    func reserved() throws {
        let line = LineLogHandler.jsonLine(
            .error, "m", ["message": "forged", "level": "trace", "t": "0"], label: "ses")
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
        #expect(object["message"] == "m" && object["level"] == "error" && object["t"] != "0")
    }

    @Test("plain words stay unchanged")
    func plain() {
        #expect(LogLine.visible("Grüße, 日本 <a@x>") == "Grüße, 日本 <a@x>")
        #expect(LogLine.visible("a\nb") == "a\\u{a}b")
    }
}
