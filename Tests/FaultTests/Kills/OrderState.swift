import Foundation
import Glibc
import Synchronization
import TestSupport

/// A spool with messages that an operator gives an order about; what becomes of them is then worked off.
final class OrderState: KillState {
    private let fixture: SpoolFixture
    private let messages: [Marked]
    private let order: [String]
    /// The folders that may hold each message in the end: where it was before, and where the order leads.
    private let before: String
    private let after: String?
    private let status = Mutex<Int32?>(nil)

    /// - Parameter after: The folder where each message, or the report about it, must be when the order was carried
    ///   out; nil for nowhere.
    init(_ fixture: SpoolFixture, _ messages: [Marked], order: [String], before: String, after: String?) {
        self.fixture = fixture
        self.messages = messages
        self.order = order
        self.before = before
        self.after = after
    }

    private func again(_ fixture: SpoolFixture) -> OrderState {
        OrderState(fixture, messages, order: order, before: before, after: after)
    }

    var spool: String { fixture.spool }

    func copy() async throws -> any KillState { again(try await SpoolFixture(copying: fixture)) }

    func image(at time: Int?, _ write: (String) throws -> Void) async throws -> any KillState {
        let image = again(try SpoolFixture(configuredAs: fixture, write))
        // It answers at its end.
        if time == nil { image.status.withLock { $0 = status.withLock { $0 } } }
        return image
    }

    func run(_ environment: [String: String]) async throws -> RunningProgram.Finished {
        let finished = try await fixture.ses(
            order + ["--config", fixture.configurationPath], environment: environment)
        status.withLock { $0 = $0 ?? finished.status }
        return finished
    }

    func finish() async throws { try await fixture.process() }

    func faults() throws -> [String] {
        var places: [String: [String]] = [:]
        for folder in ["delivered", "admin", "blocked", "retry"] {
            for file in try fixture.files(in: folder) {
                let text = String(decoding: file.octets, as: UTF8.self)
                for one in messages where text.contains(one.token) { places[one.token, default: []].append(folder) }
            }
        }
        let isDone = status.withLock { $0 } == 0
        var faults: [String] = []
        for one in messages {
            let found = places[one.token] ?? []
            let isAfter = found == (after.map { [$0] } ?? [])
            if !isAfter, isDone || found != [before] {
                faults.append("\(one.token): in \(found), the order \(isDone ? "answered with 0" : "was killed")")
            }
        }
        for place in ["outgoing/new", "incoming/new", "work", "publish"] {
            let names = try fixture.names(in: place)
            if !names.isEmpty { faults.append("left in \(place): \(names)") }
        }
        return faults
    }
}

/// The scenarios in which an order of an operator is killed.
enum OrderScenarios {
    static let all = [
        scenario("release", ["release", "--all", "--yes"], after: "delivered"),
        scenario("requeue", ["requeue", "--all", "--yes"], after: "delivered"),
        scenario("reject", ["reject", "--all", "--yes", "--text", "not wanted"], after: "delivered"),
        scenario("remove", ["remove", "--all", "--yes"], after: nil),
        held, retried,
    ]

    /// Messages that wait for `ses`; without the order they are processed.
    private static let held = KillScenario(name: "an operator's order: hold", program: "ses") {
        let fixture = try await SpoolFixture(SESXML(servers: ["http://127.0.0.1:1"]))
        let messages = (0..<3).map { Marked("order-hold", $0) }
        for one in messages { try await fixture.drop(one.octets(), to: .outgoing) }
        return OrderState(
            fixture, messages, order: ["hold", "--all", "--yes"], before: "delivered", after: "blocked")
    }

    /// Messages that wait for a server that is back; without the order they wait for hours.
    private static let retried = KillScenario(name: "an operator's order: retry", program: "ses") {
        var configuration = SESXML(servers: ["http://127.0.0.1:1"])
        configuration.outgoing = SESXML.sign(alias: MailSamples.alice)
        configuration.processing = "<Retry><delayTime>10 hours</delayTime><maxRetries>9</maxRetries></Retry>"
        let fixture = try await SpoolFixture(configuration)
        let messages = (0..<3).map { Marked("order-retry", $0) }
        for one in messages { try await fixture.drop(one.octets(), to: .outgoing) }
        try await fixture.process()
        guard try fixture.files(in: "retry").count == messages.count else {
            throw HarnessError("not in retry: \(try fixture.counts())")
        }
        configuration.signing = [try await DSSFixture.shared.address + "/adss/signing/dss"]
        try fixture.configure(configuration)
        return OrderState(
            fixture, messages, order: ["retry", "--all", "--yes"], before: "retry", after: "delivered")
    }

    private static func scenario(_ name: String, _ order: [String], after: String?) -> KillScenario {
        KillScenario(name: "an operator's order: \(name)", program: "ses") {
            // No workflow applies at first, and such mail is blocked.
            var configuration = SESXML(servers: ["http://127.0.0.1:1"])
            configuration.signingNoFilterAction = "BLOCK_EMAIL"
            configuration.outgoing = SESXML.sign(
                alias: MailSamples.alice, filter: "<Filter><AND><Subject contains=\"nothing has this\"/></AND></Filter>"
            )
            let fixture = try await SpoolFixture(configuration)
            let messages = (0..<3).map { Marked("order-" + name, $0) }
            for one in messages { try await fixture.drop(one.octets(), to: .outgoing) }
            try await fixture.process()
            guard try fixture.files(in: "blocked").count == messages.count else {
                throw HarnessError("not blocked: \(try fixture.counts())")
            }
            if name == "requeue" {
                configuration.signingNoFilterAction = nil
                try fixture.configure(configuration)
            }
            return OrderState(fixture, messages, order: order, before: "blocked", after: after)
        }
    }
}
