import Testing

@testable import Spool

@Suite("Room for new messages")
struct IntakeRoomTests {
    private func room(_ test: TestSpool, maximumWaiting: Int? = nil, leastFree: Int? = nil) -> IntakeRoom {
        IntakeRoom(
            spool: test.path, queue: .outgoing, maximumWaiting: maximumWaiting, leastFree: leastFree,
            clock: test.clock.clock)
    }

    @Test("ends at the number of waiting files, counted again after a second")
    func waiting() throws {
        let test = try TestSpool()
        let room = room(test, maximumWaiting: 2)
        try test.put("outgoing/new/1")
        try test.put("outgoing/new/.hidden")
        try test.put("outgoing/tmp/2")
        #expect(try room.lack(forOctets: 0) == nil)
        // What comes in by this program counts at once, what others put in or take out with the next listing.
        room.noteArrival()
        let lack = try #require(try room.lack(forOctets: 0))
        #expect(lack.contains("2 messages wait in outgoing"))
        test.clock.advance(.milliseconds(1_001))
        #expect(try room.lack(forOctets: 0) == nil)
        try test.put("outgoing/new/3")
        #expect(try room.lack(forOctets: 0) == nil)
        test.clock.advance(.milliseconds(1_001))
        #expect(try room.lack(forOctets: 0) != nil)
        #expect(try self.room(test).lack(forOctets: 0) == nil)
    }

    @Test("ends where the file system has less than must stay free, with the message that is to come")
    func free() throws {
        let test = try TestSpool()
        #expect(try room(test, leastFree: 1).lack(forOctets: 1) == nil)
        for (least, octets) in [(Int.max >> 1, 0), (1, Int.max >> 1)] {
            #expect(try room(test, leastFree: least).lack(forOctets: octets)?.contains("is full") == true)
        }
    }

    @Test("of a spool that is not there is an error")
    func missing() {
        let room = IntakeRoom(spool: "/nonexistent", queue: .incoming, maximumWaiting: nil, leastFree: nil)
        #expect(throws: SpoolError.self) { try room.lack(forOctets: 0) }
    }
}
