import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

extension EndToEnd {
    /// A run with a number of messages and a number of kills; the same seed gives the same messages, victims and
    /// pauses.
    private struct Ordeal: CustomStringConvertible {
        let messages: Int
        let rounds: Int
        let seed: UInt64

        /// True if the signing server is killed, too, and the mail server refuses mail and breaks off.
        let isSoak: Bool

        /// `SES_TEST_MESSAGES` and `SES_TEST_SEED` replace the values of the level; `SES_TEST_SOAK` is the number of
        /// messages of a soak.
        init() throws {
            func number(_ name: String) throws -> UInt64? {
                guard let text = ProcessInfo.processInfo.environment[name] else { return nil }
                guard let value = UInt64(text), (1...1_000_000).contains(value) else {
                    throw HarnessError("\(name)=\(text) is not a number from 1 to 1000000")
                }
                return value
            }
            let soaked = try number("SES_TEST_SOAK")
            isSoak = soaked != nil
            messages = Int(try soaked ?? number("SES_TEST_MESSAGES") ?? (EndToEnd.isSecondLevel ? 10_000 : 150))
            rounds = max(12, messages / 40)
            seed = try number("SES_TEST_SEED") ?? 1
        }

        var description: String { "\(messages) messages, \(rounds) rounds, seed \(seed)" }

        /// The numbers of the messages that arrive in `round`.
        func messages(of round: Int) -> Range<Int> {
            messages * round / rounds..<messages * (round + 1) / rounds
        }
    }

    /// A message that can be told from all others by its text and by each of its recipients.
    private struct Marked: Sendable {
        /// Puts each into `outgoing`.
        static func put(_ messages: [Marked], into fixture: SpoolFixture) async throws {
            for message in messages {
                try fixture.place(message.octets, in: "outgoing/new", named: "1700000000.n\(message.number).test")
            }
        }

        let number: Int
        let token: String

        var isSigned: Bool { number.isMultiple(of: 5) }
        var recipients: [String] {
            let first = "n\(number)@elsewhere.test"
            return number.isMultiple(of: 3) ? [first, "m\(number)@elsewhere.test"] : [first]
        }
        var line: String { "The word is \(token)." }
        var octets: [UInt8] {
            let trace =
                "Return-Path: <\(MailSamples.alice)>\r\nEnvelope-To: \(recipients.joined(separator: ", "))\r\n"
                + "Received: by mx.example.test; Mon, 5 Jan 2026 10:00:00 +0000\r\n"
            return Array(trace.utf8)
                + MailSamples.plain(
                    to: recipients[0], subject: (isSigned ? "To be signed " : "As it is ") + token, id: token,
                    body: "Good morning,\r\n\(line)\r\n")
        }

        /// Returns true if a mail that arrived is this one, complete.
        func isTold(by text: String) -> Bool {
            text.contains("\r\n\(line)\r\n") && text.contains("\r\nMessage-ID: <\(token)@example.test>\r\n")
                && text.contains("multipart/signed") == isSigned
        }
    }

    /// A server that takes mail: always, or as one does that has bad days.
    private enum Sink {
        case good(RecordingMailServer)
        case bad(ScriptedMailServer)

        /// - Parameter seed: Of the refusals.
        static func bad(seed: UInt64) throws -> Sink {
            let numbers = Mutex(SeededNumbers(seed: seed))
            @Sendable func isHit(_ chance: Double) -> Bool {
                numbers.withLock { Double.random(in: 0..<1, using: &$0) < chance }
            }
            return .bad(
                try ScriptedMailServer { step in
                    switch step {
                    case .connected where isHit(0.0005): .close(["421 4.3.2 not today"])
                    case .rcpt where isHit(0.03): .say("451 4.2.1 not now")
                    case .content where isHit(0.01): .say("451 4.3.0 try again")
                    case .content where isHit(0.0005): .reset
                    default: nil
                    }
                })
        }

        var port: Int {
            switch self {
            case .good(let server): server.port
            case .bad(let server): server.port
            }
        }

        func mails() throws -> [(recipients: [String], text: String)] {
            switch self {
            case .good(let server): try server.mails().map { ($0.recipients, $0.text) }
            case .bad(let server): server.mails.map { ($0.recipients.map { $0 + "@elsewhere.test" }, $0.text) }
            }
        }
    }

