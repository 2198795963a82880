import InternetMessage
import Octets
import TestSupport
import Testing
import Workflows

@testable import MessageInspection

@Suite("Hostile input")
struct HostileInputTests {
    /// Octets that mean something in a mail, so that mutations get further than the first line.
    private static let alphabet: [UInt8] =
        Array("-=?:;\"<>()@/, \t\r\n.*%'bc0".utf8) + [0x00, 0x30, 0x80, 0x82, 0xFF, 0x2A, 0x06, 0xA0]

    private struct Random {
        var state: UInt64

        mutating func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % max(bound, 1)
        }
    }

    private static let html =
        "Content-Type: text/html; charset=gb2312\nContent-Transfer-Encoding: quoted-printable\n\n<meta charset=3Dbig5><img src=3D\"cid:a%40x\">"

    private static let samples: [String] = [
        ClearSignedTests.mail(),
        ClearSignedTests.mail(
            parts: [
                "Content-Type: multipart/related; boundary=i\n\n--i\n\(html)\n--i\nContent-Type: image/gif; name*0*=utf-8''a%C3%BC; name*1=\"b.gif\"\nContent-ID: <a@x>\n\nGIF89a\n--i--",
                ClearSignedTests.signature,
            ]),
        "To: =?iso-2022-jp?B?GyRCRnxLXBsoQg==?= <n@x.test>, G: a@x.test;\nSubject: =?big5?q?=A7A?=\nContent-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\nContent-Transfer-Encoding: base64\n\n\(CMSBeginning.signedDataInBER.base64)",
        "Content-Type: application/pdf; name=a.pdf\n\n%PDF-1.4\n1 0 obj <</FT/Sig/V 1 0 R/ByteRange[0 1]/Contents<00>>> endobj\n",
        "Content-Type: text/xml; name=a.xml\n\n<?xml version='1.0'?><a xmlns:d='\(XMLSignatureSearch.namespace)'><d:Signature/></a>\n",
    ]

    private func ask(_ octets: [UInt8]) {
        guard let message = try? Message(reading: OctetString(octets)) else { return }
        let facts = InspectedMessage(message, recipients: [], sender: nil)
        let reading = facts.smimeReading
        for text in reading.ambiguities + reading.remarks {
            #expect(text.count < 400)
            #expect(!text.unicodeScalars.contains { $0.value < 0x20 })
        }
        _ = SMIMEForm.signedPartsBelow(message.root)
        _ = (facts.to, facts.cc, facts.bcc, facts.from, facts.subject, facts.bodyText, facts.attachments)
    }

    @Test("mutated mails are read to the end", arguments: samples.indices)
    func mutations(_ index: Int) {
        var random = Random(state: UInt64(index) &+ 7)
        let sample = Array(Self.samples[index].utf8)
        for _ in 0..<300 {
            var octets = sample
            for _ in 0...random.below(6) {
                let place = random.below(octets.count)
                switch random.below(3) {
                case 0: octets[place] = Self.alphabet[random.below(Self.alphabet.count)]
                case 1: octets.remove(at: place)
                default: octets.insert(Self.alphabet[random.below(Self.alphabet.count)], at: place)
                }
            }
            ask(octets)
        }
    }

    @Test("a thousand parts, HTML that refers to as many, and names without end take little time")
    func large() throws {
        let references = (0..<20_000).map { "<img src=\"cid:\($0)@x\">" }.joined()
        let parts = (0..<900).map { "--r\nContent-Type: image/png; name=\"\($0).png\"\nContent-ID: <\($0)@x>\n\nx\n" }
            .joined()
        let text =
            "Content-Type: multipart/related; boundary=r\n\n--r\nContent-Type: text/html\n\n\(references)\n\(parts)--r--\n"
        let elapsed = try ContinuousClock().measure {
            let message = try message(text, crlf: false)
            #expect(InspectedMessage(message, recipients: [], sender: nil).attachments.isEmpty)
        }
        #expect(elapsed < .seconds(10))
    }

    @Test("multipart/signed nested to the limit takes time in proportion")
    func nestedSigned() throws {
        let depth = 48
        let opening = (0..<depth).map {
            "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b\($0)x\n\n--b\($0)x\n"
        }.joined()
        let message = try message(opening + "Content-Type: text/plain\n\nx\n")
        let elapsed = ContinuousClock().measure {
            for _ in 0..<4 {
                guard case .multipartSigned(let signed) = SMIMEForm.of(message.root) else {
                    Issue.record("not signed")
                    return
                }
                #expect(!signed.ambiguities.isEmpty)
            }
            _ = SMIMEForm.signedPartsBelow(message.root)
        }
        #expect(elapsed < .seconds(5))
    }
}
