import DSSProtocol
import Foundation
import Octets
import Processing
import TestSupport
import Testing

@testable import SESProgram

@Suite("Engine: attachments are signed from folder to folder")
struct AttachmentEngineTests {
    private static let mail = """
        From: alice@example.test
        To: bob@elsewhere.test
        Subject: Offer
        Message-ID: <a@example.test>
        MIME-Version: 1.0
        Content-Type: multipart/mixed; boundary=b

        --b
        Content-Type: text/plain

        Hello \t
        --b
        Content-Type: application/x-thing; name="thing.dat"
        Content-Disposition: attachment; filename="thing.dat"
        Content-Transfer-Encoding: base64

        AAECAwQF
        --b
        Content-Type: message/rfc822

        Subject: forwarded
        Content-Type: application/x-thing; name="inner.dat"
        Content-Transfer-Encoding: base64

        AAECAwQF
        --b--

        """

    private static var xml: SESXML {
        var xml = SESXML(servers: ["http://127.0.0.1:1"])
        xml.outgoing = """
            <Sign><Workflow><Filter><AND><Attachment contains="dat"/></AND></Filter>
            <OperationRule>SIGN_ATTACHMENT</OperationRule>
            <ProfileSelection><SignAttachment profileId="p"/></ProfileSelection></Workflow></Sign>
            """
        return xml
    }

    @Test("lines keep their ends, and only the signature is new", arguments: ["\n", "\r\n"])
    func lineEnds(_ lineEnd: String) async throws {
        let bench = try GatewayBench(Self.xml)
        let mail = Self.mail.replacing("\n", with: lineEnd)
        try bench.put(mail)
        try await bench.takeAll()
        #expect(try bench.counts() == ["delivered": 1])
        let file = try #require(try bench.files("delivered").first)
        #expect(file.envelopeField("X-SES-Outcome") == "signed")
        #expect(file.envelopeField("X-SES-Reason")?.contains("1 attachment signed") == true)
        let text = String(decoding: file.octets, as: UTF8.self)
        let added = [
            "--b", "Content-Type: application/pkcs7-signature; name=thing.dat.p7s",
            "Content-Transfer-Encoding: base64",
            "Content-Disposition: attachment; filename=thing.dat.p7s", "",
            Base64.encode(Array("signature".utf8)), "--b",
        ].joined(separator: lineEnd)
        let expected = Array(
            mail.replacing("AAECAwQF\(lineEnd)--b\(lineEnd)", with: "AAECAwQF\(lineEnd)\(added)\(lineEnd)").utf8)
        #expect(file.octets.suffix(expected.count).elementsEqual(expected), "\(text)")
        #expect((lineEnd == "\n") == !file.octets.contains(0x0D))
    }

    @Test("the journal gives the number of signed attachments, and of a refusal the attachment that failed")
    func account() async throws {
        let bench = try GatewayBench(Self.xml)
        try bench.put(Self.mail)
        try await bench.takeAll()
        let folder = bench.scratch.file("spool/journal")
        let journal = try FileManager.default.contentsOfDirectory(atPath: folder).map {
            String(decoding: try TestMaterial.octets(folder + "/" + $0), as: UTF8.self)
        }.joined()
        #expect(journal.contains("1 attachment signed") && !journal.contains("AAECAwQF"))
        try bench.put(
            Self.mail.replacing("AAECAwQF\n--b\nContent-Type: message", with: "AAEC*\n--b\nContent-Type: message"))
        try await bench.takeAll()
        #expect(try bench.counts() == ["admin": 1, "blocked": 1, "delivered": 1])
        let notice = String(decoding: try #require(try bench.files("admin").first).octets, as: UTF8.self)
        #expect(notice.contains("thing.dat") && notice.contains("base64 is damaged"))
    }
}
