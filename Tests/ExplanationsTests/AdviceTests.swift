import Foundation
import TestSupport
import Testing

import Explanations

@Suite("Advice behind a reason")
struct AdviceTests {
    @Test("stands there once, however often a reason is passed on", arguments: Advice.allCases)
    func once(_ advice: Advice) {
        let reason = advice.added(to: "there is no object at 439")
        #expect(reason == "there is no object at 439 (\(advice.text))")
        for other in Advice.allCases { #expect(other.added(to: "the PDF cannot be read: " + reason).hasSuffix(reason)) }
    }

    @Test("is taken off again where there is little room", arguments: Advice.allCases)
    func removed(_ advice: Advice) {
        let told = "attachment 2: " + advice.added(to: "no object at 439 (or none)") + "; and more"
        #expect(Advice.removed(from: told) == "attachment 2: no object at 439 (or none); and more")
        #expect(Advice.removed(from: "no object (at 439)") == "no object (at 439)")
    }

    @Test("is a short clause", arguments: Advice.allCases)
    func words(_ advice: Advice) {
        #expect((20...120).contains(advice.text.count) && !advice.text.hasSuffix("."))
        #expect(advice.text.utf8.allSatisfy { $0 < 0x80 })
    }

    @Test("has a row with cause and remedy in docs/troubleshooting.md", arguments: Advice.allCases)
    func manual(_ advice: Advice) throws {
        let page = String(
            decoding: try TestMaterial.octets(TestMaterial.project + "/docs/troubleshooting.md"), as: UTF8.self)
        let rows = page.split(separator: "\n").filter { $0.hasPrefix("| \(advice.text) | ") }
        let cells = try #require(rows.first, "no row for: \(advice.text)").split(separator: "|").map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        #expect(rows.count == 1 && cells.count == 3 && cells.allSatisfy { !$0.isEmpty })
    }

    @Test("reasons without advice that docs/troubleshooting.md quotes are words of the programs")
    func quotedReasons() throws {
        let page = String(
            decoding: try TestMaterial.octets(TestMaterial.project + "/docs/troubleshooting.md"), as: UTF8.self)
        let table = try #require(page.components(separatedBy: "These reasons have no such clause").dropFirst().first)
        let section = table.components(separatedBy: "\n## ")[0]
        let quoted = section.matches(of: #/^\| `([^`]+)` \|/#.anchorsMatchLineEndings()).map { String($0.1) }
        let sources = TestMaterial.project + "/Sources/"
        let code = try FileManager.default.subpathsOfDirectory(atPath: sources).filter { $0.hasSuffix(".swift") }.map {
            String(decoding: try TestMaterial.octets(sources + $0), as: UTF8.self)
        }.joined()
        #expect(quoted.count >= 4)
        for words in quoted { #expect(code.contains(words), "\(words)") }
    }
}
