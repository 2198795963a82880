import ArgumentParser
import Foundation
import SigningServer

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read the configuration and everything that it names, and report what is wrong or missing.",
        discussion: """
            Faults end with exit code 78. Warnings, such as a script for whose letters no font is installed, are told and end \
            with 0: the server runs in spite of them.
            """)

    @Option(help: "The configuration.") var config: String

    func run() throws {
        let configuration: SigningServerConfiguration
        do {
            configuration = try SigningServerConfiguration.load(
                path: config, environment: ProcessInfo.processInfo.environment)
        } catch {
            throw Ended(.configuration, "\(error)")
        }
        let warnings = ConfigurationCheck(configuration).warnings
        for warning in warnings { ProgramOutput.line("warning: \(warning)") }
        ProgramOutput.line("\(config) can be used" + (warnings.isEmpty ? "" : "; warnings: \(warnings.count)"))
    }
}
