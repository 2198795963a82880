import Foundation
import Glibc
import Synchronization
import TestSupport

/// A spool into which `ses drop` puts a message; what it put in is then passed on.
final class DropState: KillState {
    private let fixture: SpoolFixture
    private let message = Marked("drop", 1)
    private let status = Mutex<Int32?>(nil)

    init() async throws {
        // No workflow applies: the message is passed on as it is.
        fixture = try await SpoolFixture(SESXML(servers: ["http://127.0.0.1:1"]))
    }

    private init(_ fixture: SpoolFixture) { self.fixture = fixture }

    var spool: String { fixture.spool }

    func copy() async throws -> any KillState { DropState(try await SpoolFixture(copying: fixture)) }

    func image(at time: Int?, _ write: (String) throws -> Void) async throws -> any KillState {
        let image = DropState(try SpoolFixture(configuredAs: fixture, write))
        // It answers at its end.
        if time == nil { image.status.withLock { $0 = status.withLock { $0 } } }
        return image
    }

    func run(_ environment: [String: String]) async throws -> RunningProgram.Finished {
        let finished = try await fixture.ses(
            ["drop", "--spool", fixture.spool, "--to", "outgoing", "-f", MailSamples.alice, "--", MailSamples.bob],
            environment: environment, input: message.octets(more: 5_000))
        status.withLock { $0 = $0 ?? finished.status }
        return finished
    }

    func finish() async throws { try await fixture.process() }

    func faults() throws -> [String] {
        let files = try fixture.files(in: "delivered")
        // Its Received field comes first.
        let octets = message.octets(more: 5_000)
        var faults = files.filter { $0.message.suffix(octets.count) != octets[...] }.map { "not as it was: \($0)" }
        // A mail server repeats what was killed: here by the second run, where the point has one.
        if status.withLock({ $0 }) == 0, files.isEmpty { faults.append("answered with 0 and lost") }
        if files.count > 2 { faults.append("\(files.count) messages") }
        let counts = try fixture.counts().filter { $0.key != "delivered/new" }
        if !counts.isEmpty { faults.append("left: \(counts)") }
        return faults
    }
}
