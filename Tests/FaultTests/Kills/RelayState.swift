import Foundation
import Glibc
import Synchronization
import TestSupport

/// A spool of the relay with marked messages, and who must have each in the end.
///
/// The local-part of a recipient says what its server does: `ok…` is accepted, `later…` refused once for now, `fail…`
/// refused permanently.
final class RelayState: KillState {
    let fixture: RelayFixture
    private let server: ScriptedMailServer
    private let acceptances: Acceptances
    /// Those who had a message before the power failed, once for each.
    private let earlier: [String]
    private let knowsDSN: Bool
    /// By recipient: true if the recipient must have a message, false if it must never have one and stand in `failed`.
    private let expected: [String: Bool]
    /// Those who must be told of something by a report.
    private let senders: Set<String>
    /// The senders who may have been told: a message with too many starts is put away by a rename, without a report.
    private let mayBeTold: Set<String>

    init(knowsDSN: Bool = true) async throws {
        acceptances = Acceptances()
        server = try Self.server(knowsDSN, acceptances)
        fixture = try await RelayFixture(Self.gateway(server))
        self.knowsDSN = knowsDSN
        earlier = []
        expected = [:]
        senders = []
        mayBeTold = []
    }

    /// - Parameters:
    ///   - recipients: All of them, as local-parts.
    ///   - refused: Those who must stand in `failed`.
    init(
        _ other: RelayState, recipients: [String], refused: [String] = [], senders: [String] = [],
        mayBeTold: [String] = []
    ) async throws {
        knowsDSN = other.knowsDSN
        acceptances = Acceptances()
        server = try Self.server(knowsDSN, acceptances)
        fixture = try await RelayFixture(copying: other.fixture, Self.gateway(server))
        earlier = []
        expected = Dictionary(uniqueKeysWithValues: recipients.map { ($0, !refused.contains($0)) })
        self.senders = Set(senders)
        self.mayBeTold = Set(mayBeTold)
    }

    /// - Parameter fixture: Makes the spool, given the configuration.
    private init(
        like other: RelayState, earlier: [String] = [], _ fixture: (_ body: String) async throws -> RelayFixture
    ) async throws {
        knowsDSN = other.knowsDSN
        acceptances = Acceptances()
        server = try Self.server(knowsDSN, acceptances)
        self.fixture = try await fixture(Self.gateway(server))
        self.earlier = earlier
        expected = other.expected
        senders = other.senders
        mayBeTold = other.mayBeTold
    }

    var spool: String { fixture.spool }

    private static func gateway(_ server: ScriptedMailServer) -> String {
        RelayFixture.gateway(server.port) + "<deliveryThreads>1</deliveryThreads>"
    }

    private static func server(_ knowsDSN: Bool, _ acceptances: Acceptances) throws -> ScriptedMailServer {
        let refused = Mutex<Set<String>>([])
        return try ScriptedMailServer(
            capabilities: ScriptedMailServer.capabilities.filter { knowsDSN || $0 != "DSN" }
        ) { step in
            acceptances.note(step)
            guard case .rcpt(let name) = step else { return nil }
            if name.hasPrefix("fail") { return .say("550 5.1.1 no such user") }
            if name.hasPrefix("later"), refused.withLock({ $0.insert(name).inserted }) {
                return .say("451 4.2.1 not now")
            }
            acceptances.add(name)
            return nil
        }
    }

    func copy() async throws -> any KillState {
        try await RelayState(like: self) { try await RelayFixture(copying: fixture, $0) }
    }

    func image(at time: Int?, _ write: (String) throws -> Void) async throws -> any KillState {
        try await RelayState(like: self, earlier: acceptances.before(time)) { try RelayFixture($0, write) }
    }

    func put(_ one: Marked, from sender: String, to recipients: [String], fields: [String] = []) throws {
        let octets = MailSamples.withLineFeeds(one.octets())
        try fixture.put(
            String(decoding: octets, as: UTF8.self), from: sender + "@example.test",
            to: recipients.map { $0 + "@x.test" }, fields: fields)
    }

