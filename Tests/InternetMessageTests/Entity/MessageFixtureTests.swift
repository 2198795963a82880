import Foundation
import InternetMessage
import Octets
import TestSupport
import Testing

/// Each message of `Fixtures/messages` with its expected reading beside it.
struct MessageFixture: CustomTestStringConvertible, Sendable {
    /// `rfc/nested`, for example.
    let name: String

    var testDescription: String { name }

    static let folder = TestMaterial.fixtures + "/messages/"

    static let all: [MessageFixture] = ["rfc", "malformed", "real"].flatMap { kind in
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder + kind)) ?? []
        return names.filter { $0.hasSuffix(".eml") }.sorted().map {
            MessageFixture(name: kind + "/" + $0.dropLast(4))
        }
    }

    /// The message with LF, as it stands in the file.
    func octets() throws -> OctetString { OctetString(try TestMaterial.octets(Self.folder + name + ".eml")) }

    /// The expected reading: one line an entity, with path, media type, body of a leaf, and defects.
    func expected() throws -> [String] {
        OctetString(try TestMaterial.octets(Self.folder + name + ".tree")).text.split(separator: "\n").map(String.init)
    }

    /// A message as the lines that ``expected()`` has; the line ends of bodies count as LF.
    static func lines(_ message: Message) -> [String] {
        message.root.walk(.enclosedMessages).map { entity in
            let path = entity.path.isEmpty ? "-" : entity.path.map(String.init).joined(separator: ".")
            let content: [String] =
                switch entity.content {
                case .leaf:
                    [
                        "\""
                            + entity.body.text.replacingOccurrences(of: "\r\n", with: "\n").replacingOccurrences(
                                of: "\n", with: "\\n") + "\""
                    ]
                case .multipart(let multipart): [multipart.isClosed ? "closed" : "open"]
                case .message: []
                }
            return ([path, entity.contentType.mediaType] + content + entity.defects.map { "\($0)" }).joined(
                separator: " ")
        }
    }
}

@Suite("Messages (RFC 5322, 2045, 2046)")
struct MessageFixtureTests {
    @Test("read as the tree beside them, with LF and with CRLF", arguments: MessageFixture.all)
    func tree(_ given: MessageFixture) throws {
        let octets = try given.octets()
        #expect(LineEnding.of(octets) == .lf)
        let expected = try given.expected()
        #expect(MessageFixture.lines(try Message(reading: octets)) == expected)
        let crlf = octets.withCRLFLineEnds()
        #expect(LineEnding.of(crlf) == .crlf)
        #expect(MessageFixture.lines(try Message(reading: crlf)) == expected)
    }

    @Test("there are fixtures of every class")
    func fixturesAreThere() {
        #expect(MessageFixture.all.count >= 25)
    }

