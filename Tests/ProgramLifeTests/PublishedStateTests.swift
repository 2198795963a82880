import Foundation
import Glibc
import Monitoring
import TestSupport
import Testing

@testable import ProgramLife
@testable import Spool

@Suite("Published states")
struct PublishedStateTests {
    @Test("a state is read as it was published, and one of another form is not understood")
    func object() throws {
        var server = ServerState(.signing, "https://a.test", isAnswering: false, since: 5)
        server.reason = "refused"
        let state = PublishedState(
            started: 5, watches: true, reasons: [StandingReason(.machineFault, "full")], servers: [server])
        let octets = Array(try JSONEncoder().encode(state))
        #expect(PublishedState.reading(octets) == state)
        #expect(state.startTicks == ProcessStart.ticks(of: getpid()) && state.startTicks != nil)
        #expect(PublishedState.reading(Array("{}".utf8)) == nil)
        let other = String(decoding: octets, as: UTF8.self).replacing("\"v\":2", with: "\"v\":3")
        #expect(PublishedState.reading(Array(other.utf8)) == nil)
    }

    @Test("a file counts as changed by its content, and by size and time for who may not read it")
    func stamps() throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(Array("<SES/>".utf8), to: "ses.xml")
        let stamp = FileStamp(of: path)
        #expect(!stamp.isOutdated)
        try scratch.write(Array("<SES/>".utf8), to: "ses.xml")
        #expect(!stamp.isOutdated, "only its time has changed")
        try scratch.write(Array("<SEs/>".utf8), to: "ses.xml")
        #expect(stamp.isOutdated)
        let absent = FileStamp(of: scratch.file("absent"))
        #expect(!absent.isOutdated && absent.size == nil)
        try scratch.write([], to: "absent")
        #expect(absent.isOutdated)
    }

    @Test("counts of the day go on where the last process ended, and begin anew on the next day")
    func tally() {
        var day = DayTally.Day()
        day.date = 20_261_203
        day.counts = ["signed": 4]
        let today = DayTally(continuing: day) { 20_261_203 }
        today.add("signed")
        #expect(today.current.counts == ["signed": 5])
        let tomorrow = DayTally(continuing: day) { 20_261_204 }
        #expect(tomorrow.current.counts.isEmpty && tomorrow.current.date == 20_261_204)
    }
}
