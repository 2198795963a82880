import Octets
import Testing

@Suite("Line-end converters")
struct LineEndConverterTests {
    struct Form: Sendable {
        let raw: String
        let crlf: String
        let lf: String
    }

    static let forms = [
        Form(raw: "", crlf: "", lf: ""),
        Form(raw: "a\nb\n", crlf: "a\r\nb\r\n", lf: "a\nb\n"),
        Form(raw: "a\r\nb\r\n", crlf: "a\r\nb\r\n", lf: "a\nb\n"),
        Form(raw: "\n\r\n\n", crlf: "\r\n\r\n\r\n", lf: "\n\n\n"),
        Form(raw: "a\rb\r\r\nc\r", crlf: "a\rb\r\r\nc\r", lf: "a\rb\r\nc\r"),
        Form(raw: "\r\r\r", crlf: "\r\r\r", lf: "\r\r\r"),
    ]

    @Test("give the same result wherever the octets are cut", arguments: forms)
    func pieces(_ given: Form) {
        let raw = Array(given.raw.utf8)
        for size in 1...max(raw.count, 1) {
            var toCRLF = CRLFConverter()
            var toLF = LFConverter()
            var crlf: [UInt8] = []
            var lf: [UInt8] = []
            for start in stride(from: 0, to: raw.count, by: size) {
                Array(raw[start..<min(start + size, raw.count)]).withUnsafeBytes {
                    toCRLF.convert($0, into: &crlf)
                    toLF.convert($0, into: &lf)
                }
            }
            toLF.finish(into: &lf)
            #expect(crlf == Array(given.crlf.utf8))
            #expect(lf == Array(given.lf.utf8))
        }
    }
}
