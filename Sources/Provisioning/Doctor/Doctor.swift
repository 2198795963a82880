import FoundationEssentials
import Glibc
import HostProcess
import HouseStatus
import Monitoring
import Octets
import Probes
import ProgramLife
import SESConfiguration
import SESProgram
import Workers

/// `ses doctor`: everything that the checks and the status know, over the whole house.
public struct Doctor: Sendable {
    /// The places of the house.
    public struct Options: Sendable {
        /// `--config`.
        public var configuration: String?
        public var relayConfiguration: String?
        public var dssConfiguration: String?
        public var spool: String?
        public var lmtpSockets = "/run/ses-lmtp"
        /// A directory that stands for the root of the machine when the mail server is looked at.
        public var root: String?

        public init() {}
    }

    private let options: Options
    private let surroundings = Surroundings()

    public init(_ options: Options) { self.options = options }

    private var path: String { surroundings.configurationPath(option: options.configuration) }
    private var relayPath: String { surroundings.relayConfigurationPath(option: options.relayConfiguration) }

    /// Examines the house. Run by root it goes on with the rights of the spool's owner, once it has seen what only root
    /// may see.
    public func examine() async -> DoctorReport {
        let (relayFindings, dssFindings, accountFindings) = await WorkerThreads(count: 1, name: "ses-doctor").run {
            (self.checkRelay(), self.checkServer(), AccountExamination(spool: self.spoolPath).findings)
        }
        var findings = relayFindings + dssFindings + accountFindings
        CheckingUser.assumeSES(configuration: options.configuration)
        let settings = load(&findings)
        if let settings { await findings += probes(settings) }
        findings += house(besides: findings)
        findings +=
            PairingExamination(
                sockets: options.lmtpSockets, places: HousePlaces(root: options.root)
            ).findings
        return DoctorReport(findings + Self.praise(findings))
    }

    private var spoolPath: String {
        surroundings.spoolPath(option: options.spool, configured: CheckingUser.spool(namedIn: path))
    }

    // MARK: - Configurations

    private func load(_ findings: inout [DoctorFinding]) -> SESSettings? {
        do throws(ConfigurationFaults) {
            let settings = try SESConfiguration.load(path: path, environment: surroundings.environment)
            findings += settings.warnings.map {
                DoctorFinding(.configuration, .warning, "\($0)", remedy: nil)
            }
            if let problem = settings.clientCertificateProblem(now: Int(Date.now.timeIntervalSince1970)) {
                findings.append(DoctorFinding(.certificates, .critical, problem, remedy: problem))
            }
            return settings
        } catch {
            findings += error.faults.map { DoctorFinding(.configuration, .critical, "\($0)") }
            if error.faults.contains(where: { $0.code == .file }) {
                findings.append(
                    DoctorFinding(
                        .configuration, .critical, "there is no configuration that can be used", remedy: "ses setup"))
            }
            return nil
        }
    }

    /// `ses-relay check`, run with the rights of its own user.
    private func checkRelay() -> [DoctorFinding] {
        struct Checked: Decodable {
            struct Line: Decodable {
                let file: String
                let line: Int
                let text: String
                let expected: String?
            }
            let faults: [Line]
            let warnings: [Line]
        }
        guard SmallFile.exists(relayPath) else {
            return [
                DoctorFinding(
                    .configuration, .warning, "there is no \(relayPath): nothing hands results to a mail server",
                    remedy: "ses setup, or copy the example relay.xml")
            ]
        }
        guard let ending = try? SiblingProgram("ses-relay").run(["check", "--json", "--config", relayPath]),
            let checked = try? JSONDecoder().decode(Checked.self, from: Data(ending.output.utf8))
        else {
            return [DoctorFinding(.programs, .critical, "ses-relay cannot be run", remedy: "install the programs anew")]
        }
        func words(_ line: Checked.Line) -> String {
            (line.line > 0 ? "\(line.file):\(line.line): " : "\(line.file): ") + line.text
                + (line.expected.map { "; expected \($0)" } ?? "")
        }
        return checked.faults.map { DoctorFinding(.configuration, .critical, words($0)) }
            + checked.warnings.map { DoctorFinding(.configuration, .warning, words($0)) }
    }

    /// `ses-dss check`, where the embedded server is on this machine.
    private func checkServer() -> [DoctorFinding] {
        guard let configuration = serverConfiguration else { return [] }
        let owner = (try? FileManager.default.attributesOfItem(atPath: configuration))?[.ownerAccountName] as? String
        guard let ending = try? SiblingProgram("ses-dss", as: owner).run(["check", "--config", configuration]) else {
            return [DoctorFinding(.programs, .critical, "ses-dss cannot be run", remedy: "install the programs anew")]
        }
        let warnings = ending.output.split(separator: "\n").filter { $0.hasPrefix("warning: ") }.map {
            DoctorFinding(.configuration, .warning, "\(configuration): " + $0.dropFirst("warning: ".count))
        }
        guard ending.status != 0 else { return warnings }
        let faults = ending.error.split(separator: "\n").map {
            DoctorFinding(.configuration, .critical, $0.hasPrefix("ses-dss: ") ? String($0.dropFirst(9)) : String($0))
        }
        return faults + warnings
    }

