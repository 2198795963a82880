import Octets
import Testing

@Suite("Octet strings")
struct OctetStringTests {
    @Test("a slice counts from zero and shares the octets")
    func slices() {
        let octets = OctetString("From: a@b.example")
        let slice = octets.slice(6..<11)
        #expect(slice[0] == UInt8(ascii: "a"))
        #expect(slice.text == "a@b.e")
        #expect(slice.slice(1..<5).text == "@b.e")
        #expect(octets.slice(3..<3).isEmpty)
    }

    @Test("are equal if their octets are, whatever their length", arguments: [0, 1, 7, 8, 9, 16, 31])
    func equality(_ count: Int) {
        let octets = (0..<count).map { UInt8($0) }
        #expect(OctetString(octets) == OctetString([9] + octets).slice(1..<count + 1))
        #expect(OctetString(octets) != OctetString(octets + [0]))
        for index in 0..<count {
            var other = octets
            other[index] ^= 1
            #expect(OctetString(octets) != OctetString(other))
        }
    }

    @Test("a run of octets is found at its first place, and only complete")
    func runs() {
        let octets = Array("aab aabaaac aaab".utf8)
        for start in 0...octets.count {
            for run in ["a", "aab", "aaac", "aaad", "c aaab", "b", "abx", ""] {
                let expected = (start...octets.count).first { octets[$0...].starts(with: run.utf8) }
                #expect(octets.firstOffset(of: Array(run.utf8), from: start) == expected, "\(run) from \(start)")
            }
        }
    }

    @Test("are made of any collection of octets")
    func collections() {
        #expect(OctetString((1...3).lazy.map { UInt8($0) }).array == [1, 2, 3])
        #expect(OctetString([1, 2, 3, 4].dropFirst()).array == [2, 3, 4])
    }

    @Test("a rope yields its pieces one after the other, however it is read", arguments: [1, 2, 3, 100])
    func rope(_ size: Int) {
        var rope = OctetRope([OctetString("ab"), OctetString(""), OctetString("cde")])
        rope.append("f")
        var octets: [UInt8] = []
        rope.forEachChunk(size: size) { octets.append(contentsOf: $0) }
        #expect(octets == Array("abcdef".utf8))
        #expect(rope.count == 6)
        #expect(rope.collected().text == "abcdef")
    }

    @Test("collecting in memory ends at the limit")
    func limit() throws {
        var collector = MemoryCollecting(limit: 4).makeCollector()
        try Array("abcd".utf8).withUnsafeBytes { try collector.append($0) }
        #expect(throws: OctetCollectionError(.tooMany(limit: 4), "more than 4 octets")) {
            try Array("e".utf8).withUnsafeBytes { try collector.append($0) }
        }
        let collected = try collector.finish()
        #expect(collected.text == "abcd")
    }
}