    /// `ses watch` and `ses-relay run` on one spool.
    private struct Pair {
        enum Victim: CaseIterable {
            case ses, relay, both
            /// The signing server.
            case server
        }

        let fixture: SpoolFixture
        let relay: RelayFixture
        var sesDaemon: RunningProgram
        var relayDaemon: RunningProgram
        /// The signing server of a soak, which is killed too.
        private var server: DSSFixture?
        var kills = 0
        /// Entries that a program held as it was killed; one may be caught several times.
        var caught = 0
        /// Starts that were let come to an end, because a message would not have been given another.
        var spared = 0
        /// By a program's place of work, what it must be through with before it is killed again: three starts that had
        /// no end are what a message gets before it is put away.
        private var mustEnd: [String: [String]] = [:]

        /// - Parameter server: The signing server where it may be killed; nil for the shared one.
        init(server: DSSFixture?, port: Int) async throws {
            let shared = try await DSSFixture.shared
            self.server = server
            var configuration = SESXML(servers: [(server ?? shared).address])
            configuration.outgoing = SESXML.sign(
                alias: Samples.aliceKey, filter: "<Filter><AND><Subject contains=\"To be signed\"/></AND></Filter>")
            configuration.processing =
                "<Retry><delayTime>1 second</delayTime><maxRetries>99</maxRetries></Retry>"
            fixture = try await SpoolFixture(configuration)
            relay = try RelayFixture(beside: fixture, RelayFixture.gateway(port))
            sesDaemon = try await fixture.watch()
            relayDaemon = try await relay.start()
        }

        /// Kills one or both; what they were at stays until they are started again.
        mutating func kill(_ victim: Victim) async throws {
            if victim == .server, let server {
                try await server.crash()
                kills += 1
                return
            }
            if victim != .relay { sesDaemon.signal(SIGKILL) }
            if victim != .ses { relayDaemon.signal(SIGKILL) }
            if victim != .relay { try await count(sesDaemon, "work", "publish") }
            if victim != .ses { try await count(relayDaemon, "relay/work", "relay/publish") }
        }

        private mutating func count(_ killed: RunningProgram, _ work: String, _ publish: String) async throws {
            let ended = try await killed.finished(within: .seconds(10))
            guard ended.status == 128 + SIGKILL else { throw HarnessError("ended before it was killed: \(ended)") }
            kills += 1
            let held = try fixture.names(in: work)
            caught += try held.count + fixture.names(in: publish).count
            if try isSuspect(in: work) { mustEnd[work] = held }
        }

        /// Starts what was killed; waits until it says that it runs, or goes on at once.
        mutating func start(_ victim: Victim, waits: Bool) async throws {
            if victim == .server {
                if let port = server?.port { server = try await DSSFixture(port: port) }
                return
            }
            if victim != .relay { sesDaemon = waits ? try await fixture.watch() : try fixture.launch() }
            if victim != .ses { relayDaemon = waits ? try await relay.start() : try relay.launch() }
            for (work, held) in mustEnd {
                try await eventually("the third start is through with \(work)", within: .seconds(60)) {
                    try fixture.names(in: work).contains(where: held.contains) || isSuspect(in: work)
                        || isSuspectSetAside(from: work) ? nil : ()
                }
                spared += 1
            }
            mustEnd = [:]
        }

        /// Returns true if something is in work whose start would be its third without an end if it were killed now.
        /// The relay claims what its recovery has set aside under a fresh name.
        private func isSuspect(in work: String) throws -> Bool {
            // An entry may end between the two listings.
            try fixture.names(in: work).flatMap { (try? fixture.names(in: work + "/" + $0)) ?? [] }
                .compactMap { SpoolFile.part("C", of: $0).flatMap { Int($0.prefix(while: \.isNumber)) } }
                .contains { $0 >= 2 }
        }

        /// Returns true if the relay's recovery has put something aside whose next start without an end would be its
        /// third.
        private func isSuspectSetAside(from work: String) throws -> Bool {
            guard work.hasPrefix("relay/") else { return false }
            return try fixture.names(in: "relay/deferred").contains {
                SpoolFile.part("C", of: $0).flatMap { Int($0) } ?? 0 >= 2
            }
        }

