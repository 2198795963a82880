import Foundation
import Glibc
import TestSupport
import Testing

extension FaultBench {
    @Suite("The relay when one call fails, or when it is killed in recovery")
    struct RelaySingleFaults {
        private static let numbers = [
            EIO, ENOSPC, EDQUOT, EROFS, EMFILE, ENFILE, ENOMEM, EACCES, EPERM, EINTR, ESTALE, EUCLEAN, EFBIG,
        ]

        private func prepared(_ server: ScriptedMailServer) async throws -> RelayFixture {
            let fixture = try await RelayFixture(RelayFixture.gateway(server.port))
            try fixture.put(
                String(decoding: MailSamples.withLineFeeds(MailSamples.plain(id: "one")), as: UTF8.self),
                to: ["ok@x.test", "later@x.test"])
            return fixture
        }

        /// Takes everything, `later` at the second time.
        private func server() throws -> ScriptedMailServer {
            let refusals = Counter()
            return try ScriptedMailServer { step in
                step == .rcpt("later") && refusals.next() == 1 ? .say("451 4.2.1 not now") : nil
            }
        }

        private func calls(_ template: RelayFixture) async throws -> [FaultPoint.Call] {
            let fixture = try await RelayFixture(copying: template, RelayFixture.gateway(try server().port))
            let log = fixture.scratch.file("calls")
            let environment = try await FaultPoint.environment(program: "ses-relay", log: log, countsAll: true)
            let finished = try await fixture.once(environment: environment)
            #expect(finished.status == 0, "\(finished)")
            return try FaultPoint.calls(in: log)
        }

        /// Returns the deviations from the expected outcome after `disturb` and a start without faults.
        private func faults(
            _ template: RelayFixture, _ disturb: (RelayFixture) async throws -> [String]
        ) async throws -> [String] {
            let server = try server()
            let fixture = try await RelayFixture(copying: template, RelayFixture.gateway(server.port))
            var found = try await disturb(fixture)
            try await fixture.toEnd()
            let taken = Dictionary(server.mails.flatMap(\.recipients).map { ($0, 1) }, uniquingKeysWith: +)
            let told = try fixture.possibleRepeats()
            for name in ["ok", "later"] {
                let count = taken[name, default: 0]
                if count == 0 { found.append("\(name) got nothing") }
                if count > 1 + told["\(name)@x.test", default: 0] { found.append("\(name) got it \(count) times") }
            }
            if taken.count > 2 { found.append("others got something: \(taken)") }
            if try !fixture.counts().isEmpty { found.append("in the end: \(try fixture.counts())") }
            return found
        }

        @Test("nothing is diverted, lost or doubled in silence, and a clear exit code says whether something is left")
        func single() async throws {
            let template = try await prepared(try server())
            let calls = try await calls(template)
            let first = try #require(
                calls.firstIndex { $0.path.hasSuffix("/relay/work") || $0.path.contains("/.ses-probe") })
            var points = calls[first...].flatMap { call in Self.numbers.map { (call, FaultPoint.Action.fail($0)) } }
            points += calls[first...].filter { $0.name == "write" }.map { ($0, .short) }
            let chosen = FaultShare.of(points, normally: 12)
            var failures = 0
            for (call, action) in chosen {
                let found = try await faults(template) { fixture in
                    let hit = try await fixture.once(
                        environment: try await FaultPoint.environment(
                            program: "ses-relay", point: call.number, action: action, countsAll: true))
                    let isClear = [0, 66, 71, 74, 75, 78].contains(hit.status)
                    return isClear ? [] : ["\(hit)"]
                }
                #expect(found == [], "call \(call.number) \(call.name) \(call.path) \(action)")
                if !found.isEmpty { failures += 1 }
            }
            FaultShare.tell("relay, single faults", points: chosen.count, of: points.count, failures: failures)
        }

        @Test("killed again and again in its recovery, it loses nothing and puts nothing aside for good")
        func killedInRecovery() async throws {
            let template = try await prepared(try server())
            let calls = try await calls(template)
            let changing = calls.filter { !["open", "lock", "stat", "access", "read"].contains($0.name) }
            let first = try #require(changing.firstIndex { $0.target.contains("/relay/work/") })
            // Where the first start ends, and after how many calls each recovery does: what follows counts as a start.
            let points = (first..<changing.count).flatMap { at in (1...4).map { (at: at + 1, again: $0) } }
            let chosen = FaultShare.of(points, normally: 8)
            var failures = 0
            for point in chosen {
                let found = try await faults(template) { fixture in
                    func kill(at number: Int) async throws -> Int32 {
                        try await fixture.once(
                            environment: try await FaultPoint.environment(program: "ses-relay", point: number)
                        ).status
                    }
                    _ = try await kill(at: point.at)
                    // The probe of each start comes first.
                    let probe = changing[..<first].count
                    for _ in 0..<4 { _ = try await kill(at: probe + point.again) }
                    return []
                }
                #expect(found == [], "killed at \(point.at), then \(point.again) calls into each recovery")
                if !found.isEmpty { failures += 1 }
            }
            FaultShare.tell("relay, killed in recovery", points: chosen.count, of: points.count, failures: failures)
        }
    }
}
