import DSSXML
import HostProcess
import Monitoring
import Synchronization

/// The requests that a server has answered, for its metrics.
final class RequestBook: Sendable {
    /// Unix seconds.
    let started: Int
    private let totals = Mutex(ServerReport.Requests())
    /// The requests since the start.
    var counts: ServerReport.Requests { totals.withLock { $0 } }
    private let requests = CounterBook(
        "ses_dss_requests_total", "Requests answered.", labels: ["operation", "profile", "result"])
    private let durations = DurationBook(
        "ses_dss_request_duration_seconds", "Time from the request's head to the answer.", labels: ["operation"])

    init(now: Int = RFC3339Time.now) { started = now }

    func answered(
        _ operation: DSSServerRequest.Operation, _ record: SigningService.Record,
        _ configuration: SigningServerConfiguration, in duration: Duration
    ) {
        let word = operation == .sign ? "sign" : "verify"
        // A client may name anything; only what exists is a label.
        let isKnown =
            configuration.signingProfiles[record.profile] != nil
            || configuration.verificationProfiles[record.profile] != nil
        let result = record.outcome.prefix { $0.isLetter }
        requests.add([word, isKnown ? record.profile : "", String(result)])
        durations.observe(duration, [word])
        totals.withLock { totals in
            if ["RequesterError", "ResponderError"].contains(result) {
                totals.refused += 1
            } else if operation == .sign {
                totals.signed += 1
            } else {
                totals.verified += 1
            }
        }
    }

    func refused() {
        requests.add(["", "", "refused"])
        totals.withLock { $0.refused += 1 }
    }

    func families(_ certificates: [DatedCertificate]) -> [MetricFamily] {
        var info = MetricFamily("ses_dss_build_info", .gauge, "The version of the program.")
        info.add(1, [(name: "version", value: ProgramRelease.version)])
        return [
            info,
            MetricFamily("ses_dss_start_time_seconds", .gauge, "Unix time of the program's start.", value: started),
            .expiry("ses_dss_certificate_expiry_timestamp_seconds", certificates), requests.family,
            durations.family,
        ]
    }
}
