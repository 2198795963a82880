import Foundation
import Glibc
import TestSupport
import Testing

extension FaultBench {
    @Suite("The relay when the time of day jumps")
    struct RelayClocks {
        private static func faults(_ point: ClockJump) async throws -> [String] {
            let refusals = Counter()
            // `b` is taken at the third time.
            let server = try ScriptedMailServer { step in
                step == .rcpt("b") && refusals.next() <= 2 ? .say("451 4.2.1 not now") : nil
            }
            let fixture = try await RelayFixture(
                "<gateway>127.0.0.1</gateway><gatewayPort>\(server.port)</gatewayPort><TLS level=\"off\"/>"
                    + "<delayTime>2 seconds</delayTime><maxRetries>4</maxRetries>")
            let clock = try ShiftedClock()
            let environment = try await clock.environment(program: "ses-relay")
            var daemon = try await fixture.start(environment: environment)
            // Nobody is told of a delay: that is what a clock that is set forward by days brings.
            let text = String(decoding: MailSamples.withLineFeeds(MailSamples.plain(id: "b")), as: UTF8.self)
            try fixture.put(text, from: "", to: ["b@x.test"])
            try await eventually("it was refused once") { try fixture.counts() == ["relay/deferred": 1] ? () : nil }
            try clock.shift(by: point.distance)
            if point.restarts {
                try await daemon.terminate()
                daemon = try await fixture.start(environment: environment)
            }
            let begin = ContinuousClock.now
            if point.isCorrected {
                try await eventually("it was refused twice") {
                    server.lines.count { $0.hasPrefix("RCPT") } >= 2 ? () : nil
                }
                try clock.shift(by: 0)
            }
            try await eventually("it was taken", within: .seconds(30)) { server.mails.isEmpty ? nil : () }
            let took = ContinuousClock.now - begin
            try await eventually("nothing is left") { try fixture.counts().isEmpty ? () : nil }
            try await daemon.terminate()
            // Two waits of 2 s and their jitter, and one of the longest delay at most for the jump.
            return took > .seconds(8) ? ["taken only after \(took)"] : []
        }

        @Test("mail is at most one delay late, and none is given up early")
        func jumps() async throws {
            await FaultPoints.run("relay, clocks", ClockJump.all, normally: 2) { try await Self.faults($0) }
        }
    }
}
