import CMSSignatures
import DSSProtocol
import DSSXML
import FoundationEssentials
import InternetMessage
import MessageInspection
import Octets
import Processing
import ProgramLife
import SESConfiguration
import Spool
import Synchronization
import Workflows

/// A message taken through all of processing up to its first call of the signing server, which is not made.
struct DryRun {
    /// The request that would go out first; nil if none would.
    private(set) var request: String?
    /// The profile and the key that would be asked for; nil for anything but signing.
    private(set) var profile: String?
    private(set) var key: String?
    /// The reason why no request would go out although an operation runs; nil if it would.
    private(set) var refusal: String?
    /// The loop that was found, in words; nil if there is none.
    private(set) var loop: String?
    /// True if loops were looked for: only the owner of the spool knows its secret.
    let looksForLoops: Bool

    /// - Parameters:
    ///   - showsContent: True if the document stands in the request as it would be sent.
    static func of(
        _ source: SourceFile, _ direction: Direction, _ settings: SESSettings, hostName: String, showsContent: Bool
    ) async -> DryRun {
        let secret = settings.processing.spool.flatMap {
            try? Data(contentsOf: URL(fileURLWithPath: $0 + "/secret"))
        }.map { OctetString($0) }
        let recorder = CallRecorder()
        let clock = SpoolClock.system
        let processor = EntryProcessor(
            policy: settings.policy,
            services: Services(
                signatures: recorder, inspection: CMSInspecting(), documents: DocumentInspecting(),
                facts: { message, enclosed, recipients, sender in
                    InspectedMessage(message, enclosed: enclosed, recipients: recipients, sender: sender)
                },
                charsets: Charsets(),
                authenticationCode: { octets in
                    MessageAuthentication.hmacSHA256(key: secret ?? OctetString([0]), OctetString(octets)).array
                }, random: SpoolRandom.system.octets, now: { clock.now() }, hostName: hostName,
                originatorID: settings.originatorID, retryDelay: { _ in nil }, mayNotify: { _ in false }))
        let entry = Entry(
            id: String(repeating: "0", count: 32), uniqueName: "0", direction: direction, isBare: source.isBare,
            attempts: 0, isReleased: false, block: source.block, raw: source.raw,
            canonical: source.raw.withCRLFLineEnds(), lineEnding: LineEnding.of(source.raw))
        let outcome = await processor.process(entry, scratch: MemoryCollecting(limit: source.raw.count * 4 + (1 << 20)))
        var run = DryRun(looksForLoops: secret != nil)
        if outcome.account.reason.hasPrefix("mail loop") { run.loop = outcome.account.reason }
        if let call = recorder.first {
            run.profile = call.profile
            run.key = call.key
            run.request = call.request(settings.dialect, showsContent: showsContent)
        } else {
            run.refusal = outcome.account.failure?.summary
        }
        return run
    }

    private init(looksForLoops: Bool) { self.looksForLoops = looksForLoops }
}

/// Takes the first call of the signing server, and makes none.
private final class CallRecorder: SignatureService {
    enum Call: Sendable {
        case signing(SigningOperation)
        case verification(VerificationOperation)

        var profile: String? {
            guard case .signing(let operation) = self else { return nil }
            return operation.profile
        }

        var key: String? {
            guard case .signing(let operation) = self else { return nil }
            return operation.keyAlias
        }

        /// The request as text: the fields, an empty line, the body.
        func request(_ dialect: Dialect, showsContent: Bool) -> String {
            var elisions: [(String, String)] = []
            func shown(_ document: any OctetSource, _ kind: DocumentKind) -> any OctetSource {
                guard !showsContent else { return document }
                let words = "(\(document.count) octets, left out)"
                let text = kind == .xml ? "<left-out octets=\"\(document.count)\"/>" : words
                elisions.append((Data(text.utf8).base64EncodedString(), words))
                return OctetString(text)
            }
            let request: EncodedRequest
            switch self {
            case .signing(let call):
                request = EncodedRequest(
                    signing: SigningOperation(
                        kind: call.kind, document: shown(call.document, call.kind), profile: call.profile,
                        keyAlias: call.keyAlias, attributes: call.attributes, originatorID: call.originatorID,
                        requestID: call.requestID), dialect: dialect)
            case .verification(let call):
                request = EncodedRequest(
                    verification: VerificationOperation(
                        kind: call.kind, document: call.document.map { shown($0, call.kind) },
                        signature: call.signature.map { OctetString(shown($0, .cms).collected().array) },
                        originatorID: call.originatorID, requestID: call.requestID), dialect: dialect)
            }
            var body = String(decoding: request.body.collected().array, as: UTF8.self)
            for (octets, words) in elisions { body = body.replacing(octets, with: words) }
            return request.fields.map { "\($0.name): \($0.value)\n" }.joined() + "\n" + body
        }
    }

    private let call = Mutex<Call?>(nil)

    var first: Call? { call.withLock { $0 } }

    func sign(_ operation: SigningOperation, answers: any OctetCollectorMaking) async throws(Failure) -> SigningAnswer {
        throw note(.signing(operation))
    }

    func verify(
        _ operation: VerificationOperation, answers: any OctetCollectorMaking
    ) async throws(Failure) -> VerificationAnswer {
        throw note(.verification(operation))
    }

    private func note(_ made: Call) -> Failure {
        call.withLock { $0 = $0 ?? made }
        return Failure(.permanent, "no call is made")
    }
}
