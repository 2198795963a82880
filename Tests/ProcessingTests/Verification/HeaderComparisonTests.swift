import InternetMessage
import Octets
import Processing
import TestSupport
import Testing
import Workflows

@Suite("The signed copy of the header (RFC 9788, RFC 8551 §3.1)")
struct HeaderComparisonTests {
    /// A part that is signed, and what the reader is told of it; nil for nothing.
    struct Case: Sendable {
        let part: String
        let told: String?
        var outer =
            "From: alice@example.test\nTo: bob@elsewhere.test\nSubject: Offer\nDate: Mon, 2 Nov 2026 10:00:00 +0000\n"
        var verdict = "trusted"
    }

    private static let hp = "Content-Type: text/plain; hp=\"clear\"\n"
    private static let same =
        "From: alice@example.test\nTo: bob@elsewhere.test\nSubject: Offer\nDate: Mon, 2 Nov 2026 11:00:00 +0100\n"

    @Test(
        "fields that differ from it are reported, and a forged author is not trusted",
        arguments: [
            Case(part: hp + same, told: nil),
            Case(part: hp + same.replacing("Offer", with: "=?utf-8?q?Of=66er?="), told: nil),
            Case(
                part: hp
                    + same.replacing("To: bob", with: "To: Bob <BOB").replacing(
                        "elsewhere.test\n", with: "elsewhere.test>\n"), told: nil),
            Case(part: hp + same.replacing("alice@example", with: "ALICE@Example"), told: nil),
            Case(
                part: hp.replacing("text/plain", with: "message/rfc822") + "\n" + same.replacing("alice", with: "carl"),
                told: "From differs", verdict: "not trusted"),
            Case(
                part: hp.replacing("text/plain", with: "message/rfc822") + same
                    + "\nFrom: carl@example.test\nSubject: passed on\n", told: nil),
            Case(part: hp + same.replacing("Offer", with: "Refusal"), told: "Subject differs from the signed copy"),
            Case(part: hp + same.replacing("To: bob", with: "To: carl"), told: "To differs from the signed copy"),
            Case(part: hp + same.replacing("2 Nov", with: "3 Nov"), told: "Date differs from the signed copy"),
            Case(part: hp + same + "Cc: dora@example.test\n", told: "Cc differs from the signed copy"),
            Case(
                part: hp + same, told: "Reply-To was not there when the message was signed",
                outer: same + "Reply-To: mallory@evil.test\n"),
            Case(
                part: "Content-Type: text/plain; protected-headers=\"v1\"\nSubject: Refusal\n", told: "Subject differs"),
            Case(part: "Content-Type: text/plain\nSubject: Refusal\n", told: "Subject differs"),
            Case(part: "Content-Type: text/plain\nFrom: carl@example.test\n", told: "From differs"),
            Case(
                part: hp + same.replacing("alice", with: "carl"), told: "From differs from the signed copy",
                verdict: "not trusted"),
            Case(
                part: "Content-Type: message/rfc822; forwarded=\"no\"\n\n" + same.replacing("Offer", with: "Refusal"),
                told: "Subject differs"),
            Case(
                part: "Content-Type: message/rfc822; forwarded=no\n\n" + same.replacing("alice", with: "carl"),
                told: "From differs", verdict: "not trusted"),
            Case(
                part: "Content-Type: message/rfc822\n\n" + same.replacing("Offer", with: "Refusal"),
                told: "Subject differs"),
            Case(
                part: "Content-Type: message/rfc822\n\n"
                    + same.replacing("Offer", with: "x").replacing("alice", with: "carl"),
                told: nil),
        ])
    func comparison(_ given: Case) async throws {
        let mail =
            given.outer + "MIME-Version: 1.0\n"
            + "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b\n\n--b\n"
            + given.part
            + "\nHello\n--b\nContent-Type: application/pkcs7-signature\n\nx\n--b--\n"
        var bench = Bench.verifying(AttachedMail(files: []), [.verifyEmail])
        bench.policy.notTrustedAction = .recipients
        let outcome = await bench.process(mail, direction: .incoming)
        #expect(outcome.account.verdict == given.verdict, "\(outcome.account)")
        let output = try #require(outcome.delivered)
        let result = try AttachmentVerifyingTests.result(of: output)
        if let told = given.told {
            #expect(result.split(whereSeparator: \.isWhitespace).joined(separator: " ").contains(told), "\(result)")
            #expect(try output.fields("Authentication-Results").first?.contains("reason=") == true)
        } else {
            #expect(!result.contains("signed copy") && !result.contains("was not there"), "\(result)")
        }
    }
}
