import Composition
import DSSClient
import DSSProtocol
import Foundation
import InternetMessage
import Logging
import MessageInspection
import Octets
import Processing
import Probes
import ProgramLife
import SESConfiguration
import Synchronization
import TestSupport
import Workflows

@testable import SESProgram
@testable import Spool

/// A signing server that answers what the test says.
struct ScriptedServer: SignatureService {
    typealias Sign = @Sendable (SigningOperation) async throws(Failure) -> SigningAnswer

    var onSign: Sign = { (_) throws(Failure) in .cms(OctetString("signature")) }

    func sign(_ operation: SigningOperation, answers: any OctetCollectorMaking) async throws(Failure) -> SigningAnswer {
        try await onSign(operation)
    }

    func verify(
        _ operation: VerificationOperation, answers: any OctetCollectorMaking
    ) async throws(Failure) -> VerificationAnswer {
        VerificationAnswer(
            verdict: .trusted, isRevocationUnreachable: false, signerIdentities: [], signingTimes: [], messages: [],
            raw: OctetString())
    }
}

/// Finds every signature to fit.
struct FittingInspection: SignatureInspection {
    func facts(of signature: OctetString) -> CMSFacts {
        CMSFacts(
            enclosesContent: false,
            signers: [
                CMSFacts.Signer(
                    digestAlgorithm: "sha-256", addresses: ["alice@example.test"], issuer: nil, serial: nil,
                    subject: nil,
                    signingTime: nil)
            ])
    }

    func content(of signature: OctetString) -> (any OctetSource)? { nil }

    func check(_ signature: OctetString, content: (any OctetSource)?) -> SignatureIntegrity { .intact }

    func obstacle(toSigning use: SignatureUse, by signer: CMSFacts.Signer, at now: Int) -> SigningObstacle? { nil }
}

/// Lets chosen fsyncs fail, as a full disk does.
final class FailingSync: Sendable {
    private let failing = Mutex(false)
    func fail(_ fails: Bool) { failing.withLock { $0 = fails } }

    var durability: Durability {
        Durability { descriptor in
            guard !self.failing.withLock({ $0 }) else {
                errno = ENOSPC
                return -1
            }
            return fsync(descriptor)
        } directory: {
            fsync($0)
        }
    }
}

/// An engine on a real spool, with a scripted signing server.
final class GatewayBench: Sendable {
    static let now = 1_800_000_000

    let scratch: ScratchDirectory
    let spool: Spool
    let configuration: InForce<LiveConfiguration>
    let board = HealthBoard(changed: {})
    let engine: Engine
    let sync = FailingSync()

    static var signing: SESXML {
        var xml = SESXML(servers: ["http://127.0.0.1:1"])
        xml.outgoing = SESXML.sign(alias: "key")
        return xml
    }

    /// - Parameter maximum: MaxMessageSize in octets.
    init(_ xml: SESXML = signing, maximum: Int? = nil, sign: @escaping ScriptedServer.Sign = ScriptedServer().onSign)
        throws
    {
        scratch = try ScratchDirectory()
        let path = scratch.file("spool")
        _ = try Spool.make(at: path)
        spool = try Spool(
            opening: path, program: .ses, clock: .system, random: .system, durability: sync.durability)
        var xml = xml
        if let maximum { xml.processing += "<MaxMessageSize>\(maximum)</MaxMessageSize>" }
        try scratch.write(Array(xml.text(spool: path).utf8), to: "ses.xml")
        let server = try SESConfiguration.load(path: scratch.file("ses.xml"))
        let secret = spool.secret
        let services = Services(
            signatures: ScriptedServer(onSign: sign), inspection: FittingInspection(),
            documents: DocumentInspecting(),
            facts: { InspectedMessage($0, enclosed: $1, recipients: $2, sender: $3) },
            authenticationCode: { Array((secret.array + $0).reversed().prefix(32)) },
            random: SpoolRandom.system.octets, now: { Self.now }, hostName: "ses.example.test", originatorID: "client",
            retryDelay: { $0 <= 2 ? 300 * $0 : nil }, mayNotify: { _ in true })
        configuration = InForce(
            LiveConfiguration(
                server: server, client: DSSClient(try server.clientConfiguration()),
                processor: EntryProcessor(policy: server.policy, services: services)))
        var log = Logger(label: "ses") { _ in SwiftLogNoOpLogHandler() }
        log.logLevel = .critical
        engine = Engine(spool: spool, configuration: configuration, board: board, log: log)
    }

    /// Takes one after the other what recovery hands on.
    func recover() async {
        engine.recover()
        for lane in engine.lanes {
            while let left = lane.leftovers.pop() { await engine.claim(.left(left), at: lane.server) }
        }
        _ = await engine.workSuspects()
    }

    /// Tries whether a fault is gone, and if it is, goes on with what was put back.
    func tryAgain() async {
        engine.gate.waitNoMore()
        await engine.gate.tryAgain { await self.recover() }
    }

    static let message =
        "From: alice@example.test\nTo: bob@elsewhere.test\nSubject: x\nMessage-ID: <a@example.test>\n\nHello\n"

    /// Puts a message with its envelope into `outgoing/new`, as `ses drop` would.
    func put(_ message: String = message, to recipient: String = "bob@elsewhere.test") throws {
        let delivery = try MaildirDelivery(spool: spool.path, queue: .outgoing)
        let envelope = Envelope(
            sender: ReversePath(parsing: "<alice@example.test>"),
            recipients: [AddrSpec(parsing: recipient)].compactMap(\.self), source: .arguments)
        let block = EnvelopeBlock(envelope: envelope, entry: nil).rendered(lineEnd: LineEnding.of(OctetString(message)))
        try delivery.write(block)
        try delivery.write(OctetString(message))
        _ = try delivery.commit(envelopeOctets: block.count)
    }

    /// Puts a directory under `work/` as a process leaves it that ended in the middle.
    func leave(_ message: String, starts: Int, number: Int = 1) throws {
        let entry = String(repeating: "0", count: 31) + "\(number)"
        let directory = "spool/work/1790000000.\(entry).001122334455667\(number)"
        try FileManager.default.createDirectory(atPath: scratch.file(directory), withIntermediateDirectories: false)
        let facts = NameFacts(origin: .outgoing(bare: false), attempts: 0, starts: starts)
        try scratch.write(Array(message.utf8), to: directory + "/" + TransactionFile.messageName(facts))
    }

    func candidates(_ queue: Queue = .outgoing) throws -> [Candidate] {
        var found: [Candidate] = []
        try spool.forEachWaiting(in: queue) { (candidate) throws(SpoolError) in
            found.append(candidate)
            return true
        }
        return found
    }

    /// Takes everything that waits in `queue`, one after the other.
    func takeAll(_ queue: Queue = .outgoing) async throws {
        for candidate in try candidates(queue) {
            await engine.claim(.fresh(candidate), at: engine.lanes[0].server)
        }
    }

    func names(_ directory: String) throws -> [String] { try scratch.names(in: "spool/" + directory) }

    func files(_ folder: String) throws -> [SpoolFile] {
        try names(folder + "/new").map { try SpoolFile(path: scratch.file("spool/\(folder)/new/" + $0)) }
    }

    /// Returns the number of files in each place that holds any.
    func counts() throws -> [String: Int] {
        var found: [String: Int] = [:]
        for count in try spool.counts() where count.count > 0 { found[count.name] = count.count }
        return found
    }
}
