import DocumentKinds
import DSSProtocol
import InternetMessage
import Octets
import Processing
import Synchronization
import Workflows

/// A signing server that gives scripted answers and remembers the questions. It stands for answers that a real one
/// cannot be made to give.
final class ScriptedSignatures: SignatureService {
    typealias Sign = @Sendable (SigningOperation) throws(Failure) -> SigningAnswer
    typealias Verify = @Sendable (VerificationOperation) throws(Failure) -> VerificationAnswer

    private let onSign: Sign
    private let onVerify: Verify
    private let asked = Mutex<[String]>([])

    init(
        sign: @escaping Sign = { (_) throws(Failure) in throw Failure(.permanent, "not expected to sign") },
        verify: @escaping Verify = { (_) throws(Failure) in throw Failure(.permanent, "not expected to verify") }
    ) {
        onSign = sign
        onVerify = verify
    }

    /// RequestIDs in order.
    var requests: [String] { asked.withLock { $0 } }

    func sign(_ operation: SigningOperation, answers: any OctetCollectorMaking) async throws(Failure) -> SigningAnswer {
        asked.withLock { $0.append(operation.requestID) }
        return try onSign(operation)
    }

    func verify(
        _ operation: VerificationOperation, answers: any OctetCollectorMaking
    ) async throws(Failure) -> VerificationAnswer {
        asked.withLock { $0.append(operation.requestID) }
        return try onVerify(operation)
    }
}

/// Finds in every signature what the test says.
struct ScriptedInspection: SignatureInspection {
    var found = CMSFacts(
        enclosesContent: false,
        signers: [
            CMSFacts.Signer(
                digestAlgorithm: "sha-256", addresses: ["alice@example.test"], issuer: "CN=Demo CA", serial: "2a",
                subject: "CN=Alice", signingTime: 1_700_000_000)
        ])
    var integrity = SignatureIntegrity.intact
    /// Over the enclosed content, where that differs.
    var enclosedIntegrity: SignatureIntegrity?
    var unreadable: String?
    /// The content of every signature.
    var enclosed: OctetString?

    func facts(of signature: OctetString) throws(Failure) -> CMSFacts {
        if let unreadable { throw Failure(.permanent, unreadable) }
        return found
    }

    func content(of signature: OctetString) -> (any OctetSource)? { enclosed }

    func check(_ signature: OctetString, content: (any OctetSource)?) -> SignatureIntegrity {
        content == nil ? enclosedIntegrity ?? integrity : integrity
    }

    /// The reason why its certificate may not be used so.
    var unfit: [SignatureUse: SigningObstacle] = [:]

    func obstacle(toSigning use: SignatureUse, by signer: CMSFacts.Signer, at now: Int) -> SigningObstacle? {
        unfit[use]
    }
}

/// Finds in every document what the test says.
struct ScriptedDocuments: DocumentInspection {
    var obstacle: String?
    var integrity = SignatureIntegrity.intact
    var found: [DocumentSignature] = []
    var unreadable: String?

    func obstacle(toSigning document: OctetString, as format: DocumentFormat) -> String? { obstacle }

    func check(_ signed: OctetString, from original: OctetString, as format: DocumentFormat) -> MadeSignature {
        MadeSignature(integrity)
    }

    func signatures(in document: OctetString, as format: DocumentFormat) throws(Failure) -> [DocumentSignature] {
        if let unreadable { throw Failure(.permanent, unreadable) }
        return found
    }
}

extension CMSFacts {
    static func signed(by addresses: String..., enclosing: Bool = false) -> CMSFacts {
        CMSFacts(
            enclosesContent: enclosing,
            signers: [
                Signer(
                    digestAlgorithm: "sha-256", addresses: addresses, issuer: "CN=Demo CA", serial: "2a",
                    subject: "CN=Signer", signingTime: nil)
            ])
    }
}

extension VerificationAnswer {
    static func saying(
        _ verdict: Verdict, revocationUnreachable: Bool = false, onlySignerWrong: Bool = false
    ) -> VerificationAnswer {
        VerificationAnswer(
            verdict: verdict, isRevocationUnreachable: revocationUnreachable, isOnlySignerWrong: onlySignerWrong,
            signerIdentities: ["CN=Alice"],
            signingTimes: [], messages: ["the server says \(verdict.words)"], raw: OctetString("<answer/>"))
    }
}

