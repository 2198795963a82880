import Octets
import Testing

@testable import Spool

@Suite("Names in the spool")
struct NameTests {
    static let unique = "1790000000.0123456789abcdef0123456789abcdef.0011223344556677"

    @Test(
        "facts are read and written in one form",
        arguments: [
            "", ",E=214", ",E=214,O=out,N=3,D=1790000000", ",O=infile", ",E=0,O=in,N=0,D=0,C=4,A=release",
            ",O=out,N=0,C=2,W=3",
        ])
    func roundTrip(_ facts: String) throws {
        let name = try #require(SpoolName(parsing: Self.unique + facts))
        #expect(name.description == Self.unique + facts)
    }

    @Test("what a mail reader adds to a name is passed over", arguments: [":2,", ":2,S", ":2,FRS"])
    func flags(_ flags: String) throws {
        let name = try #require(SpoolName(parsing: Self.unique + ",E=5,O=in" + flags))
        #expect(name.facts == NameFacts(envelopeOctets: 5, origin: .incoming(bare: false)))
    }

    @Test(
        "a name that is not exactly of our making is not read",
        arguments: [
            "", "1", "1790000000.M1P2.host", unique + ",", unique + ",E", unique + ",E=", unique + ",E=-1",
            unique + ",E=+1",
            unique + ",E=01", unique + ",E=1,E=1", unique + ",O=out,E=1", unique + ",D=214,O=out,N=3:2,S",
            unique + ",O=OUT", unique + ",X=1", unique + ",A=delete",
            unique + ", E=1",
            unique + ",E=1x", unique + ",E=9999999999999999", unique + ":3,S", unique + "x", "x" + unique,
            unique.uppercased(),
            unique + ",S=214,W=220", "01790000000" + unique.dropFirst(10), unique.dropLast(1) + "", unique + "\u{301}",
            unique + ",E=\u{0661}", unique + "/..",
        ])
    func foreign(_ name: String) { #expect(SpoolName(parsing: name) == nil) }

    @Test(
        "the four origins have their words",
        arguments: [
            (Origin.outgoing(bare: false), "out"), (.outgoing(bare: true), "outfile"), (.incoming(bare: false), "in"),
            (.incoming(bare: true), "infile"),
        ])
    func origins(_ origin: Origin, _ word: String) {
        #expect(origin.word == word)
        #expect(Origin(word: word) == origin)
    }

    @Test("each kind of file in a transaction's directory is told by its name")
    func transactionFiles() throws {
        let name = try #require(SpoolName(parsing: Self.unique + ",E=5,O=out"))
        #expect(
            TransactionFile(FileName("message,E=5,O=out,N=0,C=1"))
                == .message(NameFacts(envelopeOctets: 5, origin: .outgoing(bare: false), attempts: 0, starts: 1)))
        #expect(TransactionFile(FileName("delivered~\(name)")) == .output(.delivered, name))
        #expect(TransactionFile(FileName("~copy")) == .scratch)
        for foreign in [
            "message,Z=1", "messages", "nowhere~\(name)", "delivered~x", "a~", "delivered", "\u{7}", "m\u{e9}",
        ] {
            #expect(TransactionFile(FileName(foreign)) == .foreign, "\(foreign)")
        }
    }

    @Test("no two names are the same, and an entry keeps its digits")
    func fresh() throws {
        let entry = EntryID(random: .system)
        let names = (0..<1_000).map { _ in UniqueName(entry: entry, clock: .system, random: .system) }
        #expect(Set(names).count == 1_000)
        #expect(names.allSatisfy { $0.entry == entry && UniqueName(parsing: $0.description) == $0 })
        #expect(EntryID("0123456789ABCDEF0123456789abcdef") == nil)
        #expect(EntryID("0123") == nil)
    }

    @Test("names for people have nothing a terminal could obey")
    func escaping() {
        let name = [CChar]([0x61, 0x1B, 0x0A, -1, 0x5C, 0]).withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { FileName($0) }
        }
        #expect(name?.description == "a\\x1b\\x0a\\xff\\x5c")
        #expect(name?.text == nil)
    }
}
