import ArgumentParser
import FoundationEssentials
import HostProcess
import Monitoring
import ProgramCommands
import SigningServer

struct Status: DSSCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Tell how the server is doing: whether it listens, and when its certificates expire.",
        discussion: "The first word is OK, WARNING or CRITICAL, and the exit status is 0, 1 or 2.")

    @Option(help: "The configuration.") var config: String
    @OptionGroup var format: StatusFormatOptions

    private struct Facts: Encodable, Sendable {
        let address: String?
        let certificates: [DatedCertificate]
        /// Empty if the configuration cannot be read.
        let offers: [ServerOffer]
    }

    func perform() async throws(ProgramError) -> ExitStatus {
        let now = Int(Date.now.timeIntervalSince1970)
        var reasons = StatusReasons()
        var address: String?
        var certificates: [DatedCertificate] = []
        var offers: [ServerOffer] = []
        do {
            let configuration = try SigningServerConfiguration.load(
                path: config, environment: ProcessInfo.processInfo.environment)
            address = configuration.address
            certificates = configuration.certificateEnds(of: config)
            offers = configuration.offers
        } catch {
            let first = error.description.split(separator: "\n").first.map(String.init) ?? config
            reasons.add(
                .configurationUnusable, .critical, "\(first); ses-dss cannot start",
                remedy: "ses-dss check --config \(config)")
        }
        var state = "address unknown"
        if let address {
            switch LocalSocket.of(address) {
            case .answered: state = "listening on \(address)"
            case .hidden: state = "on \(address), where you may not connect"
            case nil: state = "on \(address)"
            case .refused:
                state = "nobody listens on \(address)"
                reasons.add(.serverSilent, .critical, state, remedy: "systemctl start ses-dss")
            }
        }
        for one in certificates {
            reasons.add(
                one.reason(now: now, remedy: "have it renewed, put it in its place, then: systemctl reload ses-dss"))
        }
        let lines = certificates.sorted { ($0.notAfter ?? .max) < ($1.notAfter ?? .max) }.map { one in
            StatusLine(
                "certificate", "\(one.use): \(one.subject)",
                one.notAfter.map { "valid until \(StatusWords.date($0)), \(one.daysLeft(now: now) ?? 0) days left" }
                    ?? "without an end")
        }
        let report = StatusReport(
            reasons, headline: "ses-dss \(ProgramRelease.version), \(state)", sections: [lines],
            performance: certificates.compactMap { $0.daysLeft(now: now) }.min().map {
                [PerformanceValue("days_left", $0)]
            }
                ?? [], facts: Facts(address: address, certificates: certificates, offers: offers))
        return try format.print(report, called: "SES-DSS")
    }
}
