import CMSSignatures
import Foundation
public import ProgramLife
import SESConfiguration

extension CheckReport {
    /// Of a `ses.xml`.
    /// - Parameters:
    ///   - isStrict: Loose modes of files with secrets are faults.
    ///   - probes: The signing server is called at each address.
    public static func make(configuration option: String?, isStrict: Bool, probes: Bool) async -> CheckReport {
        let path = Surroundings().configurationPath(option: option)
        do {
            let server = try SESConfiguration.load(path: path, environment: Surroundings().environment)
            var faults: [Fault] = []
            if let problem = server.clientCertificateProblem(now: Int(Date.now.timeIntervalSince1970)) {
                faults.append(Fault(file: path, line: 0, code: "client-certificate", text: problem))
            }
            if probes {
                for text in await ServiceProbe.failures(of: server) {
                    faults.append(Fault(file: path, line: 0, code: "unreachable", text: text))
                }
            }
            return CheckReport(faults: faults, warnings: server.warnings, isStrict: isStrict)
        } catch {
            return CheckReport(error, isStrict: isStrict)
        }
    }
}
