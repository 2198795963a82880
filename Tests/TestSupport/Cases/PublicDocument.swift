import Foundation

/// A row of `Tests/Fixtures/public/documents.tsv`.
public struct PublicDocument: Sendable {
    private static let folder = TestMaterial.project + "/.build/public-documents"
    /// True if `scripts/setup --all` fetched the collections.
    public static var areThere: Bool { FileManager.default.fileExists(atPath: folder + "/complete") }

    public let collection: String
    /// The path below the unpacked packages.
    public let file: String
    /// The collection, or the program that judged the document, says that nothing was changed.
    public let isIntact: Bool
    /// `X-SES-Outcome`.
    public let expected: String
    /// The reason why an intact document is not trusted.
    public let reason: String

    public static func all() throws -> [PublicDocument] {
        try TestMaterial.table(TestMaterial.fixtures + "/public/documents.tsv").map { row in
            PublicDocument(
                collection: row["collection"] ?? "", file: row["file"] ?? "", isIntact: row["judge"] == "intact",
                expected: row["expected"] ?? "", reason: row["reason"] ?? "")
        }
    }

    /// A server with a verification profile for each document.
    public static func server() async throws -> DSSFixture {
        let scratch = try ScratchDirectory()
        try SpoolFixture.own(scratch.path)
        let site = scratch.file("site")
        try FileManager.default.createDirectory(atPath: site, withIntermediateDirectories: false)
        _ = try await TestPython.run("public/prepare.py", [folder, site])
        var commands = [["/bin/chmod", "-R", "u+rwX,go-rwx", site]]
        if let account = Programs.unprivileged {
            commands.append(["/bin/chown", "-R", "\(account.user):\(account.group)", site])
        }
        for command in commands {
            let finished = try await RunningProgram.run(command[0], Array(command.dropFirst()), asRoot: true)
            guard finished.status == 0 else { throw HarnessError("\(command): \(finished)") }
        }
        return try await DSSFixture(configuration: site + "/dss.xml")
    }

    /// Sends the document through a spool of its own, to be verified with the profile that `server` has for it.
    public func judged(_ number: Int, by server: DSSFixture) async throws -> CaseFinding {
        let spool = try await CaseSpool(
            TestMaterial.fixtures + "/public/ses.xml", alias: "document-\(number)", server: server.address)
        let mail = CaseSpool.Mail(
            octets: try message(), isIncoming: true, entrance: .drop, sender: "carol@partner.test",
            recipient: "bob@example.test")
        return try await spool.run([mail])[0]
    }

    private func message() throws -> [UInt8] {
        let name = String(file.split(separator: "/").last ?? "")
        let type = name.hasSuffix(".pdf") ? "application/pdf" : "application/xml"
        let content = Data(try TestMaterial.octets(Self.folder + "/" + file))
            .base64EncodedString(options: [.lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed])
        let lines = [
            "From: carol@partner.test", "To: bob@example.test", "Subject: A document",
            "Date: Mon, 02 Nov 2026 10:00:00 +0000", "Message-ID: <document@partner.test>", "MIME-Version: 1.0",
            "Content-Type: multipart/mixed; boundary=\"part\"", "", "--part", "Content-Type: text/plain", "",
            "See the file.", "--part", "Content-Type: \(type); name=\"\(name)\"",
            "Content-Disposition: attachment; filename=\"\(name)\"", "Content-Transfer-Encoding: base64", "", content,
            "--part--", "",
        ]
        return Array(lines.joined(separator: "\r\n").utf8)
    }
}
