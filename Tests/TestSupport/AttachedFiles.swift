import Foundation

/// A file in a mail.
public struct AttachedFile: Sendable {
    public let name: String
    public let type: String
    public let octets: [UInt8]

    public init(_ name: String, _ type: String, _ octets: [UInt8]) {
        self.name = name
        self.type = type
        self.octets = octets
    }

    public static func pdf(_ octets: [UInt8] = PDFSamples.plain(), name: String = "invoice.pdf") -> AttachedFile {
        AttachedFile(name, "application/pdf", octets)
    }

    public static func xml(
        _ text: String =
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<invoice no=\"4711\">\n  <total>100</total>\n</invoice>\n",
        name: String = "invoice.xml"
    ) -> AttachedFile {
        AttachedFile(name, "application/xml", Array(text.utf8))
    }

    /// A file of no kind that has a signature format of its own.
    public static func other(_ octets: [UInt8] = Array("The terms, in plain words.\n".utf8), name: String = "terms.doc")
        -> AttachedFile
    {
        AttachedFile(name, "application/msword", octets)
    }
}

extension MailSamples {
    /// A text and files.
    public static func withFiles(
        _ files: [AttachedFile], from: String = alice, to: String = bob, text: String = "The files are attached."
    ) -> [UInt8] {
        let parts = files.flatMap { file in
            [
                "--outer", "Content-Type: \(file.type); name=\"\(file.name)\"",
                "Content-Disposition: attachment; filename=\"\(file.name)\"", "Content-Transfer-Encoding: base64", "",
                Data(file.octets).base64EncodedString(options: [
                    .lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed,
                ]),
            ]
        }
        return message(
            [
                "From: \(from)", "To: \(to)", "Subject: Files",
                "Message-ID: <\(UUID().uuidString.lowercased())@example.test>",
                "Date: Mon, 5 Jan 2026 10:00:00 +0000", "MIME-Version: 1.0",
                "Content-Type: multipart/mixed; boundary=\"outer\"",
            ],
            body: (["--outer", "Content-Type: text/plain; charset=utf-8", "", text] + parts + ["--outer--", ""])
                .joined(separator: "\r\n"))
    }
}

/// Takes the decoded parts out of a message, by Python's email package.
public enum MailParts {
    /// The file names and decoded octets of all parts that have a name, in order.
    public static func files(of message: [UInt8]) async throws -> [(name: String, type: String, octets: [UInt8])] {
        let run = try await RunningProgram.run("/usr/bin/python3", ["-c", script], input: message, asRoot: true)
        guard run.status == 0 else { throw HarnessError("python3: \(run)") }
        let parts = try JSONDecoder().decode([Part].self, from: Data(run.output.utf8))
        return parts.map { ($0.name, $0.type, [UInt8](Data(base64Encoded: $0.content) ?? Data())) }
    }

    private struct Part: Decodable {
        let name: String
        let type: String
        let content: String
    }

    private static let script = """
        import base64, email, email.policy, json, sys
        message = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
        print(json.dumps([{"name": part.get_filename(), "type": part.get_content_type(),
            "content": base64.b64encode(part.get_payload(decode=True) or b"").decode()}
            for part in message.walk() if part.get_filename() and not part.is_multipart()]))
        """
}
