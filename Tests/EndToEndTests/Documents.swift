import Foundation
import TestSupport

/// Files that went through the programs.
enum Documents {
    /// A spool that signs attachments with the demo keys, after one message.
    static func sent(
        _ files: [AttachedFile], profile: String, alias: String = "alice_document_signing",
        attributes: [(String, String)] = [], filter: String = "", mailProfile: String? = nil
    ) async throws -> SpoolFixture {
        var configuration = SESXML(servers: [try await DSSFixture.shared.address])
        configuration.outgoing = SESXML.signAttachments(
            alias: alias, profile: profile, filter: filter, attributes: attributes, mailProfile: mailProfile)
        let fixture = try await SpoolFixture(configuration)
        try await fixture.drop(MailSamples.withFiles(files), to: .outgoing)
        try await fixture.process()
        return fixture
    }

    /// One PDF, signed as the attachment of a mail.
    static func signed(
        _ octets: [UInt8], profile: String, attributes: [(String, String)] = []
    ) async throws -> [UInt8] {
        let fixture = try await sent([.pdf(octets)], profile: profile, attributes: attributes)
        let files = try await MailParts.files(of: try fixture.onlyFile(in: "delivered").message)
        guard files.count == 1 else { throw HarnessError("\(files.count) files instead of one") }
        return files[0].octets
    }

    /// A spool that verifies attachments, after one message.
    static func received(
        _ message: [UInt8], operations: String = "VERIFY_ATTACHMENT", rule: String = "SEND_ORIGINAL_EMAIL",
        attachResponse: Bool = false, filter: String = ""
    ) async throws -> SpoolFixture {
        var configuration = SESXML(servers: [try await DSSFixture.shared.address])
        configuration.incoming = SESXML.verify(
            rule: rule, attachResponse: attachResponse, filter: filter, operations: operations)
        configuration.processing = "<ResponseIndeterminateAction>BLOCK_EMAIL</ResponseIndeterminateAction>"
        let fixture = try await SpoolFixture(configuration)
        try await fixture.drop(message, to: .incoming)
        try await fixture.process()
        return fixture
    }

    /// The certificate in PEM of a demo key.
    static func certificate(_ alias: String, in scratch: ScratchDirectory) async throws -> String {
        let keys = try await DSSFixture.demo.directory + "/keys/"
        func openssl(_ arguments: [String]) async throws {
            let run = try await RunningProgram.run("/usr/bin/openssl", arguments, asRoot: true)
            guard run.status == 0 else { throw HarnessError("openssl \(arguments): \(run)") }
        }
        let (bag, password) = (scratch.file("bag.pem"), "file:" + keys + alias + ".password")
        try await openssl([
            "pkcs12", "-in", keys + alias + ".p12", "-passin", password, "-nokeys", "-clcerts", "-out", bag,
        ])
        // Without the bag's attributes above it, which not every reader takes.
        try await openssl(["x509", "-in", bag, "-out", scratch.file(alias + ".pem")])
        return scratch.file(alias + ".pem")
    }
}
