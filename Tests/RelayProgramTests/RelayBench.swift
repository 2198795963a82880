import Composition
import Foundation
import InternetMessage
import Logging
import Octets
import ProgramLife
import Delivery
import Synchronization
import TestSupport

@testable import RelayProgram
@testable import SESConfiguration
@testable import Spool

/// A transport that answers as a test says, and remembers what it was given.
final class FakeTransport: Transport {
    struct Given: Sendable {
        let sender: ReversePath
        let recipients: [String]
        let destination: Destination
        let text: String
        let notification: NotificationRequest
    }

    enum Answer: Sendable {
        case report(DeliveryReport.Outcome)
        /// The reply to RCPT: the message is not offered to this recipient.
        case refusal(DeliveryReport.Outcome)
        /// Nothing is said about this recipient.
        case silence
    }

    private let given = Mutex<[Given]>([])
    private let script = Mutex<[String: [Answer]]>([:])
    private let end = Mutex<TransportEnd>(.complete)
    /// True if the next server sends notifications.
    let notifies = Mutex(true)
    /// Called between the end of the message and its report.
    let beforeReport = Mutex<(@Sendable () -> Void)?>(nil)

    var deliveries: [Given] { given.withLock { $0 } }

    /// Sets the answers about `recipient`, one after the other; after them the recipient is accepted.
    func answer(_ recipient: String, _ answers: Answer...) { script.withLock { $0[recipient] = answers } }
    func answer(_ recipient: String, _ answers: [Answer]) { script.withLock { $0[recipient] = answers } }
    func end(_ end: TransportEnd) { self.end.withLock { $0 = end } }

    func deliver<Fault: Error>(
        _ consignment: Consignment, to destination: Destination, offering: ([AddrSpec]) throws(Fault) -> Void,
        report: ([RecipientReport]) throws(Fault) -> Void
    ) throws(Fault) -> TransportEnd {
        given.withLock {
            $0.append(
                Given(
                    sender: consignment.sender, recipients: consignment.recipients.map(\.description),
                    destination: destination, text: consignment.content.collected().text,
                    notification: consignment.notification))
        }
        let end = end.withLock { $0 }
        if case .routeFailed = end,
            consignment.recipients.allSatisfy({ recipient in script.withLock { $0["\(recipient)"] == nil } })
        {
            return end
        }
        let offered = consignment.recipients.filter { recipient in
            if case .refusal = script.withLock({ $0["\(recipient)"]?.first }) { false } else { true }
        }
        if !offered.isEmpty { try offering(offered) }
        beforeReport.withLock { $0 }?()
        var reports: [RecipientReport] = []
        for recipient in consignment.recipients {
            let answer = script.withLock { script in
                script[recipient.description]?.isEmpty == false
                    ? script[recipient.description]?.removeFirst() : nil
            }
            switch answer ?? .report(consignment.acceptance(notifies: notifies.withLock { $0 })) {
            case .silence: continue
            case .report(let outcome), .refusal(let outcome):
                let (status, text) =
                    switch outcome {
                    case .sent, .relayed: ("2.0.0", "250 taken")
                    case .failed: ("5.1.1", "550 5.1.1 no such <user>\u{202E} here")
                    case .deferred: ("4.2.1", "451 4.2.1 later")
                    case .unknown, .notOffered: ("4.4.2", "the connection was lost")
                    }
                reports.append(
                    RecipientReport(
                        recipient,
                        DeliveryReport(outcome, status: status, server: "192.0.2.1", text, isReply: outcome != .unknown)
                    ))
            }
        }
        try report(reports)
        return end
    }
}

/// A relay on a spool of a test's own, with a clock that stands where the test puts it.
final class RelayBench {
    static let start = 1_790_000_000
    static let message = "From: a@example.test\nTo: b@x.test\nSubject: Hello\nMessage-ID: <1@example.test>\n\nbody\n"

    let scratch: ScratchDirectory
    let spool: Spool
    let transport = FakeTransport()
    let engine: RelayEngine
    let board = HealthBoard {}
    let lanes = LaneBoard {}
    let counters = RelayCounters()
    private let now: TestTime
    var path: String { scratch.file("spool") }

