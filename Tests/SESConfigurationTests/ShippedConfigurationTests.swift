import DSSProtocol
import Foundation
import TestSupport
import Testing
import Workflows

@testable import SESConfiguration

@Suite("Shipped configurations")
struct ShippedConfigurationTests {
    static let folder = TestMaterial.project + "/conf"

    /// Every configuration in conf/, as it is found there.
    static let files: [String] = {
        let found = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return found.filter { $0.hasSuffix(".xml") && !["relay.xml", "dss.xml"].contains($0) }.sorted()
    }()

    static let profiles = [
        "Sign_Outgoing_Email", "Sign_Outgoing_Email_From_Selected_Senders", "Sign_Outgoing_Email_PDF_Attachment",
        "Verify_Incoming_Emails", "Verify_Incoming_Emails_And_Attachments",
    ]

    @Test("are the five profiles of the original, the default and the extensions")
    func names() {
        #expect(
            Self.files.filter { !$0.hasPrefix("relay") }
                == Self.profiles.map { "samples/\($0).xml" } + ["ses-extensions.xml", "ses.xml"])
    }

    @Test("load without a fault and without a warning", arguments: files)
    func load(_ file: String) throws {
        let configuration = try SESConfiguration.load(path: Self.folder + "/" + file)
        #expect(configuration.warnings.isEmpty)
        #expect(configuration.policy.domainNames == ["example.test"])
        #expect(configuration.originatorID == "samples_test_client")
    }

    @Test("the default signs ordinary mail, and delivers mail of unknown signers with a banner")
    func standard() throws {
        let policy = try SESConfiguration.load(path: Self.folder + "/ses.xml").policy
        #expect(
            policy.outgoing.workflows.map(\.operations) == [
                [
                    .signEmail(
                        SigningInstruction(
                            profile: "adss:signing:profile:007", key: .alias("samples_test_signing_certificate")))
                ]
            ])
        #expect(policy.indeterminateAction == .recipients && policy.notTrustedAction == .administrator)
        #expect(policy.incoming.workflows.allSatisfy { $0.resultRule == .top })
    }

    @Test("do what their names say", arguments: profiles)
    func content(_ profile: String) throws {
        let configuration = try SESConfiguration.load(path: Self.folder + "/samples/\(profile).xml")
        let outgoing = configuration.policy.outgoing.workflows.flatMap(\.operations)
        let incoming = configuration.policy.incoming.workflows
        #expect(configuration.verification?.primary == "http://unix:/var/lib/ses-dss/socket:/adss/verification/dss")
        #expect(incoming.allSatisfy { $0.resultRule == .originalAsAttachment && $0.attachesResponse })
        #expect(incoming.first?.filter.criteria.map(\.test) == [.email(signed: true, encrypted: nil)])
        switch profile {
        case "Sign_Outgoing_Email":
            #expect(
                outgoing == [
                    .signEmail(
                        SigningInstruction(
                            profile: "adss:signing:profile:007", key: .alias("samples_test_signing_certificate")))
                ])
        case "Sign_Outgoing_Email_From_Selected_Senders":
            #expect(
                outgoing == [.signEmail(SigningInstruction(profile: "adss:signing:profile:007", key: .fromAddress))])
        case "Sign_Outgoing_Email_PDF_Attachment":
            guard case .signAttachment(let instruction) = outgoing.first else {
                Issue.record("no SIGN_ATTACHMENT")
                return
            }
            #expect(instruction.profiles.map(\.profile) == ["adss:signing:profile:006"])
            #expect(instruction.keys.map(\.key) == [.alias("alice_document_signing")])
            #expect(instruction.profiles.first?.attributes.contains { $0.name == .field } == true)
        default:
            #expect(outgoing.isEmpty && configuration.signing == nil)
        }
        let verifiesAttachments = profile.hasSuffix("_And_Attachments") || profile.hasSuffix("_PDF_Attachment")
        #expect(incoming.flatMap(\.operations).contains(.verifyEmail))
        #expect(incoming.flatMap(\.operations).contains(.verifyAttachment) == verifiesAttachments)
        if profile.hasPrefix("Sign") {
            #expect(configuration.signing?.primary == "http://unix:/var/lib/ses-dss/socket:/adss/signing/dss")
        }
    }

    @Test("the original's own file loads unchanged", .enabled(if: TestMaterial.shared != nil, "needs ../shared"))
    func original() throws {
        let path = try #require(TestMaterial.shared) + "/ses-xml/full.xml"
        let configuration = try SESConfiguration.load(path: path)
        #expect(
            configuration.warnings.map(\.code) == [.sameSecondary, .sameSecondary, .protectedMail, .organisationKey])
        #expect(configuration.policy.outgoing.workflows.count == 2)
        #expect(configuration.policy.incoming.workflows.count == 2)
    }
}

