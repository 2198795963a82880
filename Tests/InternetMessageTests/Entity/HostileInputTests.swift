import InternetMessage
import Octets
import TestSupport
import Testing

/// Input that was made to cost more than its size. What is measured is how the time grows, not how long it takes.
@Suite("Hostile messages", .serialized)
struct HostileInputTests {
    struct Trap: CustomTestStringConvertible, Sendable {
        let name: String
        /// Input of about that many octets, read.
        let read: @Sendable (_ size: Int) -> Void

        var testDescription: String { name }
    }

    static let generous = Message.Limits(parts: .max, depth: .max, headerOctets: .max)

    private static func message(
        _ name: String, limits: [Message.Limits] = [Message.Limits(), generous],
        _ text: @escaping @Sendable (Int) -> String
    ) -> Trap {
        Trap(name: name) { size in
            let octets = OctetString(text(size))
            for limits in limits { _ = try? Message(reading: octets, limits: limits) }
        }
    }

    private static func text(_ name: String, _ unit: String, before: String = "") -> Trap {
        Trap(name: name) { size in
            let text = before + String(repeating: unit, count: size / unit.utf8.count)
            let octets = OctetString(text)
            _ = AddressList(parsing: octets)
            _ = EncodedWords.decode(octets, using: BuiltInCharsets())
            _ = ContentType(parsing: "a/b;" + text)
            _ = MessageID.list(parsing: octets)
            _ = MailDate(parsing: text)
            _ = try? Header(reading: octets, limits: generous)
        }
    }

    static let traps: [Trap] = [
        message("multiparts nested thousands deep", limits: [Message.Limits()]) { size in
            (0..<size / 60).map { "Content-Type: multipart/mixed; boundary=b\($0)\n\n--b\($0)\n" }.joined()
        },
        message("messages nested thousands deep") { size in
            String(repeating: "Content-Type: message/rfc822\n\n", count: size / 30)
        },
        message("very many parts") { size in
            "Content-Type: multipart/mixed; boundary=b\n\n" + String(repeating: "--b\n\n", count: size / 5)
        },
        message("very many closed multiparts beside one another") { size in
            "Content-Type: multipart/mixed; boundary=a\n\n"
                + String(repeating: "--a\nContent-Type: multipart/mixed; boundary=b\n\n--b--\n", count: size / 53)
        },
        message("very many header lines") { size in
            (0..<size / 28).map { "To: user\($0)@example.org\n" }.joined() + "\n"
        },
        message("one header line") { "Subject: " + String(repeating: "x", count: $0) + "\n\n" },
        message("a folded header line") { "Subject:" + String(repeating: " x\n", count: $0 / 3) + "\n" },
        message("one body line") { "A: b\n\n" + String(repeating: "x", count: $0) },
        message("lines that nearly are delimiters") { size in
            let boundary = String(repeating: "y", count: 1_000)
            let header = (10..<50).map {
                "Content-Type: multipart/mixed; boundary=\(boundary)\($0)\n\n--\(boundary)\($0)\n"
            }
            return header.joined() + "\n" + String(repeating: "--\(boundary)zz\n", count: size / 1_005)
        },
        message("a boundary as long as the header allows") { size in
            let boundary = String(repeating: "y", count: 100_000)
            return "Content-Type: multipart/mixed; boundary=\(boundary)\n\n"
                + String(repeating: "--\(boundary)\n\n", count: size / 100_004)
        },
        message("parameters without number") { size in
            "Content-Type: a/b;" + (0..<size / 10).map { "n\($0)*\($0 % 9_999)=x;" }.joined() + "\n\n"
        },
        text("addresses", "\"User, A\" <user@example.org>,\n "),
        text("open comments", "("), text("closed comments", "()"), text("comments behind words", "a ("),
        text("open strings", "\"a"), text("open brackets", "<"), text("closed brackets", "<>"), text("at signs", "a@"),
        text("groups", "a:;"), text("routes", "@a,", before: "<"), text("dots", "."),
        text("domain comments", ".b(c)", before: "a@b"),
        text("addresses as names", "a@b<"), text("backslashes", "\\", before: "\""), text("commas", ","),
        text("beginnings of encoded-words", "=?"), text("open encoded-words", "=?a?q?"),
        text("encoded-words", "=?utf-8?q?=41?= "),
        text("encoded-words of many charsets", "=?utf-8?q?a?==?l1?q?a?="), text("equals signs", "="),
        text("parameters", "a=b;"),
        text("open parameters", "a=\"b;"), text("asterisks", "a*0*=b;"), text("line ends", " \n"),
        text("colons", "a:\n"),
    ]

    @Test("four times the size takes less than four times the time, and a margin", arguments: traps)
    func linear(_ given: Trap) {
        let small = ThreadTime.measure { given.read(5_000) }
        let large = (0..<3).map { _ in ThreadTime.measure { given.read(20_000) } }.min() ?? .zero
        // The margin is for constant costs, on a machine that does other things too; quadratic growth would be
        // sixteen-fold.
        #expect(large < small * 8 + .milliseconds(30))
    }

    @Test("nesting ends at the limit, with a defect")
    func depth() throws {
        let text = (0..<1_000).map { "Content-Type: multipart/mixed; boundary=b\($0)\n\n--b\($0)\n" }.joined()
        let root = try Message(reading: OctetString(text)).root
        let deepest = try #require(root.walk(.enclosedMessages).last)
        #expect(deepest.path.count == 50)
        #expect(deepest.defects.contains(.tooDeep))
        let unlimited = try Message(reading: OctetString(text), limits: Self.generous).root
        #expect(unlimited.walk(.enclosedMessages).last?.path.count == 500)
    }

