public import ArgumentParser
import Gateway
import HostProcess
import ProgramCommands
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

protocol SESCommand: ProgramCommand {}

extension SESCommand {
    static var program: String { "ses" }
}

struct ConfigurationOption: ParsableArguments {
    @Option(name: .customLong("config"), help: "The configuration (else $SES_CONFIG, else /etc/ses/ses.xml).")
    var path: String?
}

extension Direction: ExpressibleByArgument {}
