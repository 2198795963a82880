import Foundation

/// Messages for tests, with CRLF line ends.
public enum MailSamples {
    public static let alice = "alice@example.test"
    public static let bob = "bob@example.test"
    public static let outsider = "carol@elsewhere.test"

    /// A short plain message.
    /// - Parameter fields: Lines put above the content fields.
    public static func plain(
        from: String = alice, to: String = bob, subject: String = "Plain words", fields: [String] = [],
        id: String? = nil, body: String = "Good morning,\r\nthis is what was agreed.\r\n"
    ) -> [UInt8] {
        message(
            [
                "From: \(from)", "To: \(to)", "Subject: \(subject)",
                "Message-ID: <\(id ?? UUID().uuidString.lowercased())@example.test>",
                "Date: Mon, 5 Jan 2026 10:00:00 +0000",
            ] + fields
                + ["MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 7bit"],
            body: body)
    }

    /// Text, HTML and one attachment.
    public static func withAttachment(
        from: String = alice, to: String = bob, name: String = "terms.bin", octets: [UInt8] = Array(0...255)
    ) -> [UInt8] {
        let content = Data(octets).base64EncodedString(options: [
            .lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed,
        ])
        return message(
            [
                "From: \(from)", "To: \(to)", "Subject: With an attachment",
                "Message-ID: <\(UUID().uuidString.lowercased())@example.test>",
                "Date: Mon, 5 Jan 2026 10:00:00 +0000", "MIME-Version: 1.0",
                "Content-Type: multipart/mixed; boundary=\"outer\"",
            ],
            body: [
                "--outer", "Content-Type: multipart/alternative; boundary=\"inner\"", "",
                "--inner", "Content-Type: text/plain; charset=utf-8", "", "The terms are attached.",
                "--inner", "Content-Type: text/html; charset=utf-8", "",
                "<html><body><p>The terms are attached.</p></body></html>", "--inner--",
                "--outer", "Content-Type: application/octet-stream; name=\"\(name)\"",
                "Content-Disposition: attachment; filename=\"\(name)\"", "Content-Transfer-Encoding: base64", "",
                content, "--outer--", "",
            ].joined(separator: "\r\n"))
    }

    /// A mail that says it is enveloped data; its content need not decrypt.
    public static func encrypted(from: String = outsider, to: String = bob) -> [UInt8] {
        message(
            [
                "From: \(from)", "To: \(to)", "Subject: For your eyes",
                "Message-ID: <\(UUID().uuidString.lowercased())@example.test>",
                "Date: Mon, 5 Jan 2026 10:00:00 +0000", "MIME-Version: 1.0",
                "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m",
                "Content-Disposition: attachment; filename=smime.p7m", "Content-Transfer-Encoding: base64",
            ],
            body: "MIAGCSqGSIb3DQEHA6CAMIACAQAxADCABgkqhkiG9w0BBwEAAAAAAAA=\r\n")
    }

    /// `fields`, an empty line and `body`.
    public static func message(_ fields: [String], body: String) -> [UInt8] {
        Array((fields.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8)
    }

    /// The same message as a Unix file has it.
    public static func withLineFeeds(_ message: [UInt8]) -> [UInt8] { message.filter { $0 != 0x0D } }

    /// The message with the first occurrence of `part` replaced.
    public static func changed(_ message: [UInt8], _ part: String, to other: String) throws -> [UInt8] {
        guard let place = message.firstRange(of: Array(part.utf8)) else {
            throw HarnessError("the sample has no '\(part)' to change")
        }
        var copy = message
        copy.replaceSubrange(place, with: Array(other.utf8))
        return copy
    }
}
