import Composition
import InternetMessage
import Octets
import TestSupport
import Testing

@Suite("The entity that is signed (RFC 8551 §3.1, RFC 1847 §2.1)")
struct SignableEntityTests {
    private func signable(_ text: String) throws -> (outer: String, entity: String) {
        let signable = try SignableEntity(of: Given.message(text))
        return (signable.outerHeader.collected().text, signable.entity.collected().text)
    }

    @Test("takes Content-* fields and body, and leaves the rest outside unchanged")
    func split() throws {
        let (outer, entity) = try signable(
            "From: a@b.test\nMIME-Version: 1.0\nSubject: x  \n y\nContent-Type: text/plain\nX-Odd : 1\n"
                + "Content-Language: de\nContent-Type: text/html\nContent-Length: 5\nMessage-ID: <1@b.test>\n\nhello\n")
        #expect(outer == "From: a@b.test\r\nSubject: x  \r\n y\r\nX-Odd : 1\r\nMessage-ID: <1@b.test>\r\n")
        #expect(entity == "Content-Type: text/plain\r\nContent-Language: de\r\n\r\nhello\r\n")
    }

    struct Case: CustomTestStringConvertible {
        let what: String
        let given: String
        let wanted: String
        var testDescription: String { what }
    }

    static let cases: [Case] = [
        Case(
            what: "no Content-Type, 7-bit", given: "A: b\n\nhi\n",
            wanted: "Content-Type: text/plain; charset=us-ascii\n\nhi\n"),
        Case(
            what: "no Content-Type, UTF-8", given: "A: b\n\nhä\n",
            wanted:
                "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nh=C3=A4\n"),
        Case(what: "an empty body", given: "Content-Type: text/plain\n\n", wanted: "Content-Type: text/plain\n\n"),
        Case(
            what: "no empty line at all", given: "Content-Type: text/plain", wanted: "Content-Type: text/plain\n\n"),
        Case(
            what: "8bit that is none",
            given: "Content-Type: text/plain\nContent-Transfer-Encoding: 8bit\n\nhi\n",
            wanted: "Content-Type: text/plain\n\nhi\n"),
        Case(
            what: "format=flowed keeps its blanks",
            given: "Content-Type: text/plain; format=flowed\n\nlong \nline\n-- \nme\n",
            wanted:
                "Content-Type: text/plain; format=flowed\nContent-Transfer-Encoding: quoted-printable\n\nlong=20\nline\n=2D-=20\nme\n"
        ),
        Case(
            what: "From at a line's beginning", given: "Content-Type: text/plain\n\nFrom me\n",
            wanted: "Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n=46rom me\n"),
        Case(
            what: "a calendar in UTF-8",
            given:
                "Content-Type: text/calendar; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nBEGIN:VCALENDAR\nSUMMARY:ä\n",
            wanted:
                "Content-Type: text/calendar; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nBEGIN:VCALENDAR\nSUMMARY:=C3=A4\n"
        ),
        Case(
            what: "quoted-printable with blanks and From",
            given: "Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\nFrom=20me=\n x \n",
            wanted: "Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n=46rom me x\n"),
        Case(
            what: "only the part that needs it is changed",
            given:
                "Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: 8bit\n\npre\n--b\nContent-Type:  text/plain;\n charset=x\n\n7-bit\n--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nä\n--b--\npost\n",
            wanted:
                "Content-Type: multipart/mixed; boundary=b\n\npre\n--b\nContent-Type:  text/plain;\n charset=x\n\n7-bit\n--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n=C3=A4\n--b--\npost\n"
        ),
        Case(
            what: "a multipart that does not close is closed",
            given: "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhi\n",
            wanted: "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhi\n\n--b--\n"),
        Case(
            what: "blanks behind delimiters, an 8-bit preamble and epilogue",
            given: "Content-Type: multipart/mixed; boundary=b\n\nprä\n--b \n\nhi\n--b\t\n\nho\n--b-- \nepilög\n",
            wanted: "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhi\n--b\n\nho\n--b--\n"),
        Case(
            what: "a message within is never encoded; its parts are",
            given:
                "Content-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n\nSubject: \nFrom: Jörg <j@x.test>\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nä\n",
            wanted:
                "Content-Type: message/rfc822\n\nSubject:\nFrom: =?utf-8?Q?J=C3=B6rg?= <j@x.test>\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n=C3=A4\n"
        ),
        Case(
            what: "a file name in raw UTF-8",
            given: "Content-Type: text/plain\nContent-Disposition: attachment; filename=\"ü.txt\"\n\nhi\n",
            wanted: "Content-Type: text/plain\nContent-Disposition: attachment; filename*=utf-8''%C3%BC.txt\n\nhi\n"),
        Case(
            what: "a delivery report's trailing blanks go",
            given: "Content-Type: message/delivery-status\n\nReporting-MTA: dns; x \n\nAction: failed\n",
            wanted: "Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nAction: failed\n"),
        Case(
            what: "a header line of blanks alone is left out",
            given:
                "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; \n \n charset=x\n\nhi\n--b--\n",
            wanted:
                "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain;\n charset=x\n\nhi\n--b--\n"
        ),
        Case(
            what: "an existing signature that is fit stays",
            given:
                "Content-Type: multipart/signed; boundary=b; protocol=\"application/pkcs7-signature\"\nContent-Transfer-Encoding: 8bit\n\n--b\nContent-Transfer-Encoding: 8bit\n\nhi\n--b\nContent-Type: application/pkcs7-signature\n\nAA==\n--b--\n",
            wanted:
                "Content-Type: multipart/signed; boundary=b; protocol=\"application/pkcs7-signature\"\n\n--b\nContent-Transfer-Encoding: 8bit\n\nhi\n--b\nContent-Type: application/pkcs7-signature\n\nAA==\n--b--\n"
        ),
    ]

