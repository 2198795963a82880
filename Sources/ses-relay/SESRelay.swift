import ArgumentParser
import ProgramLife
import Relay

@main
enum Main {
    static func main() async {
        EarlySignals.prepare()
        DescriptorCheck.begin("ses-relay")
        await SESRelay.main()
    }
}

struct SESRelay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ses-relay",
        abstract: "Hands what SES has delivered to the next mail server, as relay.xml says.",
        discussion: """
            Mail is taken from delivered/ and admin/ of a spool. What a server does not take yet waits in relay/deferred; what \
            cannot be delivered goes to failed/, and its sender is told.
            """,
        subcommands: [Run.self, Once.self, Check.self, Status.self])
}

struct ConfigurationOption: ParsableArguments {
    @Option(name: .customLong("config"), help: "The configuration (else $SES_RELAY_CONFIG, else /etc/ses/relay.xml).")
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
    @Flag(name: .customLong("json"), help: "Print JSON instead of text.") var isJSON = false
}

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Relay arriving mail until told to stop.",
        discussion: "SIGTERM ends it in order, SIGHUP re-reads the configuration.")
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var spool: SpoolOption
    @OptionGroup var root: RootOption

    func run() async throws {
        try await finish(rereads: true) { () throws(ProgramError) in
            try await RelayDaemon.start(.run, RelayOptions(config.path, spool.path, allowsRoot: root.isAllowed))
        }
    }
}

struct Once: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Relay what waits and is due, then stop; for cron.")
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var spool: SpoolOption
    @OptionGroup var root: RootOption

    func run() async throws {
        try await finish(rereads: true) { () throws(ProgramError) in
            try await RelayDaemon.start(.once, RelayOptions(config.path, spool.path, allowsRoot: root.isAllowed))
        }
    }
}

struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tell every fault and every doubtful place of the configuration; exit 78 with faults.")
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var format: FormatOption
    @Flag(help: "Treat warnings about modes of files with secrets as faults.") var strict = false

    func run() async throws {
        try await finish { () throws(ProgramError) in
            let report = CheckReport.makeForRelay(configuration: config.path, isStrict: strict)
            Console.write(format.isJSON ? try JSONText.of(report) : report.text)
            return report.status
        }
    }
}

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tell how the relay is doing; exit 1 when unhealthy.")
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var spool: SpoolOption
    @OptionGroup var format: FormatOption

    func run() async throws {
        try await finish { () throws(ProgramError) in
            let report = try RelayStatusReport.make(configuration: config.path, spool: spool.path)
            Console.write(format.isJSON ? try JSONText.of(report) : report.text)
            return report.healthy ? .success : .unhealthy
        }
    }
}

/// Ends the program with what a command came to: its text to standard error, its code to the caller.
/// - Parameter rereads: True if it reads its configuration again on SIGHUP, so that the signal does not end it.
func finish(rereads: Bool = false, _ work: () async throws(ProgramError) -> ExitStatus) async throws {
    if !rereads { EarlySignals.releaseHangup() }
    SecretsProtection.begin("ses-relay")
    let status: ExitStatus
    do {
        status = try await work()
    } catch {
        Console.writeError("ses-relay: " + error.text)
        status = error.status
    }
    guard status == .success else { throw ExitCode(status.rawValue) }
}
