import Foundation
import Glibc
import TestSupport
import Testing

extension FaultBench {
    @Suite("ses beside a signing server that hangs")
    struct SESHangs {
        private enum Restart: String, CaseIterable { case none, killed, stopped }

        private struct Point: Sendable, CustomStringConvertible {
            let step: HangingPeer.Step
            let isSigning: Bool
            let restart: Restart
            var description: String {
                "\(isSigning ? "signing" : "verification"), hangs at \(step), restart: \(restart)"
            }
        }

        private static let points: [Point] = HangingPeer.Step.allCases.flatMap { step in
            [true, false].flatMap { isSigning in
                Restart.allCases.map { Point(step: step, isSigning: isSigning, restart: $0) }
            }
        }

        /// More than any lane takes.
        private static let count = 24
        /// Of large ones, which a debug build takes long to read.
        private static let largeCount = 8

        private static func hang(_ ses: SESUnderFault, _ name: String, _ point: Point) async throws {
            guard point.isSigning else { return try await ses.putIncoming(name) }
            let body = point.step == .upload ? String(repeating: "A long line of text.\r\n", count: 1 << 18) : "x\r\n"
            try ses.put(name, MailSamples.plain(id: name, body: body))
        }

        /// The times that other mail takes: a message for the other server, and one of the same direction that needs
        /// none.
        private static func latencies(
            _ ses: SESUnderFault, _ point: Point, _ round: String, since begin: ContinuousClock.Instant = .now
        ) async throws -> [(name: String, took: Duration)] {
            if point.isSigning {
                try await ses.putIncoming("other" + round)
                try ses.putUnmatched("none" + round)
            } else {
                try ses.putOutgoing("other" + round)
                try ses.put("none" + round, MailSamples.plain(id: "none" + round), to: .incoming)
            }
            var latencies: [(String, Duration)] = []
            for name in ["other" + round, "none" + round] {
                latencies.append((name, try await ses.arrival(of: name, since: begin)))
            }
            return latencies
        }

        private static func faults(_ point: Point) async throws -> [String] {
            let peer = try HangingPeer(point.step)
            let environment = try await peer.environment(program: "ses")
            let ses = try await SESUnderFault(
                try await SESUnderFault.configuration(
                    signing: point.isSigning ? peer.address : nil, verification: point.isSigning ? nil : peer.address,
                    processing: "<Concurrency>4</Concurrency><Timeout connect=\"100\" total=\"200\"/>"))
            _ = try await SESUnderFault.signed
            let first = ContinuousClock.now
            var daemon = try await ses.fixture.watch(environment: environment)
            let start = ContinuousClock.now - first
            // What it takes without a hanging server, on this machine now.
            let usual = try await latencies(ses, point, "usual").map(\.took).max() ?? .zero
            func late(_ latencies: [(name: String, took: Duration)], beside more: Duration = .zero) -> [String] {
                latencies.filter { $0.took > usual + more + .seconds(2) }.map {
                    "\($0.name) took \($0.took), where \(usual + more) is usual"
                }
            }
            for number in 0..<(point.step == .upload ? Self.largeCount : Self.count) {
                try await hang(ses, "h\(number)", point)
            }
            try await eventually("it hangs") { peer.isReached ? () : nil }
            var found = late(try await latencies(ses, point, "a"))
            if point.restart != .none {
                // With mail for the server that hangs in work.
                for round in ["b", "c"] {
                    if point.restart == .killed {
                        try await daemon.crash()
                    } else {
                        found += try await stopped(daemon)
                    }
                    let begin = ContinuousClock.now
                    daemon = try ses.fixture.launch(environment: environment)
                    found += late(try await latencies(ses, point, round, since: begin), beside: start)
                }
            }
            found += try await stopped(daemon)
            let counts = try ses.fixture.counts()
            for folder in ["admin/new", "blocked/new", "corrupt"] where counts[folder] != nil {
                found.append("in \(folder): \(counts)")
            }
            // The server is well again.
            try ses.fixture.configure(try await SESUnderFault.configuration())
            daemon = try await ses.fixture.watch()
            if let took = try await ses.recovers(within: .seconds(90)) {
                if took > .seconds(45) { found.append("all delivered only after \(took)") }
            } else {
                found.append("never healthy again: \(try await ses.status().reasons)")
            }
            try await daemon.terminate()
            return found + (try ses.faults())
        }

        private static func stopped(_ daemon: RunningProgram) async throws -> [String] {
            let begin = ContinuousClock.now
            let ended = try await daemon.terminate(within: .seconds(30))
            let took = ContinuousClock.now - begin
            return took > .seconds(10) || ended.status != 0 ? ["SIGTERM took \(took): \(ended)"] : []
        }

        @Test("other mail goes within 2 s, also after restarts in the middle, and SIGTERM ends it in 10 s")
        func servers() async throws {
            _ = try await SESUnderFault.signed
            await FaultPoints.run(
                "ses, hanging signing server, \(Self.count) mails each", Self.points, normally: 2, width: 2
            ) { try await Self.faults($0) }
        }
    }
}