    @Test("the octets of a body part are those between the delimiters' line ends", arguments: ["\n", "\r\n"])
    func partOctets(_ end: String) throws {
        let lines = [
            "Content-Type: multipart/signed; boundary=b", "", "--b", "A: 1", "", "text ", "", "--b", "B: 2", "",
            "--b--", "rest",
        ]
        let message = try Message(reading: OctetString(lines.joined(separator: end)))
        #expect(message.root.children.map(\.octets.text) == ["A: 1\(end)\(end)text \(end)", "B: 2\(end)"])
        guard case .multipart(let multipart) = message.root.content else { return #expect(Bool(false), "no multipart") }
        #expect(message.octets.slice(multipart.epilogue).text == "rest")
        #expect(multipart.preamble.isEmpty)
    }

    @Test("mixed line ends do not hide a delimiter")
    func mixedLineEnds() throws {
        let text = "Content-Type: multipart/mixed;\n boundary=b\r\n\n--b\r\n\none\r\n--b\n\r\ntwo\rstill two\n--b--\r\n"
        let message = try Message(reading: OctetString(text))
        #expect(message.root.children.map(\.body.text) == ["one", "two\rstill two"])
        #expect(LineEnding.of(message.octets) == .mixed)
    }

    @Test("a delimiter behind the final one is reported")
    func delimiterAfterClosing() throws {
        let epilogue = try Message(reading: MessageFixture(name: "malformed/delimiter-after-closing").octets())
        let plain = try Message(reading: MessageFixture(name: "rfc/preamble-and-epilogue").octets())
        #expect(epilogue.differingReadings.contains { $0.contains("follow a closing boundary") })
        #expect(plain.differingReadings == [])
    }

    @Test("a walk enters messages only if it is asked to, and paths lead to their entities")
    func walk() throws {
        let root = try Message(reading: MessageFixture(name: "rfc/nested").octets()).root
        #expect(root.walk().map(\.path) == [[], [0], [0, 0], [0, 1], [1]])
        let all = root.walk(.enclosedMessages)
        #expect(all.map(\.path) == [[], [0], [0, 0], [0, 1], [1], [1, 0], [1, 0, 0]])
        for entity in all { #expect(root.entity(at: entity.path)?.range == entity.range) }
        #expect(root.entity(at: [2]) == nil)
        #expect(root.entity(at: [0, 0, 0]) == nil)
    }

    @Test("an empty message is an error")
    func empty() {
        #expect(throws: MessageSyntaxError(.empty, offset: 0)) { try Message(reading: OctetString()) }
    }
}

@Suite("Header fields (RFC 5322 §2.2)")
struct HeaderFieldTests {
    @Test("keep their octets, and give their body unfolded", arguments: ["\n", "\r\n"])
    func fields(_ end: String) throws {
        let raw = ["Subject: one", "\ttwo", " ", " three", "X-Empty:", "Old Style: no", "", "body: no"].joined(
            separator: end)
        let header = try Header(reading: OctetString(raw))
        #expect(header.fields.map(\.name) == ["Subject", "X-Empty"])
        let subject = try #require(header.first("SUBJECT"))
        #expect(subject.raw.text == ["Subject: one", "\ttwo", " ", " three", ""].joined(separator: end))
        #expect(subject.unfoldedBody.text == " one\ttwo  three")
        #expect(subject.text == "one\ttwo  three")
        #expect(header.first("x-empty")?.text == "")
    }

    @Test("white space before the colon is obsolete syntax, not part of the name")
    func obsoleteName() throws {
        let header = try Header(reading: OctetString("Subject \t: x\n\n"))
        #expect(header.fields.map(\.name) == ["Subject"])
        #expect(header.fields.map(\.text) == ["x"])
    }

    @Test("NUL, a CR alone and octets above 127 stay in the body unchanged")
    func octetsStay() throws {
        let header = try Header(reading: OctetString([UInt8]("A: x".utf8) + [0, 0x0D, 0xFF] + [UInt8]("y\n\n".utf8)))
        #expect(
            header.fields.map { $0.unfoldedBody.array } == [[UInt8](" x".utf8) + [0, 0x0D, 0xFF] + [UInt8]("y".utf8)])
    }

    @Test("a header may begin anywhere, and ranges count from the beginning of all octets")
    func offset() throws {
        let octets = OctetString("X-A: 1\n\nSubject: y\n\nbody")
        let header = try Header(reading: octets, from: 8)
        #expect(header.range == 8..<19)
        #expect(header.fields.map(\.range) == [8..<19])
    }

    @Test("a header over its limit is an error with its place")
    func limit() {
        let limits = Message.Limits(parts: 10, depth: 10, headerOctets: 20)
        #expect(throws: MessageSyntaxError(.headerTooLarge(limit: 20), offset: 0)) {
            try Header(reading: OctetString("Subject: 0123456789ab\n\n"), limits: limits)
        }
        #expect(throws: Never.self) { try Header(reading: OctetString("Subject: 0123456789\n\n"), limits: limits) }
        let enclosing = Message.Limits(parts: 10, depth: 10, headerOctets: 30)
        #expect(throws: MessageSyntaxError(.headerTooLarge(limit: 30), offset: 30)) {
            let text = "Content-Type: message/rfc822\n\nSubject: 0123456789012345678901\n\n"
            return try Message(reading: OctetString(text), limits: enclosing)
        }
    }
}