    func run(_ environment: [String: String]) async throws -> RunningProgram.Finished {
        try await fixture.once(environment: environment)
    }

    /// Makes everything that waits due, without a wait.
    func makeDue() throws {
        for name in try fixture.names(in: "relay/deferred") {
            guard let due = SpoolFile.part("D", of: name), due != "0" else { continue }
            let folder = fixture.spool + "/relay/deferred/"
            try FileManager.default.moveItem(
                atPath: folder + name, toPath: folder + name.replacingOccurrences(of: "D=" + due, with: "D=0"))
        }
    }

    func finish() async throws {
        for _ in 0..<12 {
            try makeDue()
            let end = try await run([:])
            guard end.status == 0 else { throw HarnessError("the start after it ended with \(end)") }
            if try fixture.counts().allSatisfy({ $0.key == "failed" }) { return }
        }
        throw HarnessError("not at an end after 12 starts: \(try fixture.counts())")
    }

    func faults() throws -> [String] {
        let mails = server.mails
        let taken = Dictionary((earlier + mails.flatMap(\.recipients)).map { ($0, 1) }, uniquingKeysWith: +)
        let told = try fixture.possibleRepeats()
        var faults: [String] = []
        for (name, mustHave) in expected where (taken[name] ?? 0 > 0) != mustHave {
            faults.append("\(name) got \(taken[name] ?? 0)")
        }
        for sender in senders where taken[sender] == nil { faults.append("\(sender) was told nothing") }
        for (name, count) in taken {
            if expected[name] == nil, !senders.contains(name), !mayBeTold.contains(name) {
                faults.append("\(name) got something")
            }
            let allowed = 1 + told.filter { $0.key.hasPrefix(name + "@") }.values.reduce(0, +)
            if count > allowed { faults.append("\(name) got \(count), \(allowed - 1) repeats announced") }
        }
        for mail in mails where mail.content.suffix(2) != [0x0D, 0x0A] || !Self.isWhole(mail.text) {
            faults.append("half a message was sent: \(mail.text)")
        }
        return try faults + faultsOfRemains()
    }

    private static func isWhole(_ text: String) -> Bool {
        guard let start = text.range(of: "mark-")?.lowerBound else { return text.hasSuffix("--\r\n") }
        let token = text[start...].prefix { $0.isLetter || $0.isNumber || $0 == "-" }
        // A report has the header of what it tells of, and ends with its last delimiter.
        return text.contains("End of \(token).") || text.hasSuffix("--\r\n")
    }

    private func faultsOfRemains() throws -> [String] {
        var remains: [String] = []
        for name in try fixture.names(in: "failed") {
            let file = try SpoolFile(path: fixture.spool + "/failed/" + name)
            remains += file.recipients
            guard file.text.contains("End of mark-") else { return ["half a file in failed: \(file)"] }
        }
        let refused = expected.filter { !$0.value }.keys.map { $0 + "@x.test" }.sorted()
        return remains.sorted() == refused ? [] : ["in failed for \(remains), must be \(refused)"]
    }
}

/// The times at which a server accepted messages, and their recipients; one connection at a time.
private final class Acceptances: Sendable {
    private struct State {
        var now: [String] = []
        var all: [(time: Int, names: [String])] = []
    }

    private let state = Mutex(State())

    func add(_ name: String) { state.withLock { $0.now.append(name) } }

    func note(_ step: ScriptedMailServer.Step) {
        state.withLock { state in
            switch step {
            case .mail: state.now = []
            case .content:
                var time = timespec()
                clock_gettime(CLOCK_MONOTONIC, &time)
                state.all.append((time.tv_sec * 1_000_000_000 + time.tv_nsec, state.now))
            default: break
            }
        }
    }

    func before(_ time: Int?) -> [String] {
        state.withLock { state in state.all.filter { $0.time < time ?? .max }.flatMap(\.names) }
    }
}
