import ArgumentParser
import Foundation
import HostProcess
import Logging
import SigningServer

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve until SIGTERM or SIGINT.")

    @Option(help: "The configuration.") var config: String
    @Option(help: "Listen here instead of where the configuration says; 0 takes a free port.") var port: Int?
    @Option(
        help: """
            Give wrong answers, for tests: NAME or NAME=PERCENT, with NAME one of \
            \(InjectedFault.Kind.allCases.map(\.rawValue).joined(separator: ", ")).
            """)
    var fault: [String] = []

    func run() async throws {
        let logger = Logger(label: "ses-dss") { StreamLogHandler.standardError(label: $0) }
        if let trouble = ProcessSecrets.protect(ProcessInfo.processInfo.environment) { logger.warning("\(trouble)") }
        let faults = try fault.map { text in
            guard let fault = InjectedFault(text) else { throw Ended(.usage, "--fault \(text): not known; see --help") }
            return fault
        }
        var configuration: SigningServerConfiguration
        do {
            configuration = try SigningServerConfiguration.load(
                path: config, environment: ProcessInfo.processInfo.environment)
        } catch {
            throw Ended(.configuration, "\(error)")
        }
        if let port {
            configuration.listening.port = port
            configuration.listening.socket = nil
        }
        do {
            let server = try SigningServer(
                configuration, faults: faults, scratchDirectory: FileManager.default.temporaryDirectory.path,
                logger: logger)
            try await server.run { ProgramOutput.line("listening on \($0)") }
        } catch let shortage as DescriptorShortage {
            throw Ended(.system, "\(shortage)")
        } catch {
            throw Ended(.unavailable, "\(error)")
        }
    }
}
