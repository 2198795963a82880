import Foundation
import TestSupport
import Testing

@Suite("Commands that are ended at any instant")
struct SiteFaultTests {

    @Test(
        "leave a site that can be used, and the command works when it is given again",
        arguments: [
            ["key", "issue", "--name", "Carol", "--alias", "carol@example.test", "--kind", "p-256"],
            ["key", "renew", "bob@example.test"],
            ["key", "remove", "bob@example.test", "--yes"],
            ["key", "revoke", "bob@example.test", "--yes"],
            ["trust", "add", "ca.pem", "--intermediate", "--yes"],
        ])
    func killed(_ command: [String]) async throws {
        let log = try ScratchDirectory()
        func arguments(_ site: SiteProgram) -> [String] {
            command.map { $0 == "ca.pem" ? site.site + "/ca.pem" : $0 }
        }
        let model = try SiteProgram()
        let calls = log.file("calls")
        let whole = try await model.run(
            arguments(model), environment: try await FaultPoint.environment(program: "ses-dss", log: calls))
        #expect(whole.status == 0, "\(whole)")
        let count = try FaultPoint.calls(in: calls).count
        try #require(count > 4, "the library counts")
        for point in 1...count {
            let site = try SiteProgram()
            let before = try site.text("site/dss.xml")
            let killed = try await site.run(
                arguments(site),
                environment: try await FaultPoint.environment(program: "ses-dss", point: point, action: .killBefore))
            #expect(killed.status == 137, "point \(point): \(killed)")
            let check = try await site.run(["check"])
            #expect(check.status == 0, "point \(point) leaves a site that cannot be used: \(check)")
            let isDone = try site.text("site/dss.xml") != before
            let again = try await site.run(arguments(site))
            // Once the change is in force a second one is refused with words, or makes nothing worse.
            #expect(again.status == 0 || isDone && again.status == 78, "point \(point): \(again)")
            #expect(try await site.run(["check"]).status == 0)
        }
    }

    @Test("two commands at the same time do not undo each other")
    func together() async throws {
        let site = try SiteProgram()
        let outcomes = try await withThrowingTaskGroup(of: (String, Int32, String).self) { group in
            for number in 0..<6 {
                let alias = "p\(number)@example.test"
                group.addTask {
                    let run = try await site.run([
                        "key", "issue", "--name", "P", "--alias", alias, "--kind", "p-256", "--no-reload",
                    ])
                    return (alias, run.status, run.error)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let text = try site.text("site/dss.xml")
        for (alias, status, error) in outcomes {
            #expect(text.contains("alias=\"\(alias)\"") == (status == 0), "\(alias): \(status) \(error)")
            #expect(status == 0 || error.contains("wait for its end"), "\(error)")
        }
        #expect(outcomes.contains { $0.1 == 0 })
    }
}
