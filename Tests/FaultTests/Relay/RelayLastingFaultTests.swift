import Foundation
import Glibc
import TestSupport
import Testing

extension FaultBench {
    @Suite("The relay while a fault lasts, and after it is lifted")
    struct RelayLastingFaults {
        private static let places: [(call: String, path: String)] = [
            ("write", "/done"), ("fsync", "/done"), ("create", "/done"), ("allocate", "/done"), ("read", "/done"),
            ("rename", "/relay/work"), ("rename", "/relay/publish"), ("rename", "/relay/deferred"),
            ("rename", "/delivered/new"), ("mkdir", "/relay/work"), ("rmdir", "/relay/"), ("unlink", "/relay/publish"),
            ("lock", "/relay/work"), ("open", "/relay/work"), ("open", "/delivered/new"), ("stat", "/relay/work"),
            ("read", "/message"), ("write", "/relay/journal"), ("create", "/relay/"), ("open", "/relay/deferred"),
        ]

        private static var points: [LastingPoint] {
            places.flatMap { place in
                LastingPoint.numbers.map { LastingPoint(call: place.call, path: place.path, number: $0) }
            }
        }

        /// Returns the deviations from the expected outcome.
        private static func faults(_ point: LastingPoint, lasting duration: Duration) async throws -> [String] {
            let relay = try await RelayUnderFault()
            let fault = try LastingFault(point.call, on: point.path, point.number)
            var daemon = try await relay.fixture.start(environment: try await fault.environment(program: "ses-relay"))
            try relay.put(["before"])
            try await eventually("the first mail") { relay.taken["before"] == 1 ? () : nil }
            for number in 0..<3 { try relay.put(["early\(number)"]) }
            try fault.begin()
            for number in 0..<5 { try relay.put(["n\(number)"]) }
            var found: [String] = []
            let begin = try daemon.processorTime()
            let lines = daemon.text(.error).troubleLines.count
            try await Task.sleep(for: duration)
            if daemon.isRunning {
                let used = try daemon.processorTime() - begin
                if used / duration > 0.02 { found.append("used \(used) of \(duration)") }
                let more = daemon.text(.error).troubleLines.count - lines
                if .seconds(more) > duration + .seconds(2) { found.append("\(more) lines in \(duration)") }
                // A fault of what nobody used holds up nothing.
                let isStuck = try !relay.fixture.counts().isEmpty
                if isStuck, try await relay.fixture.status().isHealthy { found.append("healthy meanwhile") }
                try fault.lift()
            } else {
                // The one fault that must end it: a directory that cannot be made durable.
                let ended = try await daemon.finished()
                if ended.status != 74 { found.append("ended: \(ended)") }
                try fault.lift()
                daemon = try await relay.fixture.start()
            }
            if let took = try await relay.recovers(within: .seconds(40)) {
                if took > .seconds(15) { found.append("healthy only after \(took)") }
            } else {
                found.append("never healthy again: \(try await relay.fixture.status().reasons)")
            }
            let ended = try await daemon.terminate(within: .seconds(10))
            if ended.status != 0 { found.append("ended with \(ended.status)") }
            return found + (try relay.faults())
        }

        @Test("costs little, says so, diverts nothing, and is over 15 s later")
        func lasting() async throws {
            await FaultPoints.run("relay, lasting faults", Self.points, normally: 2) { point in
                try await Self.faults(point, lasting: FaultShare.isWhole ? .seconds(10) : .seconds(5))
            }
        }
    }
}
