import Testing

@testable import SpoolWatch

@Suite("Wakes")
struct WakeTests {
    @Test("only wakes that an administrator may have to know of are noteworthy")
    func noteworthy() {
        #expect(!Wake([.event, .timer]).isNoteworthy)
        #expect(Wake([.event, .overflow]).isNoteworthy)
        #expect(Wake([.directory("/x")]).isNoteworthy)
        #expect(Wake([.blind("no watch left")]).description == "no watch left")
    }
}
