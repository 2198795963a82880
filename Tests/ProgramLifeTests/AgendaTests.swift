import Testing

@testable import ProgramLife

@Suite("Agenda")
struct AgendaTests {
    @Test("the earliest is next, and an earlier one is reported as such")
    func order() {
        let agenda = Agenda<Int, Void>()
        #expect(agenda.next == nil)
        #expect(agenda.add(due: 30))
        #expect(!agenda.add(due: 40))
        #expect(!agenda.add(due: 30))
        #expect(agenda.add(due: 20))
        #expect(agenda.next == 20 && agenda.count == 4)
    }

    @Test("a listing replaces what was there when it began, and keeps what was added while it was read")
    func listing() {
        let agenda = Agenda<Int, Void>()
        agenda.add(due: 10)
        agenda.beginListing()
        agenda.add(due: 48)
        agenda.replace(dueAt: [50, 45])
        #expect(agenda.next == 45 && agenda.count == 3)
        agenda.beginListing()
        agenda.replace(dueAt: [])
        #expect(agenda.next == nil, "what was added before the last listing began is gone")
    }

    @Test("only what is due is taken out, in the order of the times")
    func due() {
        let agenda = Agenda<Duration, String>()
        agenda.add("late", due: .seconds(9))
        agenda.add("early", due: .seconds(3))
        #expect(agenda.popDue(at: .seconds(2)) == nil)
        #expect(agenda.popDue(at: .seconds(9)) == "early")
        #expect(agenda.popDue(at: .seconds(9)) == "late")
        #expect(agenda.popDue(at: .seconds(9)) == nil)
    }
}