@Suite("ses.xsd")
struct SchemaTests {
    private static let xmllint = "/usr/bin/xmllint"
    static let isPresent = FileManager.default.isExecutableFile(atPath: xmllint)

    /// xmllint's exit status: 0 valid, 3 not valid.
    private func validate(_ file: String) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.xmllint)
        process.arguments = ["--noout", "--nonet", "--schema", ShippedConfigurationTests.folder + "/ses.xsd", file]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    @Test(
        "describes every file of conf/", .enabled(if: isPresent, "needs xmllint"),
        arguments: ShippedConfigurationTests.files)
    func shipped(_ file: String) throws {
        #expect(try validate(ShippedConfigurationTests.folder + "/" + file) == 0)
    }

    @Test("describes the file with everything in it, and the original's own", .enabled(if: isPresent, "needs xmllint"))
    func everything() throws {
        #expect(try validate(TestMaterial.fixtures + "/configuration/valid/everything.xml") == 0)
        if let shared = TestMaterial.shared { #expect(try validate(shared + "/ses-xml/full.xml") == 0) }
    }

    @Test("knows every word that the loader knows")
    func words() throws {
        let schema = String(
            decoding: try TestMaterial.octets(ShippedConfigurationTests.folder + "/ses.xsd"), as: UTF8.self)
        let words =
            Dialect.switchNames + Dialect.Preset.allCases.map(\.rawValue) + RoutingAction.allCases.map(\.rawValue)
            + ResultRule.allCases.map(\.rawValue) + AttributeName.allCases.map(\.rawValue)
            + SignerIdentityRule.allCases.map(\.rawValue) + DocumentKind.allCases.map(\.rawValue)
        for word in words { #expect(schema.contains("<xs:enumeration value=\"\(word)\"/>"), "\(word)") }
    }

    @Test(
        "refuses what the loader refuses", .enabled(if: isPresent, "needs xmllint"),
        arguments: [
            ("<OriginatorId>client</OriginatorId>", ""), ("BLOCK_EMAIL", "BLOCK_MAIL"),
            ("<Email signed", "<EMail signed"),
            ("SIGN_ATTACHMENT, SIGN_EMAIL", "SIGN_ALL"), ("<SignerIdentity>report", "<SignerIdentity>ask"),
            ("50 MiB", "50 MB"), ("preset=\"adss\"", "preset=\"x\""), ("kind=\"xml\"", "kind=\"doc\""),
            ("<Name>SIGNING_LOCATION", "<Name>SIGNING_STYLE"), ("<Name>SIGNING_LOCATION", "<Name>SIGNING_AREA"),
        ])
    func refused(_ old: String, _ new: String) throws {
        let good = String(
            decoding: try TestMaterial.octets(TestMaterial.fixtures + "/configuration/valid/everything.xml"),
            as: UTF8.self)
        let bad = good.replacing(old, with: new)
        try #require(bad != good)
        let scratch = try ScratchDirectory()
        let file = try scratch.write(Array(bad.utf8), to: "ses.xml")
        #expect(try validate(file) == 3)
        #expect(throws: ConfigurationFaults.self) { try SESConfiguration.load(path: file) }
    }
}