    @Test("changes what needs it, and nothing else", arguments: cases)
    func changes(_ given: Case) throws {
        let (_, entity) = try signable(given.given)
        #expect(entity == given.wanted.replacing("\n", with: "\r\n"))
    }

    @Test("octets of a binary part survive as base64")
    func binary() throws {
        let content = OctetString((0...255).map { UInt8($0) } + Array("\r\r\n \r\n\n".utf8))
        let head = "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        let message = try Message(reading: OctetString(Array(head.utf8) + content.array))
        let entity = try SignableEntity(of: message).entity.collected()
        let read = try Message(reading: entity)
        #expect(read.root.transferEncoding == .base64)
        #expect(read.root.decodedBody == content)
    }

    @Test(
        "refuses a change that is not allowed, with the place and the reason",
        arguments: [
            ("Content-Type: multipart/signed; boundary=b; protocol=x\n\n--b\n\nhä\n--b\n\ns\n--b--\n", [0]),
            ("Content-Type: multipart/encrypted; boundary=b\n\n--b\n\nv\n--b\n\nx \n--b--\n", [1]),
            (
                "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/signed; boundary=b\n\n--b\n\n"
                    + "From here\n--b\n\ns\n--b--\n--o--\n", [0, 0]
            ),
            ("Content-Type: application/x\nContent-Transfer-Encoding: x-uuencode\n\nbegin \n", []),
            ("Content-Type: multipart/mixed\n\nhä\n", []),
            ("Content-Type: multipart/mixed; boundary=b\n\nno parts, but ä\n", []),
            ("Content-Type: message/rfc822\n\nFrom: <jörg@x.test>\n\nhi\n", [0]),
            ("Content-Type: message/delivery-status\n\nx: ä\n", []),
        ])
    func refusals(_ text: String, _ path: [Int]) throws {
        do {
            _ = try signable(text)
            Issue.record("it was made fit")
        } catch let error as CompositionError {
            #expect(error.kind == .cannotBeMadeFit(path: path))
            #expect(error.text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
        }
    }

    @Test("a large attachment stays in pieces: the ropes share the message's memory")
    func largeIsShared() throws {
        let line = String(repeating: "QUJD", count: 19) + "\r\n"
        let text =
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nh\u{E4}\r\n--b\r\nContent-Type: application/x\r\n"
            + "Content-Transfer-Encoding: base64\r\n\r\n" + String(repeating: line, count: 20_000) + "--b--\r\n"
        let signable = try SignableEntity(of: Message(reading: OctetString(text)))
        let shared =
            signable.entity.pieces.compactMap { ($0 as? OctetRope)?.pieces ?? [$0] }.flatMap { $0 }
            .compactMap { $0 as? OctetString }.map(\.count).max() ?? 0
        #expect(shared > 1_500_000)
    }

    @Test("cut and damaged mail of every kind becomes fit or is refused")
    func damaged() throws {
        var random = SeededNumbers(seed: 7)
        let seeds = Self.cases.map { $0.given.replacing("\n", with: "\r\n") }.map { Array($0.utf8) }
        for round in 0..<1_500 {
            var octets = seeds[round % seeds.count]
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<octets.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: octets[place] = UInt8.random(in: 0...255, using: &random)
                case 1: octets.removeSubrange(place..<min(octets.count, place + 9))
                case 2: octets.insert(contentsOf: octets[..<min(place, 40)], at: place)
                default: octets.insert([0x0D, 0x0A, 0x20, 0x2D, 0][place % 5], at: place)
                }
                if octets.isEmpty { octets = [0x0A] }
            }
            let message = try Message(reading: OctetString(octets).withCRLFLineEnds())
            guard let signable = try? SignableEntity(of: message) else { continue }
            let entity = signable.entity.collected()
            #expect(signable.entity.count == entity.count)
            #expect(entity.allSatisfy { $0 < 0x80 && $0 != 0 })
            for line in entity.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast() {
                let isClean =
                    line.last == 0x0D && line.dropLast().last != 0x20 && line.dropLast().last != 0x09
                    && line.count <= 999 && !line.dropLast().contains(0x0D) && !line.starts(with: "From ".utf8)
                #expect(isClean, "\(OctetString(octets).text.debugDescription)")
            }
        }
    }
}
