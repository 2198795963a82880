import InternetMessage
import Testing
import Workflows

@testable import MessageInspection

@Suite("Mail that is signed or encrypted already (RFC 8551, RFC 3156, RFC 9580)")
struct ProtectionTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let message: String
        let protection: MailProtection?
        var testDescription: String { name }
    }

    private static func multipart(_ type: String, _ first: String, _ second: String) -> String {
        "MIME-Version: 1.0\nContent-Type: \(type); boundary=b\n\n--b\nContent-Type: \(first)\n\nx\n--b\n"
            + "Content-Type: \(second)\n\nx\n--b--\n"
    }

    private static let clear =
        "\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHello\n-----BEGIN PGP SIGNATURE-----\n\niQ==\n"
        + "-----END PGP SIGNATURE-----\n"
    private static let secret = "-----BEGIN PGP MESSAGE-----\n\nhQ==\n-----END PGP MESSAGE-----\n\n"

    static let cases = [
        Case(
            name: "clear-signed S/MIME",
            message: multipart(
                "multipart/signed; protocol=\"application/pkcs7-signature\"", "text/plain",
                "application/pkcs7-signature"), protection: MailProtection(.signed, by: .smime)),
        Case(
            name: "encrypted S/MIME", message: "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nx\n",
            protection: MailProtection(.encrypted, by: .smime)),
        Case(
            name: "PGP/MIME signed",
            message: multipart(
                "multipart/signed; protocol=\"application/PGP-Signature\"", "text/plain", "application/pgp-signature"),
            protection: MailProtection(.signed, by: .pgp)),
        Case(
            name: "PGP/MIME signed without the protocol parameter",
            message: multipart("multipart/signed", "text/plain", "application/pgp-signature"),
            protection: MailProtection(.signed, by: .pgp)),
        Case(
            name: "PGP/MIME encrypted",
            message: multipart(
                "multipart/encrypted; protocol=\"application/pgp-encrypted\"", "application/pgp-encrypted",
                "application/octet-stream"), protection: MailProtection(.encrypted, by: .pgp)),
        Case(
            name: "text in signed armour", message: "Subject: x\n\n" + clear,
            protection: MailProtection(.signed, by: .pgp)),
        Case(
            name: "text in encrypted armour", message: "Content-Type: text/plain; charset=utf-8\n\n" + secret,
            protection: MailProtection(.encrypted, by: .pgp)),
        Case(
            name: "encrypted armour in base64",
            message: "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n"
                + "LS0tLS1CRUdJTiBQR1AgTUVTU0FHRS0tLS0tCgpoUT09Ci0tLS0tRU5EIFBHUCBNRVNTQUdFLS0tLS0K\n",
            protection: MailProtection(.encrypted, by: .pgp)),
        Case(name: "plain text", message: "Subject: x\n\nHello\n", protection: nil),
        Case(name: "armour below other text", message: "Subject: x\n\nHello\n" + secret, protection: nil),
        Case(name: "text below the armour", message: "Subject: x\n\n" + clear + "PS: unsigned\n", protection: nil),
        Case(
            name: "armour without its end", message: "Subject: x\n\n-----BEGIN PGP MESSAGE-----\nhQ==\n",
            protection: nil),
        Case(
            name: "armour in one of several parts",
            message: multipart("multipart/mixed", "text/plain", "application/pgp-encrypted"), protection: nil),
        Case(
            name: "a signed message that is merely forwarded",
            message: "Content-Type: message/rfc822\n\n"
                + multipart(
                    "multipart/signed; protocol=\"application/pgp-signature\"", "text/plain",
                    "application/pgp-signature"), protection: nil),
    ]

    @Test("is known by its structure", arguments: cases)
    func protection(_ given: Case) throws {
        #expect(try facts(given.message).protection == given.protection)
    }
}
