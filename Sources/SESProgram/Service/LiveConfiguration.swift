import HostProcess
import CMSSignatures
import DSSClient
import InternetMessage
import MessageInspection
import Octets
import Processing
import Probes
import ProgramLife
import SESConfiguration
import Spool
import Workflows

/// A configuration in force, with everything that is built from it once.
final class LiveConfiguration: Sendable {
    let server: SESSettings
    let client: DSSClient
    let processor: EntryProcessor

    var services: Services { processor.services }
    var maximumMessageSize: Int { server.processing.maxMessageSize }
    var journalsSubjects: Bool { server.processing.journalsSubjects }
    /// The number of messages of one direction that are at the signing server at the same time.
    var width: Int { server.processing.concurrency }
    /// The number of threads. A message that waits for a server holds none. Besides the messages that are read and
    /// written there are the queue loops, recovery, watcher, state and gate, each of which may block.
    var threads: Int { width + 20 }
    /// The time after which one start of a message makes no further call.
    var maximumAttempt: Duration { .seconds(OrderlyCalls.callsInARow * server.processing.totalTimeout) }

    /// Asks the servers of a direction whether anybody answers there.
    func isServerAnswering(_ direction: Direction) async -> Bool {
        await client.isAnswering(direction == .outgoing ? .signing : .verification)
    }

    init(server: SESSettings, client: DSSClient, processor: EntryProcessor) {
        self.server = server
        self.client = client
        self.processor = processor
    }

    /// - Throws: ``ProgramError`` when the client certificate or the trust store cannot be used.
    init(
        _ server: SESSettings, spool: Spool, limiter: NoticeLimiter, copies: AdministratorCopies,
        clock: SpoolClock, hostName: String, called: @escaping @Sendable (DSSCall) -> Void = { _ in }
    ) throws(ProgramError) {
        self.server = server
        client = DSSClient(try server.clientConfiguration(), ended: called)
        let secret = spool.secret
        let schedule = server.processing.retry
        let maximumCopies = server.processing.adminCopiesPerHour
        processor = EntryProcessor(
            policy: server.policy,
            services: Services(
                signatures: client, inspection: CMSInspecting(), documents: DocumentInspecting(),
                facts: { message, enclosed, recipients, sender in
                    InspectedMessage(message, enclosed: enclosed, recipients: recipients, sender: sender)
                },
                charsets: Charsets(),
                authenticationCode: { MessageAuthentication.hmacSHA256(key: secret, OctetString($0)).array },
                random: SpoolRandom.system.octets, now: { clock.now() },
                knownPast: KnownPast.newest(of: [spool.path, spool.path + "/journal"]), hostName: hostName,
                originatorID: server.originatorID, retryDelay: { schedule.delay(afterAttempt: $0) },
                mayNotify: { limiter.mayNotify($0) }, admitsCopy: { copies.admits($0, limit: maximumCopies) }))
    }
}
