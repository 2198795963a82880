import ArgumentParser
import Gateway
import ProgramLife
import Workflows

struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tell every fault and every doubtful place of the configuration; exit 78 with faults.")
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var format: FormatOption
    @Flag(help: "Treat warnings about modes of files with secrets as faults.") var strict = false
    @Flag(help: "Call the signing server too.") var probe = false

    func run() async throws {
        try await finish { () throws(ProgramError) in
            let report = await CheckReport.make(configuration: config.path, isStrict: strict, probes: probe)
            Console.write(format.isJSON ? try JSONText.of(report) : report.text)
            return report.status
        }
    }
}

struct Explain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tell what would be decided about a message, and why; changes nothing.")
    @Option(help: "outgoing or incoming.") var direction: Direction
    @Argument(help: "A message, with or without an envelope block.") var file: String
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var format: FormatOption

    func run() async throws {
        try await finish { () throws(ProgramError) in
            let report = try ExplainReport.make(
                file: file, direction: direction, configuration: config.path)
            Console.write(format.isJSON ? try JSONText.of(report) : report.text)
            return .success
        }
    }
}

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tell how the spool is doing; exit 1 when unhealthy.")
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var spool: SpoolOption
    @OptionGroup var format: FormatOption

    func run() async throws {
        try await finish { () throws(ProgramError) in
            let report = try StatusReport.make(configuration: config.path, spool: spool.path)
            Console.write(format.isJSON ? try JSONText.of(report) : report.text)
            return report.healthy ? .success : .unhealthy
        }
    }
}
