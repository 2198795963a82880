import Composition
import Foundation
import InternetMessage
import Octets
import TestSupport
import Testing

@Suite("Forged results as other readers find them (RFC 8601 §5)")
struct ForgedFieldReaderTests {
    /// Forged fields as one reader or another finds them, the whole line ends included.
    private static let forged: [String] = [
        "no field\r\n@\r\n", "Two Words: x\r\n@\r\n", ": x\r\n@\r\n", "X: a\r@\r\n", "X: a\r@\rY: b\r\n", "@\r\n",
        "@\r\n more\r\n",
        "Authentication-Results\r\n : example.test; smime=pass\r\n",
        "Authentication-Results : example.test; smime=pass\r\n",
        "Authentication-Results\t: example.test; smime=pass\r\n",
        "Authentication-Results\0: example.test; smime=pass\r\n",
        "Authentication-Results:\r\n\texample.test; smime=pass\r\n",
        "AUTHENTICATION-RESULTS: EXAMPLE.TEST; smime=pass\r\n",
        "Authentication-Results: =?utf-8?q?example.test?=; smime=pass\r\n", "Authentication-Results: smime=pass\r\n",
        "X-SES-Outcome : verified\r\n", "no field\r\nX-SES-Verdict: trusted\r\n", "X: a\rX-SES-Outcome: verified\r\n",
        "X: a\u{0B}@\r\n", "X: a\u{0C}@\r\n", "no field\r\n@\r\nnor this\r\n@\r\n", "\r@\r\n",
        "From x@y.test Mon\r\n@\r\n",
        ">From x\r\n@\r\n", "Subject: =?utf-8?q?x=0D=0AAuthentication-Results:_example.test;_smime=3Dpass?=\r\n",
    ].map { $0.replacing("@", with: "Authentication-Results: example.test; smime=pass (forged)") }

    private static let bodies = [
        "Content-Type: text/plain\r\n\r\nHello\r\n", "Content-Type: text/html\r\n\r\n<p>Hello\r\n",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello\r\n--b--\r\n",
    ]

    @Test("no reader finds one, under any rule", .timeLimit(.minutes(2)))
    func readers() async throws {
        let scratch = try ScratchDirectory()
        var given: [String] = []
        for forged in Self.forged {
            for (place, body) in [("", Self.bodies[0]), ("Received: by x\r\n", Self.bodies[1]), ("", Self.bodies[2])] {
                for rule in [ResultComposition.Rule.original, .originalAsAttachment, .top, .bottom] {
                    let mail = place + "From: a@b.test\r\n" + forged + "Subject: x\r\nMIME-Version: 1.0\r\n" + body
                    let octets = try Self.composed(rule, OctetString(mail))
                    try scratch.write(octets.array, to: "\(given.count)")
                    given.append("\(rule) \(mail.debugDescription)")
                }
            }
        }
        // Dovecot refuses to run as root, and writes into the folder.
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: scratch.path)
        try ForeignReader.copy("header_fields.py", into: scratch)
        let run = try await RunningProgram.run(
            "/usr/bin/python3", [scratch.file("header_fields.py"), scratch.path, "\(given.count)"])
        try #require(run.status == 0, "\(run)")
        let lines = run.output.split(separator: "\n")
        try #require(lines.count == given.count)
        for (given, line) in zip(given, lines) {
            let readings = try JSONDecoder().decode([String: [[String]]].self, from: Data(line.utf8))
            #expect(readings.count >= 3)
            for (reader, fields) in readings {
                for field in fields {
                    let isOurs = field[0].lowercased() == "authentication-results" && field[1].contains("smime=none")
                    #expect(isOurs, "\(reader) finds \(field) in \(given)")
                }
                #expect(fields.contains { $0[1].contains("smime=none") }, "\(reader) finds nothing of ours in \(given)")
            }
        }
    }

    private static func composed(_ rule: ResultComposition.Rule, _ raw: OctetString) throws -> OctetString {
        let intake = try Intake(
            raw: raw, canonical: raw, block: nil, isBare: false, removesBcc: false, authservID: "example.test")
        let results = AuthenticationResults(authservID: "example.test", result: .none, reason: nil)
        var text = ResultText(.notSigned, entry: "e")
        text.reasons = ["the message carries no S/MIME signature"]
        return try ResultComposition(
            rule: rule, result: text, answers: [], addedFields: [results.field], token: "t"
        ).compose(intake.message, read: intake.message.read()).collected()
    }
}
