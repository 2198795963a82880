import Glibc
import HostProcess
import MailEnvelope
import Spool

/// `ses drop`: puts the message on standard input into a spool.
public enum DropCommand {
    /// A sentence on what it does.
    public static let abstract = "Put a message from standard input and its envelope into a spool; for mail servers."

    /// Runs the command.
    /// - Parameters:
    ///   - arguments: Without the name of the command.
    ///   - command: `ses drop` or `ses-drop`, for the usage.
    /// - Returns: The exit code.
    public static func run(_ arguments: some Sequence<String>, called command: String) -> Int32 {
        // A reader of our words that has gone away, or a limit on file sizes, must not end it between two steps.
        _ = signal(SIGPIPE, SIG_IGN)
        _ = signal(SIGXFSZ, SIG_IGN)
        if let trouble = ProcessSecrets.protect() { Console.writeError("\(command): \(trouble)") }
        if Array(arguments) == ["--version"] {
            Console.write("\(command) \(ProgramRelease.version)")
            return 0
        }
        do throws(ProgramError) {
            guard let arguments = try DropArguments.reading(Array(arguments)) else {
                Console.write(help(command))
                return 0
            }
            let sender = try EnvelopeReading.sender(arguments.sender)
            guard !arguments.recipients.isEmpty else {
                throw ProgramError(.usage, "no recipients: say them after `--`")
            }
            let envelope = Envelope(
                sender: sender, recipients: try EnvelopeReading.recipients(arguments.recipients), source: .arguments,
                notification: arguments.notification)
            let entry = try MessageDrop.put(
                from: STDIN_FILENO, envelope, queueID: arguments.queueID, into: arguments.queue,
                spool: spool(option: arguments.spool))
            // A mail server logs what a command says beside its own queue id: that ties the two records together.
            Console.write("entry \(entry)")
            return 0
        } catch {
            Console.writeError("ses: " + error.text)
            if error.status == .usage { Console.writeError(usage(command)) }
            return error.status.rawValue
        }
    }

    /// Returns the path of the spool: the option, else `$SES_SPOOL`, else `/var/spool/ses`. No configuration is read.
    package static func spool(option: String?) -> String {
        option ?? getenv("SES_SPOOL").map { String(cString: $0) } ?? "/var/spool/ses"
    }

    private static func usage(_ command: String) -> String {
        """
        Usage: \(command) --to <outgoing|incoming> -f <sender> [options] -- <recipient> ...
          See '\(command) --help' for more information.
        """
    }

    private static func help(_ command: String) -> String {
        """
        OVERVIEW: \(abstract)

        Reads no configuration, and prints the entry that the message became, for the mail server's log. Exit codes are
        those of sysexits.h: 0 the spool has the message for good, 75 try again, 65 the message or an address can never be
        accepted, 64 the command line is wrong.

        USAGE: \(command) --to <outgoing|incoming> -f <sender> [options] -- <recipient> ...

        OPTIONS:
          --to <to>               outgoing or incoming.
          -f, --from <sender>     The envelope sender; '<>', '' or MAILER-DAEMON for the null sender.
          --queue-id <id>         What the mail server calls the message; recorded in the spool.
          -N <events>             When the sender is to be told (DSN): never, or success,failure,delay.
          -R <part>               How much a failure gives back (DSN): hdrs or full.
          -V <id>                 What notifications are to call the message (DSN's ENVID), as xtext.
          --spool <spool>         The spool (else $SES_SPOOL, else /var/spool/ses).
          -h, --help              Show help information.
        """
    }
}
