import ArgumentParser
import SESProgram
import HostProcess
import MailDrop
import ProgramCommands
import ProgramLife

struct Init: SESCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make a spool, or repair its folders and modes.")
    @Argument(help: "The spool's directory.") var spool: String

    func perform() async throws(ProgramError) -> ExitStatus {
        for note in try SpoolInitialisation.make(at: spool) { Console.writeError("ses: " + note) }
        Console.write("spool ready: \(spool)")
        return .success
    }
}

struct Watch: SESCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Watch the spool and process what arrives, until told to stop.",
        discussion: "SIGTERM ends it in order, SIGHUP re-reads the configuration.")
    static let rereads = true
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var spool: SpoolOption
    @OptionGroup var root: RootOption
    @OptionGroup var log: LogOption
    @OptionGroup var metrics: MetricsOptions

    func perform() async throws(ProgramError) -> ExitStatus {
        try await Daemon.run(
            .watch,
            ProgramOptions(
                config.path, spool.path, allowsRoot: root.isAllowed, logFormat: log.format, metrics: metrics.outlets))
    }
}

struct Process: SESCommand {
    static let configuration = CommandConfiguration(
        commandName: "process",
        abstract: "Process what waits in outgoing, incoming and is due in retry, then stop.")
    static let rereads = true
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var spool: SpoolOption
    @OptionGroup var root: RootOption
    @OptionGroup var log: LogOption
    @OptionGroup var metrics: MetricsOptions

    func perform() async throws(ProgramError) -> ExitStatus {
        try await Daemon.run(
            .process,
            ProgramOptions(
                config.path, spool.path, allowsRoot: root.isAllowed, logFormat: log.format, metrics: metrics.outlets))
    }
}

struct Sweep: SESCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep",
        abstract: "Try again what is due in retry, then stop; for cron.")
    static let rereads = true
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var spool: SpoolOption
    @OptionGroup var root: RootOption
    @OptionGroup var log: LogOption
    @OptionGroup var metrics: MetricsOptions

    func perform() async throws(ProgramError) -> ExitStatus {
        try await Daemon.run(
            .sweep,
            ProgramOptions(
                config.path, spool.path, allowsRoot: root.isAllowed, logFormat: log.format, metrics: metrics.outlets))
    }
}

/// Stands for `drop` in the list of commands; the program runs ``DropCommand`` before any command line is parsed here.
struct Drop: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop",
        abstract: DropCommand.abstract,
        discussion: """
            The program ses-drop does the same and starts in a tenth of the time. `ses drop --help` has its options.
            """)
    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []

    func run() throws {
        throw ExitCode(DropCommand.run(arguments, called: "ses drop"))
    }
}
