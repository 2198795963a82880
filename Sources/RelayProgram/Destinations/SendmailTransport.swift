import Glibc
import InternetMessage
import Octets
import Delivery
import SESConfiguration
import Synchronization

/// Delivery by a program with the command line of sendmail: `sendmail -G -i -f SENDER -- RCPT…`, the message on its
/// standard input.
///
/// The sender's notification request goes along as `-N`, `-R` and `-V`, if the configuration says that the program
/// knows them. The program answers for all recipients at once, by its exit code (sysexits.h).
struct SendmailTransport: Transport {
    private let routes: [RelayRoute]
    private let children = ChildProcesses()

    init(_ configuration: RelayConfiguration) { routes = configuration.routes }

    func deliver<Fault: Error>(
        _ consignment: Consignment, to destination: Destination, offering: ([AddrSpec]) throws(Fault) -> Void,
        report: ([RecipientReport]) throws(Fault) -> Void
    ) throws(Fault) -> TransportEnd {
        guard case .sendmail(let path, let takesDSN) = routes[destination.route].target else {
            return .routeFailed("the route \(destination.routeName) has no program")
        }
        let sender =
            switch consignment.sender {
            // The argument that sendmail(8) and similar programs take for the null sender.
            case .null: "<>"
            case .address(let address): address.description
            }
        let recipients = consignment.recipients.map(\.description)
        let wishes = takesDSN ? Self.options(consignment.notification) : []
        guard (recipients + [sender]).reduce(0, { $0 + $1.utf8.count + 1 }) < Self.maximumCommandLength else {
            try report(
                consignment.recipients.map {
                    RecipientReport(
                        $0, DeliveryReport(.failed, status: "5.5.3", "too many recipients for one command line"))
                })
            return .untried
        }
        let input: InputFile
        do throws(ProcessFailure) {
            input = try InputFile(consignment.content)
        } catch {
            return .machineFault(errno: error.errno, "the message cannot be handed to \(path): \(error.reason)")
        }
        // Twice as long as a reply, as for the last reply of a server.
        let limit = Duration.seconds(2 * routes[destination.route].replyTimeout)
        try offering(consignment.recipients)
        let result: DeliveryReport
        do throws(ProcessFailure) {
            let ending = try children.run(
                [path, "-G", "-i", "-f", sender] + wishes + ["--"] + recipients, input: input, limit: limit)
            result = Self.report(
                of: ending, path, limit: limit, acceptance: consignment.acceptance(notifies: takesDSN))
        } catch {
            // Nobody was given the message, which the record must say: else it would count as a possible repeat.
            try report(
                consignment.recipients.map {
                    RecipientReport(
                        $0, DeliveryReport(.notOffered, status: "4.3.5", "\(path) cannot be run: \(error.reason)"))
                })
            let reason = "\(path) cannot be run: \(error.reason)"
            return error.isShortage ? .machineFault(errno: error.errno, reason) : .routeFailed(reason)
        }
        try report(consignment.recipients.map { RecipientReport($0, result) })
        return children.isInterrupted ? .interrupted : .complete
    }

    /// Ends the programs that run, which have a second to tidy up.
    func interrupt() { children.interrupt() }

    private static let maximumCommandLength = 100_000

    /// Returns each value in one argument with its letter. A program that has another use for the letter alone refuses
    /// such an argument; with two arguments it would take the value for a recipient.
    static func options(_ request: NotificationRequest) -> [String] {
        [
            request.notify.map { "-N" + "\($0)".lowercased() },
            request.returned.map { "-R" + $0.rawValue.lowercased() },
            request.identifier.map { "-V" + $0.xtext },
        ].compactMap(\.self)
    }

    /// Returns the report for the end of the program.
    static func report(
        of ending: ChildProcesses.Ending, _ path: String, limit: Duration, acceptance: DeliveryReport.Outcome
    ) -> DeliveryReport {
        switch ending {
        case .exited(let code): report(of: code, path, acceptance: acceptance)
        case .tooLong:
            DeliveryReport(
                .unknown, status: "4.4.7", "\(path) had not ended after \(limit.components.seconds) s and was stopped")
        case .stopped: DeliveryReport(.unknown, status: "4.3.2", "\(path) was stopped, because this program stops")
        }
    }

    /// Returns the report for an exit code (sysexits.h). An unknown code is tried again.
    /// - Parameter acceptance: The outcome for a message that the program took.
    static func report(
        of code: Int32, _ path: String, acceptance: DeliveryReport.Outcome = .sent
    ) -> DeliveryReport {
        let (outcome, status, words): (DeliveryReport.Outcome, String, String) =
            switch code {
            case 0: (acceptance, "2.0.0", "taken")
            case 64: (.failed, "5.5.4", "command line refused (EX_USAGE)")
            case 65: (.failed, "5.6.0", "message refused (EX_DATAERR)")
            case 67: (.failed, "5.1.1", "no such recipient (EX_NOUSER)")
            case 68: (.failed, "5.1.2", "no such host (EX_NOHOST)")
            case 69: (.deferred, "4.3.0", "service unavailable (EX_UNAVAILABLE)")
            case 70...76, 78: (.deferred, "4.3.0", "not now")
            case 77: (.failed, "5.7.1", "not permitted (EX_NOPERM)")
            case 128...: (.unknown, "4.3.0", "ended by signal \(code - 128)")
            default: (.deferred, "4.3.0", "not now")
            }
        return DeliveryReport(outcome, status: status, "\(path) ended with \(code): \(words)")
    }
}
