import InternetMessage
import Testing

@testable import Delivery

@Suite("The state of a message after an attempt")
struct SettlementTests {
    static let b = AddrSpec(localPart: "b", domain: "x.test").map { [$0] } ?? []
    static let c = AddrSpec(localPart: "c", domain: "y.test").map { [$0] } ?? []

    private func report(_ outcome: DeliveryReport.Outcome) -> DeliveryReport {
        DeliveryReport(outcome, status: "4.2.1", "later")
    }

    private func settle(
        _ lines: [DeliveryLine], attempts: Int = 0, counts: Bool = true, opensAt: Int? = nil, now: Int = 1_000,
        notify: NotificationRequest.Notify? = nil, trouble: String? = nil
    ) -> Settlement {
        var history = DeliveryHistory()
        for line in lines { history.add(line) }
        // As many tries without a server as there are attempts.
        for time in 0..<4 { history.add(.unreached(time)) }
        var summary = AttemptSummary(countsAsAttempt: counts, routesOpenAt: opensAt)
        if let trouble { for recipient in Self.c { summary.routeTroubles[recipient] = trouble } }
        return Settlement(
            history: history, recipients: Self.b + Self.c, request: NotificationRequest(notify: notify),
            attempts: attempts,
            summary: summary, now: now,
            patience: Patience(
                attempts: 4, span: 0, lifetime: 10_000, delayNotice: 5_000, delay: { $0 <= 3 ? $0 * 100 : nil }),
            jitter: { $0 / 10 })
    }

    private func line(_ recipients: [AddrSpec], _ outcome: DeliveryReport.Outcome) -> [DeliveryLine] {
        recipients.map { .report($0, report(outcome), time: 1) }
    }

    @Test("all sent: sent")
    func sent() {
        let settlement = settle(line(Self.b + Self.c, .sent))
        #expect(settlement.ending == .sent && settlement.failures.isEmpty && settlement.delays.isEmpty)
    }

    @Test("one waits: by the schedule, with jitter")
    func waits() {
        let lines = [.arrived(900, .delivered)] + line(Self.b, .sent) + line(Self.c, .deferred)
        #expect(settle(lines, attempts: 1).ending == .wait(attempts: 2, due: 1_000 + 200 + 20))
    }

