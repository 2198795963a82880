import Composition
import DSSProtocol
import InternetMessage
import Octets
import Processing
import Synchronization
import Testing
import Workflows

@Suite("SIGN_EMAIL (RFC 8551 §3.5)")
struct SigningTests {
    static let signature = OctetString("the signature")

    /// A server that answers with the finished multipart/signed around what it was sent.
    static func finishing(_ change: @escaping @Sendable (String) -> String = { $0 }) -> ScriptedSignatures {
        ScriptedSignatures(sign: { operation in
            let entity = operation.document.collected()
            let made = MultipartSigned.assemble(
                outerHeader: OctetRope([OctetString("Subject: not ours\r\nX-Server: 1\r\n")]),
                entity: OctetRope([entity]),
                cms: signature, micalg: "sha-256", boundary: "server-boundary")
            return .document(OctetString(change(made.collected().text)))
        })
    }

    @Test("a CMS becomes multipart/signed under the message's own header")
    func detached() async throws {
        let sent = Sent()
        var bench = Bench(
            signatures: ScriptedSignatures(sign: { operation in
                sent.keep(operation)
                return .cms(Self.signature)
            }))
        bench.policy.outgoing.workflows[0].operations = [
            .signEmail(
                SigningInstruction(
                    profile: "p", key: .alias("k"), attributes: [.init(name: .reason, value: "because")]))
        ]
        let outcome = await bench.process(Mail.plain, direction: .outgoing, block: Mail.block(), isBare: false)
        #expect(
            outcome.summary == [
                "delivered signed alice@example.test > bob@elsewhere.test,hidden@elsewhere.test outgoing"
            ])
        let output = try #require(outcome.delivered)
        let operation = try #require(sent.operation)
        #expect(operation.profile == "p" && operation.keyAlias == "k" && operation.originatorID == "client")
        #expect(operation.attributes == [SignatureAttribute(name: "SIGNING_REASON", value: "because")])
        let reading = SMIMEReading(try output.message.root)
        guard case .multipartSigned(let signed) = reading.form else { throw Unexpected("\(reading.form)") }
        #expect(reading.ambiguities.isEmpty)
        #expect(signed.content.octets == operation.document.collected(), "the bytes signed are the bytes written")
        #expect(signed.signature.decodedBody == Self.signature)
        #expect(try output.message.root.contentType.parameter("micalg")?.text == "sha-256")
        #expect(try output.fields("Message-ID") == ["<one@example.test>"])
        #expect(try output.fields("Subject") == ["Offer"])
        #expect(try output.fields("Received").count == 1)
    }

    @Test("a finished entity is taken under our own header, not the server's")
    func document() async throws {
        let outcome = await Bench(signatures: Self.finishing()).process(Mail.plain, direction: .outgoing)
        let output = try #require(outcome.delivered)
        #expect(output.word == .signed)
        #expect(try output.fields("Subject") == ["Offer"])
        #expect(try output.fields("X-Server").isEmpty)
        #expect(output.text.contains("server-boundary"))
    }

    @Test("a finished entity with other octets is refused")
    func otherDocument() async {
        let signatures = Self.finishing { $0.replacing("Hello", with: "Hallo") }
        let outcome = await Bench(signatures: signatures).process(Mail.plain, direction: .outgoing)
        #expect(outcome.outputs.map(\.folder) == [.admin, .blocked])
        #expect(outcome.account.failure?.permanence == .permanent)
    }

    @Test("a finished entity that is not signed is refused", arguments: [Mail.plain, "", "\u{0}", Mail.enveloped])
    func notSigned(_ answer: String) async {
        let signatures = ScriptedSignatures(sign: { _ in .document(OctetString(answer.replacingLineEnds)) })
        let outcome = await Bench(signatures: signatures).process(Mail.plain, direction: .outgoing)
        #expect(outcome.outputs.map(\.folder) == [.admin, .blocked])
    }

    struct Bad: CustomTestStringConvertible, Sendable {
        let name: String
        let inspection: ScriptedInspection
        var isDocumentToo = true
        var testDescription: String { name }
    }

    static let bad = [
        Bad(name: "does not fit", inspection: ScriptedInspection(integrity: .broken("digest"))),
        Bad(name: "cannot be checked", inspection: ScriptedInspection(integrity: .unknown("algorithm"))),
        Bad(name: "cannot be read", inspection: ScriptedInspection(unreadable: "no CMS")),
        Bad(
            name: "has no signer", inspection: ScriptedInspection(found: CMSFacts(enclosesContent: false, signers: []))),
        Bad(
            name: "encloses its content",
            inspection: ScriptedInspection(found: .signed(by: "alice@example.test", enclosing: true)),
            isDocumentToo: false),
        Bad(
            name: "differs from the content",
            inspection: ScriptedInspection(
                found: .signed(by: "alice@example.test", enclosing: true), enclosedIntegrity: .broken("digest"))),
    ]

    @Test("a mail that would not verify is never sent", arguments: bad)
    func refused(_ given: Bad) async {
        for signatures in [ScriptedSignatures.signing] + (given.isDocumentToo ? [Self.finishing()] : []) {
            let bench = Bench(signatures: signatures, inspection: given.inspection)
            let outcome = await bench.process(Mail.plain, direction: .outgoing)
            #expect(outcome.outputs.map(\.folder) == [.admin, .blocked])
            #expect(outcome.account.failure?.permanence == .permanent)
        }
    }

    // MARK: - Keys

    struct Key: CustomTestStringConvertible, Sendable {
        let name: String
        var from = "From: Alice <Alice@EXAMPLE.test>"
        var sender: String? = "Alice@example.test"
        var mustOwn = false
        let alias: String?
        var testDescription: String { name }
    }

    static let keys = [
        Key(name: "the From address in lower case", alias: "alice@example.test"),
        Key(
            name: "the From address with the A-label of its domain", from: "From: ALICE@münchen.test",
            alias: "alice@xn--mnchen-3ya.test"),
        Key(
            name: "the sender must own From and does, in other spellings", from: "From: Alice@XN--Mnchen-3ya.test",
            sender: "aLICE@MÜNCHEN.test", mustOwn: true, alias: "alice@xn--mnchen-3ya.test"),
        Key(name: "the sender is another, which is allowed", sender: "list@example.test", alias: "alice@example.test"),
        Key(name: "the sender must own From and does", mustOwn: true, alias: "alice@example.test"),
        Key(name: "the sender must own From and is another", sender: "eve@example.test", mustOwn: true, alias: nil),
        Key(name: "the sender must own From and is empty", sender: "<>", mustOwn: true, alias: nil),
        Key(name: "the sender must own From and is unknown", sender: nil, mustOwn: true, alias: nil),
        Key(name: "From of another organisation", from: "From: a@elsewhere.test", alias: nil),
        Key(name: "From of a subdomain", from: "From: a@sub.example.test", alias: nil),
        Key(name: "two addresses", from: "From: alice@example.test, eve@example.test", alias: nil),
        Key(name: "two fields", from: "From: alice@example.test\nFrom: eve@example.test", alias: nil),
        Key(name: "no From", from: "X-Nothing: 1", alias: nil),
    ]

    @Test("FROM_EMAIL_ADDRESS takes one address of our own, or fails permanently", arguments: keys)
    func key(_ given: Key) async {
        let sent = Sent()
        var bench = Bench(
            signatures: ScriptedSignatures(sign: { operation in
                sent.keep(operation)
                return .cms(Self.signature)
            }))
        bench.policy.outgoing.workflows[0].operations = [
            .signEmail(SigningInstruction(profile: nil, key: .fromAddress))
        ]
        if let alias = given.alias { bench.inspection = ScriptedInspection(found: .signed(by: alias)) }
        bench.policy.domainNames.append("xn--mnchen-3ya.test")
        bench.policy.senderMustOwnFrom = given.mustOwn
        bench.policy.signNullSender = true
        let outcome = await bench.process(
            given.from + "\nTo: bob@elsewhere.test\n\nHello\n", direction: .outgoing,
            block: Mail.block(from: given.sender), isBare: false)
        #expect(sent.operation?.keyAlias == given.alias)
        #expect(outcome.outputs.map(\.folder) == (given.alias == nil ? [.admin, .blocked] : [.delivered]))
    }

    @Test("alias NONE leaves the key to the profile")
    func noAlias() async throws {
        let sent = Sent()
        var bench = Bench(
            signatures: ScriptedSignatures(sign: { operation in
                sent.keep(operation)
                return .cms(Self.signature)
            }))
        bench.policy.outgoing.workflows[0].operations = [
            .signEmail(SigningInstruction(profile: nil, key: .profileDefault))
        ]
        _ = await bench.process(Mail.plain, direction: .outgoing)
        #expect(try #require(sent.operation).keyAlias == nil)
    }
}

/// The last operation that the server was asked for.
final class Sent: Sendable {
    private let kept = Mutex<SigningOperation?>(nil)
    var operation: SigningOperation? { kept.withLock { $0 } }
    func keep(_ operation: SigningOperation) { kept.withLock { $0 = operation } }
}

struct Unexpected: Error {
    let what: String
    init(_ what: String) { self.what = what }
}
