import Foundation
import Glibc
import TestSupport
import Testing

extension FaultBench {
    @Suite("The relay when libraries get no descriptor and no memory")
    struct RelayShortages {
        @Test("no socket to a mail server can be made: the mail waits, and the server is not blamed")
        func sockets() async throws {
            let points = [EMFILE, ENFILE, ENOMEM].map { LastingPoint(call: "socket", path: "", number: $0) }
            await FaultPoints.run("relay, no sockets", points, normally: 1) { try await Self.faults($0) }
        }

        /// Returns the deviations from the expected outcome.
        private static func faults(_ point: LastingPoint) async throws -> [String] {
            let relay = try await RelayUnderFault()
            let fault = try LastingFault(point.call, on: point.path, point.number)
            try fault.begin()
            let daemon = try await relay.fixture.start(environment: try await fault.environment(program: "ses-relay"))
            for number in 0..<3 { try relay.put(["n\(number)"]) }
            var found: [String] = []
            let reason = try await eventually("the fault is met: \(daemon.text(.error))") {
                let status = try await relay.fixture.status()
                return status.isHealthy ? nil : status.reasons.joined(separator: "; ")
            }
            if !reason.contains(String(cString: strerror(point.number))) { found.append("the reason is \(reason)") }
            if daemon.text(.error).contains("route failed") { found.append("the server is blamed") }
            try fault.lift()
            if let took = try await relay.recovers(within: .seconds(40)) {
                if took > .seconds(15) { found.append("healthy only after \(took)") }
            } else {
                found.append("never healthy again: \(try await relay.fixture.status().reasons)")
            }
            let ended = try await daemon.terminate(within: .seconds(10))
            if ended.status != 0 { found.append("ended with \(ended.status)") }
            return found + (try relay.faults())
        }
    }
}
