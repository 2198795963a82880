import InternetMessage
import Probes
public import ProgramLife
import SESConfiguration
import Workers

extension CheckReport {
    /// Of a `relay.xml`.
    /// - Parameters:
    ///   - isStrict: Loose modes of files with secrets are faults.
    ///   - probes: Each next hop is called, and asked whether it takes mail for `postmaster`.
    public static func makeForRelay(
        configuration option: String?, isStrict: Bool, probes: Bool = false
    ) async -> CheckReport {
        let surroundings = Surroundings()
        let path = surroundings.relayConfigurationPath(option: option)
        do {
            let configuration = try loadRelay(path: path, environment: surroundings.environment)
            var faults: [Fault] = []
            if probes {
                let probe = NextHopProbe(configuration, file: path, hostName: surroundings.hostName)
                // Reports go to senders everywhere; the postmaster is the one recipient that is known.
                let notice = configuration.postmaster.map {
                    NextHopProbe.Notice(administrator: $0, sender: $0, isInternal: true)
                }
                let findings = await WorkerThreads(count: 1, name: "relay-probe").run { probe.findings(notice) }
                faults = findings.filter { $0.level != .fine }.map {
                    Fault(file: $0.file, line: $0.line, code: $0.code, text: $0.sentence)
                }
            }
            return CheckReport(faults: faults, warnings: configuration.warnings, isStrict: isStrict)
        } catch {
            return CheckReport(error, isStrict: isStrict)
        }
    }
}
