import Foundation
import Octets
import TestSupport
import Testing

@testable import InternetMessage

/// Habits of readers that are not tried on a message, because nothing in it asks for a choice in which they differ.
@Suite("Readings that need not be tried")
struct ReadingChoicesTests {
    private static let isSecondLevel = ProcessInfo.processInfo.environment["SES_TEST_ALL"] == "1"
    private static let seed = UInt64(ProcessInfo.processInfo.environment["SES_TEST_SEED"] ?? "") ?? 20_261_130

    /// All mails among the fixtures of the project and, where it is there, of the shared material.
    private static let mails: [String] = {
        let folders =
            [TestMaterial.fixtures] + (TestMaterial.shared.map { [$0 + "/cases", $0 + "/corpora"] } ?? [])
        return folders.flatMap { folder in
            let all = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
            return all.filter { $0.hasSuffix(".eml") || $0.hasSuffix(".mime") }.sorted().map { folder + "/" + $0 }
        }
    }()

    /// The answer, which must be the same whether or not habits are left out.
    private static func reasons(_ octets: OctetString, _ what: String) -> [String] {
        guard let message = try? Message(reading: octets) else { return [] }
        let all = message.differingReadings(trying: .allHabits)
        #expect(message.differingReadings == all, "\(what)")
        return all
    }

    @Test("mails and cases give the same answer when all habits are tried")
    func sameOverFiles() throws {
        var different = 0
        for path in Self.mails {
            let octets = OctetString(try TestMaterial.octets(path))
            for form in [octets, octets.withCRLFLineEnds()] where !Self.reasons(form, path).isEmpty { different += 1 }
        }
        #expect(Self.mails.count > 60)
        #expect(different > 30)
    }

    @Test("mails written to deceive give the same answer when all habits are tried")
    func sameOverOddMails() {
        var different = 0
        let count: UInt64 = Self.isSecondLevel ? 20_000 : 1_500
        for index in 0..<count {
            let mail = OddMail(seed: Self.seed &+ index, isSigned: index % 4 != 3)
            if !Self.reasons(OctetString(mail.octets), "\(mail.account), seed \(mail.seed)").isEmpty { different += 1 }
        }
        #expect(different * 4 > count)
        #expect(different < count)
    }

    @Test("mails with something odd put in anywhere give the same answer when all habits are tried")
    func sameOverMutations() throws {
        var numbers = SeededNumbers(seed: Self.seed)
        var different = 0
        var alike = 0
        let small = try Self.mails.map { try TestMaterial.octets($0) }.filter { $0.count < 3_000 }
        for _ in 0..<(Self.isSecondLevel ? 40_000 : 2_000) {
            guard var octets = small.randomElement(using: &numbers) else { break }
            var account: [String] = []
            for _ in 0..<Int.random(in: 1...3, using: &numbers) {
                let piece = Self.pieces.randomElement(using: &numbers) ?? ""
                // Most choices come up in the first part of a mail.
                let limit = Bool.random(using: &numbers) ? octets.count : min(octets.count, 400)
                let start = Int.random(in: 0...limit, using: &numbers)
                let end = min(octets.count, start + Int.random(in: 0...2, using: &numbers))
                octets.replaceSubrange(start..<end, with: Array(piece.utf8))
                account.append("\(piece.debugDescription) at \(start)..<\(end)")
            }
            if octets.isEmpty { continue }
            let what = account.joined(separator: ", ") + ": " + String(decoding: octets, as: UTF8.self)
            if Self.reasons(OctetString(octets), what).isEmpty { alike += 1 } else { different += 1 }
        }
        #expect(different > 100)
        #expect(alike > 100)
    }

    private static let pieces = [
        "\0", "\r", "\n", "\r\n", "\r\n\r\n", " ", "\t", ";", ";;", "=", "\"", "'", "<", "(", ")", "\\", "*", "=?",
        "--",
        "--b", "--b--", ":", " :", "X : y\r\n", "no field\r\n", " \r\n", "\r\n \r\n", ">From \r\n",
        "MIME-Version: 2\r\n", "\r\nContent-Type: text/html\r\n", "; boundary=b", "boundary =b;", "; boundary*=''b",
        "; boundary*0=b", "Content-Type: multipart/mixed; boundary=b\r\n\r\n", "(;boundary=b;)",
        "\r\n--b\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n\r\nx\r\n--B--\r\n",
        "Content-Transfer-Encoding: base64 (x)\r\n", "Content-Transfer-Encoding: quoted-printable;\r\n",
        "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=b2\r\n\r\n--b2\r\n",
    ]

    @Test("no other reader is tried on ordinary mails")
    func ordinary() throws {
        let plain = "From: a@x.test\nSubject: x\n\nHello: --\n-- \nAnn\n"
        let mixed = """
            From: a@x.test
            MIME-Version: 1.0
            Content-Type: multipart/mixed; boundary="=_b1"; charset=utf-8

            This is a message in MIME format.
            --=_b1
            Content-Type: text/plain; charset=utf-8; format=flowed
            Content-Transfer-Encoding: 8bit

            one
            --=_b1
            Content-Type: application/pdf; name="Offer (1), new.pdf"
            Content-Transfer-Encoding: base64
            Content-Disposition: attachment; filename="Offer (1), new.pdf"

            b25l
            --=_b1--
            """
        for mail in ["MIME-Version: 1.0\n" + plain, mixed] {
            #expect(try Message(reading: OctetString(mail).withCRLFLineEnds()).othersThatMatter == 0)
        }
        // Without a version nothing else is asked for.
        #expect(try Message(reading: OctetString(plain).withCRLFLineEnds()).othersThatMatter == 1)
        let colon = mixed.replacing("in MIME format.", with: "in MIME format: http://x.test/")
        #expect(try Message(reading: OctetString(colon).withCRLFLineEnds()).othersThatMatter == 0)
        // A field that all take alike, though it is not plain.
        let named = mixed.replacing("\"Offer (1), new.pdf\"", with: "\"=?utf-8?Q?=C3=84rger=3B?=\" (mine)")
        #expect(try Message(reading: OctetString(named).withCRLFLineEnds()).othersThatMatter == 0)
    }

    @Test("each habit is the matter of a choice, so that none is left out for ever")
    func everyHabit() {
        for (habits, because) in ReadingHabits.others {
            #expect(!habits.choices.isEmpty, "\(because)")
            // Set back what the choices are about: nothing else may remain.
            var rest = habits.withFieldForms(of: ReadingHabits())
            let own = ReadingHabits()
            (rest.delimiters, rest.ignoresBoundaryCase, rest.maximumBoundaryLength) = (.wholeLine, false, .max)
            (rest.precedence, rest.readsEpilogue, rest.showsPreamble) = (.longest, false, false)
            (rest.seeksDelimitersInHeader, rest.endsLinesAtCR, rest.cutsLinesAtNUL) = (true, false, false)
            (rest.lineWithoutField, rest.allowsBlankBeforeColon, rest.endsHeaderAtBlankLine) = (
                .endsHeader, true, false
            )
            (rest.knowsQuotedSeparator, rest.fields, rest.requiresMIMEVersion) = (true, .first, false)
            #expect(rest == own, "\(because)")
        }
    }
}
