import ArgumentParser
import HostProcess
import HouseStatus
import Monitoring
import ProgramCommands
import ProgramLife
import RelayProgram

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
            """, version: "ses-relay " + ProgramRelease.version,
        subcommands: [Run.self, Once.self, Check.self, Status.self])
}

protocol RelayCommand: ProgramCommand {}

extension RelayCommand {
    static var program: String { "ses-relay" }
}

struct ConfigurationOption: ParsableArguments {
    @Option(name: .customLong("config"), help: "The configuration (else $SES_RELAY_CONFIG, else /etc/ses/relay.xml).")
    var path: String?
}

struct Run: RelayCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Relay arriving mail until told to stop.",
        discussion: "SIGTERM ends it in order, SIGHUP re-reads the configuration.")
    static let rereads = true
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var spool: SpoolOption
    @OptionGroup var root: RootOption
    @OptionGroup var log: LogOption
    @OptionGroup var metrics: MetricsOptions

    func perform() async throws(ProgramError) -> ExitStatus {
        try await RelayDaemon.start(
            .run,
            ProgramOptions(
                config.path, spool.path, allowsRoot: root.isAllowed, logFormat: log.format, metrics: metrics.outlets))
    }
}

struct Once: RelayCommand {
    static let configuration = CommandConfiguration(
        commandName: "once",
        abstract: "Relay what waits and is due, then stop; for cron.")
    static let rereads = true
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var spool: SpoolOption
    @OptionGroup var root: RootOption
    @OptionGroup var log: LogOption
    @OptionGroup var metrics: MetricsOptions

    func perform() async throws(ProgramError) -> ExitStatus {
        try await RelayDaemon.start(
            .once,
            ProgramOptions(
                config.path, spool.path, allowsRoot: root.isAllowed, logFormat: log.format, metrics: metrics.outlets))
    }
}

struct Check: RelayCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Tell every fault and every doubtful place of the configuration; exit 78 with faults.")
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var format: FormatOption
    @Flag(help: "Treat warnings about modes of files with secrets as faults.") var strict = false
    @Flag(help: "Call each next hop too, and ask whether it takes mail for the postmaster; no mail is sent.")
    var probe = false

    func perform() async throws(ProgramError) -> ExitStatus {
        CheckingUser.assumeRelay(configuration: config.path)
        let report = await CheckReport.makeForRelay(configuration: config.path, isStrict: strict, probes: probe)
        return try report.printed(asJSON: format.isJSON)
    }
}

struct Status: RelayCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Tell how the relay is doing.",
        discussion: "The first word is OK, WARNING or CRITICAL, and the exit status is 0, 1 or 2.")
    @OptionGroup var limits: StatusLimitOptions
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var spool: SpoolOption
    @OptionGroup var format: StatusFormatOptions

    func perform() async throws(ProgramError) -> ExitStatus {
        let options = HouseOptions(
            config.path, spool.path, maximumAge: limits.maxAge.seconds, maximumIdle: limits.maxIdle.seconds,
            leastFree: limits.minFree)
        return try format.print(HouseReport.make(.relay, options), called: "SES-RELAY")
    }
}
