import ProgramCommands
import HostProcess
import Foundation
import InternetMessage
import ProgramLife
import SESConfiguration
import TestSupport
import Testing
import Workflows

@testable import SESProgram
@testable import Spool

@Suite("Reports as JSON")
struct ReportTests {
    typealias Object = [String: Any]

    static func object(_ value: some Encodable) throws -> Object {
        let json = try JSONText.of(value)
        return try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? Object)
    }

    static func isNull(_ value: Any?) -> Bool { value is NSNull }

    let scratch: ScratchDirectory

    init() throws { scratch = try ScratchDirectory() }

    func configuration(_ change: (inout SESXML) -> Void = { _ in }) throws -> String {
        var xml = GatewayBench.signing
        xml.outgoing = SESXML.sign(
            alias: "key", filter: "<Filter><AND><Subject contains=\"offer\"/><Body contains=\"hello\"/></AND></Filter>")
        change(&xml)
        return try scratch.write(Array(xml.text(spool: scratch.file("spool")).utf8), to: "ses.xml")
    }

    // MARK: - explain

    @Test("explain has every field, null if there is nothing")
    func explain() throws {
        let file = try scratch.write(Array("To: bob@elsewhere.test\nSubject: x\n\nHello\n".utf8), to: "a.eml")
        let report = try Self.object(
            try ExplainReport.make(file: file, direction: .outgoing, configuration: try configuration()))
        #expect(
            Set(report.keys) == [
                "v", "direction", "envelope", "workflow", "criteria", "operations", "action", "reason", "octets",
                "isTooLarge", "profile", "key", "refusal", "loop", "looksForLoops", "request",
            ])
        #expect(report["v"] as? Int == 1 && report["direction"] as? String == "outgoing")
        #expect(Self.isNull(report["workflow"]))
        #expect(report["action"] as? String == "EMAIL_TO_RECIPIENTS")
        #expect((report["operations"] as? [String])?.isEmpty == true)
        let envelope = try #require(report["envelope"] as? Object)
        #expect(Set(envelope.keys) == ["sender", "recipients", "source"])
        #expect(Self.isNull(envelope["sender"]), "unknown, which is different from the null sender")
        #expect(envelope["recipients"] as? [String] == ["bob@elsewhere.test"])
        #expect(envelope["source"] as? String == "address-fields")
        let criteria = try #require(report["criteria"] as? [Object])
        #expect(criteria.map { $0["criterion"] as? String } == ["Subject", "Body"])
        #expect(
            criteria.allSatisfy {
                Set($0.keys) == ["workflow", "line", "criterion", "value", "holds", "because"]
            })
        #expect(criteria.first?["holds"] as? Bool == false)
        #expect(Self.isNull(criteria.last?["holds"]), "not looked at")
    }

    @Test("explain of a match has the workflow and its operations, and null for the action")
    func explainMatch() throws {
        let block = "Return-Path: <>\nEnvelope-To: bob@elsewhere.test\nX-SES-End: 1\n"
        let name = "1790000000.\(String(repeating: "0", count: 32)).0011223344556677,E=\(block.utf8.count)"
        let file = try scratch.write(Array((block + "Subject: Offer\n\nHello\n").utf8), to: name)
        let path = try configuration { $0.processing = "<SignNullSender>true</SignNullSender>" }
        let report = try Self.object(try ExplainReport.make(file: file, direction: .outgoing, configuration: path))
        #expect(report["workflow"] as? String == "Outgoing/Sign[1]/Workflow[1]")
        #expect(report["operations"] as? [String] == ["SIGN_EMAIL"])
        #expect(Self.isNull(report["action"]))
        let envelope = try #require(report["envelope"] as? Object)
        #expect(envelope["sender"] as? String == "" && envelope["source"] as? String == "block")
    }

    @Test("explain shows the attachments that are selected, where an operation is on attachments")
    func explainAttachments() throws {
        let mail = """
            To: bob@elsewhere.test
            Subject: offer
            Content-Type: multipart/mixed; boundary=b

            --b

            hello
            --b
            Content-Type: application/pdf; name="a\u{1B}[2J.pdf"

            %PDF-1.4
            --b
            Content-Type: text/csv; name=b.csv

            x
            --b--

            """
        let file = try scratch.write(Array(mail.utf8), to: "c.eml")
        let path = try configuration {
            $0.outgoing = """
                <Sign><Workflow><Filter><AND><Attachment contains="pdf"/></AND></Filter>
                <OperationRule>SIGN_ATTACHMENT</OperationRule>
                <ProfileSelection><SignAttachment profileId="p"/></ProfileSelection></Workflow></Sign>
                """
        }
        let made = try ExplainReport.make(file: file, direction: .outgoing, configuration: path)
        let attachments = try #require(Self.object(made)["attachments"] as? [Object])
        #expect(attachments.map { $0["part"] as? String } == ["2"])
        #expect(attachments.first?["mediaType"] as? String == "application/pdf")
        #expect(attachments.first?["kinds"] as? [String] == ["pdf"])
        let line = "\non:        \"a [2J.pdf\" (application/pdf): profile p, key NONE\n"
        #expect(made.text.contains(line), "\(made.text)")
    }

    @Test("a file that does not exist, and one that is not a message")
    func explainNothing() throws {
        let path = try configuration()
        #expect(throws: ProgramError.self) {
            try ExplainReport.make(file: "/nowhere/x.eml", direction: .outgoing, configuration: path)
        }
        let huge = try scratch.write(Array(("A: " + String(repeating: "x", count: 300 << 10)).utf8), to: "b.eml")
        do {
            _ = try ExplainReport.make(file: huge, direction: .outgoing, configuration: path)
            Issue.record("a message without an end of its header was explained")
        } catch { #expect(error.status == .badInput) }
    }

    // MARK: - check

    @Test("check of a good file has empty lists and exits with 0")
    func checkGood() async throws {
        let report = await CheckReport.make(Self.options(try configuration()))
        #expect(report.status == .success)
        let object = try Self.object(report)
        #expect(Set(object.keys) == ["v", "faults", "warnings"])
        #expect((object["faults"] as? [Any])?.isEmpty == true)
    }

    @Test("check reports every fault with the expected value and the nearest word, or null, and exits with 78")
    func checkFaults() async throws {
        let path = try configuration {
            $0.outgoing = $0.outgoing.replacing("<Subject contains=\"offer\"/>", with: "<Subjekt contains=\"offer\"/>")
            $0.processing = "<Concurrency>many</Concurrency>"
        }
        let report = await CheckReport.make(Self.options(path))
        #expect(report.status == .configuration)
        let faults = try #require(try Self.object(report)["faults"] as? [Object])
        #expect(faults.count == 2)
        #expect(faults.allSatisfy { Set($0.keys) == ["file", "line", "code", "text", "expected", "nearest"] })
        #expect(faults.allSatisfy { $0["file"] as? String == path && ($0["line"] as? Int ?? 0) > 0 })
        let unknown = try #require(faults.first { $0["code"] as? String == "unknown-element" })
        #expect(unknown["nearest"] as? String == "<Subject>")
        let bad = try #require(faults.first { $0["code"] as? String == "bad-value" })
        #expect(Self.isNull(bad["nearest"]))
        #expect(report.text.hasSuffix("2 faults, 0 warnings"))
    }

    private static func options(_ path: String, isStrict: Bool = false) -> CheckOptions {
        var options = CheckOptions(configuration: path)
        options.isStrict = isStrict
        return options
    }

    @Test(
        "a file with a secret that others can read is a warning, and under --strict a fault", arguments: [false, true])
    func strict(_ isStrict: Bool) async throws {
        try scratch.write(Array("password".utf8), to: "secret")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: scratch.file("secret"))
        let path = try configuration {
            $0.processing = ""
        }
        var text = String(decoding: try TestMaterial.octets(path), as: UTF8.self)
        text.replace(
            "<SigningServiceSettings>",
            with: "<ProxySettings status=\"enable\"><ProxyHost>proxy.test</ProxyHost><ProxyPort>3128</ProxyPort>"
                + "<Credentials status=\"enable\"><ProxyUserName>u</ProxyUserName><ProxyPassword file=\"\(scratch.file("secret"))\"/>"
                + "<AuthenticationScheme>BASIC</AuthenticationScheme></Credentials></ProxySettings><SigningServiceSettings>",
            maxReplacements: 1)
        try scratch.write(Array(text.utf8), to: "ses.xml")
        let report = await CheckReport.make(Self.options(path, isStrict: isStrict))
        let object = try Self.object(report)
        let told = try #require(object[isStrict ? "faults" : "warnings"] as? [Object])
        #expect(told.contains { $0["code"] as? String == "loose-mode" })
        #expect(report.status == (isStrict ? .configuration : .success))
        // The workflow of the test says nothing of signed mail, and signs for everybody.
        let other = try #require(object[isStrict ? "warnings" : "faults"] as? [Object])
        #expect(!other.contains { $0["code"] as? String == "loose-mode" })
    }

    @Test("a client certificate that cannot be read is reported")
    func missingCertificate() async throws {
        var text = String(decoding: try TestMaterial.octets(try configuration()), as: UTF8.self)
        text.replace(
            "<SigningServiceSettings>",
            with: "<ClientAuthPfxSettings status=\"enable\"><PfxFilePath>/nowhere.pfx</PfxFilePath>"
                + "<PfxPassword>x</PfxPassword></ClientAuthPfxSettings><SigningServiceSettings>", maxReplacements: 1)
        let path = try scratch.write(Array(text.utf8), to: "ses.xml")
        let report = await CheckReport.make(Self.options(path))
        #expect(report.text.contains("/nowhere.pfx"))
    }
}