    @Test("one part more than the limit is an error with its place")
    func parts() throws {
        let head = "Content-Type: multipart/mixed; boundary=b\n\n"
        let allowed = OctetString(head + String(repeating: "--b\n\nx\n", count: 1_000))
        #expect(try Message(reading: allowed).root.children.count == 1_000)
        #expect(throws: MessageSyntaxError(.tooManyParts(limit: 1_000), offset: allowed.count + 4)) {
            try Message(reading: OctetString(allowed.text + "--b\n\nx\n"))
        }
    }

    @Test("a boundary that begins with another is another", arguments: ["a", "ab", "a--", "--a"])
    func prefixes(_ inner: String) throws {
        let text = """
            Content-Type: multipart/mixed; boundary=a

            --a
            Content-Type: multipart/mixed; boundary="\(inner)x"

            --\(inner)x

            one
            --\(inner)x--
            --a

            two
            --a--
            """
        let root = try Message(reading: OctetString(text)).root
        #expect(root.walk().map(\.path) == [[], [0], [0, 0], [1]])
        #expect(root.walk().allSatisfy { $0.defects.isEmpty })
    }

    @Test(
        "external and partial bodies are leaves",
        arguments: ["external-body; access-type=URL; URL=\"http://x.test\"", "partial; id=a; number=1"])
    func notFollowed(_ type: String) throws {
        let root = try Message(reading: OctetString("Content-Type: message/\(type)\n\nContent-Type: text/html\n\nx"))
            .root
        #expect(root.walk(.enclosedMessages).count == 1)
    }
}

@Suite("Mutated messages")
struct MutatedMessageTests {
    /// The octets and words that a mutation inserts: those that matter to a reader of mail.
    static let alphabet =
        [
            "\n", "\r", "\r\n", " ", "\t", ":", ";", "\"", "(", ")", "<", ">", "@", ",", ".", "=", "--", "=?", "?=",
            "*0*=", "%", "\\", "/",
            "\0", "\u{FFFD}", "Content-Type: multipart/mixed; boundary=a\n", "\n--a\n", "\n--a--\n", "message/rfc822",
            "base64", "boundary=", "From ",
        ].map { Array($0.utf8) } + [[0xFF], [0xC3], [0x80]]

    @Test("are read without harm, every range within its parent's", arguments: 0..<8)
    func mutations(_ seed: UInt64) throws {
        let fixtures = try MessageFixture.all.map { try $0.octets().array }
        try #require(!fixtures.isEmpty)
        var numbers = SeededNumbers(seed: seed)
        for _ in 0..<400 {
            var octets = fixtures[Int.random(in: 0..<fixtures.count, using: &numbers)]
            for _ in 0..<Int.random(in: 1...6, using: &numbers) { mutate(&octets, &numbers) }
            let message = OctetString(octets)
            guard let root = try? Message(reading: message).root else { continue }
            check(root, in: 0..<message.count)
            exercise(root)
        }
    }

    private func mutate(_ octets: inout [UInt8], _ numbers: inout SeededNumbers) {
        let from = Int.random(in: 0...octets.count, using: &numbers)
        let to = min(octets.count, from + Int.random(in: 0...40, using: &numbers))
        switch Int.random(in: 0..<5, using: &numbers) {
        case 0: octets.removeSubrange(from..<to)
        case 1: octets.insert(contentsOf: octets[from..<to], at: Int.random(in: 0...octets.count, using: &numbers))
        case 2: octets.removeSubrange(from...)
        case 3: if from < octets.count { octets[from] = UInt8.random(in: 0...255, using: &numbers) }
        default:
            octets.insert(contentsOf: Self.alphabet[Int.random(in: 0..<Self.alphabet.count, using: &numbers)], at: from)
        }
    }

    private func check(_ entity: Entity, in parent: Range<Int>) {
        #expect(parent.contains(entity.range))
        #expect(entity.range.contains(entity.bodyRange) && entity.range.upperBound == entity.bodyRange.upperBound)
        #expect(
            entity.range.contains(entity.header.range) && entity.header.range.upperBound <= entity.bodyRange.lowerBound)
        var end = entity.header.range.lowerBound
        for field in entity.header.fields {
            #expect(field.range.lowerBound >= end && entity.header.range.contains(field.range))
            #expect(field.raw == entity.message.slice(field.range))
            end = field.range.upperBound
        }
        if case .multipart(let multipart) = entity.content {
            #expect(entity.bodyRange.contains(multipart.preamble) && entity.bodyRange.contains(multipart.epilogue))
            for (first, second) in zip(multipart.parts, multipart.parts.dropFirst()) {
                #expect(first.range.upperBound <= second.range.lowerBound)
            }
        }
        for child in entity.children { check(child, in: entity.bodyRange) }
    }

    /// Everything that reads fields and bodies; none may trap.
    private func exercise(_ root: Entity) {
        for entity in root.walk(.enclosedMessages) {
            _ = entity.fileName(using: BuiltInCharsets())
            #expect(entity.decodedSource.count == entity.decodedBody.count)
            for field in entity.header.fields {
                for mailbox in AddressList(parsing: field).mailboxes {
                    #expect(AddrSpec(parsing: mailbox.address.description) == mailbox.address)
                }
                _ = EncodedWords.decode(field.unfoldedBody, using: BuiltInCharsets())
                _ = MailDate(parsing: field.text)
                _ = MessageID.list(parsing: field.rawBody)
            }
        }
        let text = QuotedPrintableEncoded(root.octets)
        #expect(DecodedBody(text.collected(), encoding: .quotedPrintable).collected() == root.octets)
    }
}

extension Range<Int> {
    /// Returns true if `other` lies within, also if it is empty.
    fileprivate func contains(_ other: Range<Int>) -> Bool {
        other.lowerBound >= lowerBound && other.upperBound <= upperBound
    }
}
