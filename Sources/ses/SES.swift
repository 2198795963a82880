public import ArgumentParser
import Gateway
import ProgramLife
public import Workflows

@main
enum Main {
    static func main() async {
        EarlySignals.prepare()
        DescriptorCheck.begin("ses")
        await SES.main()
    }
}

struct SES: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ses",
        abstract: "Signs outgoing and verifies incoming mail, by the workflows of ses.xml.",
        discussion: """
            Mail is taken from the watched Maildirs outgoing/ and incoming/ of a spool and leaves in delivered/, admin/, \
            blocked/ or retry/. Start with `ses init SPOOL`, then `ses check`, then `ses watch`.
            """,
        subcommands: [
            Init.self, Watch.self, Process.self, Sweep.self, Drop.self, Check.self, Explain.self, Status.self,
        ])
}

extension SES {
    static func main() async {
        let (arguments, recipients) = divided(Array(CommandLine.arguments.dropFirst()))
        do {
            var command = try parseAsRoot(arguments)
            if var drop = command as? Drop {
                drop.recipients += recipients
                try await drop.run()
            } else if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            exit(withError: error)
        }
    }

    /// Keeps the recipients of `drop` behind `--` away from the argument parser, which takes time by the square of
    /// their number: 23 s for ten thousand.
    private static func divided(_ arguments: [String]) -> (arguments: [String], recipients: [String]) {
        guard arguments.first == "drop" else { return (arguments, []) }
        // Behind these an argument is a value, whatever it looks like.
        let takesAnything: Set<String> = ["-f", "--from", "-V"]
        let end = arguments.indices.first { index in
            arguments[index] == "--" && !takesAnything.contains(arguments[index - 1])
        }
        guard let end else { return (arguments, []) }
        return (Array(arguments[..<end]), Array(arguments[(end + 1)...]))
    }
}

/// Ends the program with what a command came to: its text to standard error, its code to the caller.
/// - Parameter rereads: True if it reads its configuration again on SIGHUP, so that the signal does not end it.
func finish(rereads: Bool = false, _ work: () async throws(ProgramError) -> ExitStatus) async throws {
    if !rereads { EarlySignals.releaseHangup() }
    SecretsProtection.begin("ses")
    let status: ExitStatus
    do {
        status = try await work()
    } catch {
        Console.writeError("ses: " + error.text)
        status = error.status
    }
    guard status == .success else { throw ExitCode(status.rawValue) }
}

struct ConfigurationOption: ParsableArguments {
    @Option(name: .customLong("config"), help: "The configuration (else $SES_CONFIG, else /etc/ses/ses.xml).")
    var path: String?
}

struct SpoolOption: ParsableArguments {
    @Option(name: .customLong("spool"), help: "The spool (else the configuration's, else /var/spool/ses).")
    var path: String?
}

struct RootOption: ParsableArguments {
    @Flag(name: .customLong("allow-root"), help: "Run as root all the same (also SES_ALLOW_ROOT=1).")
    var isAllowed = false
}

struct FormatOption: ParsableArguments {
    @Flag(name: .customLong("json"), help: "Print JSON instead of text.")
    var isJSON = false
}

extension Direction: ExpressibleByArgument {}