    /// The path of `dss.xml`: as said, else beside the socket that `ses.xml` names; nil if there is none here.
    private var serverConfiguration: String? {
        if let named = options.dssConfiguration { return named }
        guard case .success(let octets) = SmallFile.read(path) else { return nil }
        let text = String(decoding: octets.array, as: UTF8.self)
        guard let match = text.firstMatch(of: /http:\/\/unix:([^:<]+):/) else { return nil }
        let beside = SmallFile.directory(of: String(match.1)) + "/dss.xml"
        return SmallFile.exists(beside) ? beside : nil
    }

    // MARK: - Servers

    private func probes(_ settings: SESSettings) async -> [DoctorFinding] {
        let offer = ServerOffering.made(
            at: (settings.signing?.all ?? []) + (settings.verification?.all ?? []), to: settings.originatorID,
            configuration: options.dssConfiguration)
        var found = await SigningServerProbe(settings, file: path, offer: offer).findings()
        var check = CheckOptions(configuration: options.configuration)
        check.relayConfiguration = options.relayConfiguration
        found += await CheckReport.nextHopFindings(settings, check).filter { $0.code != "relay" }
        return found.map { one in
            let area: DoctorArea =
                switch one.subject {
                case .signing, .verifying: .signing
                case .nextHop: .nextHop
                case .administrator: .administrator
                }
            let level: StatusLevel =
                switch one.level {
                case .fine: .ok
                case .warning: .warning
                case .fault: .critical
                }
            let place = one.line > 0 ? "\(one.file):\(one.line): " : ""
            let purpose = one.subject == .verifying ? "verifying: " : ""
            return DoctorFinding(area, level, purpose + place + one.text, remedy: one.remedy)
        }
    }

    // MARK: - The status

    /// The reasons of the status, without those that a check told already.
    private func house(besides told: [DoctorFinding]) -> [DoctorFinding] {
        var house = HouseOptions()
        house.configuration = options.configuration
        house.spool = options.spool
        house.relayConfiguration = options.relayConfiguration
        house.dssConfiguration = options.dssConfiguration
        house.lmtpSockets = options.lmtpSockets
        let report = HouseReport.make(.whole, house)
        func hasTold(_ area: DoctorArea) -> Bool { told.contains { $0.area == area && $0.level == .critical } }
        var findings = report.reasons.compactMap { reason -> DoctorFinding? in
            let area = Self.area(of: reason.code)
            if reason.code == .configurationUnusable, hasTold(.configuration) { return nil }
            if reason.code == .serverSilent, hasTold(.signing) { return nil }
            if reason.code == .nextHopSilent, hasTold(.nextHop) { return nil }
            return DoctorFinding(
                area, reason.level, reason.text, remedy: reason.remedy.map { "\(reason.text) -> \($0)" })
        }
        let running = Set(report.facts.processes.filter(\.watches).map(\.program))
        for program in ["ses", "ses-relay"] where !running.contains(program) {
            guard !findings.contains(where: { $0.area == .programs && $0.text.contains("no \(program) is running") })
            else { continue }
            findings.append(
                DoctorFinding(
                    .programs, .warning, "no \(program) is running", remedy: "systemctl start \(program)"))
        }
        if running.count == 2 {
            findings.append(DoctorFinding(.programs, .ok, running.sorted().joined(separator: " and ") + " are running"))
        }
        if let soonest = report.facts.certificates.compactMap(\.daysLeft).min() {
            findings.append(DoctorFinding(.certificates, .ok, "the first to end has \(soonest) days left"))
        }
        return findings
    }

    private static func area(of code: StatusCode) -> DoctorArea {
        switch code {
        case .spoolMissing, .folderMissing, .folderUnwritable, .notVisible, .writeFailed, .diskSpace, .diskInodes:
            .folders
        case .clockOff: .time
        case .notRunning, .noSignOfLife, .otherVersion, .machineFault, .journalUnwritable, .metricsUnwritable: .programs
        case .mailWaits, .unfinishedWork, .notTaken, .unreadableFile, .foreignName, .foreignFile, .repairedState,
            .failedMail, .corruptFiles:
            .mail
        case .serverSilent, .serverRefuses: .signing
        case .nextHopSilent: .nextHop
        case .lmtpSilent: .pairing
        case .configurationUnusable, .configurationDiffers: .configuration
        case .certificateExpires, .certificateExpired, .certificateUnreadable: .certificates
        }
    }

    /// A word for each part with nothing wrong and nothing said of it.
    private static func praise(_ findings: [DoctorFinding]) -> [DoctorFinding] {
        let words: [(DoctorArea, String)] = [
            (.configuration, "no faults and no warnings"), (.folders, "the spool is there and can be worked in"),
            (.time, "no clock of a server differs from that of this machine"), (.mail, "nothing stands still"),
        ]
        return words.compactMap { area, text in
            findings.contains { $0.area == area } ? nil : DoctorFinding(area, .ok, text)
        }
    }
}
