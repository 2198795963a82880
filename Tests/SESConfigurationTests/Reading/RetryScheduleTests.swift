import Testing

@testable import SESConfiguration

@Suite("Retry schedule")
struct RetryScheduleTests {
    @Test(
        "reads one delay and lists",
        arguments: [
            ("5 minutes", [300]), ("1 sec", [1]), ("2secs", [2]), ("1 second", [1]), ("1 min", [60]), ("2 mins", [120]),
            ("1 hour", [3600]), ("2 HOURS", [7200]), ("1 day", [86_400]), ("365 days", [31_536_000]),
            ("3*10 minutes, 2 hours", [600, 600, 600, 7200]), (" 2 * 1 min ,1 hour ", [60, 60, 3600]),
        ])
    func grammar(_ text: String, _ seconds: [Int]) {
        #expect(RetrySchedule.delays(in: text) == seconds)
    }

    @Test(
        "refuses anything else",
        arguments: [
            "", "5", "minutes", "0 minutes", "-5 minutes", "5 parsecs", "5 minutes,", ",", "0*5 minutes", "*5 minutes",
            "x*5 minutes", "1001*1 sec", "366 days", "99999999999999999999 sec", "9223372036854775807 days",
            "1.5 hours", "٥ minutes", "5*5*5 minutes",
        ])
    func refused(_ text: String) {
        #expect(RetrySchedule.delays(in: text) == nil)
    }

    @Test("the last delay repeats until the retries are used up")
    func repeating() {
        let schedule = RetrySchedule(delays: [10, 20], maxRetries: 4)
        #expect((1...5).map { schedule.delay(afterAttempt: $0) } == [10, 20, 20, 20, nil])
        #expect(schedule.delay(afterAttempt: 0) == 10)
        #expect(schedule.delay(afterAttempt: .min) == 10)
        #expect(schedule.delay(afterAttempt: .max) == nil)
        #expect(schedule.maximumDelay == 20)
    }

    @Test("fewer retries than delays are raised to the list")
    func raised() {
        let schedule = RetrySchedule(delays: [10, 20, 30], maxRetries: 1)
        #expect((1...4).map { schedule.delay(afterAttempt: $0) } == [10, 20, 30, nil])
    }

    @Test("repeated elements are one list; maxRetries alone keeps the standard delays")
    func elements() throws {
        func retry(_ content: String) throws -> RetrySchedule {
            var fixture = ConfigurationFixture()
            fixture.rest = "<Processing><Retry>\(content)</Retry></Processing>"
            return try fixture.load().processing.retry
        }
        #expect(
            try retry("<delayTime>5 minutes</delayTime><delayTime>2*1 hour</delayTime><maxRetries>7</maxRetries>")
                == RetrySchedule(delays: [300, 3600, 3600], maxRetries: 7))
        #expect(try retry("<maxRetries>30</maxRetries>") == RetrySchedule(delays: [], maxRetries: 30))
        #expect(try retry("<delayTime>1 min</delayTime>") == RetrySchedule(delays: [60], maxRetries: 25))
        #expect(try retry("") == .standard)
    }
}
