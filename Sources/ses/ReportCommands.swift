import ArgumentParser
import SESProgram
import HostProcess
import ProgramCommands
import ProgramLife
import Workflows

struct Check: SESCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tell every fault and every doubtful place of the configuration; exit 78 with faults.")
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var format: FormatOption
    @Flag(help: "Treat warnings about modes of files with secrets as faults.") var strict = false
    @Flag(help: "Call the signing server too.") var probe = false

    func perform() async throws(ProgramError) -> ExitStatus {
        let report = await CheckReport.make(configuration: config.path, isStrict: strict, probes: probe)
        return try report.printed(asJSON: format.isJSON)
    }
}

struct Explain: SESCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tell what would be decided about a message, and why; changes nothing.")
    @Option(help: "outgoing or incoming.") var direction: Direction
    @Argument(help: "A message, with or without an envelope block.") var file: String
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var format: FormatOption

    func perform() async throws(ProgramError) -> ExitStatus {
        let report = try ExplainReport.make(
            file: file, direction: direction, configuration: config.path)
        return try report.printed(asJSON: format.isJSON)
    }
}

struct Status: SESCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tell how the spool is doing; exit 1 when unhealthy.")
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var spool: SpoolOption
    @OptionGroup var format: FormatOption

    func perform() async throws(ProgramError) -> ExitStatus {
        let report = try StatusReport.make(configuration: config.path, spool: spool.path)
        return try report.printed(asJSON: format.isJSON)
    }
}