    @Test("a closed route costs no attempt")
    func closedRoute() {
        let settlement = settle([.arrived(900, .delivered)], attempts: 2, counts: false, opensAt: 1_030)
        #expect(settlement.ending == .wait(attempts: 2, due: 1_030))
        // Even where the attempts are used up: no attempt was made.
        #expect(
            settle([.arrived(900, .delivered)], attempts: 9, counts: false, opensAt: 1_030).ending
                == .wait(attempts: 9, due: 1_030))
    }

    @Test("recipients for whom no server was reached get the reason")
    func unreached() {
        let lines = [.arrived(900, .delivered)] + line(Self.b, .sent)
        for (now, words) in [(20_000, \Settlement.failures), (6_000, \Settlement.delays)] {
            let settlement = settle(lines, counts: false, opensAt: 30_000, now: now, trouble: "connection refused")
            #expect(
                settlement[keyPath: words].map(\.report.text)
                    == Self.c.map { _ in "the next mail server could not be reached: connection refused" })
        }
    }

    @Test("attempts used up: all waiting recipients have failed")
    func usedUp() {
        let settlement = settle(line(Self.b, .sent) + line(Self.c, .deferred), attempts: 3)
        #expect(settlement.ending == .giveUp(Self.c))
        #expect(settlement.expired.map(\.recipient) == Self.c)
        #expect(settlement.failures.first?.report.status == "4.4.7")
        #expect(settlement.failures.first?.report.text == "later")
    }

    @Test("too old: failed, although no attempt could be made")
    func tooOld() {
        let settlement = settle([.arrived(900, .delivered)], counts: false, opensAt: 11_000, now: 10_900)
        #expect(settlement.ending == .giveUp(Self.b + Self.c))
        #expect(settlement.failures.first?.report.text.contains("could not be reached") == true)
    }

    @Test("the last attempt is made when time ends, not after")
    func lastLook() {
        let settlement = settle([.arrived(900, .delivered)], counts: false, opensAt: 20_000, now: 10_800)
        #expect(settlement.ending == .wait(attempts: 0, due: 10_900))
    }

    @Test("a failure is reported at once, and once")
    func told() {
        let lines = line(Self.b, .failed) + line(Self.c, .deferred)
        #expect(settle(lines).failures.map(\.recipient) == Self.b)
        #expect(settle(lines + Self.b.map { .toldOfFailure($0) }).failures.isEmpty)
        let end = settle(lines + Self.b.map { .toldOfFailure($0) }, attempts: 3)
        #expect(end.ending == .giveUp(Self.b + Self.c) && end.failures.map(\.recipient) == Self.c)
    }

    @Test("a delay is reported once, after its time")
    func delay() {
        let lines = [.arrived(1_000, .delivered)] + line(Self.b, .sent) + line(Self.c, .deferred)
        #expect(settle(lines, now: 5_999).delays.isEmpty)
        #expect(settle(lines, now: 6_000).delays.map(\.recipient) == Self.c)
        #expect(settle(lines + [.toldOfDelay], now: 6_000).delays.isEmpty)
    }

    @Test("nothing is reported that the sender does not want, and the ending is the same")
    func unwanted() {
        let lines = [.arrived(1_000, .delivered)] + line(Self.b, .failed) + line(Self.c, .deferred)
        for notify in [NotificationRequest.Notify.never, NotificationRequest.Notify([.success])] {
            let late = settle(lines, now: 6_000, notify: notify)
            #expect(late.failures.isEmpty && late.delays.isEmpty && late.relays.isEmpty)
            let end = settle(lines, attempts: 3, notify: notify)
            #expect(end.ending == .giveUp(Self.b + Self.c) && end.failures.isEmpty)
            #expect(end.expired.map(\.recipient) == Self.c)
        }
        let failures = settle(lines, now: 6_000, notify: NotificationRequest.Notify([.failure]))
        #expect(failures.failures.map(\.recipient) == Self.b && failures.delays.isEmpty)
        let delays = settle(lines, now: 6_000, notify: NotificationRequest.Notify([.delay]))
        #expect(delays.failures.isEmpty && delays.delays.map(\.recipient) == Self.c)
    }

    @Test(
        "a recipient whom a server without notifications took is done, and success is reported once if it was asked for"
    )
    func relayed() {
        let lines = line(Self.b, .relayed) + line(Self.c, .deferred)
        let success = NotificationRequest.Notify([.success])
        #expect(settle(lines, notify: success).relays.map(\.recipient) == Self.b)
        #expect(settle(lines).relays.isEmpty && settle(lines, notify: .never).relays.isEmpty)
        #expect(settle(lines + Self.b.map { .toldOfRelay($0) }, notify: success).relays.isEmpty)
        let end = settle(lines, attempts: 3, notify: success)
        #expect(end.ending == .giveUp(Self.c) && end.relays.map(\.recipient) == Self.b)
        let sent = settle(line(Self.b + Self.c, .relayed), notify: success)
        #expect(sent.ending == .sent && sent.relays.map(\.recipient) == Self.b + Self.c)
    }

    @Test("a recipient who is done stays done")
    func done() {
        for first in [DeliveryReport.Outcome.sent, .relayed, .failed] {
            var history = DeliveryHistory()
            for line in line(Self.b, first) + line(Self.b, .deferred) + line(Self.b, first == .failed ? .sent : .failed)
            {
                history.add(line)
            }
            #expect(history.pending(of: Self.b).isEmpty)
            #expect(history.failed(of: Self.b).isEmpty == (first != .failed))
        }
    }

    @Test("an offer without its report is an interruption; a report ends it")
    func interrupted() {
        var history = DeliveryHistory()
        for recipient in Self.b + Self.c { history.add(.offered(recipient)) }
        for line in line(Self.b, .sent) { history.add(line) }
        #expect(history.interrupted == Set(Self.c))
    }

    @Test(
        "an offer that had no answer stays an interruption, whatever a later start is told", arguments: [true, false])
    func interruptedBefore(isOfferedAgain: Bool) {
        var history = DeliveryHistory()
        for recipient in Self.b {
            history.add(.offered(recipient))
            history.add(isOfferedAgain ? .offered(recipient) : .unanswered(recipient))
        }
        for line in line(Self.b, .deferred) { history.add(line) }
        #expect(history.interrupted == Set(Self.b))
        #expect(history.unanswered.isEmpty)
    }
}

@Suite("Lines of the record")
struct DeliveryLineTests {
    static let hostile = [
        "550 no such user", "250 ok\nsent c@y.test 1 2.0.0 - own x .", "a . b", "%41 %", "", "Grüße 日本", " .",
        String(repeating: "x", count: 5_000), "\u{0}\r\n\t",
    ]

    @Test("are read as they were written, whatever a server said", arguments: hostile)
    func roundTrip(_ text: String) throws {
        for address in ["b@x.test", "\"odd name\"@x.test", "ü@x.test"] {
            let address = try #require(AddrSpec(parsing: address))
            let report = DeliveryReport(.failed, status: "5.1.1", server: "192.0.2.1", text, isReply: true)
            let line = DeliveryLine.report(address, report, time: 17)
            #expect(!line.text.contains("\n") && line.text.hasSuffix(" ."))
            guard case .report(let read, let readReport, 17)? = DeliveryLine(parsing: line.text) else {
                Issue.record("not read: \(line.text.prefix(100))")
                return
            }
            #expect(read == address)
            #expect(readReport.text == String(text.unicodeScalars.prefix(2_000)) && readReport.isReply)
        }
    }

