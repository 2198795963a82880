import DocumentKinds
import DSSProtocol
import InternetMessage
import Octets
import Processing
import TestSupport
import Testing
import Workflows

@Suite("The signer of what the signing server made")
struct SignerCheckTests {
    private static let from = "From: Alice <Alice@example.test>\nTo: bob@elsewhere.test\n"

    private static func outcome(
        _ key: KeyChoice, signer: [String], listed: [OrganisationSigner] = [],
        unfit: [SignatureUse: SigningObstacle] = [:],
        signingTime: Int? = nil,
        mustOwn: Bool = false, sender: String? = "alice@example.test"
    ) async -> Outcome {
        var bench = Bench(signatures: .signing)
        let facts = CMSFacts(
            enclosesContent: false,
            signers: [
                CMSFacts.Signer(
                    digestAlgorithm: "sha-256", addresses: signer, issuer: "CN=CA", serial: "1", subject: "CN=X",
                    signingTime: signingTime)
            ])
        bench.inspection = ScriptedInspection(found: facts)
        bench.inspection.unfit = unfit
        bench.policy.organisationSigners = listed
        bench.policy.senderMustOwnFrom = mustOwn
        bench.policy.signNullSender = true
        bench.policy.outgoing.workflows[0].operations = [.signEmail(SigningInstruction(profile: nil, key: key))]
        return await bench.process(
            from + "\nHello\n", direction: .outgoing, block: Mail.block(from: sender), isBare: false)
    }

    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let key: KeyChoice
        let signer: [String]
        var listed: [OrganisationSigner] = []
        /// Words of the failure; nil where the mail is signed.
        var failure: String?
        /// Words of the remark; nil where there is none.
        var remark: String?
        var testDescription: String { name }
    }

    static let cases = [
        Case(name: "the sender's own key", key: .fromAddress, signer: ["alice@example.test"]),
        Case(
            name: "the sender's own key under a second address", key: .fromAddress,
            signer: ["a@x.test", "ALICE@example.test"]),
        Case(
            name: "another person's key for FROM_EMAIL_ADDRESS", key: .fromAddress, signer: ["mallory@example.test"],
            failure: "the certificate is for mallory@example.test"),
        Case(
            name: "another person's key for an alias that is an address", key: .alias("alice@example.test"),
            signer: ["mallory@example.test"], failure: "asked for the key of alice@example.test"),
        Case(
            name: "the key of an alias that is an address, in another spelling", key: .alias("Alice@Example.TEST"),
            signer: ["alice@example.test"]),
        Case(
            name: "a listed certificate in place of the sender's", key: .fromAddress, signer: ["office@example.test"],
            listed: [.domain("example.test")]),
        Case(
            name: "a listed certificate of another organisation", key: .fromAddress, signer: ["office@other.test"],
            listed: [.domain("other.test")], failure: "the certificate is for office@other.test"),
        Case(
            name: "an alias that is no address promises nobody", key: .alias("office"), signer: ["office@example.test"],
            remark: "is for office@example.test, but From is Alice@example.test"),
        Case(
            name: "an organisation's key that is listed", key: .alias("office"), signer: ["office@example.test"],
            listed: [.address(AddrSpec(localPart: "office", domain: "example.test")!)]),
        Case(
            name: "a certificate without an address", key: .fromAddress, signer: [],
            remark: "carries no e-mail address"),
        Case(
            name: "the profile's own key for somebody else", key: .profileDefault, signer: ["office@example.test"],
            remark: "will not trust it"),
    ]

    @Test("is compared with what the alias promises", arguments: cases)
    func signer(_ given: Case) async {
        let outcome = await Self.outcome(given.key, signer: given.signer, listed: given.listed)
        if let failure = given.failure {
            #expect(outcome.outputs.map(\.folder) == [.admin, .blocked])
            #expect(outcome.account.failure?.summary.contains(failure) == true, "\(outcome.account)")
        } else {
            #expect(outcome.outputs.map(\.word) == [.signed], "\(outcome.account)")
            let reason = outcome.account.reason
            #expect(reason.contains(given.remark ?? "takes every message"), "\(reason)")
            #expect(reason.contains("readers who compare") == (given.remark != nil), "\(reason)")
        }
    }

    @Test("a certificate that nobody accepts is refused with the reason, for its own use only")
    func unfit() async {
        let outcome = await Self.outcome(
            .fromAddress, signer: ["alice@example.test"],
            unfit: [.mail: SigningObstacle("the certificate of CN=X expired", .late)])
        #expect(outcome.outputs.map(\.folder) == [.admin, .blocked])
        #expect(outcome.account.failure?.permanence == .permanent)
        #expect(outcome.account.failure?.summary.contains("the certificate of CN=X expired") == true)
        #expect(outcome.account.failure?.summary.hasSuffix("or name another key by alias=)") == true)
        let other = await Self.outcome(
            .fromAddress, signer: ["alice@example.test"], unfit: [.document: SigningObstacle("expired")])
        #expect(other.outputs.map(\.word) == [.signed])
    }

    @Test("a certificate that is not valid yet is waited for, and one that has expired too if the clocks disagree")
    func clocks() async {
        func failure(_ obstacle: SigningObstacle, signingTime: Int?) async -> Failure? {
            await Self.outcome(
                .fromAddress, signer: ["alice@example.test"], unfit: [.mail: obstacle], signingTime: signingTime
            ).account.failure
        }
        let (now, year) = (1_800_000_000, 31_536_000)
        let soon = SigningObstacle("not valid before tomorrow", .early(until: now + 86_400))
        let early = SigningObstacle("not valid before 2045", .early(until: now + 18 * year))
        let late = SigningObstacle("expired in 2025", .late)
        let other = SigningObstacle("for another use")
        let transient: [(SigningObstacle, Int?)] = [
            (soon, nil), (soon, now), (early, now + year), (early, now + 18 * year), (late, now - year),
            (late, now + year), (late, now - 3_601),
        ]
        for (obstacle, time) in transient {
            let failure = await failure(obstacle, signingTime: time)
            #expect(failure?.permanence == .transient && failure?.pointsAtConfiguration == true, "\(obstacle)")
            #expect(failure?.summary.contains("Fri, 15 Jan 2027 08:00:00 +0000 by the clock of this machine") == true)
        }
        let permanent: [(SigningObstacle, Int?)] = [
            (late, nil), (late, now), (early, nil), (early, now), (late, now - 3_600), (other, nil),
            (other, now - year),
        ]
        for (obstacle, time) in permanent {
            #expect(await failure(obstacle, signingTime: time)?.permanence == .permanent, "\(obstacle)")
        }
        #expect(await failure(late, signingTime: nil)?.summary.contains("must be set if it is wrong") == true)
    }

    @Test(
        "SenderMustOwnFrom holds for every key",
        arguments: [
            KeyChoice.fromAddress, .alias("alice@example.test"), .alias("office"), .profileDefault,
        ])
    func owner(_ key: KeyChoice) async {
        for sender in ["mallory@example.test", "<>", nil] {
            let outcome = await Self.outcome(key, signer: ["alice@example.test"], mustOwn: true, sender: sender)
            #expect(outcome.outputs.map(\.folder) == [.admin, .blocked], "\(sender ?? "unknown")")
            #expect(outcome.account.failure?.summary.contains("SenderMustOwnFrom is set") == true)
            #expect(outcome.account.failure?.summary.contains("(send it with the envelope sender that From") == true)
        }
        let own = await Self.outcome(
            key, signer: ["alice@example.test"], mustOwn: true, sender: "ALICE@Example.test")
        #expect(own.outputs.map(\.word) == [.signed])
        let free = await Self.outcome(
            key, signer: ["alice@example.test"], mustOwn: false, sender: "mallory@example.test")
        #expect(free.outputs.map(\.word) == [.signed])
    }

    @Test("a document is refused too", arguments: [AttachmentSigningTests.pdf, AttachmentSigningTests.xml, "doc"])
    func documents(_ content: String) async {
        let (type, name, kinds): (String, String, Set<DocumentOpening.Kind>) =
            switch content {
            case AttachmentSigningTests.pdf: ("application/pdf", "a.pdf", [.pdf])
            case AttachmentSigningTests.xml: ("text/xml", "b.xml", [.xml])
            default: ("application/msword", "c.doc", [])
            }
        let mail = AttachmentSigningTests.mail(AttachmentSigningTests.part(type, name, content))
        let facts = [AttachmentSigningTests.facts(1, name, type, kinds)]
        func outcome(_ inspection: FakeInspection, _ alias: String) async -> Outcome {
            let operation = Operation.signAttachment(
                AttachmentInstructions(SigningInstruction(profile: nil, key: .alias(alias))))
            var bench = AttachmentSigningTests.bench(FakeSigner(), facts, [operation])
            bench.reader = inspection
            bench.documentReader = inspection
            return await bench.process(mail, direction: .outgoing)
        }
        var unfit = FakeInspection()
        unfit.unfit = [.document: SigningObstacle("of another use")]
        let refused = await outcome(unfit, "k")
        #expect(refused.outputs.map(\.folder) == [.admin, .blocked])
        #expect(refused.account.failure?.summary.contains("of another use") == true)
        #expect(refused.account.failure?.summary.contains(name) == true)
        let other = await outcome(FakeInspection(), "bob@example.test")
        #expect(other.account.failure?.summary.contains("the certificate is for alice@example.test") == true)
        #expect(await outcome(FakeInspection(), "alice@example.test").outputs.map(\.word) == [.signed])
    }

    @Test("format=\"cms\" makes CMS of a PDF and of XML, and what no instruction is for stays as it is")
    func formats() async throws {
        let signer = FakeSigner(encloses: false)
        let instructions = AttachmentInstructions(
            profiles: [
                .init(contains: WildcardPattern.list("pdf"), profile: "c", attributes: [], format: .cms),
                .init(contains: WildcardPattern.list("xml"), profile: "x", attributes: [], format: .own),
            ], keys: [.init(contains: WildcardPattern.list("xml"), key: .alias("k"))])
        let bench = AttachmentSigningTests.bench(
            signer, AttachmentSigningTests.threeFacts, [.signAttachment(instructions)])
        let outcome = await bench.process(AttachmentSigningTests.three, direction: .outgoing)
        #expect(outcome.outputs.map(\.word) == [.signed], "\(outcome.account)")
        #expect(signer.operations.map(\.kind) == [.cms, .xml])
        #expect(signer.operations.map(\.profile) == ["c", "x"])
        #expect(signer.operations.map(\.keyAlias) == [nil, "k"])
        #expect(outcome.account.reason.contains("1 attachment stays as sent"), "\(outcome.account.reason)")
        let leaves = try await AttachmentSigningTests.leaves(try #require(outcome.outputs.first))
        #expect(leaves.compactMap(\.name).contains("a.pdf.p7s"))
    }
}
