import CMSSignatures
import DSSClient
import FoundationEssentials
import HostProcess
import InternetMessage
import MessageInspection
import Octets
import Probes
import Processing
import ProgramLife
import SESConfiguration
import Workflows

/// The configuration and the signing server for one filter; no spool is opened.
struct FilterServices {
    let settings: SESSettings
    let client: DSSClient

    /// - Throws: ``ProgramError`` if the configuration cannot be used.
    init(_ request: FilterRequest) throws(ProgramError) {
        settings = try LoadedConfiguration.load(Surroundings().configurationPath(option: request.configuration))
        client = DSSClient(try settings.clientConfiguration())
    }

    /// The services of processing. There is no secret of a spool: a key that nobody keeps stands for it.
    var services: Services {
        let key = OctetString((0..<32).map { _ in UInt8.random(in: 0...255) })
        return Services(
            signatures: client, inspection: CMSInspecting(), documents: DocumentInspecting(),
            facts: { message, enclosed, recipients, sender in
                InspectedMessage(message, enclosed: enclosed, recipients: recipients, sender: sender)
            }, charsets: Charsets(),
            authenticationCode: { MessageAuthentication.hmacSHA256(key: key, OctetString($0)).array },
            random: { count in (0..<count).map { _ in UInt8.random(in: 0...255) } },
            now: { Int(Date.now.timeIntervalSince1970) }, hostName: Surroundings().hostName,
            originatorID: settings.originatorID, retryDelay: { _ in nil }, mayNotify: { _ in false })
    }

    /// The most octets of an answer that are kept in memory.
    var scratch: MemoryCollecting { MemoryCollecting(limit: settings.processing.maxMessageSize / 2 * 3 + (16 << 20)) }

    var requestID: String { services.makeRequestID() }

    /// Runs the work of a filter, and shuts its client down however that ends.
    /// - Throws: ``ProgramError`` if the configuration cannot be used, or the error of `work`.
    static func run(
        _ request: FilterRequest,
        _ work: (FilterServices, ContinuousClock.Instant) async throws(ProgramError) -> (OctetString, FilterReport)
    ) async throws(ProgramError) -> (OctetString, FilterReport) {
        let filter = try FilterServices(request)
        let begun = ContinuousClock.now
        let result: Result<(OctetString, FilterReport), ProgramError>
        do throws(ProgramError) { result = .success(try await work(filter, begun)) } catch { result = .failure(error) }
        await filter.client.shutDown()
        return try result.get()
    }

    /// The error of a filter that a failure amounts to: 75 if another time may do better, 69 if not.
    static func error(_ failure: Failure) -> ProgramError {
        ProgramError(
            failure.wasTransient || failure.permanence == .transient ? .tryAgain : .unavailable, failure.summary)
    }

    /// Decides about a mail and carries it out by `policy`, as the daemon would.
    /// - Throws: ``ProgramError`` if there is no result: nothing may be put out then.
    func process(
        _ input: OctetString, _ direction: Direction, by policy: Policy
    ) async throws(ProgramError) -> (output: OctetString?, word: OutcomeWord, account: Outcome.Account) {
        var policy = policy
        // A notice to anybody has no place in a filter: what fails fails here.
        policy.errorAction = .block
        let entry = Entry(
            id: String(repeating: "0", count: 32), uniqueName: "filter", direction: direction, isBare: true,
            attempts: 0,
            isReleased: false, block: nil, raw: input, canonical: input.withCRLFLineEnds(),
            lineEnding: LineEnding.of(input))
        let outcome = await EntryProcessor(policy: policy, services: services).process(entry, scratch: scratch)
        if let failure = outcome.account.failure { throw Self.error(failure) }
        guard case .publish(let outputs) = outcome.disposal else {
            throw ProgramError(.tryAgain, outcome.account.reason)
        }
        guard let delivered = outputs.first(where: { $0.folder == .delivered }) else {
            throw ProgramError(.badInput, outcome.account.reason)
        }
        do {
            let whole = try delivered.content.collected(by: scratch)
            let output = LineEnding.of(input) == .lf ? whole.withLFLineEnds() : whole
            return (output, delivered.word, outcome.account)
        } catch {
            throw ProgramError(.system, "the result cannot be kept in memory: \(error.detail)")
        }
    }
}

extension OctetString {
    /// The octets with each CRLF as LF.
    fileprivate func withLFLineEnds() -> OctetString {
        var written: [UInt8] = []
        written.reserveCapacity(count)
        let octets = array
        for (index, octet) in octets.enumerated() {
            if octet == 0x0D, index + 1 < octets.count, octets[index + 1] == 0x0A { continue }
            written.append(octet)
        }
        return OctetString(written)
    }
}
