import Composition
import InternetMessage
import Octets
import Synchronization
import TestSupport
import Testing

@testable import SESProgram

@Suite("The administrator's copies")
struct AdministratorCopiesTests {
    private final class Clock: Sendable {
        let seconds = Mutex(500_000 * 3_600)
        var now: Int { seconds.withLock { $0 } }
        func advance(_ step: Int) { seconds.withLock { $0 += step } }
    }

    private static func mention(_ number: Int) -> Notice.Mention {
        Notice.Mention(entry: "entry\(number)", messageID: "<\(number)@example.test>", reason: "reason \(number)")
    }

    @Test("without a limit no copy is left out")
    func unlimited() {
        let clock = Clock()
        let copies = AdministratorCopies(now: { clock.now })
        #expect((0..<5_000).allSatisfy { copies.admits(Self.mention($0), limit: nil) })
        #expect(copies.removeLeftOut(isFinal: true).isEmpty)
    }

    @Test("copies beyond the limit are reported once, when the hour ends, with their number and messages")
    func limited() throws {
        let clock = Clock()
        let copies = AdministratorCopies(now: { clock.now })
        #expect(
            (0..<7).map { copies.admits(Self.mention($0), limit: 3) } == [true, true, true, false, false, false, false])
        clock.advance(1_800)
        #expect(copies.removeLeftOut(isFinal: false).isEmpty)
        clock.advance(1_800)
        #expect(copies.admits(Self.mention(7), limit: 3), "a new hour has its own share")
        let told = copies.removeLeftOut(isFinal: false)
        #expect(told.map(\.count) == [4])
        #expect(told.first?.mentions == (3..<7).map(Self.mention))
        #expect(copies.removeLeftOut(isFinal: true).isEmpty)
        let address = try #require(AddrSpec(parsing: "admin@example.test"))
        let text = try #require(told.first).notice(from: address, to: address).compose(
            date: MailDate(unixSeconds: 0), token: "t"
        ).collected().text
        #expect(text.contains("Subject: 4 copies left out"))
        for number in 3..<7 { #expect(text.contains("entry\(number)") && text.contains("<\(number)@example.test>")) }
        #expect(!text.contains("entry2"))
    }

    @Test("the present hour is reported when the process ends, and a report that failed is repeated")
    func ending() {
        let clock = Clock()
        let copies = AdministratorCopies(now: { clock.now })
        _ = (0..<3).map { copies.admits(Self.mention($0), limit: 1) }
        let told = copies.removeLeftOut(isFinal: true)
        #expect(told.map(\.count) == [2])
        copies.restore(told)
        #expect(copies.removeLeftOut(isFinal: false) == told)
    }

    @Test("a flood is counted to the end, but only its first thousand are named")
    func flood() {
        let clock = Clock()
        let copies = AdministratorCopies(now: { clock.now })
        for number in 0..<2_001 { _ = copies.admits(Self.mention(number), limit: 1) }
        let told = copies.removeLeftOut(isFinal: true)
        #expect(told.first?.count == 2_000 && told.first?.mentions.count == 1_000)
    }
}
