import ArgumentParser
import HostProcess
import HouseStatus
import Monitoring
import ProgramCommands
import ProgramLife
import SESProgram
import Workflows

struct Check: SESCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Tell every fault and every doubtful place of the configuration; exit 78 with faults.",
        discussion: """
            Run as root it goes on with the rights of the spool's owner, so that it finds what the daemon could not read. \
            With --probe it calls the servers: a small document is signed with each profile and key of ses.xml, and the \
            next hop of relay.xml is asked whether it takes mail for the administrator; no mail is sent.
            """)
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var format: FormatOption
    @Flag(help: "Treat warnings about equal filters, and about secrets that others can read, as faults.")
    var strict = false
    @Flag(help: "Call the signing servers and the next hop too.") var probe = false
    @Option(help: "The relay's configuration, for --probe (else $SES_RELAY_CONFIG, else /etc/ses/relay.xml).")
    var relayConfig: String?

    func perform() async throws(ProgramError) -> ExitStatus {
        CheckingUser.assumeSES(configuration: config.path)
        var options = CheckOptions(configuration: config.path)
        options.isStrict = strict
        options.probes = probe
        options.relayConfiguration = relayConfig
        return try await CheckReport.make(options).printed(asJSON: format.isJSON)
    }
}

struct Explain: SESCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Tell what would be decided about a message, and why; changes nothing.")
    @Option(help: "outgoing or incoming.") var direction: Direction
    @Argument(help: "A message, with or without an envelope block.") var file: String
    @Flag(help: "Show the request that would go to the signing server, without the document.") var request = false
    @Flag(help: "The same with the document.") var content = false
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var format: FormatOption

    func perform() async throws(ProgramError) -> ExitStatus {
        let report = try await ExplainReport.makeInFull(
            file: file, direction: direction, configuration: config.path, showsRequest: request || content,
            showsContent: content)
        return try report.printed(asJSON: format.isJSON)
    }
}

struct Status: SESCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Tell how the house is doing: ses, ses-relay, ses-lmtp, and ses-dss on this machine.",
        discussion: """
            The first word is OK, WARNING or CRITICAL, and the exit status is 0, 1 or 2. Run as root it looks with the \
            rights of the spool's owner.
            """)
    @OptionGroup var limits: StatusLimitOptions
    @Option(help: "The relay's configuration (else $SES_RELAY_CONFIG, else /etc/ses/relay.xml).") var relayConfig:
        String?
    @Option(help: "The embedded server's dss.xml (else the one beside the socket that ses.xml names).")
    var dssConfig: String?
    @Option(help: "The directory with the sockets of ses-lmtp.") var lmtpSockets = "/run/ses-lmtp"
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var spool: SpoolOption
    @OptionGroup var format: StatusFormatOptions

    func perform() async throws(ProgramError) -> ExitStatus {
        var options = HouseOptions(
            config.path, spool.path, maximumAge: limits.maxAge.seconds, maximumIdle: limits.maxIdle.seconds,
            leastFree: limits.minFree)
        options.relayConfiguration = relayConfig
        options.dssConfiguration = dssConfig
        options.lmtpSockets = lmtpSockets
        return try format.print(HouseReport.make(.whole, options), called: "SES")
    }
}
