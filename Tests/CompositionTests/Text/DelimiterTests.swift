import Composition
import InternetMessage
import Octets
import TestSupport
import Testing

@Suite("New encoding makes no delimiter (RFC 2046 §5.1.1)")
struct DelimiterTests {
    private func multipart(_ body: String) throws -> Message {
        try Given.message(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n"
                + "Content-Transfer-Encoding: quoted-printable\n\n\(body)\n--b\n\nsecond\n--b--\n")
    }

    static let bodies = [
        "a=20\n=2D-b\nx \n", "=2D-b--\n \n", "ä \n=2D-b=\n\n", "From x\n" + String(repeating: "-", count: 76) + "\n",
        String(repeating: "-", count: 75) + "=\n" + String(repeating: "-", count: 500) + " \n",
        "=2D-=C3=A4" + String(repeating: "=C3=A4", count: 40) + " \n", "-\n--\n---\n \n",
        String(repeating: "x", count: 75) + "--b\n \n", String(repeating: "x", count: 76) + "--b\n \n",
    ]

    @Test("when a part is made fit", arguments: bodies)
    func fit(_ body: String) throws {
        let message = try multipart(body)
        let signable = try SignableEntity(of: message)
        let entity = signable.entity.collected()
        let read = try Message(reading: entity)
        #expect(read.root.children.count == 2)
        #expect(read.root.children[0].decodedBody == message.root.children[0].decodedBody)
        #expect(read.root.children[1].body.text == "second")
        #expect(entity.split(separator: 0x0A).allSatisfy { $0.count <= 77 }, "a line of quoted-printable above 76")
    }

    @Test("when a result is written into a text", arguments: bodies)
    func result(_ body: String) throws {
        let intake = try Given.intake(try multipart(body).octets)
        var result = ResultText(.notTrusted, entry: "e")
        // The line is broken anew where its characters are encoded, and may then begin with what a stranger wrote.
        for count in 10..<40 { result.reasons.append(String(repeating: "ä", count: count) + "--b") }
        let whole = ResultComposition(
            rule: .top, result: result, answers: [], addedFields: [], token: "0123456789abcdef"
        ).compose(intake.message, read: try intake.message.read()).collected()
        let root = try Message(reading: whole).root
        #expect(root.children.count == 2)
        #expect(root.children[0].decodedBody.text.hasPrefix(result.plain))
    }

    @Test("of a large text in pieces, however they are cut")
    func pieces() throws {
        let body = String(repeating: "-- ä\n" + String(repeating: "-", count: 90) + "\n", count: 3_000)
        let text = "Content-Type: text/plain; charset=utf-8\n\n" + body
        let entity = try SignableEntity(of: try Given.message(text)).entity
        #expect(try Message(reading: entity.collected()).root.decodedBody == Given.crlf(body))
        var chunked: [UInt8] = []
        entity.forEachChunk(size: 7) { chunked += $0 }
        #expect(OctetString(chunked) == entity.collected())
    }
}
