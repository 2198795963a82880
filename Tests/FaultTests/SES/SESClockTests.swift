import Foundation
import Glibc
import TestSupport
import Testing

extension FaultBench {
    @Suite("ses when the time of day jumps")
    struct SESClocks {
        private static func faults(_ point: ClockJump) async throws -> [String] {
            // The mail is verified at the third time.
            let server = try await HesitantServer(refusals: 2)
            let ses = try await SESUnderFault(
                try await SESUnderFault.configuration(
                    verification: server.address,
                    processing: "<Retry><delayTime>2 seconds</delayTime><maxRetries>5</maxRetries></Retry>"))
            let clock = try ShiftedClock()
            let environment = try await clock.environment(program: "ses")
            var daemon = try await ses.fixture.watch(environment: environment)
            try await ses.putIncoming("late")
            try await eventually("it was refused once") {
                try ses.fixture.counts() == ["retry/new": 1] ? () : nil
            }
            try clock.shift(by: point.distance)
            if point.restarts {
                try await daemon.terminate()
                daemon = try await ses.fixture.watch(environment: environment)
            }
            let begin = ContinuousClock.now
            if point.isCorrected {
                try await eventually("it was refused twice") { server.requests >= 2 ? () : nil }
                try clock.shift(by: 0)
            }
            let took = try await ses.arrival(of: "late", since: begin)
            let ended = try await daemon.terminate()
            // Two waits of 2 s, and one of the longest delay at most for the jump.
            return (took > .seconds(8) ? ["verified only after \(took)"] : [])
                + (ended.status == 0 ? [] : ["ended: \(ended)"]) + (try ses.faults())
        }

        @Test("mail is at most one delay late, and none is given up early")
        func jumps() async throws {
            _ = try await SESUnderFault.signed
            await FaultPoints.run("ses, clocks", ClockJump.all, normally: 2, width: 3) { try await Self.faults($0) }
        }
    }

    /// A clock that says a year in which the keys are not valid, on the machine of one of the programs.
    @Suite("ses and ses-dss sign while the time of day is wrong")
    struct SigningClocks {
        struct Point: Sendable, CustomStringConvertible {
            let program: String
            /// Seconds.
            let distance: Int
            /// The program is started while the clock is wrong.
            let startsWrong: Bool
            var description: String { "\(program), \(distance) s, \(startsWrong ? "from the start" : "later")" }

            static let all = [-40, -20, 40].map { $0 * 31_536_000 }.flatMap { distance in
                ["ses", "ses-dss"].flatMap { program in
                    [true, false].map { Point(program: program, distance: distance, startsWrong: $0) }
                }
            }
        }

        private static func faults(_ point: Point) async throws -> [String] {
            let clock = try ShiftedClock()
            let environment = try await clock.environment(program: point.program)
            if point.startsWrong { try clock.shift(by: point.distance) }
            let server = try await DSSFixture(environment: point.program == "ses-dss" ? environment : [:])
            var configuration = try await SESUnderFault.configuration(signing: server.address)
            configuration.processing = "<Retry><delayTime>2 seconds</delayTime><maxRetries>9</maxRetries></Retry>"
            let ses = try await SESUnderFault(configuration)
            let daemon = try await ses.fixture.watch(environment: point.program == "ses" ? environment : [:])
            if !point.startsWrong { try clock.shift(by: point.distance) }
            try ses.putOutgoing("one")
            try await eventually("it waits: \(daemon.text(.error))") {
                try ses.counts() == ["retry/new": 1] ? () : nil
            }
            let log = daemon.text(.error)
            try clock.shift(by: 0)
            let took = try await ses.arrival(of: "one", since: .now)
            let ended = try await daemon.terminate()
            return (took > .seconds(8) ? ["signed only after \(took)"] : [])
                + (log.contains("clock") ? [] : ["the clock is not named: \(log)"])
                + (ended.status == 0 ? [] : ["ended: \(ended)"]) + (try ses.faults())
        }

        @Test("mail to be signed waits until the clock is set, and is not given up")
        func wrong() async throws {
            await FaultPoints.run("signing, clocks", Point.all, normally: 2, width: 3) { try await Self.faults($0) }
        }
    }

    /// The shared signing server, behind one that is not ready for the first requests.
    private final class HesitantServer: Sendable {
        private let peer: ScriptedPeer
        var address: String { peer.address }
        var requests: Int { peer.requests.count }

        init(refusals: Int) async throws {
            let port = try await DSSFixture.shared.port
            let count = Counter()
            peer = try ScriptedPeer { connection in
                guard let request = connection.readRequest() else { return }
                guard count.next() > refusals else {
                    connection.send("HTTP/1.1 503 Not ready\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    return
                }
                connection.send(Self.answer(of: port, to: request))
            }
        }

        private static func answer(of port: Int, to request: ScriptedPeer.Request) -> [UInt8] {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            defer { close(descriptor) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = UInt16(port).bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            let isConnected = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            guard isConnected else { return [] }
            let kept = request.fields.filter { $0.name != "connection" }.map { "\($0.name): \($0.value)\r\n" }
            var octets = Array((request.line + "\r\n" + kept.joined() + "Connection: close\r\n\r\n").utf8)
            octets += request.body
            var sent = 0
            while sent < octets.count {
                let count = octets.withUnsafeBytes {
                    send(descriptor, $0.baseAddress?.advanced(by: sent), $0.count - sent, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { return [] }
                sent += count
            }
            var answer: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = recv(descriptor, &buffer, buffer.count, 0)
                guard count > 0 else { return answer }
                answer += buffer[..<count]
            }
        }
    }
}
