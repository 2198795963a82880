import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

extension EndToEnd {
    /// A server that takes `ok`, refuses `fail` for good and `later` once for now.
    private final class Server: Sendable {
        let server: ScriptedMailServer

        init() throws {
            let refusals = Mutex(1)
            server = try ScriptedMailServer { step in
                switch step {
                case .rcpt("fail"): return .say("550 5.1.1 no such user")
                case .rcpt("later"):
                    return refusals.withLock { left in
                        guard left > 0 else { return nil }
                        left -= 1
                        return .say("451 4.2.1 not now")
                    }
                default: return nil
                }
            }
        }

        var port: Int { server.port }

        /// The number of messages that each local-part got.
        var taken: [String: Int] {
            Dictionary(server.mails.flatMap(\.recipients).map { ($0, 1) }, uniquingKeysWith: +)
        }
    }

    @Suite("The relay, killed or failed at any change of a file")
    struct RelayKillSweep {
        private static let message = MailSamples.withLineFeeds(MailSamples.plain(id: "relayed"))
        private static let recipients = ["ok@x.test", "later@x.test", "fail@x.test", "ok2@x.test"]

        private func prepared() async throws -> RelayFixture {
            let fixture = try await RelayFixture(RelayFixture.gateway(25))
            try fixture.put(String(decoding: Self.message, as: UTF8.self), to: Self.recipients)
            return fixture
        }

        private func calls(of template: RelayFixture) async throws -> [FaultPoint.Call] {
            let server = try Server()
            let fixture = try await RelayFixture(copying: template, RelayFixture.gateway(server.port))
            let log = fixture.scratch.file("calls")
            let finished = try await fixture.once(
                environment: try await FaultPoint.environment(program: "ses-relay", log: log))
            #expect(finished.status == 0, "\(finished)")
            return try FaultPoint.calls(in: log)
        }

        /// Returns the faults after a fault at `point` and all the starts that follow.
        private func faults(
            _ template: RelayFixture, at point: Int, _ action: FaultPoint.Action
        ) async throws -> (faults: [String], repeats: Int) {
            let server = try Server()
            let fixture = try await RelayFixture(copying: template, RelayFixture.gateway(server.port))
            var faults: [String] = []
            let hit = try await fixture.once(
                environment: try await FaultPoint.environment(program: "ses-relay", point: point, action: action))
            if case .fail = action, hit.status >= 128 { faults.append("ended by a signal: \(hit)") }
            try await fixture.toEnd()
            let taken = server.taken
            let noted = try fixture.possibleRepeats()
            for name in ["ok", "ok2", "later", "a"] where taken[name] == nil { faults.append("\(name) got nothing") }
            if taken["fail"] != nil { faults.append("fail got something") }
            var repeats = 0
            for (name, count) in taken where count > 1 {
                repeats += 1
                if !noted.keys.contains(where: { $0.hasPrefix("\(name)@") }) || count > 2 {
                    faults.append("\(name) got it \(count) times, unnoted")
                }
            }
            if try fixture.counts() != ["failed": 1] { faults.append("in the end: \(try fixture.counts())") }
            let remains = try fixture.names(in: "failed")
            for name in remains {
                let file = try SpoolFile(path: fixture.spool + "/failed/" + name)
                if file.recipients != ["fail@x.test"] { faults.append("failed is for \(file.recipients)") }
                if file.message != Self.message { faults.append("failed has other octets") }
            }
            return (faults.map { "call \(point) \(action): \($0)" }, repeats)
        }

        private func points(_ calls: [FaultPoint.Call], atMost limit: Int) throws -> [Int] {
            let first = try #require(calls.firstIndex { $0.target.contains("/relay/work/") })
            let all = calls[first...].map(\.number)
            guard all.count > limit else { return all }
            return (0..<limit).map { all[$0 * all.count / limit] }
        }

        @Test("loses no recipient, sends twice only where the journal announces it, and tells the sender once")
        func killed() async throws {
            let template = try await prepared()
            let calls = try await calls(of: template)
            let chosen = try points(calls, atMost: EndToEnd.isSecondLevel ? 10_000 : 26)
            #expect(chosen.count >= 20)
            var repeats = 0
            for (index, point) in chosen.enumerated() {
                let actions: [FaultPoint.Action] =
                    EndToEnd.isSecondLevel
                    ? [.killBefore, .killAfter] : [index.isMultiple(of: 2) ? .killBefore : .killAfter]
                for action in actions {
                    let (found, more) = try await faults(template, at: point, action)
                    #expect(found == [])
                    repeats += more
                }
            }
            // Only between the reply and the fsync of its record: the write before it, or the fsync itself.
            #expect(repeats <= chosen.count / 2)
        }

        @Test("loses and doubles nothing when the call fails instead", arguments: [ENOSPC, EIO])
        func failed(_ number: Int32) async throws {
            let template = try await prepared()
            let chosen = try points(try await calls(of: template), atMost: EndToEnd.isSecondLevel ? 10_000 : 14)
            for point in chosen {
                let (found, _) = try await faults(template, at: point, .fail(number))
                #expect(found == [])
            }
        }

        @Test(
            "the window after the final dot: if it is killed with the reply unrecorded, the message is repeated, and that is counted"
        )
        func window() async throws {
            let template = try await prepared()
            let calls = try await calls(of: template)
            // The record of those the server took: the first fsync of it after the end of the message was offered.
            let records = calls.filter { $0.path.hasSuffix("/done") && ["write", "fsync"].contains($0.name) }
            var repeated = 0
            for call in records {
                for action in [FaultPoint.Action.killBefore, .killAfter] {
                    let (found, repeats) = try await faults(template, at: call.number, action)
                    #expect(found == [])
                    if repeats > 0 {
                        repeated += 1
                        // A record that was written survives the kill; only what was not even written is repeated.
                        #expect(call.name == "write")
                    }
                }
            }
            #expect(repeated >= 1 && repeated <= 4)
        }
    }
}