        /// Waits until nothing stands on the way any more.
        func hasGone(within limit: Duration) async throws {
            do {
                try await eventually("everything has gone", within: limit) {
                    let waiting = try waiting()
                    if waiting["failed"] != nil {
                        throw HarnessError("failed: \(try relay.journal().filter { $0.contains("\"ev\":\"failed\"") })")
                    }
                    return waiting.isEmpty ? () : nil
                }
            } catch {
                throw HarnessError(
                    "\(error), but \(try waiting()); \(sesDaemon.text(.error).suffix(2_000)) \(relayDaemon.text(.error).suffix(2_000))"
                )
            }
        }

        /// Returns the messages anywhere on the way to the server or in `failed`.
        func waiting() throws -> [String: Int] {
            try fixture.counts().merging(relay.counts()) { ours, _ in ours }
        }
    }

    @Suite("ses and ses-relay on one spool, killed at random")
    struct KilledTogether {
        @Test("lose nothing, and send again only what the journal says may go again")
        func random() async throws {
            let ordeal = try Ordeal()
            var random = SeededNumbers(seed: ordeal.seed)
            let messages = (0..<ordeal.messages).map { number in
                Marked(number: number, token: String(random.next(), radix: 36) + "-\(number)")
            }
            let sink =
                ordeal.isSoak ? try Sink.bad(seed: ordeal.seed) : .good(try await RecordingMailServer())
            var pair = try await Pair(server: ordeal.isSoak ? try await DSSFixture() : nil, port: sink.port)
            let victims = Pair.Victim.allCases.filter { ordeal.isSoak || $0 != .server }
            let fixture = pair.fixture
            for round in 0..<ordeal.rounds {
                let arriving = Array(messages[ordeal.messages(of: round)])
                let victim = victims.randomElement(using: &random) ?? .both
                // From the first octets of the first message to when both are idle, as often in each doubling.
                let pause = Duration.microseconds(Int(500 * exp2(Double.random(in: 0..<9, using: &random))))
                let waits = Bool.random(using: &random)
                async let arrival: Void = Marked.put(arriving, into: fixture)
                try await Task.sleep(for: pause)
                try await pair.kill(victim)
                try await pair.start(victim, waits: waits)
                try await arrival
            }
            try await pair.hasGone(within: .seconds(ordeal.isSoak ? 3_600 : EndToEnd.isSecondLevel ? 600 : 60))
            #expect(try await pair.sesDaemon.terminate().status == 0)
            #expect(try await pair.relayDaemon.terminate().status == 0)
            #expect(try pair.waiting() == [:])
            #expect(pair.caught > 0, "no program was killed at work")

            let mails = try sink.mails()
            let told = try pair.relay.possibleRepeats()
            let addressees = Dictionary(
                uniqueKeysWithValues: messages.flatMap { message in message.recipients.map { ($0, message) } })
            var taken: [String: Int] = [:]
            var strange: [String] = []
            for mail in mails {
                for recipient in mail.recipients {
                    taken[recipient, default: 0] += 1
                    if addressees[recipient]?.isTold(by: mail.text) != true {
                        strange.append("\(recipient): \(mail.text)")
                    }
                }
            }
            let lost = addressees.keys.filter { taken[$0] == nil }
            let repeated = taken.filter { $0.value > 1 }
            let untold = repeated.filter { $0.value - 1 > told[$0.key] ?? 0 }
            #expect(lost.sorted() == [])
            #expect(strange.prefix(3) == [])
            #expect(untold == [:])
            FaultShare.tell(
                ordeal.isSoak ? "soak: mails, with kills of everything" : "mails, with random kills",
                points: ordeal.messages, of: ordeal.messages,
                failures: lost.count + strange.count + untold.count,
                note:
                    "\(pair.kills) kills, \(pair.caught) entries caught under way, \(told.values.reduce(0, +)) repeats announced"
            )
            print(
                "\(ordeal): \(pair.kills) kills, \(pair.caught) entries caught under way,",
                "\(pair.spared) starts spared, \(lost.count) lost,",
                "\(repeated.values.reduce(0) { $0 + $1 - 1 }) sent again of \(told.values.reduce(0, +)) possible repeats told"
            )
        }
    }
}
