import Composition
import DSSProtocol
import Foundation
import InternetMessage
import MessageInspection
import Octets
import Processing
import TestSupport
import Testing
import Workflows

@testable import SESProgram

/// VERIFY_ATTACHMENT on real files, with a server that trusts everything: local findings must lower wrong verdicts, and
/// leave right ones alone.
@Suite("Verdicts on attachments, with a server that trusts everything")
struct AttachmentVerdictTests {
    private static let workflow = Workflow(
        name: "verify", line: 1, filter: .everything, operations: [.verifyAttachment], resultRule: .original,
        attachesResponse: false)

    private static func account(_ files: [(name: String, octets: [UInt8])]) async throws -> Outcome.Account {
        let parts = files.map { file in
            "--b\r\nContent-Type: application/octet-stream; name=\"\(file.name)\"\r\n"
                + "Content-Disposition: attachment; filename=\"\(file.name)\"\r\n"
                + "Content-Transfer-Encoding: base64\r\n\r\n"
                + Data(file.octets).base64EncodedString(options: [
                    .lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed,
                ])
                + "\r\n"
        }
        let message = OctetString(
            "From: alice@example.test\r\nTo: bob@example.test\r\nMIME-Version: 1.0\r\n"
                + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n" + parts.joined() + "--b--\r\n"
        )
        let address = try #require(AddrSpec(localPart: "admin", domain: "example.test"))
        let policy = Policy(
            domainNames: ["example.test"], administrator: address, errorAction: .block,
            outgoing: DirectionPolicy(workflows: [], noFilterAction: .recipients),
            incoming: DirectionPolicy(workflows: [workflow], noFilterAction: .recipients),
            notTrustedAction: .block, indeterminateAction: .block, notSignedAction: nil, signerIdentity: .enforce,
            organisationSigners: [], senderMustOwnFrom: false, signNullSender: false, authservID: "ses.example.test",
            noticeFrom: address)
        let services = Services(
            signatures: ScriptedServer(), inspection: CMSInspecting(), documents: DocumentInspecting(),
            facts: { InspectedMessage($0, enclosed: $1, recipients: $2, sender: $3) },
            authenticationCode: { _ in Array(repeating: 0, count: 32) },
            random: { Array(repeating: 7, count: $0) }, now: { 1_800_000_000 }, hostName: "ses.example.test",
            originatorID: "client", retryDelay: { _ in nil }, mayNotify: { _ in true })
        let entry = Entry(
            id: "e", uniqueName: "u", direction: .incoming, isBare: true, attempts: 0, isReleased: false, block: nil,
            raw: message, canonical: message, lineEnding: .crlf)
        return await EntryProcessor(policy: policy, services: services).process(
            entry, scratch: MemoryCollecting(limit: 1 << 28)
        ).account
    }

    // MARK: - CMS

    /// A file, and what OpenSSL signs of it.
    private static func signed(_ file: [UInt8], _ options: [String]) async throws -> [UInt8] {
        let scratch = try ScratchDirectory()
        let made = try await RunningProgram.run(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Signer", "-days", "30", "-keyout",
                scratch.file("key"), "-out", scratch.file("certificate"),
            ], asRoot: true)
        try #require(made.status == 0, "\(made)")
        let run = try await RunningProgram.run(
            "/usr/bin/openssl",
            [
                "cms", "-sign", "-binary", "-in", try scratch.write(file, to: "file"), "-signer",
                scratch.file("certificate"), "-inkey", scratch.file("key"), "-out", scratch.file("signature"),
            ] + options, asRoot: true)
        try #require(run.status == 0, "\(run)")
        return try TestMaterial.octets(scratch.file("signature"))
    }

    @Test("OpenSSL's signatures fit their files and no others, detached, enclosing and armoured")
    func cms() async throws {
        let file = Array("the contract\nof two lines\n".utf8)
        let detached = try await Self.signed(file, ["-outform", "DER"])
        let armoured = try await Self.signed(file, ["-outform", "PEM"])
        let enclosing = try await Self.signed(file, ["-nodetach", "-outform", "DER"])
        var other = file
        other[3] ^= 1
        for signature in [detached, armoured] {
            let good = try await Self.account([("a.dat", file), ("a.dat.p7s", signature)])
            #expect(good.verdict == "trusted", "\(good)")
            let bad = try await Self.account([("a.dat", other), ("a.dat.p7s", signature)])
            #expect(bad.verdict == "not trusted" && bad.reason.contains("attachment \"a.dat\": "), "\(bad)")
        }
        #expect(try await Self.account([("a.dat.p7m", enclosing)]).verdict == "trusted")
        #expect(try await Self.account([("a.dat.p7s", detached)]).reason.contains("no file for this signature"))
        var broken = enclosing
        let place = try #require(broken.firstRange(of: file)).lowerBound
        broken[place] ^= 1
        #expect(try await Self.account([("a.dat.p7m", broken)]).verdict == "not trusted")
        let beside = try await Self.account([("a.dat", other), ("a.dat.p7s", enclosing)])
        #expect(beside.verdict == "not trusted", "\(beside)")
    }

    // MARK: - Documents

    struct Sample: CustomTestStringConvertible, Sendable {
        let file: String
        let expected: String
        let why: String
        var testDescription: String { file }
    }

    private static func samples(_ corpus: String) throws -> [Sample] {
        guard let shared = TestMaterial.shared else { return [] }
        let folder = shared + "/corpora/" + corpus + "/"
        return try TestMaterial.table(folder + "expected.tsv").compactMap { row in
            guard let file = row["file"], let expected = row["expected_weak_ok"] ?? row["expected"] else { return nil }
            return Sample(file: folder + file, expected: expected, why: row["why"] ?? "")
        }
    }

    @Test(
        "in the corpora a sound file is not lowered, and every file gets a result",
        .enabled(if: TestMaterial.shared != nil, "needs ../shared"), .timeLimit(.minutes(10)),
        arguments: ["pdf-signatures", "xml-signatures"])
    func corpora(_ corpus: String) async throws {
        var counts: [String: Int] = [:]
        for sample in try Self.samples(corpus) {
            let octets = try TestMaterial.octets(sample.file)
            let name = sample.file.split(separator: "/").last.map(String.init) ?? "x"
            let account = try await Self.account([(name.replacing("\"", with: ""), octets)])
            let verdict = account.verdict ?? "failed: \(account.reason)"
            counts["\(sample.expected) -> \(verdict)", default: 0] += 1
            #expect(account.failure == nil, "\(sample.file): \(account)")
            if sample.expected == "trusted", !Self.isSeenFromHere(account.reason) {
                #expect(verdict == "trusted", "\(sample.file): \(account.reason)")
            }
            if sample.expected == "not signed" { #expect(verdict == "not signed", "\(sample.file): \(account.reason)") }
        }
        #expect(counts.values.reduce(0, +) > 6, "\(counts)")
        #expect(counts.contains { $0.key.hasPrefix("not trusted -> not trusted") }, "\(counts)")
    }

    /// Returns true for a reason not to trust a mail although the signature is valid: it does not cover the file, or
    /// names a certificate that only the server has.
    private static func isSeenFromHere(_ reason: String) -> Bool {
        reason.contains("only a part of the document is signed") || reason.contains("there is no certificate")
    }
}
