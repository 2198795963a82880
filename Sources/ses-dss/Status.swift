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
        discussion: """
            The first word is OK, WARNING or CRITICAL, and the exit status is 0, 1 or 2. A server on a Unix socket or \
            the loopback is asked itself; if it does not answer, its files are read.
            """)

    @OptionGroup var site: SiteOption
    @OptionGroup var format: StatusFormatOptions

    private struct Facts: Encodable, Sendable {
        let address: String?
        /// `server` if the running server was asked, `files` if it does not answer and its files were read.
        let source: String
        let certificates: [DatedCertificate]
        /// Empty if the configuration cannot be read.
        let offers: [ServerOffer]
        /// Of the running server: process id, Unix seconds, requests.
        let process: Int32?
        let since: Int?
        let configurationRead: Int?
        let requests: ServerReport.Requests?
    }

    func perform() async throws(ProgramError) -> ExitStatus {
        let now = SiteOption.now
        let config = try site.site().path
        var reasons = StatusReasons()
        var address: String?
        do throws(SiteError) { address = try DSSSite.address(of: config) } catch {
            unusable("\(error)", config, &reasons)
        }
        var report: ServerReport?
        if let address { report = await ServerReport.asked(at: address) }
        var state = "address unknown"
        var certificates = report?.certificates ?? []
        var offers = report?.offers ?? []
        if let report, let address {
            state = "listening on \(address), since \(StatusWords.date(report.since)), process \(report.process)"
            for reason in report.reasons { reasons.add(reason) }
            if DSSSite.isChanged(config, since: report.configurationRead) {
                reasons.add(
                    .configurationDiffers, .warning, "\(config) was changed after the server read it",
                    remedy: "systemctl reload ses-dss")
            }
        } else {
            // The server does not tell: what its files say is shown instead.
            do {
                let configuration = try SigningServerConfiguration.load(
                    path: config, environment: ProcessInfo.processInfo.environment)
                address = configuration.address
                certificates = configuration.certificateEnds(of: config)
                offers = configuration.offers
                for reason in configuration.expiryReasons(now: now) { reasons.add(reason) }
            } catch {
                if address != nil { unusable(error.description, config, &reasons) }
            }
            if let address { state = listening(on: address, &reasons) + "; from its files" }
        }
        let output = StatusReport(
            reasons, headline: "ses-dss \(report?.version ?? ProgramRelease.version), \(state)",
            sections: [Self.lines(report), Self.lines(certificates, now)],
            performance: certificates.compactMap { $0.daysLeft(now: now) }.min().map {
                [PerformanceValue("days_left", $0)]
            } ?? [],
            facts: Facts(
                address: address, source: report == nil ? "files" : "server", certificates: certificates,
                offers: offers,
                process: report?.process, since: report?.since, configurationRead: report?.configurationRead,
                requests: report?.requests))
        return try format.print(output, called: "SES-DSS")
    }

    private func unusable(_ words: String, _ config: String, _ reasons: inout StatusReasons) {
        let first = words.split(separator: "\n").first.map(String.init) ?? config
        reasons.add(
            .configurationUnusable, .critical, "\(first); ses-dss cannot start",
            remedy: "ses-dss check --config \(config)")
    }

    /// The words for a server that does not tell its state.
    private func listening(on address: String, _ reasons: inout StatusReasons) -> String {
        switch LocalSocket.of(address) {
        case .answered: return "listening on \(address)"
        case .hidden: return "on \(address), where you may not connect"
        case nil: return "on \(address)"
        case .refused:
            let state = "nobody listens on \(address)"
            reasons.add(.serverSilent, .critical, state, remedy: "systemctl start ses-dss")
            return state
        }
    }

    private static func lines(_ report: ServerReport?) -> [StatusLine] {
        guard let counts = report?.requests else { return [] }
        return [
            StatusLine(
                "requests", "\(counts.signed) signed, \(counts.verified) verified, \(counts.refused) refused", "")
        ]
    }

    private static func lines(_ certificates: [DatedCertificate], _ now: Int) -> [StatusLine] {
        certificates.sorted { ($0.notAfter ?? .max) < ($1.notAfter ?? .max) }.map { one in
            StatusLine(
                "certificate", "\(one.use): \(one.subject)",
                one.notAfter.map { "valid until \(StatusWords.date($0)), \(one.daysLeft(now: now) ?? 0) days left" }
                    ?? "without an end")
        }
    }
}
