import Foundation
import Glibc
import TestSupport
import Testing

@testable import Spool

@Suite("Litter of killed programs")
struct LitterTests {
    private static let hour = 3_600

    /// Sweeps `later` seconds from now: the change time of a file cannot be set back, so the clock goes forward.
    private func sweep(_ test: TestSpool, later: Int) throws -> SweptLitter {
        test.clock.set(seconds: time(nil) + later)
        return try test.spool.sweepLitter()
    }

    @Test("unfinished deliveries go after 36 hours and no sooner; messages stay")
    func unfinished() throws {
        let test = try TestSpool()
        for name in ["outgoing/tmp/1.a", "incoming/tmp/2.b", "delivered/tmp/3.c", "outgoing/new/4.d", "outgoing/x.eml"]
        {
            try test.put(name)
        }
        try test.makeDirectory("outgoing/tmp/directory")
        #expect(try sweep(test, later: 35 * Self.hour).isEmpty)
        let swept = try sweep(test, later: 37 * Self.hour)
        #expect(swept.unfinished == 3 && swept.states == 0)
        #expect(try test.names("outgoing/tmp") == ["directory"])
        #expect(try test.names("incoming/tmp").isEmpty && test.names("delivered/tmp").isEmpty)
        #expect(try test.names("outgoing/new") == ["4.d"])
        #expect(try test.names("outgoing").contains("x.eml"))
    }

    @Test("state files of dead processes go after an hour, and halves of them; what is no state stays")
    func states() throws {
        let test = try TestSpool()
        for name in ["ses-4000001.json", ".ses-4000001.json.0123456789abcdef0123456789abcdef", "notes.txt", "ses.json"]
        {
            try test.put("state/" + name)
        }
        #expect(try sweep(test, later: Self.hour / 2).isEmpty)
        #expect(try sweep(test, later: 2 * Self.hour).states == 2)
        #expect(try test.names("state") == ["notes.txt", "ses.json"])
    }

    @Test("the relay removes its own states and nothing of its messages")
    func relay() throws {
        let test = try TestSpool()
        let relay = try Spool(opening: test.path, program: .relay, clock: test.clock.clock)
        try test.put("relay/ses-relay-4000001.json")
        try test.put("outgoing/tmp/1.a")
        try test.makeDirectory("relay/work/1790000000.0123456789abcdef0123456789abcdef.0011223344556677")
        test.clock.set(seconds: time(nil) + 40 * Self.hour)
        let swept = try relay.sweepLitter()
        #expect(swept == SweptLitter(unfinished: 0, states: 1))
        #expect(try test.names("outgoing/tmp") == ["1.a"])
        #expect(try test.names("relay/work").count == 1)
    }
}
