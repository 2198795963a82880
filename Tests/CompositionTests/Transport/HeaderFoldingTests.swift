import InternetMessage
import Octets
import Testing

@testable import Composition

@Suite("Header lines above 998 octets (RFC 5322 §2.1.1)")
struct HeaderFoldingTests {
    private func folded(_ message: String) -> String {
        OctetRope([OctetString(message)]).withFoldedHeader().collected().text
    }

    private func lines(_ message: String) -> [Substring] {
        message.split(separator: "\r\n", omittingEmptySubsequences: false)
    }

    static let words = Array(repeating: "word", count: 300).joined(separator: " ")
    static let identifiers = (0..<60).map { "<identifier-number-\($0)@mail.example.test>" }
    static let addresses = (0..<60).map { "Person Number \($0) <person\($0)@example.test>" }

    @Test(
        "a line with blanks is unchanged octet for octet once it is unfolded",
        arguments: [
            "Subject: " + words, "Subject:" + words, "References: " + identifiers.joined(separator: " "),
            "To: " + addresses.joined(separator: ", "), "X-Data: a\t" + words.replacing(" ", with: " \t "),
            "References: <" + String(repeating: "a", count: 980) + "@x.test>", "Keywords:  two  blanks " + words,
            "X: " + String(repeating: "a", count: 950) + " " + String(repeating: "b", count: 990),
        ])
    func blanks(_ field: String) throws {
        let given = "From: a@x.test\r\n\(field)\r\nDate: now\r\n\r\nbody\r\n"
        let output = folded(given)
        #expect(lines(output).allSatisfy { $0.utf8.count <= 998 && !($0.allSatisfy(\.isWhitespace) && !$0.isEmpty) })
        #expect(output.replacing("\r\n ", with: " ").replacing("\r\n\t", with: "\t") == given)
    }

    @Test(
        "a line without blanks gets them where the grammar allows, and keeps its meaning",
        arguments: [
            ("References:" + identifiers.joined(), "> <"),
            ("References:" + identifiers.joined(separator: ","), ">, <"),
            ("In-Reply-To:" + identifiers.joined(separator: ";"), "> ;<"),
            ("To:" + addresses.map { $0.replacing(" ", with: "") }.joined(separator: ","), ", "),
            ("To: \"" + String(repeating: "a,", count: 600) + "\" <a@x.test>", ""),
            ("DKIM-Signature: v=1; b=" + String(repeating: "a", count: 1_500), ""),
            ("X-Data:" + String(repeating: "a", count: 3_000), ""),
            ("Subject: " + String(repeating: "語", count: 600), ""),
            ("Content-Type: text/plain;" + (0..<90).map { "parameter\($0)=value" }.joined(separator: ";"), "; "),
            ("Message-ID: <" + String(repeating: "a", count: 1_200) + "@x.test>", ""),
        ])
    func noBlanks(_ field: String, _ place: String) throws {
        let output = folded("From: a@x.test\r\n\(field)\r\n\r\nbody\r\n")
        let header = lines(output).dropFirst().prefix { !$0.isEmpty }
        #expect(header.allSatisfy { $0.utf8.count <= 998 })
        #expect(header.count > 1 && header.dropFirst().allSatisfy { $0.first == " " && $0.count > 1 })
        #expect(header.joined().filter { !$0.isWhitespace } == field.filter { !$0.isWhitespace })
        #expect(header.joined().utf8.allSatisfy { $0 != 0xEF } && output.hasSuffix("\r\n\r\nbody\r\n"))
        if !place.isEmpty { #expect(header.joined().contains(place)) }
    }

    @Test("an address or an identifier is never broken if another place is possible")
    func whole() {
        let packed = Self.addresses.map { $0.replacing(" ", with: "") }.joined(separator: ",")
        let list = AddressList(parsing: String(folded("To:\(packed)\r\n\r\n").dropFirst(3).dropLast(2)))
        #expect(list.isWellFormed && list.mailboxes.count == 60)
        let output = folded("References:\(Self.identifiers.joined())\r\n\r\n")
        for identifier in Self.identifiers { #expect(output.contains(identifier)) }
    }

    @Test("an encoded-word that is too long becomes several with the same text")
    func encodedWord() {
        let text = String(repeating: "Größe ", count: 200)
        let word =
            "=?utf-8?q?"
            + text.utf8.map {
                $0 == 0x20 ? "_" : $0 < 0x80 ? String(Unicode.Scalar($0)) : "=" + String($0, radix: 16, uppercase: true)
            }.joined() + "?="
        let output = folded("Subject: \(word)\r\n\r\n")
        #expect(lines(output).allSatisfy { $0.utf8.count <= 78 })
        let body = OctetString(output.dropFirst("Subject: ".count).dropLast(2))
        #expect(EncodedWords.decode(body, using: BuiltInCharsets()) == text)
    }

    @Test("a file name that is too long is written in sections (RFC 2231 §3)")
    func parameter() {
        let name = String(repeating: "a", count: 1_100) + ".txt"
        let output = folded("Content-Type: text/plain; name=\"\(name)\"\r\n\r\n")
        #expect(lines(output).allSatisfy { $0.utf8.count <= 998 })
        let header = try? Header(reading: OctetString(output))
        let type = header?.first("Content-Type").flatMap { ContentType(parsing: $0.unfoldedBody.text) }
        #expect(type?.parameter("name")?.text == name)
    }

    @Test("runs of blanks leave no line that ends the header for a reader")
    func blankRuns() {
        for field in [
            "X: a" + String(repeating: " ", count: 2_000) + "b", "X:" + String(repeating: " ", count: 2_000) + "b",
            "X: a" + String(repeating: " ", count: 2_000),
        ] {
            let output = folded("\(field)\r\nY: z\r\n\r\n")
            let header = lines(output).prefix { !$0.isEmpty }
            #expect(header.allSatisfy { $0.count <= 998 && !$0.allSatisfy(\.isWhitespace) })
            #expect(header.joined().filter { !$0.isWhitespace } == field.filter { !$0.isWhitespace } + "Y:z")
        }
    }

    @Test("line ends stay unchanged, and short lines too")
    func others() {
        let long = "Subject: \(Self.words)\n"
        let given = "X:  odd   blanks \nReceived: by x\n\tfor y\n" + long + "\nbody \(Self.words)\(Self.words)\n"
        let output = folded(given)
        #expect(!output.utf8.contains(0x0D))
        #expect(output.hasPrefix("X:  odd   blanks \nReceived: by x\n\tfor y\nSubject: word"))
        #expect(output.hasSuffix("\n\nbody \(Self.words)\(Self.words)\n"))
        let short = "Subject: x\r\nbroken line\r\n" + Self.words + Self.words
        #expect(folded(short) == short)
    }

    @Test("only the header is read of a message in pieces", arguments: [1, 7, 997, 20_000])
    func pieces(_ size: Int) {
        let given = Array("From: a@x.test\r\nSubject: \(Self.words)\r\n\r\nbody \(Self.words)".utf8)
        var rope = OctetRope()
        for start in stride(from: 0, to: given.count, by: size) {
            rope.append(OctetString(given[start..<min(start + size, given.count)]))
        }
        #expect(rope.withFoldedHeader().collected().text == folded(String(decoding: given, as: UTF8.self)))
    }
}