    @Test("cut short anywhere they mean nothing")
    func cut() throws {
        let address = try #require(AddrSpec(parsing: "b@x.test"))
        let lines: [DeliveryLine] = [
            .arrived(1, .admin), .offered(address), .unanswered(address), .toldOfFailure(address),
            .toldOfRelay(address), .toldOfDelay,
            .report(address, DeliveryReport(.relayed, status: "2.0.0", "250 ok"), time: 1),
            .report(address, DeliveryReport(.sent, status: "2.0.0", "250 ok"), time: 1),
        ]
        for line in lines {
            #expect(DeliveryLine(parsing: line.text) == line)
            for length in 0..<line.text.count {
                #expect(DeliveryLine(parsing: String(line.text.prefix(length))) == nil)
            }
        }
    }
}

@Suite("Giving up, if the clock may be wrong")
struct GivingUpTests {
    private static let recipients = AddrSpec(localPart: "b", domain: "x.test").map { [$0] } ?? []

    private func ending(
        age: Int, attempts: Int, unreached: Int = 0, counts: Bool = true, opensAt: Int? = nil
    ) -> Settlement.Ending {
        var history = DeliveryHistory()
        history.add(.arrived(100_000 - age, .delivered))
        for number in 0..<unreached { history.add(.unreached(number)) }
        return Settlement(
            history: history, recipients: Self.recipients, attempts: attempts,
            summary: AttemptSummary(countsAsAttempt: counts, routesOpenAt: opensAt), now: 100_000,
            patience: Patience(attempts: 4, span: 600, lifetime: 10_000, delay: { $0 <= 3 ? $0 * 100 : nil }),
            jitter: { _ in 0 }
        ).ending
    }

    @Test(
        "a clock that was set forward ends nothing before the attempts were made", arguments: [20_000, 400_000_000])
    func forward(_ age: Int) {
        #expect(ending(age: age, attempts: 0) == .wait(attempts: 1, due: 100_100))
        #expect(ending(age: age, attempts: 1) == .wait(attempts: 2, due: 100_200))
        #expect(
            ending(age: age, attempts: 0, unreached: 2, counts: false, opensAt: 100_030)
                == .wait(attempts: 0, due: 100_030))
        #expect(ending(age: age, attempts: 3) == .giveUp(Self.recipients))
        #expect(
            ending(age: age, attempts: 1, unreached: 3, counts: false, opensAt: 100_030) == .giveUp(Self.recipients))
    }

    @Test("attempts that were used up too fast do not end it, and twice as many do", arguments: [0, -400_000_000])
    func back(_ age: Int) {
        #expect(ending(age: age, attempts: 3) == .wait(attempts: 4, due: 100_300))
        #expect(ending(age: age, attempts: 8) == .wait(attempts: 9, due: 100_300))
        #expect(ending(age: age, attempts: 9) == .giveUp(Self.recipients))
    }

    @Test("normally the last attempt ends it, and with a dead route the age does")
    func inOrder() {
        #expect(ending(age: 600, attempts: 3) == .giveUp(Self.recipients))
        #expect(
            ending(age: 9_999, attempts: 3, unreached: 90, counts: false, opensAt: 101_000)
                == .wait(attempts: 3, due: 100_001))
        #expect(ending(age: 10_000, attempts: 0, unreached: 90, counts: false) == .giveUp(Self.recipients))
    }
}

@Suite("The record of one message")
struct RecordTests {
    private static let recipient = AddrSpec(localPart: "b", domain: "x.test").map { [$0] } ?? []

    @Test("the short form of a line is never longer than the space reserved for it, whatever a server says")
    func bounded() throws {
        let address = try #require(AddrSpec(parsing: String(repeating: "é", count: 32) + "@" + "x.test"))
        let words = ["ok", String(repeating: " ", count: 9_000), String(repeating: "\u{1F600}%", count: 3_000)]
        for text in words {
            let report = DeliveryReport(.unknown, status: "4.4.2", server: text, text, isReply: true)
            let lines: [DeliveryLine] = [
                .offered(address), .unanswered(address), .report(address, report, time: 4_000_000_000),
            ]
            let octets = lines.reduce(0) { $0 + $1.shortText.utf8.count + 1 }
            #expect(octets <= DeliveryLine.maximumRecordLength(of: [address]))
            let read = try #require(DeliveryLine(parsing: lines[2].shortText))
            guard case .report(address, let back, 4_000_000_000) = read else {
                Issue.record("read as \(read)")
                return
            }
            #expect(text.hasPrefix(back.text) && !back.text.isEmpty && back.outcome == .unknown)
        }
    }

