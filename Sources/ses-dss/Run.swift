import ArgumentParser
import FoundationEssentials
import HostProcess
import Logging
import Monitoring
import ProgramCommands
import SigningServer

struct Run: DSSCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Serve until SIGTERM or SIGINT.",
        discussion: """
            SIGHUP reads the configuration again: keys, profiles, anchors and clients are in force from the next request \
            on, TLS from the next connection on, and another address once it is taken. If it has faults they are reported, \
            and the former configuration stays in force.
            """)
    static var rereads: Bool { true }

    @Option(help: "The configuration.") var config: String
    @Option(help: "Listen here instead of where the configuration says; 0 takes a free port.") var port: Int?
    @Option(
        help: """
            Give wrong answers, for tests: NAME or NAME=PERCENT, with NAME one of \
            \(InjectedFault.Kind.allCases.map(\.rawValue).joined(separator: ", ")).
            """)
    var fault: [String] = []
    @OptionGroup var log: LogOption
    @OptionGroup var metrics: MetricsOptions
    @OptionGroup var root: RootOption
    @OptionGroup var secrets: SecretsOption

    func perform() async throws(ProgramError) -> ExitStatus {
        try Account.refuseRoot(isAllowed: root.isAllowed, program: "ses-dss")
        LineLogHandler.bootstrap(log.format)
        let logger = Logger(label: "ses-dss")
        let faults = try fault.map { (text) throws(ProgramError) in
            guard let fault = InjectedFault(text) else {
                throw ProgramError(.usage, "--fault \(text): not known; see --help")
            }
            return fault
        }
        let areReadableAllowed = secrets.areReadableAllowed
        let load = { @Sendable [config, port] () throws(DSSConfigurationFaults) in
            var configuration = try SigningServerConfiguration.load(
                path: config, environment: ProcessInfo.processInfo.environment,
                allowsReadableSecrets: areReadableAllowed)
            if let port {
                configuration.listening.port = port
                configuration.listening.socket = nil
            }
            return configuration
        }
        let configuration: SigningServerConfiguration
        do throws(DSSConfigurationFaults) { configuration = try load() } catch {
            throw ProgramError(.configuration, "\(error)")
        }
        do {
            let server = try SigningServer(
                configuration, faults: faults, scratchDirectory: FileManager.default.temporaryDirectory.path,
                logger: logger)
            let service = try MetricsService(
                file: { [metrics] in metrics.metricsFile }, address: metrics.metricsListen,
                written: { trouble in if let trouble { logger.warning("\(trouble)") } },
                families: { [config] in server.metrics(configuredBy: config) })
            if let address = service.address {
                logger.notice("metrics", metadata: ["address": "http://\(address)/metrics"])
            }
            logger.notice("started", metadata: ["version": "\(ProgramRelease.version)", "configuration": "\(config)"])
            service.start()
            try await server.run(rereading: load) { Console.write("listening on \($0)") }
            service.write()
            logger.notice("stopped", metadata: ["version": "\(ProgramRelease.version)"])
            return .success
        } catch let error as ProgramError {
            throw error
        } catch let shortage as DescriptorShortage {
            throw ProgramError(.system, "\(shortage)")
        } catch {
            throw ProgramError(.unavailable, "\(error)")
        }
    }
}
