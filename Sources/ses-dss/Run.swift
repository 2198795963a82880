import ArgumentParser
import Foundation
import HostProcess
import Logging
import ProgramCommands
import SigningServer

struct Run: DSSCommand {
    static let configuration = CommandConfiguration(abstract: "Serve until SIGTERM or SIGINT.")

    @Option(help: "The configuration.") var config: String
    @Option(help: "Listen here instead of where the configuration says; 0 takes a free port.") var port: Int?
    @Option(
        help: """
            Give wrong answers, for tests: NAME or NAME=PERCENT, with NAME one of \
            \(InjectedFault.Kind.allCases.map(\.rawValue).joined(separator: ", ")).
            """)
    var fault: [String] = []

    func perform() async throws(ProgramError) -> ExitStatus {
        let logger = Logger(label: "ses-dss") { StreamLogHandler.standardError(label: $0) }
        let faults = try fault.map { (text) throws(ProgramError) in
            guard let fault = InjectedFault(text) else {
                throw ProgramError(.usage, "--fault \(text): not known; see --help")
            }
            return fault
        }
        var configuration: SigningServerConfiguration
        do {
            configuration = try SigningServerConfiguration.load(
                path: config, environment: ProcessInfo.processInfo.environment)
        } catch {
            throw ProgramError(.configuration, "\(error)")
        }
        if let port {
            configuration.listening.port = port
            configuration.listening.socket = nil
        }
        do {
            let server = try SigningServer(
                configuration, faults: faults, scratchDirectory: FileManager.default.temporaryDirectory.path,
                logger: logger)
            try await server.run { Console.write("listening on \($0)") }
            return .success
        } catch let shortage as DescriptorShortage {
            throw ProgramError(.system, "\(shortage)")
        } catch {
            throw ProgramError(.unavailable, "\(error)")
        }
    }
}
