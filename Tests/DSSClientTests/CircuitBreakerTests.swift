import DSSClient
import Testing

@Suite("Circuit breakers")
struct CircuitBreakerTests {
    private let start = ContinuousClock.now

    @Test("let everything through until three calls in a row had no answer")
    func opening() throws {
        var breaker = CircuitBreaker(now: start)
        for _ in 0..<2 { try call(.unreached, on: &breaker, at: 0) }
        try call(.reached, on: &breaker, at: 0)
        for _ in 0..<2 { try call(.unreached, on: &breaker, at: 1) }
        #expect(breaker.state == .answering)
        try call(.unreached, on: &breaker, at: 2)
        #expect(breaker.state == .notAnswering)
        #expect(breaker.since == start + .seconds(2))
        let refused = breaker.admit(now: start + .seconds(3))
        #expect(refused == nil)
    }

    @Test("let one call try after a pause, and close when it is answered")
    func closing() throws {
        var breaker = try opened()
        let later = start + CircuitBreaker.firstPause
        let probe = try admission(to: &breaker, at: later)
        #expect(breaker.state == .tried)
        let second = breaker.admit(now: later)
        #expect(second == nil)
        breaker.note(.reached, of: probe, now: later)
        #expect(breaker.state == .answering)
        _ = try admission(to: &breaker, at: later)
    }

    @Test("wait twice as long after each try without an answer, up to a minute")
    func backingOff() throws {
        var breaker = try opened()
        var now = start + CircuitBreaker.firstPause
        for pause in [10, 20, 40, 60, 60] {
            let probe = try admission(to: &breaker, at: now)
            breaker.note(.unreached, of: probe, now: now)
            let early = breaker.admit(now: now + .seconds(pause) - .milliseconds(1))
            #expect(early == nil)
            now += .seconds(pause)
        }
        _ = try admission(to: &breaker, at: now)
    }

    @Test("let the next call try when the trial was given up")
    func abandoned() throws {
        var breaker = try opened()
        let later = start + CircuitBreaker.firstPause
        let probe = try admission(to: &breaker, at: later)
        breaker.note(.abandoned, of: probe, now: later)
        #expect(breaker.state == .notAnswering)
        _ = try admission(to: &breaker, at: later)
    }

    @Test("are not opened further by calls that began before, and closed by their answers")
    func stragglers() throws {
        var breaker = CircuitBreaker(now: start)
        let early = try admission(to: &breaker, at: start)
        for _ in 0..<3 { try call(.unreached, on: &breaker, at: 0) }
        let later = start + CircuitBreaker.firstPause
        _ = try admission(to: &breaker, at: later)
        breaker.note(.unreached, of: early, now: later)
        #expect(breaker.state == .tried)
        breaker.note(.reached, of: early, now: later)
        #expect(breaker.state == .answering)
    }

    @Test("stay closed when calls are given up from our side")
    func harmless() throws {
        var breaker = CircuitBreaker(now: start)
        for _ in 0..<10 { try call(.abandoned, on: &breaker, at: 0) }
        #expect(breaker.state == .answering)
    }

    private func opened() throws -> CircuitBreaker {
        var breaker = CircuitBreaker(now: start)
        for _ in 0..<CircuitBreaker.threshold { try call(.unreached, on: &breaker, at: 0) }
        return breaker
    }

    private func admission(
        to breaker: inout CircuitBreaker, at now: ContinuousClock.Instant
    ) throws -> CircuitBreaker.Admission {
        let admission = breaker.admit(now: now)
        return try #require(admission)
    }

    private func call(_ event: CircuitBreaker.Event, on breaker: inout CircuitBreaker, at seconds: Int) throws {
        let now = start + .seconds(seconds)
        breaker.note(event, of: try admission(to: &breaker, at: now), now: now)
    }
}
