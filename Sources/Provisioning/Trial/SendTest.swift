import FoundationEssentials
import Glibc
public import HostProcess
import HouseStatus
import InternetMessage
import MailDrop
import MailEnvelope
import ProgramLife
import SESConfiguration
import Spool
public import Workflows

/// `ses send-test`: a mail that is followed from step to step through the running programs.
public struct SendTest: Sendable {
    public struct Options: Sendable {
        /// `--config`.
        public var configuration: String?
        public var spool: String?
        public var recipient: String
        /// nil for the administrator, or postmaster of the first domain.
        public var sender: String?
        public var direction = Direction.outgoing
        /// Seconds that it is followed at most.
        public var patience = 30

        public init(recipient: String) { self.recipient = recipient }
    }

    private let options: Options
    private let settings: SESSettings
    private let spool: String
    private let sender: AddrSpec
    private let recipient: AddrSpec

    /// The time between two looks at the journals.
    private static let interval = Duration.milliseconds(40)

    /// Run by root it goes on with the rights of the spool's owner.
    /// - Throws: ``ProgramError`` if the configuration or an address cannot be read.
    public init(_ options: Options) throws(ProgramError) {
        self.options = options
        CheckingUser.assumeSES(configuration: options.configuration)
        let surroundings = Surroundings()
        settings = try LoadedConfiguration.load(surroundings.configurationPath(option: options.configuration))
        spool = surroundings.spoolPath(option: options.spool, configured: settings.processing.spool)
        recipient = try Self.address(options.recipient)
        if let text = options.sender {
            sender = try Self.address(text)
        } else if let administrator = settings.policy.administrator, settings.policy.isInternal(administrator) {
            sender = administrator
        } else {
            sender = settings.policy.noticeFrom
        }
    }

    private static func address(_ text: String) throws(ProgramError) -> AddrSpec {
        guard let address = AddrSpec(parsing: text) else {
            throw ProgramError(.usage, "\"\(text)\" is no mail address: write one such as bob@example.org")
        }
        return address
    }

    /// Drops the mail and follows it until the last step, or until patience ends.
    public func run() async -> SendTestReport {
        var report = SendTestReport(from: "\(sender)", to: "\(recipient)")
        let begun = ContinuousClock.now
        func elapsed() -> Int { Int(begun.duration(to: .now) / .milliseconds(1)) }
        let sizes = JournalTail.sizes(of: spool)
        let started = Int(Date.now.timeIntervalSince1970 * 1_000)
        do throws(ProgramError) {
            report.entry = try drop()
        } catch {
            report.fail(
                "dropped", elapsed(), error.text,
                advice: "see that the spool is there and may be written to: ses doctor")
            return report
        }
        report.add("dropped", elapsed(), "into \(options.direction.rawValue) of \(spool)")
        var tail = JournalTail(spool: spool, entry: report.entry, from: sizes)
        var course = SendTestCourse(settings: settings, direction: options.direction, started: started)
        while course.isOpen(&report), elapsed() < options.patience * 1_000 {
            for line in tail.more() where course.isOpen(&report) { course.follow(line, in: &report) }
            guard course.isOpen(&report) else { break }
            do { try await Task.sleep(for: Self.interval) } catch { break }
        }
        if course.isOpen(&report) { course.giveUp(&report, elapsed(), spool: spool) }
        return report
    }

    // MARK: - The mail

    private func drop() throws(ProgramError) -> String {
        var pipes: [CInt] = [-1, -1]
        guard pipe(&pipes) == 0 else {
            throw ProgramError(.system, "no pipe can be made: \(String(cString: strerror(errno)))")
        }
        defer { close(pipes[0]) }
        // The mail is far smaller than what a pipe holds.
        let octets = Array(mail.utf8)
        let written = octets.withUnsafeBytes { write(pipes[1], $0.baseAddress, $0.count) }
        close(pipes[1])
        guard written == octets.count else { throw ProgramError(.system, "the test mail cannot be handed over") }
        let envelope = Envelope(sender: .address(sender), recipients: [recipient], source: .arguments)
        return try MessageDrop.put(
            from: pipes[0], envelope, queueID: nil, into: options.direction == .outgoing ? .outgoing : .incoming,
            spool: spool
        ).digits
    }

    private var mail: String {
        let now = Int64(Date.now.timeIntervalSince1970)
        return """
            From: <\(sender)>
            To: <\(recipient)>
            Subject: Test of Secure Email Server
            Date: \(MailDate(unixSeconds: now))
            Message-ID: <\(UUID().uuidString.lowercased()).test@\(sender.domain)>
            MIME-Version: 1.0
            Content-Type: text/plain; charset=us-ascii
            Auto-Submitted: auto-generated

            This mail was sent by "ses send-test" to see whether mail passes
            through Secure Email Server. If you can read it, it does.

            """.replacing("\n", with: "\r\n")
    }
}
