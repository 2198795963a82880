import Foundation
import Glibc
import TestSupport
import Testing

@testable import Spool

@Suite("Files in the intake folders that are never taken")
struct StrayTests {
    private static let own = "1790000000.\(TestSpool.entry).0011223344556677"

    private func spool() throws -> TestSpool {
        let test = try TestSpool()
        // The first five are taken, or are our own.
        for name in [
            "outgoing/a.eml", "outgoing/A.EML", "outgoing/new/1.M1.host", "outgoing/tmp/\(Self.own)",
            "outgoing/mail.txt", "outgoing/.hidden.eml", "incoming/upload.eml.part", "outgoing/new/.x",
            "outgoing/new/b.tmp",
            "incoming/cur/1.M1.host:2,S", "incoming/tmp/1.M2.host",
        ] { try test.put(name) }
        try test.makeDirectory("outgoing/folder")
        return test
    }

    @Test("everything except messages is reported once it has not changed for ten minutes")
    func old() throws {
        let test = try spool()
        let strays = try test.spool.strays(now: Int(time(nil)) + Spool.strayAge + 2)
        #expect(
            Set(strays.map(\.path)) == [
                "outgoing/mail.txt", "outgoing/.hidden.eml", "outgoing/folder", "outgoing/new/.x", "outgoing/new/b.tmp",
                "incoming/upload.eml.part", "incoming/cur/1.M1.host:2,S", "incoming/tmp/1.M2.host",
            ])
        #expect(strays.allSatisfy { !$0.reason.isEmpty })
    }

    @Test("a file changed within ten minutes may still be arriving, whatever time a copy gave it")
    func young() throws {
        let test = try spool()
        var times = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
        #expect(utimensat(AT_FDCWD, test.file("outgoing/mail.txt"), &times, 0) == 0)
        #expect(try test.spool.strays(now: Int(time(nil)) + 5).isEmpty)
    }

    @Test("a removed folder holds nothing, and at most a hundred files are reported")
    func edges() throws {
        let test = try TestSpool()
        try FileManager.default.removeItem(atPath: test.file("incoming/cur"))
        for number in 0..<150 { try test.put("outgoing/\(number).txt") }
        #expect(try test.spool.strays(now: Int(time(nil)) + Spool.strayAge + 2).count == 100)
    }
}
