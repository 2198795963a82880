import Foundation
import TestSupport
import Testing

@testable import JournalIndex

@Suite("Keeping the journals")
struct KeepingTests {
    private func keeper(_ folder: JournalFolder, days: Int = 90, octets: Int = 1 << 40) -> JournalKeeper {
        JournalKeeper(spool: folder.spool, days: days, maximumOctets: octets)
    }

    private func now(_ day: Int) -> Int { JournalFolder.noon(day) / 1_000 }

    @Test("past days are compressed, zcat reads them, and a search finds the same in them")
    func compressed() async throws {
        let folder = try JournalFolder()
        for number in 1...3_000 { try folder.addMail(number, day: number % 4) }
        let before = try TestMaterial.octets(folder.path(0))
        let found = folder.search().records(of: JournalFolder.entry(1_200))
        let account = keeper(folder).keep(now: now(3))
        #expect(account.compressed.count == 4 && account.removed.isEmpty && account.troubles.isEmpty, "\(account)")
        #expect(!folder.exists(folder.path(0)) && folder.exists(folder.path(0) + ".gz"))
        #expect(folder.exists(folder.path(2)) && folder.exists(folder.path(3)))
        #expect(try TestMaterial.octets(folder.path(0) + ".gz").count * 3 < before.count)
        let unpacked = try await RunningProgram.run("/bin/zcat", [folder.path(0) + ".gz"], asRoot: true)
        #expect(Array(unpacked.output.utf8) == before)
        #expect(folder.search().records(of: JournalFolder.entry(1_200)) == found && found.count == 3)
        // Without an index, and with a new one.
        unlink(folder.index(0))
        #expect(folder.search(writes: false).records(of: JournalFolder.entry(1_200)) == found)
        #expect(folder.entries("4X1200") == [JournalFolder.entry(1_200)])
        #expect(keeper(folder).keep(now: now(3)) == JournalKeeper.Account())
    }

    @Test("days beyond the limit are removed with their index, and told")
    func old() throws {
        let folder = try JournalFolder()
        for day in 0..<10 {
            try folder.addMail(day + 1, day: day)
            _ = folder.entries("4X\(day + 1)")
        }
        let account = keeper(folder, days: 7).keep(now: now(9))
        #expect(account.removed.keys.sorted() == [0, 1, 2].map(JournalFolder.name))
        #expect(account.removed.values.allSatisfy { $0.contains("JournalDays") })
        for day in 0..<10 {
            let isThere = folder.exists(folder.path(day)) || folder.exists(folder.path(day) + ".gz")
            #expect(isThere == (day >= 3) && folder.exists(folder.index(day)) == (day >= 3))
        }
        #expect(folder.entries("4X1").isEmpty && folder.entries("4X4").count == 1)
    }

    @Test("the oldest days are removed when all have too many octets, but never today")
    func large() throws {
        let folder = try JournalFolder()
        for number in 1...400 { try folder.addMail(number, day: number % 4) }
        let octets = try TestMaterial.octets(folder.path(3)).count
        let account = keeper(folder, octets: octets * 2).keep(now: now(3))
        #expect(!account.removed.isEmpty && account.removed.values.allSatisfy { $0.contains("JournalMaxSize") })
        #expect(account.removed[JournalFolder.name(0)] != nil && account.removed[JournalFolder.name(3)] == nil)
        #expect(keeper(folder, octets: 1).keep(now: now(3)).removed[JournalFolder.name(3)] == nil)
        #expect(folder.exists(folder.path(3)))
    }

    @Test("killed between the new name and the removal, both are there and are one")
    func killed() throws {
        let folder = try JournalFolder()
        try folder.addMail(1, day: 0)
        let plain = try TestMaterial.octets(folder.path(0))
        _ = keeper(folder).keep(now: now(5))
        try Data(plain).write(to: URL(fileURLWithPath: folder.path(0)))
        #expect(folder.search().records(of: JournalFolder.entry(1)).count == 3)
        _ = keeper(folder).keep(now: now(5))
        #expect(!folder.exists(folder.path(0)))
        #expect(folder.search().records(of: JournalFolder.entry(1)).count == 3)
    }

    @Test("what a clock that was set back writes into a day that is compressed is kept beside it")
    func late() throws {
        let folder = try JournalFolder()
        try folder.addMail(1, day: 0)
        _ = keeper(folder).keep(now: now(5))
        try folder.addMail(2, day: 0)
        try folder.addMail(3, day: 0)
        _ = keeper(folder).keep(now: now(5))
        _ = keeper(folder).keep(now: now(5))
        #expect(!folder.exists(folder.path(0)))
        for number in 1...3 {
            #expect(folder.search().records(of: JournalFolder.entry(number)).count == 3, "\(number)")
            #expect(folder.entries("4X\(number)") == [JournalFolder.entry(number)])
        }
    }

    @Test("a compressed journal that is damaged costs its damaged blocks alone")
    func damaged() throws {
        let folder = try JournalFolder()
        for number in 1...3_000 { try folder.addMail(number, day: 0) }
        _ = keeper(folder).keep(now: now(5))
        let path = folder.path(0) + ".gz"
        var octets = try TestMaterial.octets(path)
        octets[60] ^= 0xFF
        try Data(octets).write(to: URL(fileURLWithPath: path))
        #expect(folder.search().records(of: JournalFolder.entry(1)).map(\.program) == ["relay"])
        #expect(folder.search().records(of: JournalFolder.entry(2_900)).count == 3)
    }

    @Test("while a search reads, days are compressed and removed, and it never fails")
    func readers() async throws {
        let folder = try JournalFolder()
        for number in 1...400 { try folder.addMail(number, day: number % 8) }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<20 {
                        // Day 7 stays as it is all the time.
                        #expect(folder.entries("4X399") == [JournalFolder.entry(399)])
                        let other = folder.search().records(of: JournalFolder.entry(392)).count
                        #expect(other == 3 || other == 0 || other <= 3)
                    }
                }
            }
            group.addTask {
                _ = keeper(folder).keep(now: now(8))
                _ = keeper(folder, days: 3).keep(now: now(8))
            }
        }
        #expect(folder.search().records(of: JournalFolder.entry(392)).isEmpty)
    }
}
