import Octets
import TestSupport
import Testing

@testable import PDFStructure

@Suite("Inflation (RFC 1950, 1951)")
struct InflationTests {
    /// Returns several kinds of data, and their form compressed by Python's zlib at each level.
    private static func samples() async throws -> [(compressed: OctetString, plain: [UInt8])] {
        let script = """
            import base64, random, zlib
            random.seed(5)
            noise = bytes(random.randrange(256) for _ in range(20000))
            words = b" ".join(random.choice([b"endobj", b"/Type", b"<<", b"12 0 R"]) for _ in range(8000))
            for data in (b"", b"a", b"a" * 60000, noise, words, noise[:50] * 900):
                for level in (0, 1, 6, 9):
                    for strategy in (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE):
                        made = zlib.compressobj(level, zlib.DEFLATED, 15, 8, strategy)
                        print(base64.b64encode(made.compress(data) + made.flush()).decode(), base64.b64encode(data).decode(), sep=",")
            """
        let run = try await RunningProgram.run("/usr/bin/python3", ["-c", script], asRoot: true)
        guard run.status == 0 else { throw HarnessError("python3: \(run)") }
        return try run.output.split(separator: "\n").map { line in
            let parts = line.split(separator: ",", omittingEmptySubsequences: false)
            let octets = try parts.map { try Base64.decode($0) }
            return (OctetString(octets[0]), octets[1])
        }
    }

    @Test("gives back the data that zlib compressed, by every kind of block")
    func roundTrip() async throws {
        let samples = try await Self.samples()
        #expect(samples.count == 96)
        for sample in samples {
            #expect(try Inflation.zlib(sample.compressed, limit: 400_000) == sample.plain)
        }
    }

    @Test("stops at its limit, and says so")
    func limit() async throws {
        for sample in try await Self.samples() where sample.plain.count > 1 {
            #expect {
                try Inflation.zlib(sample.compressed, limit: sample.plain.count - 1)
            } throws: {
                ($0 as? PDFSyntaxError)?.kind == .tooComplex
            }
        }
    }

    @Test("data cut off or overwritten is an error or other data, never a crash")
    func broken() async throws {
        var generator = SeededNumbers(seed: 11)
        for sample in try await Self.samples() where sample.compressed.count > 20 {
            for _ in 0..<4 {
                let cut = Int.random(in: 0..<(sample.compressed.count - 8), using: &generator)
                #expect(throws: PDFSyntaxError.self) {
                    try Inflation.zlib(sample.compressed.slice(0..<cut), limit: 400_000)
                }
                var octets = sample.compressed.array
                octets[cut] = UInt8.random(in: 0...255, using: &generator)
                _ = try? Inflation.zlib(OctetString(octets), limit: 400_000)
            }
        }
    }
}
