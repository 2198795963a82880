import Delivery
import Glibc
import HouseStatus
import HostProcess
import Logging
import Monitoring
import ProgramLife
import SESConfiguration
import Spool

extension RelayEngine {
    private static let maximumServers = 100

    /// The gateways of the routes and their states, and the domains whose servers are not answering.
    var servers: [ServerState] {
        let silent = lanes.notAnswering()
        let routes = settings.current.configuration.routes
        var servers: [ServerState] = []
        for (index, route) in routes.enumerated() {
            guard case .gateway(let gateway) = route.target else { continue }
            let destination = Destination(route: index, routeName: route.name, domain: nil)
            let health = silent.first { $0.destination == destination }?.health
            var server = state(.nextHop, "\(gateway.host):\(gateway.port)", health)
            server.isUsed = health != nil || lanes.hasServed(destination)
            servers.append(server)
        }
        for (destination, health) in silent {
            if let domain = destination.domain {
                servers.append(state(.domain, domain, health))
            } else if !routes.indices.contains(destination.route) || !routes[destination.route].isGateway {
                servers.append(state(.nextHop, destination.routeName, health))
            }
        }
        return Array(servers.prefix(Self.maximumServers))
    }

    private func state(_ purpose: ServerState.Purpose, _ address: String, _ health: RouteHealth?) -> ServerState {
        var state = ServerState(
            purpose, String(address.prefix(150)), isAnswering: health == nil,
            since: health?.since.map(unixTime) ?? started)
        guard let health else { return state }
        state.reason = health.reason.map { String($0.prefix(300)) }
        state.nextTry = unixTime(health.pausedUntil)
        return state
    }

    /// Returns the Unix time of a second of the monotonic clock.
    private func unixTime(_ second: Int) -> Int {
        clock.now() - (Int(clock.monotonic().components.seconds) - second)
    }

    /// The metrics of this process, ready to be shown.
    /// - Throws: ``ProgramError`` if the address cannot be listened on.
    func metrics(_ outlets: MetricsOutlets) throws(ProgramError) -> MetricsService {
        let common = ProgramMetrics(
            "ses_relay", of: spool,
            places: ["delivered", "admin", "deferred", "failed", "relay/work", "relay/publish"], board: board)
        let service = try MetricsService(
            file: { [settings] in outlets.file ?? settings.current.configuration.metricsPath },
            address: outlets.address,
            written: { [board] trouble in
                if let trouble { board.raise("metrics", .metricsUnwritable, trouble) } else { board.lift("metrics") }
            },
            families: { [self] in
                var search = CertificateSearch()
                search.add(settings.current.configuration)
                return common.families(servers: servers, certificates: search.found) + counters.families
            })
        if let address = service.address { log.notice("metrics", metadata: ["address": "http://\(address)/metrics"]) }
        return service
    }
}

extension RelayRoute {
    fileprivate var isGateway: Bool {
        if case .gateway = target { true } else { false }
    }
}

extension RelayConfiguration {
    /// The files beside `relay.xml` that it names and that are read when it is loaded.
    var namedFiles: [String] {
        routes.compactMap { route in
            switch route.target {
            case .gateway(let gateway): gateway.security.authorities
            case .mailExchangers(let security): security.authorities
            case .sendmail: nil
            }
        }
    }
}

/// Looks whether gateways that are not answering are back: the time to the next delivery that tries may be long, and
/// nobody else would notice.
struct NextHopWatch: Sendable {
    let engine: RelayEngine
    let log: Logger
    let bell = WakeBell()

    private static let interval = Duration.seconds(2)

    /// Runs until the bell is silenced.
    func run() async {
        // Whether the gateway took a connection when it was last looked at.
        var wasReached: [Destination: Bool] = [:]
        var known: Set<Destination> = []
        while await bell.wait(atMost: Self.interval) {
            let silent = engine.lanes.notAnswering().map(\.destination)
            for destination in silent where destination.domain == nil {
                let isReached = engine.settings.current.transport.takesConnection(destination)
                // A gateway that takes connections and refuses later, at AUTH for instance, is asked once.
                if isReached, wasReached[destination] != true,
                    engine.settings.current.transport.opensSession(destination)
                {
                    engine.lanes.foundAnswering(destination)
                }
                wasReached[destination] = isReached
            }
            let now = Set(engine.lanes.notAnswering().map(\.destination))
            for (destination, health) in engine.lanes.notAnswering() where !known.contains(destination) {
                log.warning(
                    "next hop not answering",
                    metadata: ["route": "\(destination)", "reason": "\(health.reason ?? "no answer")"])
            }
            for destination in known.subtracting(now) {
                log.notice("next hop answers again", metadata: ["route": "\(destination)"])
                wasReached[destination] = nil
            }
            known = now
        }
    }
}
