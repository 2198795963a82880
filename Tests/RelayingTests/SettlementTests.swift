import InternetMessage
import Testing

@testable import Relaying

@Suite("What becomes of a message after an attempt")
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
        var summary = AttemptSummary(countsAsAttempt: counts, routesOpenAt: opensAt)
        if let trouble { for recipient in Self.c { summary.routeTroubles[recipient] = trouble } }
        return Settlement(
            history: history, recipients: Self.b + Self.c, request: NotificationRequest(notify: notify),
            attempts: attempts,
            summary: summary, now: now,
            patience: Patience(lifetime: 10_000, delayNotice: 5_000, delay: { $0 <= 3 ? $0 * 100 : nil }),
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

    @Test("whom no server was reached for is told why")
    func unreached() {
        let lines = [.arrived(900, .delivered)] + line(Self.b, .sent)
        for (now, words) in [(20_000, \Settlement.failures), (6_000, \Settlement.delays)] {
            let settlement = settle(lines, counts: false, opensAt: 30_000, now: now, trouble: "connection refused")
            #expect(
                settlement[keyPath: words].map(\.report.text)
                    == Self.c.map { _ in "the next mail server could not be reached: connection refused" })
        }
    }

    @Test("attempts used up: all who wait have failed")
    func usedUp() {
        let settlement = settle(line(Self.b, .sent) + line(Self.c, .deferred), attempts: 3)
        #expect(settlement.ending == .giveUp(Self.c))
        #expect(settlement.expired.map(\.recipient) == Self.c)
        #expect(settlement.failures.first?.report.status == "4.4.7")
        #expect(settlement.failures.first?.report.text == "later")
    }

    @Test("too old: failed, though no attempt could be made")
    func tooOld() {
        let settlement = settle([.arrived(900, .delivered)], counts: false, opensAt: 11_000, now: 10_900)
        #expect(settlement.ending == .giveUp(Self.b + Self.c))
        #expect(settlement.failures.first?.report.text.contains("could not be reached") == true)
    }

    @Test("the last look is when time ends, not after")
    func lastLook() {
        let settlement = settle([.arrived(900, .delivered)], counts: false, opensAt: 20_000, now: 10_800)
        #expect(settlement.ending == .wait(attempts: 0, due: 10_900))
    }

    @Test("a failure is told at once, and once")
    func told() {
        let lines = line(Self.b, .failed) + line(Self.c, .deferred)
        #expect(settle(lines).failures.map(\.recipient) == Self.b)
        #expect(settle(lines + Self.b.map { .toldOfFailure($0) }).failures.isEmpty)
        let end = settle(lines + Self.b.map { .toldOfFailure($0) }, attempts: 3)
        #expect(end.ending == .giveUp(Self.b + Self.c) && end.failures.map(\.recipient) == Self.c)
    }

    @Test("a delay is told once, after its time")
    func delay() {
        let lines = [.arrived(1_000, .delivered)] + line(Self.b, .sent) + line(Self.c, .deferred)
        #expect(settle(lines, now: 5_999).delays.isEmpty)
        #expect(settle(lines, now: 6_000).delays.map(\.recipient) == Self.c)
        #expect(settle(lines + [.toldOfDelay], now: 6_000).delays.isEmpty)
    }

    @Test("nothing is told that the sender does not want, and it ends as it would")
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

    @Test("whom a server without notifications took is done, and told once where success is to be told")
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

    @Test("done is done, whatever is said later")
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
            .arrived(1, .admin), .offered(address), .toldOfFailure(address), .toldOfRelay(address), .toldOfDelay,
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

@Suite("The health of a route")
struct RouteHealthTests {
    @Test("closes for a growing while, and lets one message try then")
    func grows() {
        var health = RouteHealth()
        #expect(health.ask(at: 0) == .go)
        health.failed("refused", at: 0)
        #expect(!health.isOpen && health.reason == "refused")
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
        #expect(health.isOpen && health.reason == nil)
    }

    @Test("failures of those that were under way together are one, and a pause has an end")
    func together() {
        var health = RouteHealth()
        for _ in 0..<20 { health.failed("lost", at: 0) }
        #expect(health.failures == 1)
        var now = 0
        for _ in 0..<20 {
            now += RouteHealth.longestPause
            #expect(health.ask(at: now) == .go)
            health.failed("lost", at: now)
        }
        #expect(health.ask(at: now) == .waitUntil(now + RouteHealth.longestPause))
    }

    @Test("a trial that nobody ends is taken for dead; one that says nothing lets the next try")
    func trials() {
        var health = RouteHealth()
        health.failed("lost", at: 0)
        #expect(health.ask(at: 100) == .go)
        health.withdrew()
        #expect(health.ask(at: 100) == .go)
        #expect(health.ask(at: 100 + RouteHealth.longestTrial) == .go)
    }

    @Test("a clock that is set back does not keep it closed")
    func clock() {
        var health = RouteHealth()
        health.failed("lost", at: 1_000_000)
        guard case .waitUntil(let time) = health.ask(at: 0) else {
            Issue.record("open")
            return
        }
        #expect(time <= RouteHealth.longestPause)
    }
}

@Suite("Which route takes what")
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
