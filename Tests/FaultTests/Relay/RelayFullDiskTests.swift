import Foundation
import Glibc
import TestSupport
import Testing

extension FaultBench {
    @Suite("The relay on a disk that is full")
    struct RelayFullDisks {
        private struct Point: Sendable {
            let kind: SmallFileSystem.Kind
            let kibibytes: Int
        }

        private static let points: [Point] = SmallFileSystem.Kind.allCases.flatMap { kind in
            [0, 4, 16, 30, 43, 56, 100, 200, 400, 600].map { Point(kind: kind, kibibytes: $0) }
        }

        private func faults(_ point: Point) async throws -> [String] {
            let disk = try await SmallFileSystem(point.kind)
            let relay = try await RelayUnderFault(in: disk.path)
            let daemon = try await relay.fixture.start()
            daemon.signal(SIGSTOP)
            for message in 0..<4 { try relay.put((0..<300).map { "m\(message)-\($0)" }) }
            try disk.fill(leaving: point.kibibytes)
            daemon.signal(SIGCONT)
            let begin = try daemon.processorTime()
            try await Task.sleep(for: .seconds(4))
            var found: [String] = []
            guard daemon.isRunning else { return ["ended: \(try await daemon.finished())"] }
            let used = try daemon.processorTime() - begin
            // On a busy machine it may still be at work.
            let sent = relay.taken.count
            try await Task.sleep(for: .seconds(2))
            let isStuck = try !relay.fixture.counts().isEmpty && relay.taken.count == sent
            if isStuck {
                if used > .milliseconds(400) { found.append("used \(used) of 4 s") }
                if try await relay.fixture.status().isHealthy { found.append("healthy while mail is held up") }
            }
            try disk.empty()
            if let took = try await relay.recovers(within: .seconds(40)) {
                if took > .seconds(15) { found.append("healthy only after \(took)") }
            } else {
                found.append("never healthy again: \(try await relay.fixture.status().reasons)")
            }
            try await daemon.terminate()
            return found + (try relay.faults())
        }

        @Test("loses nobody, sends to nobody twice but where it says so, and goes on when there is room")
        func full() async throws {
            let obstacles = SmallFileSystem.Kind.allCases.compactMap { SmallFileSystem.obstacle(to: $0) }
            let possible = Self.points.filter { SmallFileSystem.obstacle(to: $0.kind) == nil }
            let chosen = FaultShare.of(possible, normally: 2)
            var failures = 0
            for point in chosen {
                let found = try await faults(point)
                #expect(found == [], "\(point)")
                if !found.isEmpty { failures += 1 }
            }
            FaultShare.tell(
                "relay, full disks", points: chosen.count, of: Self.points.count, failures: failures, leftOut: obstacles
            )
        }
    }
}
