import DSSProtocol
import DSSXML
import Octets
import TestSupport
import Testing

@Suite("Statements of an answer about single signatures")
struct SignatureInfoTests {
    private static func answer(_ signatures: [DSSServerAnswer.Signature], hasReport: Bool = false) -> DSSServerAnswer {
        var answer = DSSServerAnswer(
            .verify, envelope: .soap11, requestID: "SES-1", profile: "p", major: .success, minor: .incorrectSignature)
        answer.signatures = signatures
        answer.hasReport = hasReport
        return answer
    }

    private static let three: [DSSServerAnswer.Signature] = [
        .init(
            .trusted, fieldName: "Signature1", signer: "CN=Alice <a&b>", signingTime: "2026-01-15T09:30:00Z",
            provenTime: "2026-01-15T09:31:00Z"),
        .init(
            .notTrusted, fieldName: "Signature2", signer: "CN=Bob",
            details: [
                .init(isInvalid: true, kind: "Signature", message: "changed after signing"),
                .init(isInvalid: false, kind: "RevocationStatus", message: "no answer"),
            ]),
        .init(.indeterminate),
    ]

    @Test("is read again as it was written, in order")
    func roundTrip() throws {
        let verification = try Self.verification(Self.answer(Self.three).octets.collected().array)
        #expect(verification.verdict == .notTrusted)
        #expect(
            verification.signatures == [
                IndividualVerification(
                    .trusted, signer: "CN=Alice <a&b>", signingTime: "2026-01-15T09:30:00Z",
                    provenTime: "2026-01-15T09:31:00Z", fieldName: "Signature1"),
                IndividualVerification(
                    .notTrusted, signer: "CN=Bob", fieldName: "Signature2",
                    messages: ["changed after signing", "no answer"]),
                IndividualVerification(.indeterminate),
            ])
        #expect(verification.signerIdentities.isEmpty && verification.signingTimes.isEmpty)
    }

    @Test("stays apart from a summarising report")
    func report() throws {
        let verification = try Self.verification(Self.answer(Self.three, hasReport: true).octets.collected().array)
        #expect(verification.signatures.map(\.verdict) == [.trusted, .notTrusted, .indeterminate])
    }

    @Test("is valid against the schema of our extension", .enabled(if: TestMaterial.shared != nil, "needs ../shared"))
    func schema() async throws {
        let shared = try #require(TestMaterial.shared)
        let scratch = try ScratchDirectory()
        let schema = """
            <xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
            <xs:import namespace="\(DSSNamespace.core)"
                schemaLocation="\(shared)/dss-schemas/oasis-dss-core-schema-v1.0-os.xsd"/>
            <xs:import namespace="\(DSSNamespace.extensions)"
                schemaLocation="\(TestMaterial.fixtures)/dss/extensions.xsd"/>
            </xs:schema>
            """
        var answer = Self.answer(Self.three)
        answer.envelope = .none
        let path = try scratch.write(answer.octets.collected(), to: "answer.xml")
        let run = try await RunningProgram.run(
            "/usr/bin/xmllint",
            ["--noout", "--nonet", "--schema", try scratch.write(schema.utf8, to: "all.xsd"), path], asRoot: true)
        #expect(run.status == 0, "\(run)\n\(answer.octets.collected().text)")
    }

    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let outputs: String
        let verdict: Verdict
        let signatures: [IndividualVerification]
    }

    static let cases: [Case] = [
        Case(
            testDescription: "ADSS's bare words, in a namespace of its own",
            outputs: """
                <x:ContentVerifyInfo xmlns:x="urn:other"><x:VerifyInfo AssertionStatus="Valid"/>\
                <x:VerifyInfo x:AssertionStatus="NOT TRUSTED"/><x:VerifyInfo/></x:ContentVerifyInfo>
                """, verdict: .notTrusted,
            signatures: [.init(.trusted), .init(.notTrusted), .init(.indeterminate)]),
        Case(
            testDescription: "a report on each signature",
            outputs: """
                <vr:VerificationReport xmlns:vr="\(DSSNamespace.verificationReport)">\
                <vr:IndividualReport><vr:SignedObjectIdentifier FieldName="Sig&#10;A"/>\
                <Result><ResultMajor>Success</ResultMajor>\
                <ResultMinor>urn:x:OnAllDocuments</ResultMinor></Result>\
                <vr:Details><SignerIdentity>CN=A</SignerIdentity><SigningTimeInfo><SigningTime>2026-01-01T00:00:00Z\
                </SigningTime></SigningTimeInfo></vr:Details></vr:IndividualReport>\
                <vr:IndividualReport><Result><ResultMajor>Success</ResultMajor>\
                <ResultMinor>urn:x:IncorrectSignature</ResultMinor><ResultMessage>no</ResultMessage></Result>\
                </vr:IndividualReport><vr:IndividualReport/></vr:VerificationReport>
                """, verdict: .notTrusted,
            signatures: [
                .init(.trusted, signer: "CN=A", signingTime: "2026-01-01T00:00:00Z", fieldName: "Sig A"),
                .init(.notTrusted, messages: ["no"]), .init(.indeterminate),
            ]),
        Case(
            testDescription: "words and reports of the same signatures, the worse of both",
            outputs: """
                <VerifyInfo AssertionStatus="Valid"/><VerifyInfo AssertionStatus="Valid"/>\
                <IndividualReport><Result><ResultMajor>Success</ResultMajor><ResultMinor>OnAllDocuments</ResultMinor>\
                </Result></IndividualReport><IndividualReport><Result><ResultMajor>InsufficientInformation\
                </ResultMajor></Result></IndividualReport>
                """, verdict: .indeterminate, signatures: [.init(.trusted), .init(.indeterminate)]),
        Case(
            testDescription: "a word that a detail of its own contradicts",
            outputs: """
                <VerifyInfo AssertionStatus="Valid"><ses:SignatureInfo xmlns:ses="\(DSSNamespace.extensions)">\
                <ses:Signer>CN=\u{202E}A</ses:Signer><ses:Signer>CN=B</ses:Signer>\
                <ses:Detail Type="urn:x" Level="INVALID">broken</ses:Detail></ses:SignatureInfo></VerifyInfo>
                """, verdict: .notTrusted, signatures: [.init(.notTrusted, signer: "CN=A", messages: ["broken"])]),
        Case(
            testDescription: "a good word that an answer's own veto does not lift",
            outputs: """
                <VerifyInfo AssertionStatus="Valid"/><ProcessingDetails><InvalidDetail Type="urn:x"><Message>m\
                </Message></InvalidDetail></ProcessingDetails>
                """, verdict: .notTrusted, signatures: [.init(.trusted)]),
        Case(
            testDescription: "names that stand outside of a signature's account",
            outputs: """
                <ses:SignatureInfo xmlns:ses="\(DSSNamespace.extensions)"><ses:Signer>CN=A</ses:Signer>\
                </ses:SignatureInfo><VerifyInfo AssertionStatus="Valid"/>
                """, verdict: .trusted, signatures: [.init(.trusted)]),
    ]

    @Test("is read in every form", arguments: cases)
    func forms(_ given: Case) throws {
        let xml = """
            <VerifyResponse xmlns="\(DSSNamespace.core)" RequestID="SES-1"><Result><ResultMajor>Success</ResultMajor>\
            </Result><OptionalOutputs>\(given.outputs)</OptionalOutputs></VerifyResponse>
            """
        for size in [1, 65_536] {
            let verification = try Self.verification(Array(xml.utf8), size: size)
            #expect(verification.verdict == given.verdict)
            #expect(verification.signatures == given.signatures)
        }
    }

    @Test("is bounded, and the signatures beyond the bound still count")
    func bounds() throws {
        let message = String(repeating: "x", count: 5_000)
        let details = String(repeating: "<Detail Level=\"indeterminate\" Type=\"urn:x\">\(message)</Detail>", count: 20)
        let infos =
            "<VerifyInfo AssertionStatus=\"Valid\"><SignatureInfo>\(details)</SignatureInfo></VerifyInfo>"
            + String(repeating: "<VerifyInfo AssertionStatus=\"Valid\"/>", count: 1_000)
            + "<VerifyInfo AssertionStatus=\"Invalid\"/>"
        let verification = try Self.verification(
            Array(
                "<VerifyResponse><Result><ResultMajor>Success</ResultMajor></Result>\(infos)</VerifyResponse>".utf8))
        #expect(verification.verdict == .notTrusted)
        #expect(verification.signatures.count == 256)
        #expect(verification.signatures[0].messages.count == 16)
        #expect(verification.signatures[0].messages.allSatisfy { $0.count <= 1_000 })
    }

    private static func verification(_ octets: [UInt8], size: Int = 65_536) throws -> VerificationAnswer {
        let outcome = decode(octets, AnswerCase.verification, size: size)
        guard case .verified(let answer) = outcome else {
            throw UnexpectedOutcome(description: "\(outcome)\n\(String(decoding: octets, as: UTF8.self))")
        }
        return answer
    }

    private struct UnexpectedOutcome: Error, CustomStringConvertible { let description: String }
}
