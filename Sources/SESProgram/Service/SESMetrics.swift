import HostProcess
import HouseStatus
import Logging
import Monitoring
import ProgramLife
import Spool

extension SESService {
    /// The metrics of this process, ready to be shown.
    /// - Throws: ``ProgramError`` if the address cannot be listened on.
    func metrics(_ outlets: MetricsOutlets) throws(ProgramError) -> MetricsService {
        let common = ProgramMetrics(
            "ses", of: engine.spool,
            places: ["outgoing", "incoming", "work", "publish", "retry", "blocked", "corrupt"],
            board: board)
        let service = try MetricsService(
            file: { outlets.file }, address: outlets.address,
            written: { [board] trouble in
                if let trouble { board.raise("metrics", .metricsUnwritable, trouble) } else { board.lift("metrics") }
            },
            families: { [engine] in
                let configuration = engine.configuration.current
                var search = CertificateSearch()
                search.add(configuration.server)
                return common.families(servers: configuration.client.states, certificates: search.found)
                    + engine.meter.families
            })
        if let address = service.address {
            engine.log.notice("metrics", metadata: ["address": "http://\(address)/metrics"])
        }
        return service
    }
}
