import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The files of a spool while no program runs; the invariants of the spool are tested on it.
    private struct Snapshot: CustomStringConvertible {
        /// Folders of files already published, those that a reader has taken away included.
        var published: [String] = []
        var sources = 0
        var working = 0
        var waiting = 0
        var committed = 0
        /// Folders of outputs that stand in `publish` still.
        var staged: [String] = []

        var description: String {
            "sources \(sources) work \(working) retry \(waiting) publish \(committed) \(staged) published \(published)"
        }

        init(_ fixture: SpoolFixture, taken: [SpoolFile], folders: [String]) throws {
            func entries(_ place: String) throws -> [String] {
                try fixture.names(in: place).flatMap { entry in try fixture.names(in: "\(place)/\(entry)") }
            }
            sources = try fixture.names(in: "outgoing/new").count + fixture.names(in: "incoming/new").count
            waiting = try fixture.names(in: "retry/new").count
            working = try entries("work").filter { $0.hasPrefix("message") }.count
            let inPublish = try entries("publish")
            committed = inPublish.filter { $0.hasPrefix("message") }.count
            staged = inPublish.filter { !$0.hasPrefix("message") && !$0.hasPrefix("~") }
                .compactMap { name in name.firstIndex(of: "~").map { end in String(name[..<end]) } }
            published = taken.compactMap { $0.path.split(separator: "/").suffix(3).first.map(String.init) }
            for folder in folders {
                published += try fixture.names(in: folder + "/new").map { _ in folder }
            }
        }

        /// Exactly one live place; committed outputs complete. `expected` are the folders of the complete outcome.
        func fault(expected: [String]) -> String? {
            let live = sources + working + waiting + committed
            if live > 1 { return "in \(live) places at once: \(self)" }
            if sources + working + waiting == 1, !published.isEmpty { return "published and still waiting: \(self)" }
            if committed == 1 || live == 0, (published + staged).sorted() != expected.sorted() {
                return "an incomplete outcome: \(self)"
            }
            return nil
        }
    }

    /// A situation that is brought about once and then killed at each of its points.
    struct Scenario: Sendable, CustomTestStringConvertible {
        enum Start: Sendable { case waiting, deferred, committed }

        let testDescription: String
        let isTampered: Bool
        let start: Start
        let isServerUp: Bool
        /// The folders that must hold one file each in the end; `retry` for what waits there.
        let outcome: [String]

        static let all = [
            Scenario(
                testDescription: "a mail is signed", isTampered: false, start: .waiting, isServerUp: true,
                outcome: ["delivered"]),
            Scenario(
                testDescription: "a tampered mail goes to administrator and recipients", isTampered: true,
                start: .waiting,
                isServerUp: true, outcome: ["admin", "delivered"]),
            Scenario(
                testDescription: "the server is down and the mail waits", isTampered: false, start: .waiting,
                isServerUp: false, outcome: ["retry"]),
            Scenario(
                testDescription: "a waiting mail is tried again", isTampered: false, start: .deferred, isServerUp: true,
                outcome: ["delivered"]),
            Scenario(
                testDescription: "recovery goes on with what was committed", isTampered: true, start: .committed,
                isServerUp: true, outcome: ["admin", "delivered"]),
        ]
    }

    @Suite("Killed or failed at any change of a file")
    struct KillSweep {
        private func configuration(_ scenario: Scenario, isServerUp: Bool) async throws -> SESXML {
            let dead = "http://127.0.0.1:\(try DSSFixture.deadPort())"
            var configuration = SESXML(servers: [isServerUp ? try await DSSFixture.shared.address : dead])
            configuration.outgoing = SESXML.sign(alias: Samples.aliceKey)
            configuration.incoming = SESXML.verify()
            configuration.notTrustedAction = "EMAIL_TO_ADMINISTRATOR_AND_RECIPIENTS"
            configuration.processing =
                "<Concurrency>1</Concurrency><Retry><delayTime>1 second</delayTime><maxRetries>99</maxRetries></Retry>"
            return configuration
        }

        private func run(_ fixture: SpoolFixture, _ environment: [String: String] = [:]) async throws
            -> RunningProgram.Finished
        {
            try await fixture.ses(["process", "--config", fixture.configurationPath], environment: environment)
        }

        /// Runs `fixture` in a copy and gives the calls it made.
        private func calls(of fixture: SpoolFixture) async throws -> [FaultPoint.Call] {
            let copy = try await SpoolFixture(copying: fixture)
            let log = copy.scratch.file("calls")
            let finished = try await run(copy, try await FaultPoint.environment(program: "ses", log: log))
            #expect(finished.status == 0, "\(finished)")
            return try FaultPoint.calls(in: log)
        }

        /// The state that every point of the scenario starts from.
        private func prepared(_ scenario: Scenario) async throws -> SpoolFixture {
            let fixture = try await SpoolFixture(
                try await configuration(scenario, isServerUp: scenario.start != .deferred && scenario.isServerUp))
            if scenario.isTampered {
                try await fixture.drop(try await Samples.tampered, to: .incoming)
            } else {
                try await fixture.drop(MailSamples.plain(id: "killed"), to: .outgoing)
            }
            switch scenario.start {
            case .waiting: return fixture
            case .deferred:
                #expect(try await run(fixture).status == 0)
                #expect(try fixture.counts() == ["retry/new": 1])
                let name = try #require(try fixture.names(in: "retry/new").first)
                let due = try #require(SpoolFile.part("D", of: name))
                let folder = fixture.spool + "/retry/new/"
                try FileManager.default.moveItem(
                    atPath: folder + name, toPath: folder + name.replacingOccurrences(of: "D=" + due, with: "D=0"))
                try fixture.configure(try await configuration(scenario, isServerUp: true))
                return fixture
            case .committed:
                let all = try await calls(of: fixture)
                let commit = try #require(
                    all.first { $0.name == "rename" && $0.path.contains("/publish/") && $0.target.contains("/new/") })
                let environment = try await FaultPoint.environment(
                    program: "ses", point: commit.number, action: .killAfter)
                #expect(try await run(fixture, environment).status == 128 + 9)
                return fixture
            }
        }

        /// Takes away what was published, as a relay does.
        private func take(_ fixture: SpoolFixture, _ folders: [String]) throws -> [SpoolFile] {
            try folders.filter { $0 != "retry" }.flatMap { folder in
                let files = try fixture.files(in: folder)
                for file in files { try FileManager.default.removeItem(atPath: file.path) }
                return files
            }
        }

        /// Brings the scenario to `point`, then to its end, and tells what was not as it must be.
        private func faults(
            _ template: SpoolFixture, _ scenario: Scenario, at point: Int, _ action: FaultPoint.Action, takes: Bool
        ) async throws -> [String] {
            let fixture = try await SpoolFixture(copying: template)
            let folders = ["delivered", "admin", "blocked"]
            let expected = scenario.outcome.filter { $0 != "retry" }
            var faults: [String] = []
            let hit = try await run(
                fixture, try await FaultPoint.environment(program: "ses", point: point, action: action))
            var taken = takes ? try take(fixture, folders) : []
            if let fault = try Snapshot(fixture, taken: taken, folders: folders).fault(expected: expected) {
                faults.append("after the fault: \(fault)")
            }
            if case .fail = action, hit.status >= 128 { faults.append("ended by a signal: \(hit)") }
            let end = try await run(fixture)
            if end.status != 0 { faults.append("recovery ended with \(end)") }
            taken += try take(fixture, folders)
            let final = try Snapshot(fixture, taken: taken, folders: folders)
            if final.published.sorted() != expected.sorted() { faults.append("in the end: \(final)") }
            if final.waiting != (scenario.outcome == ["retry"] ? 1 : 0) { faults.append("retry in the end: \(final)") }
            if final.sources + final.working + final.committed != 0 { faults.append("left over: \(final)") }
            if !(try fixture.names(in: "work") + fixture.names(in: "publish")).isEmpty {
                faults.append("directories left in work or publish")
            }
            for file in taken where file.message.isEmpty || !file.octets.suffix(2).contains(0x0A) {
                faults.append("a short file was published: \(file)")
            }
            return faults.map { "call \(point) \(action): \($0)" }
        }

        /// The numbers to act at: all from the first that concerns the message, or evenly chosen ones.
        private func points(_ calls: [FaultPoint.Call], atMost limit: Int) throws -> [Int] {
            let isOfMessage = { (call: FaultPoint.Call) in
                call.path.contains("/work/") || call.path.contains("/publish/") || call.target.contains("/work/")
            }
            let first = try #require(calls.firstIndex(where: isOfMessage))
            let all = EndToEnd.isSecondLevel ? calls.map(\.number) : calls[first...].map(\.number)
            guard all.count > limit else { return all }
            return (0..<limit).map { all[$0 * all.count / limit] }
        }

        @Test("is in one place at every instant and published once in the end", arguments: Scenario.all)
        func killed(_ scenario: Scenario) async throws {
            let template = try await prepared(scenario)
            let calls = try await calls(of: template)
            let chosen = try points(calls, atMost: EndToEnd.isSecondLevel ? 10_000 : 24)
            #expect(chosen.count >= 10)
            for (index, point) in chosen.enumerated() {
                let isBefore = EndToEnd.isSecondLevel || index.isMultiple(of: 2)
                let found = try await faults(
                    template, scenario, at: point, isBefore ? .killBefore : .killAfter,
                    takes: point.isMultiple(of: 2))
                #expect(found == [])
                guard EndToEnd.isSecondLevel else { continue }
                #expect(
                    try await faults(template, scenario, at: point, .killAfter, takes: !point.isMultiple(of: 2)) == [])
            }
        }

        @Test("loses and doubles nothing when the call fails instead", arguments: [ENOSPC, EIO])
        func failed(_ number: Int32) async throws {
            let scenario = Scenario.all[1]
            let template = try await prepared(scenario)
            let chosen = try points(try await calls(of: template), atMost: EndToEnd.isSecondLevel ? 10_000 : 16)
            for point in chosen {
                #expect(try await faults(template, scenario, at: point, .fail(number), takes: false) == [])
            }
        }

        @Test("writes, synchronises, renames and removes in an order that a power loss cannot break")
        func order() async throws {
            let template = try await prepared(Scenario.all[1])
            let calls = try await calls(of: template).filter { !$0.path.contains("/.ses-probe") }
            func folder(_ path: String) -> String { String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) }
            func last(_ name: String, _ path: String, before number: Int) -> Int {
                calls.last { $0.name == name && $0.path == path && $0.number < number }?.number ?? 0
            }
            func next(_ name: String, _ path: String, after number: Int) -> Int {
                calls.first { $0.name == name && $0.path == path && $0.number > number }?.number ?? .max
            }
            let commit = try #require(
                calls.first {
                    $0.name == "rename" && folder($0.path).hasSuffix("/work") && folder($0.target).hasSuffix("/publish")
                })
            let publications = calls.filter {
                $0.name == "rename" && $0.path.contains("/publish/") && $0.target.hasSuffix("/new") == false
                    && $0.target.contains("/new/")
            }
            #expect(publications.count == 2)
            let removal = try #require(
                calls.first { $0.name == "unlink" && $0.path.hasPrefix(commit.target + "/message") })
            #expect(last("fsync", commit.path, before: commit.number) > 0, "work/UNIQ before the commit")
            let shared = next("fsync", folder(commit.target), after: commit.number)
            for publication in publications {
                let staged = publication.path.replacingOccurrences(of: commit.target, with: commit.path)
                let synced = last("fsync", staged, before: commit.number)
                #expect(synced > last("write", staged, before: commit.number), "the output's octets before the commit")
                #expect(last("fsync", commit.path, before: commit.number) > synced, "then its name")
                #expect(shared < publication.number, "publish before publishing")
                #expect(
                    next("fsync", folder(publication.target), after: publication.number) < removal.number,
                    "the target folder before the original goes")
            }
        }
    }
}