    @Test("offers without a record are counted, reports and withdrawals are subtracted")
    func offers() throws {
        let b = try #require(Self.recipient.first)
        var history = DeliveryHistory()
        func report(_ outcome: DeliveryReport.Outcome) -> DeliveryLine {
            .report(b, DeliveryReport(outcome, status: "4.2.1", "later"), time: 1)
        }
        for _ in 0..<5 { for line in [.offered(b), report(.deferred)] { history.add(line) } }
        for _ in 0..<5 { for line in [.offered(b), report(.notOffered)] { history.add(line) } }
        #expect(history.interrupted.isEmpty && history.exhausted(of: [b]).isEmpty)
        #expect(history.lastReport(of: b)?.outcome == .deferred)
        for _ in 1..<DeliveryHistory.maximumUnrecorded { history.add(.offered(b)) }
        #expect(history.interrupted == [b] && history.exhausted(of: [b]).isEmpty)
        history.add(.offered(b))
        #expect(history.exhausted(of: [b]) == [b])
    }

    @Test("starts without an end are counted until one has an end")
    func vain() {
        var history = DeliveryHistory(lines: ["started .", "started .", "arrived 5 delivered ."])
        #expect(history.startsInVain == 2 && history.arrived == 5)
        history.add(.ended)
        #expect(history.startsInVain == 0)
        history.add(.started)
        history.add(.unreached(7))
        #expect(history.startsInVain == 0 && history.unreachedCount == 1)
        #expect(DeliveryLine(parsing: DeliveryLine.unreached(7).text) == .unreached(7))
    }
}

@Suite("The health of a route")
struct RouteHealthTests {
    @Test("closes for a growing time, and then lets one message try")
    func grows() {
        var health = RouteHealth()
        #expect(health.ask(at: 0) == .go)
        health.failed("refused", at: 0)
        #expect(!health.isAnswering && health.reason == "refused")
        var ordered = health
        ordered.permitTrial()
        #expect(ordered.ask(at: 1) == .go && ordered.ask(at: 2) != .go)
        #expect(health.ask(at: 29) == .waitUntil(30))
        #expect(health.ask(at: 30) == .go)
        guard case .waitUntil = health.ask(at: 30) else {
            Issue.record("two trials at once")
            return
        }
        health.failed("refused", at: 31)
        #expect(health.ask(at: 90) == .waitUntil(91))
        #expect(health.ask(at: 91) == .go)
        health.succeeded()
        #expect(health.isAnswering && health.reason == nil)
    }

    @Test("failures of deliveries under way together count once, and a pause ends")
    func together() {
        var health = RouteHealth()
        for _ in 0..<20 { health.failed("lost", at: 0) }
        #expect(health.failures == 1)
        var now = 0
        for _ in 0..<20 {
            now += RouteHealth.maximumPause
            #expect(health.ask(at: now) == .go)
            health.failed("lost", at: now)
        }
        #expect(health.ask(at: now) == .waitUntil(now + RouteHealth.maximumPause))
    }

    @Test("a trial that does not end is given up; one without a result lets the next try")
    func trials() {
        var health = RouteHealth()
        health.failed("lost", at: 0)
        #expect(health.ask(at: 100) == .go)
        health.withdrew()
        #expect(health.ask(at: 100) == .go)
        #expect(health.ask(at: 100 + RouteHealth.maximumTrial) == .go)
    }
}

@Suite("The routes that take a recipient")
struct RouteCriteriaTests {
    @Test("subdomains, cover and the null sender")
    func patterns() throws {
        let exact = DomainPattern(domain: "a.test", isForSubdomains: false)
        let below = DomainPattern(domain: "a.test", isForSubdomains: true)
        #expect(exact.matches("A.Test") && !exact.matches("b.a.test") && !exact.matches("ba.test"))
        #expect(below.matches("b.A.test") && !below.matches("a.test") && !below.matches("ba.test"))
        let route = RouteCriteria(fromDomains: [exact])
        let recipient = try #require(AddrSpec(parsing: "x@y.test"))
        func given(_ sender: ReversePath?) -> RouteCriteria.Given {
            RouteCriteria.Given(direction: .outgoing, source: .delivered, sender: sender, recipient: recipient)
        }
        #expect(route.matches(given(ReversePath(parsing: "u@a.test"))))
        #expect(!route.matches(given(.null)) && !route.matches(given(nil)))
        #expect(RouteCriteria().covers(route) && !route.covers(RouteCriteria()))
        #expect(
            RouteCriteria(toDomains: [below]).covers(
                RouteCriteria(toDomains: [DomainPattern(domain: "b.a.test", isForSubdomains: false)])))
    }
}
