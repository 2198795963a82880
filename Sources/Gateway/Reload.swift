import DSSClient
import Logging
import ProgramLife
import SESConfiguration
import ServiceLifecycle
import UnixSignals

/// Re-reads `ses.xml` on SIGHUP: a good file takes effect for messages claimed later, a bad one leaves the old in force and says so.
struct Reload: Service {
    let path: String
    let active: ActiveConfiguration
    let board: HealthBoard
    let log: Logger
    let make: @Sendable (ServerConfiguration) throws(ProgramError) -> LiveConfiguration

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            do {
                let server = try LoadedConfiguration.load(path)
                // Messages claimed earlier may still be using the old one: its client ends when the last of them lets go.
                active.replace(with: try make(server))
                for warning in server.warnings { log.warning("\(warning)") }
                board.lift("configuration")
                log.notice("configuration re-read", metadata: ["file": "\(path)"])
            } catch {
                board.raise(
                    "configuration", "\(path) was not taken; the configuration before it stays in force: \(error.text)")
                log.error("configuration not taken", metadata: ["file": "\(path)", "error": "\(error.text)"])
            }
        }
    }
}