    init(
        _ configuration: String = "<gateway>192.0.2.1</gateway>", copying other: RelayBench? = nil,
        durability: Durability = Durability()
    ) throws {
        scratch = try ScratchDirectory()
        if let other {
            try FileManager.default.copyItem(atPath: other.path, toPath: scratch.file("spool"))
        } else {
            _ = try Spool.make(at: scratch.file("spool"))
        }
        let now = TestTime(Self.start)
        self.now = now
        let clock = SpoolClock(milliseconds: { now.seconds * 1_000 }, monotonic: { .seconds(now.seconds) })
        spool = try Spool(
            opening: scratch.file("spool"), program: .relay, clock: clock, random: .system, durability: durability)
        let file = try scratch.write(Array("<Relay>\(configuration)</Relay>".utf8), to: "relay.xml")
        let loaded = try loadRelay(path: file)
        let settings = RelaySettings(
            loaded, hostName: "relay.example.test",
            transport: RouteTransport(loaded, hostName: "relay.example.test", replacement: transport))
        engine = RelayEngine(
            spool: spool, settings: InForce(settings), board: board, lanes: lanes, counters: counters,
            clock: clock, log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    var time: Int {
        get { now.seconds }
        set { now.seconds = newValue }
    }

    /// Puts a message into `folder/new`, as `ses` does.
    @discardableResult
    func put(
        _ text: String = message, from sender: String? = "a@example.test", to recipients: [String] = ["b@x.test"],
        folder: String = "delivered", origin: String = "out",
        asking request: NotificationRequest = NotificationRequest()
    ) throws -> String {
        let path = sender.map { sender in sender.isEmpty ? ReversePath.null : ReversePath(parsing: sender) ?? .null }
        let block = EnvelopeBlock(
            envelope: Envelope(
                sender: path, recipients: recipients.compactMap { AddrSpec(parsing: $0) }, source: .arguments,
                notification: request),
            entry: nil
        ).rendered(lineEnd: .lf)
        let entry = EntryID(random: .system)
        let unique = UniqueName(entry: entry, clock: .system, random: .system)
        let name = "\(folder)/new/\(unique),E=\(block.count),O=\(origin)"
        try scratch.write(block.array + Array(text.utf8), to: "spool/" + name)
        return name
    }

    /// One pass over what waits and is due.
    func pass() {
        for queue in [Queue.delivered, .admin] {
            var found: [RelayEngine.Waiting] = []
            _ = engine.pass(queue) {
                found.append($0)
                return true
            }
            for waiting in found { engine.claim(waiting) }
        }
        engine.listDeferred()
        passDeferred()
    }

    func passDeferred() {
        var found: [RelayEngine.Waiting] = []
        _ = engine.passDeferred {
            found.append($0)
            return true
        }
        for waiting in found { engine.claim(waiting) }
    }

    func names(_ directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path + "/" + directory).filter { !$0.hasPrefix(".") }
            .sorted()
    }

    func text(_ name: String) throws -> String {
        String(decoding: try TestMaterial.octets(path + "/" + name), as: UTF8.self)
    }

    /// Returns the number of files in each place that holds any.
    func counts() throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for place in [
            "delivered/new", "admin/new", "relay/work", "relay/publish", "relay/deferred", "failed", "corrupt",
        ] {
            let count = try names(place).count
            if count > 0 { counts[place] = count }
        }
        return counts
    }

    func onlyFile(_ directory: String) throws -> SpoolFile {
        let names = try names(directory)
        guard names.count == 1 else { throw HarnessError("\(names.count) files in \(directory): \(try counts())") }
        return try SpoolFile(path: path + "/" + directory + "/" + names[0])
    }

    /// The record of the one deferred message.
    func record() throws -> String {
        let names = try names("relay/deferred")
        guard names.count == 1 else { throw HarnessError("\(names.count) deferred: \(try counts())") }
        return try text("relay/deferred/\(names[0])/done")
    }
}

final class TestTime: Sendable {
    private let value: Atomic<Int>
    init(_ seconds: Int) { value = Atomic(seconds) }
    var seconds: Int {
        get { value.load(ordering: .relaxed) }
        set { value.store(newValue, ordering: .relaxed) }
    }
}
