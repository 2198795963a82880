import Foundation
import Glibc
import TestSupport
import Testing

extension FaultBench {
    @Suite("ses on a disk that is full")
    struct SESFullDisks {
        private struct Point: Sendable, CustomStringConvertible {
            let kind: SmallFileSystem.Kind
            let kibibytes: Int
            var description: String { "\(kind.rawValue), \(kibibytes) KiB free" }
        }

        private static let points: [Point] = SmallFileSystem.Kind.allCases.flatMap { kind in
            [0, 4, 16, 30, 56, 100, 200, 600].map { Point(kind: kind, kibibytes: $0) }
        }

        private static func configuration() async throws -> SESXML {
            var configuration = SESXML(servers: [try await DSSFixture.shared.address])
            configuration.outgoing = SESXML.sign(alias: MailSamples.alice)
            return configuration
        }

        private func faults(_ point: Point) async throws -> [String] {
            let disk = try await SmallFileSystem(point.kind)
            let fixture = try await SpoolFixture(try await Self.configuration(), in: disk.path)
            let all = (0..<8).map { Marked("full", $0) }
            // Everything is there before the disk is full. A delivery into a Maildir names the recipients so.
            let trace = Array("Return-Path: <\(MailSamples.alice)>\r\nEnvelope-To: \(MailSamples.bob)\r\n".utf8)
            for one in all {
                let aside = fixture.spool + "/outgoing/tmp/" + one.token
                try Data(trace + one.octets(more: 400)).write(to: URL(fileURLWithPath: aside))
                try SpoolFixture.own(aside)
            }
            let daemon = try await fixture.watch()
            daemon.signal(SIGSTOP)
            for one in all {
                let name = fixture.spool + "/outgoing/"
                guard rename(name + "tmp/" + one.token, name + "new/" + one.token) == 0 else {
                    throw HarnessError("rename: \(errno)")
                }
            }
            try disk.fill(leaving: point.kibibytes)
            daemon.signal(SIGCONT)
            let begin = try daemon.processorTime()
            try await Task.sleep(for: .seconds(4))
            guard daemon.isRunning else { return ["ended: \(try await daemon.finished())"] }
            var found: [String] = []
            let used = try daemon.processorTime() - begin
            // On a busy machine it may still be at work.
            let delivered = try fixture.names(in: "delivered/new").count
            try await Task.sleep(for: .seconds(2))
            if delivered < all.count, try fixture.names(in: "delivered/new").count == delivered {
                // What is delivered before it is full costs, too.
                let isFull = point.kibibytes < 30
                if isFull, used > .milliseconds(800) { found.append("used \(used) of 4 s") }
                if try await fixture.isHealthy() { found.append("healthy while mail is held up") }
            }
            try disk.empty()
            let freed = ContinuousClock.now
            while ContinuousClock.now - freed < .seconds(40) {
                if try fixture.names(in: "delivered/new").count >= all.count, try await fixture.isHealthy() { break }
                try await Task.sleep(for: .milliseconds(200))
            }
            let took = ContinuousClock.now - freed
            if took > .seconds(15) { found.append("healthy only after \(took)") }
            try await daemon.terminate()
            let state = GatewayState(
                fixture, expected: Dictionary(uniqueKeysWithValues: all.map { ($0, ["delivered"]) }))
            return found + (try state.faults())
        }

        @Test("loses nothing, diverts nothing, doubles nothing, says so, and goes on when there is room")
        func full() async throws {
            let obstacles = SmallFileSystem.Kind.allCases.compactMap { SmallFileSystem.obstacle(to: $0) }
            let possible = Self.points.filter { SmallFileSystem.obstacle(to: $0.kind) == nil }
            let chosen = FaultShare.of(possible, normally: 2)
            let found = await FaultShare.faults(of: chosen, width: 1) { try await faults($0) }
            for (point, faults) in found { Issue.record("\(point): \(faults.joined(separator: "; "))") }
            FaultShare.tell(
                "ses, full disks", points: chosen.count, of: Self.points.count, failures: found.count,
                leftOut: obstacles)
        }
    }
}

extension SpoolFixture {
    /// Returns the report of `ses status`.
    fileprivate func isHealthy() async throws -> Bool {
        try await ses(["status", "--config", configurationPath]).status == 0
    }
}
