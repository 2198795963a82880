import CMSSignatures
import FoundationEssentials
import Glibc
import HostProcess
import HouseStatus
import Monitoring
package import Probes
public import ProgramLife
package import SESConfiguration
import Spool
import Workflows
import Workers

/// The scope of a check of `ses.xml`.
public struct CheckOptions: Sendable {
    /// `--config`.
    public var configuration: String?
    /// Warnings about secrets that others can read, and about equal filters, are faults.
    public var isStrict = false
    /// The signing servers and the next hop are called.
    public var probes = false
    /// The path of `relay.xml`, for the next hop; nil for the usual one.
    public var relayConfiguration: String?
    /// The path of `dss.xml`; nil to look beside the socket that `ses.xml` names.
    public var dssConfiguration: String?

    public init(configuration: String?) { self.configuration = configuration }
}

extension CheckReport {
    /// Of a `ses.xml`.
    public static func make(_ options: CheckOptions) async -> CheckReport {
        let surroundings = Surroundings()
        let path = surroundings.configurationPath(option: options.configuration)
        let now = Int(Date.now.timeIntervalSince1970)
        do {
            let settings = try SESConfiguration.load(path: path, environment: surroundings.environment)
            var faults: [Fault] = []
            var warnings = settings.warnings
            if let problem = settings.clientCertificateProblem(now: now) {
                faults.append(Fault(file: path, line: 0, code: "client-certificate", text: problem))
            } else if let warning = settings.clientCertificateWarning(now: now, file: path) {
                warnings.append(warning)
            }
            let spool = surroundings.spoolPath(option: nil, configured: settings.processing.spool)
            if let trouble = spoolTrouble(at: spool, now: now) {
                // Whoever writes a file elsewhere than where it will be used has no spool yet.
                if options.probes {
                    faults.append(Fault(file: path, line: 0, code: "spool", text: trouble))
                } else {
                    warnings.append(ConfigurationWarning(file: path, code: .spool, text: trouble))
                }
            }
            if options.probes { faults += await probed(settings, path, options) }
            return CheckReport(faults: faults, warnings: warnings, isStrict: options.isStrict)
        } catch {
            return CheckReport(error, isStrict: options.isStrict)
        }
    }

    private static func probed(
        _ settings: SESSettings, _ path: String, _ options: CheckOptions
    ) async -> [Fault] {
        let offer = ServerOffering.made(
            at: (settings.signing?.all ?? []) + (settings.verification?.all ?? []), to: settings.originatorID,
            configuration: options.dssConfiguration)
        var findings = await SigningServerProbe(settings, file: path, offer: offer).findings()
        findings += await nextHopFindings(settings, options)
        return findings.filter { $0.level != .fine }.map(Fault.init)
    }

    /// Tries the next hops of `relay.xml`, if there is one.
    package static func nextHopFindings(_ settings: SESSettings, _ options: CheckOptions) async -> [ProbeFinding] {
        let surroundings = Surroundings()
        let path = surroundings.relayConfigurationPath(option: options.relayConfiguration)
        guard options.relayConfiguration != nil || FileManager.default.fileExists(atPath: path) else { return [] }
        let relay: RelayConfiguration
        do throws(ConfigurationFaults) {
            relay = try loadRelay(path: path, environment: surroundings.environment)
        } catch {
            return error.faults.prefix(1).map {
                ProbeFinding(
                    .fault, .nextHop, "relay", path, line: $0.line,
                    $0.text + ($0.expected.map { "; expected \($0)" } ?? "") + " (ses-relay check tells all faults)")
            }
        }
        let probe = NextHopProbe(relay, file: path, hostName: surroundings.hostName)
        let notice = settings.policy.notice
        return await WorkerThreads(count: 1, name: "ses-probe").run { probe.findings(notice) }
    }

    /// Returns the reason why this user could not work in the spool; nil if it can, or if it is another user's.
    private static func spoolTrouble(at path: String, now: Int) -> String? {
        let survey: SpoolSurvey
        do throws(SpoolError) {
            survey = try SpoolSurvey(of: path, now: now, patience: 300)
        } catch {
            return "there is no spool at \(path): \(error.description); make it with: sudo ses init \(path)"
        }
        guard survey.owner == geteuid() else { return nil }
        guard
            let fault = survey.faults.first(where: { fault in
                fault.kind != .notVisible && !fault.path.hasPrefix("relay") && !fault.path.hasPrefix("failed")
            })
        else {
            return survey.writeError.map { "nothing can be written in the spool: \($0.description)" }
        }
        return
            "the spool at \(path) cannot be worked in: \(fault.path): \(fault.text); repair it with: sudo ses init \(path)"
    }
}

extension CheckReport.Fault {
    fileprivate init(_ finding: ProbeFinding) {
        self.init(file: finding.file, line: finding.line, code: finding.code, text: finding.sentence)
    }
}

extension Policy {
    /// The notice to the administrator that a probe of the next hop tries; nil without an administrator.
    fileprivate var notice: NextHopProbe.Notice? {
        administrator.map {
            NextHopProbe.Notice(administrator: $0, sender: noticeFrom, isInternal: isInternal($0))
        }
    }
}

extension SESSettings {
    /// The warning that the client certificate ends soon; nil if it does not.
    /// - Parameter now: Unix seconds.
    fileprivate func clientCertificateWarning(now: Int, file: String) -> ConfigurationWarning? {
        guard let pfx = clientPFX, let certificate = try? clientCertificate() else { return nil }
        let dated = DatedCertificate(
            use: "client certificate", subject: certificate.subject, file: pfx.path, notAfter: certificate.notAfter)
        return dated.reason(now: now, remedy: "").map {
            ConfigurationWarning(
                file: file, code: .certificateExpires,
                text: $0.text + ": have it renewed at the signing server, or no call is answered after that")
        }
    }
}
