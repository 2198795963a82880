import Foundation
import Glibc
import TestSupport
import Testing

extension FaultBench {
    @Suite("ses when one call fails")
    struct SESSingleFaults {
        private struct Point: Sendable, CustomStringConvertible {
            let call: FaultPoint.Call
            let action: FaultPoint.Action
            var description: String { "call \(call.number) \(call.name) \(call.path) \(action)" }
        }

        private static let numbers = [
            EIO, ENOSPC, EDQUOT, EROFS, EMFILE, ENFILE, ENOMEM, EACCES, EPERM, EINTR, ESTALE, EUCLEAN, EFBIG,
        ]

        private static func process(
            _ ses: SESUnderFault, _ environment: [String: String] = [:]
        ) async throws -> RunningProgram.Finished {
            try await ses.fixture.ses(
                ["process", "--config", ses.fixture.configurationPath], environment: environment)
        }

        private static func prepared() async throws -> SESUnderFault {
            let ses = try await SESUnderFault(
                try await SESUnderFault.configuration(
                    processing: "<Concurrency>1</Concurrency>"
                        + "<Retry><delayTime>1 second</delayTime><maxRetries>20</maxRetries></Retry>"))
            try ses.putOutgoing("signed")
            return ses
        }

        private static func points(_ template: SESUnderFault) async throws -> [Point] {
            let ses = try await SESUnderFault(copying: template)
            let log = ses.fixture.scratch.file("calls")
            let finished = try await process(
                ses, try await FaultPoint.environment(program: "ses", log: log, countsAll: true))
            #expect(finished.status == 0, "\(finished)")
            let calls = try FaultPoint.calls(in: log)
            let first = try #require(
                calls.firstIndex { $0.path.hasSuffix("/spool/work") || $0.path.contains("/.ses-probe") })
            return calls[first...].flatMap { call in numbers.map { Point(call: call, action: .fail($0)) } }
                + calls[first...].filter { $0.name == "write" }.map { Point(call: $0, action: .short) }
        }

        private static func faults(_ template: SESUnderFault, _ point: Point) async throws -> [String] {
            let ses = try await SESUnderFault(copying: template)
            let hit = try await process(
                ses,
                try await FaultPoint.environment(
                    program: "ses", point: point.call.number, action: point.action, countsAll: true))
            var found = [0, 66, 71, 74, 75, 78].contains(hit.status) ? [] : ["\(hit)"]
            let left = try ses.fixture.counts().filter { $0.key != "delivered/new" }
            if hit.status == 0, left.keys.contains(where: { $0 != "retry/new" }) {
                found.append("ended with 0 and left \(left)")
            }
            let end = ContinuousClock.now + .seconds(30)
            while try ses.fixture.counts().keys.contains(where: { $0 != "delivered/new" }), ContinuousClock.now < end {
                let finished = try await process(ses)
                if finished.status != 0 {
                    found.append("afterwards: \(finished)")
                    break
                }
                try await Task.sleep(for: .milliseconds(100))
            }
            return found + (try ses.faults())
        }

        @Test(
            "nothing is diverted, lost or doubled, and the exit code says whether something is left",
            .timeLimit(.minutes(60)))
        func single() async throws {
            let template = try await Self.prepared()
            let points = try await Self.points(template)
            await FaultPoints.run("ses, single faults", points, normally: 12, width: 3) { point in
                try await Self.faults(template, point)
            }
        }
    }
}
