import Testing

@testable import SMTPClient

@Suite("Replies (RFC 5321 §4.2)")
struct SMTPReplyTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let octets: String
        let code: Int
        let lines: [String]
        var status: String?
        var testDescription: String { octets.debugDescription }
    }

    static let cases = [
        Case(octets: "250 ok\r\n", code: 250, lines: ["ok"]),
        Case(octets: "250\r\n", code: 250, lines: [""]),
        Case(octets: "250 ok\n", code: 250, lines: ["ok"]),
        Case(octets: "250-one\r\n250-two\r\n250 three\r\n", code: 250, lines: ["one", "two", "three"]),
        Case(octets: "250-one\r\n550 two\r\n", code: 550, lines: ["one", "two"]),
        Case(octets: "354 go\r\n", code: 354, lines: ["go"]),
        Case(octets: "550 5.1.1 no such user\r\n", code: 550, lines: ["5.1.1 no such user"], status: "5.1.1"),
        Case(
            octets: "550-5.1.1 no\r\n550 5.1.1 user\r\n", code: 550, lines: ["5.1.1 no", "5.1.1 user"], status: "5.1.1"),
        // A status of another class than the code's is somebody's joke.
        Case(octets: "550 2.1.1 no\r\n", code: 550, lines: ["2.1.1 no"]),
        Case(octets: "550 5.1 no\r\n", code: 550, lines: ["5.1 no"]),
        Case(octets: "550 \u{1B}[2Jred\tx\r\n", code: 550, lines: [" [2Jred x"]),
    ]

    @Test("are read however they are cut", arguments: cases)
    func reading(_ given: Case) throws {
        let octets = Array(given.octets.utf8)
        for cut in 0...octets.count {
            var reader = SMTPReplyReader()
            octets[..<cut].withUnsafeBytes { reader.append($0) }
            var reply = try reader.next()
            if cut < octets.count { #expect(reply == nil) }
            octets[cut...].withUnsafeBytes { reader.append($0) }
            if reply == nil { reply = try reader.next() }
            #expect(reply?.code == given.code)
            #expect(reply?.lines == given.lines)
            #expect(reply?.status?.description == given.status)
            #expect(!reader.isWithinReply)
        }
    }

    @Test("that come together are read one by one")
    func together() throws {
        var reader = SMTPReplyReader()
        Array("250 a\r\n550-b\r\n550 c\r\n354 d\r\n25".utf8).withUnsafeBytes { reader.append($0) }
        var codes: [Int] = []
        while let reply = try reader.next() { codes.append(reply.code) }
        #expect(codes == [250, 550, 354])
        #expect(reader.isWithinReply)
    }

    @Test(
        "that are not replies are faults",
        arguments: [
            "ok\r\n", "\r\n", "25 ok\r\n", "2500 ok\r\n", "250+ok\r\n", "150 wait\r\n", "650 x\r\n", "HTTP/1.1 400\r\n",
        ])
    func garbage(_ octets: String) {
        var reader = SMTPReplyReader()
        Array(octets.utf8).withUnsafeBytes { reader.append($0) }
        #expect(throws: SMTPReplyFault.self) { try reader.next() }
    }

    @Test("are bounded in a line, whether it ends or not, and in all lines")
    func bounds() throws {
        let long = String(repeating: "x", count: SMTPReplyReader.maximumLineLength)
        for octets in ["250 \(long)", "250 \(long)\r\n"] {
            var reader = SMTPReplyReader()
            Array(octets.utf8).withUnsafeBytes { reader.append($0) }
            #expect(throws: SMTPReplyFault.self) { try reader.next() }
        }
        var reader = SMTPReplyReader()
        let line = Array(("250-" + String(repeating: "x", count: 1000) + "\r\n").utf8)
        #expect(throws: SMTPReplyFault.self) {
            for _ in 0..<100 {
                line.withUnsafeBytes { reader.append($0) }
                _ = try reader.next()
            }
        }
    }
}

@Suite("Capabilities (RFC 5321 §4.1.1.1)")
struct SMTPCapabilitiesTests {
    @Test("are read in any case, and unknown ones are ignored")
    func reading() {
        let found = SMTPCapabilities(ehloLines: [
            "PIPELINING is its name", "size 1000", "8BitMIME", "SMTPUTF8", "dsn", "ENHANCEDSTATUSCODES", "CHUNKING", "",
        ])
        #expect(found.sizeLimit == 1000 && found.takesSize && found.takesEightBit && found.takesUTF8Addresses)
        #expect(found.takesDSN && found.hasEnhancedStatus && !found.pipelines)
        #expect(SMTPCapabilities(ehloLines: ["x", "PIPELINING"]).pipelines)
    }

    @Test(
        "SIZE without a number, with 0, or with nonsense states no limit", arguments: ["SIZE", "SIZE 0", "SIZE many"])
    func size(_ line: String) {
        let found = SMTPCapabilities(ehloLines: ["x", line])
        #expect(found.takesSize && found.sizeLimit == nil)
    }
}
