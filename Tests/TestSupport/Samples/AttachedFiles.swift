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
    /// The file names and decoded octets of all leaves that have a name, in order.
    public static func files(of message: [UInt8]) async throws -> [(name: String, type: String, octets: [UInt8])] {
        let leaves = try await PythonMailReading.leaves(of: [message]).first ?? []
        return leaves.compactMap { leaf in leaf.name.map { ($0, leaf.type, leaf.octets) } }
    }
}
