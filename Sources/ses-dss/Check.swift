import ArgumentParser
import FoundationEssentials
import HostProcess
import Monitoring
import ProgramCommands
import SigningServer

struct Check: DSSCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Read the configuration and everything that it names, and report what is wrong or missing.",
        discussion: """
            Faults end with exit code 78. Warnings, such as a script for whose letters no font is installed, are told and end \
            with 0: the server runs in spite of them.
            """)

    @Option(help: "The configuration.") var config: String
    @OptionGroup var secrets: SecretsOption

    func perform() async throws(ProgramError) -> ExitStatus {
        let configuration: SigningServerConfiguration
        do {
            configuration = try SigningServerConfiguration.load(
                path: config, environment: ProcessInfo.processInfo.environment,
                allowsReadableSecrets: secrets.areReadableAllowed)
        } catch {
            throw ProgramError(.configuration, "\(error)")
        }
        let ends = configuration.expiryReasons(now: SiteOption.now)
        var warnings = configuration.warnings + ConfigurationCheck(configuration).warnings
        for end in ends { warnings.append(end.text + (end.remedy.map { "; \($0)" } ?? "")) }
        for warning in warnings { Console.write("warning: \(warning)") }
        Console.write("\(config) can be used" + (warnings.isEmpty ? "" : "; warnings: \(warnings.count)"))
        return .success
    }
}
