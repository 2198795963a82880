import Composition
import InternetMessage
import Logging
import Octets
import Processing
import ProgramLife
import Spool
import Workflows

/// Tells the administrator which copies were left out, when an hour ends and when the process ends.
final class CopySummaries: Sendable {
    private let copies: AdministratorCopies
    private let spool: Spool
    private let configuration: InForce<LiveConfiguration>
    private let log: Logger
    private let bell = WakeBell()
    private static let interval: Duration = .seconds(10)

    init(copies: AdministratorCopies, spool: Spool, configuration: InForce<LiveConfiguration>, log: Logger) {
        self.copies = copies
        self.spool = spool
        self.configuration = configuration
        self.log = log
    }

    func run() async {
        while await bell.wait(atMost: Self.interval) { tell(isFinal: false) }
        tell(isFinal: true)
    }

    func end() { bell.silence() }

    func tell(isFinal: Bool) {
        let leftOut = copies.removeLeftOut(isFinal: isFinal)
        for (index, one) in leftOut.enumerated() {
            do throws(SpoolError) {
                try deliver(one)
            } catch {
                log.error(
                    "the summary of copies that were left out could not be written; the journal names them",
                    metadata: ["error": "\(error)", "copies": "\(one.count)"])
                if !isFinal { copies.restore(Array(leftOut[index...])) }
                return
            }
        }
    }

    private func deliver(_ leftOut: AdministratorCopies.LeftOut) throws(SpoolError) {
        let live = configuration.current
        let policy = live.processor.policy
        guard let administrator = policy.administrator else { return }
        let services = live.services
        let notice = leftOut.notice(from: policy.noticeFrom, to: administrator)
        let content = notice.compose(
            date: MailDate(unixSeconds: Int64(services.now())), token: services.random(16).hexadecimal)
        let direction: Direction = policy.isInternal(administrator) ? .incoming : .outgoing
        let block = EnvelopeBlock(
            envelope: Envelope(
                sender: .null, recipients: [administrator], source: .arguments,
                notification: NotificationRequest(notify: .never)),
            entry: nil, outcome: "notice", workflow: nil, reason: notice.why, direction: direction.inBlock)
        let name = try spool.deliver(
            content, block: block.rendered(lineEnd: .crlf),
            origin: direction.ofResult, to: .admin)
        log.notice(
            "copies for the administrator were left out",
            metadata: ["copies": "\(leftOut.count)", "summary": "\(name)"])
    }
}
