import Logging
import Monitoring
import ServiceLifecycle

/// Logs what expires soon: at the start, and each day.
struct ExpiryService: Service {
    let inForce: ServiceInForce
    let logger: Logger

    private static let day = Duration.seconds(86_400)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            repeat {
                tell(now: RFC3339Time.now)
            } while (try? await Task.sleep(for: Self.day)) != nil
        }
    }

    private func tell(now: Int) {
        for reason in inForce.service.configuration.expiryReasons(now: now) {
            let words = reason.text + (reason.remedy.map { "; " + $0 } ?? "")
            switch reason.level {
            case .ok, .warning: logger.warning("\(words)")
            case .critical: logger.error("\(words)")
            }
        }
    }
}
