public import ProgramLife
import SESConfiguration

extension CheckReport {
    /// Of a `relay.xml`.
    /// - Parameter isStrict: Loose modes of files with secrets are faults.
    public static func makeForRelay(configuration option: String?, isStrict: Bool) -> CheckReport {
        let path = Surroundings().relayConfigurationPath(option: option)
        do {
            let configuration = try loadRelay(path: path, environment: Surroundings().environment)
            return CheckReport(faults: [], warnings: configuration.warnings, isStrict: isStrict)
        } catch {
            return CheckReport(error, isStrict: isStrict)
        }
    }
}