/// Facts of a message as simple values: deciding is tested elsewhere.
struct PlainFacts: MessageFacts {
    var to: [NamedAddress] { [] }
    var cc: [NamedAddress] { [] }
    var from: [NamedAddress] { [] }
    var bcc: [NamedAddress] { [] }
    var unreadable: UnreadableAddresses { UnreadableAddresses() }
    var subject: String? { nil }
    var bodyText: String { "" }
    var isSigned: Bool { false }
    var isEncrypted: Bool { false }
    var protection: MailProtection?
    var attachments: [AttachmentFacts] = []
    var hasNullSender: Bool
}

/// A processor with everything outside under the test's control.
struct Bench {
    var policy = Policy.example
    var signatures = ScriptedSignatures()
    var inspection = ScriptedInspection()
    var documents = ScriptedDocuments()
    var attachments: [AttachmentFacts] = []
    /// Stand in the place of those above, where a test is about what they make of its octets.
    var server: (any SignatureService)?
    var reader: (any SignatureInspection)?
    var documentReader: (any DocumentInspection)?
    var delays = [300, 600]
    var mayNotify = true
    var admitsCopy = true

    var services: Services {
        let delays = delays
        let mayNotify = mayNotify
        let admitsCopy = admitsCopy
        let attachments = attachments
        return Services(
            signatures: server ?? signatures, inspection: reader ?? inspection,
            documents: documentReader ?? documents,
            facts: { _, _, _, sender in PlainFacts(attachments: attachments, hasNullSender: sender == .null) },
            authenticationCode: { octets in
                // A stand-in with the shape of a code: equal for equal input, different for different.
                var hasher: UInt64 = 14_695_981_039_346_656_037
                for octet in octets { hasher = (hasher ^ UInt64(octet)) &* 1_099_511_628_211 }
                return (0..<32).map { UInt8(truncatingIfNeeded: hasher >> (UInt64($0 % 8) * 8)) }
            },
            random: { count in SystemRandomNumberGenerator.octets(count) }, now: { 1_800_000_000 },
            hostName: "ses.example.test", originatorID: "client",
            retryDelay: { $0 <= delays.count ? delays[$0 - 1] : nil }, mayNotify: { _ in mayNotify },
            admitsCopy: { _ in admitsCopy })
    }

    func process(_ message: String, direction: Direction, attempts: Int = 0, block: String? = nil, isBare: Bool = true)
        async -> Outcome
    {
        await process(
            OctetString(message.replacingLineEnds), direction: direction, attempts: attempts, block: block,
            isBare: isBare)
    }

    func process(
        _ message: OctetString, direction: Direction, attempts: Int = 0, block: String? = nil, isBare: Bool = true,
        isReleased: Bool = false
    ) async -> Outcome {
        let entry = Entry(
            id: String(repeating: "e", count: 32), uniqueName: "1800000000.unique", direction: direction,
            isBare: isBare, attempts: attempts, isReleased: isReleased,
            block: block.map { OctetString($0.replacingLineEnds) },
            raw: message, canonical: message.withCRLFLineEnds(), lineEnding: LineEnding.of(message))
        return await EntryProcessor(policy: policy, services: services).process(
            entry, scratch: MemoryCollecting(limit: 1 << 24))
    }
}

extension SystemRandomNumberGenerator {
    static func octets(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
}

extension String {
    /// LF as CRLF, so that tests can be read.
    var replacingLineEnds: String { split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n") }
}

extension Policy {
    /// Everything outgoing is signed by the alias `key`, everything incoming is verified and passed as it is.
    static var example: Policy {
        let sign = Workflow(
            name: "sign", line: 10, filter: .everything,
            operations: [.signEmail(SigningInstruction(profile: "profile", key: .alias("key")))], resultRule: .original,
            attachesResponse: false)
        let verify = Workflow(
            name: "verify", line: 20, filter: .everything, operations: [.verifyEmail], resultRule: .original,
            attachesResponse: false)
        return Policy(
            domainNames: ["example.test"], administrator: AddrSpec(localPart: "admin", domain: "example.test"),
            errorAction: .administrator,
            outgoing: DirectionPolicy(workflows: [sign], noFilterAction: .recipients),
            incoming: DirectionPolicy(workflows: [verify], noFilterAction: .recipients),
            notTrustedAction: .administrator, indeterminateAction: .administrator, notSignedAction: nil,
            signerIdentity: .enforce, organisationSigners: [], senderMustOwnFrom: false, signNullSender: false,
            authservID: "ses.example.test", noticeFrom: AddrSpec(localPart: "postmaster", domain: "example.test")!)
    }
}
