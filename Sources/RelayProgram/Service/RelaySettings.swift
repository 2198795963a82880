import DomainNames
import InternetMessage
import Delivery
import SESConfiguration
import Spool

/// A configuration in force, with what is made of it once.
final class RelaySettings: Sendable {
    let configuration: RelayConfiguration
    let transport: RouteTransport
    let hostName: String
    let postmaster: AddrSpec
    let patience: Patience
    /// Seconds; what is due later than that from now was put there by a clock that has jumped since.
    let maximumWait: Int

    /// - Parameters:
    ///   - transport: Another than that of the configuration, for tests.
    init(
        _ configuration: RelayConfiguration, hostName systemName: String, transport: RouteTransport? = nil,
        delayNotice: Int = Patience.standardDelayNotice
    ) {
        self.configuration = configuration
        hostName = configuration.serverNames.first ?? systemName
        self.transport = transport ?? RouteTransport(configuration, hostName: hostName)
        // A host's name is always a domain, so there is always an address.
        postmaster =
            configuration.postmaster ?? AddrSpec(localPart: "postmaster", domain: hostName) ?? Self.lastResort
        let schedule = configuration.schedule
        // Delays are stretched by a tenth, a route that is not answering and a busy one have pauses of their own.
        maximumWait = max(schedule.maximumDelay + schedule.maximumDelay / 10, RouteHealth.maximumPause) + 60
        patience = Patience(
            attempts: schedule.maxRetries + 1, span: schedule.total,
            // Delays are stretched by their jitter, so the time must be, too.
            lifetime: schedule.total + schedule.total / 5 + 60, delayNotice: delayNotice,
            delay: { schedule.delay(afterAttempt: $0) })
    }

    private static let lastResort: AddrSpec = {
        guard let address = AddrSpec(localPart: "postmaster", domain: "localhost") else {
            preconditionFailure("postmaster@localhost is an address")
        }
        return address
    }()

    /// Returns the destination of a recipient's share.
    func destination(of given: RouteCriteria.Given) -> Destination {
        let routes = configuration.routes
        let index = routes.firstIndex { $0.criteria.matches(given) } ?? routes.count - 1
        let route = routes[index]
        var domain: String?
        if case .mailExchangers = route.target { domain = given.recipient.canonicalDomain.name }
        return Destination(route: index, routeName: route.name, domain: domain)
    }
}

/// Each route by its own kind of transport.
struct RouteTransport: Transport {
    private let routes: [RelayRoute]
    private let smtp: SMTPTransport
    private let sendmail: SendmailTransport
    private let replacement: (any Transport)?

    /// - Parameter replacement: Takes everything, in tests.
    init(_ configuration: RelayConfiguration, hostName: String, replacement: (any Transport)? = nil) {
        routes = configuration.routes
        smtp = SMTPTransport(configuration, hostName: hostName)
        sendmail = SendmailTransport(configuration)
        self.replacement = replacement
    }

    func deliver<Fault: Error>(
        _ consignment: Consignment, to destination: Destination, offering: ([AddrSpec]) throws(Fault) -> Void,
        report: ([RecipientReport]) throws(Fault) -> Void
    ) throws(Fault) -> TransportEnd {
        if let replacement {
            return try replacement.deliver(consignment, to: destination, offering: offering, report: report)
        }
        switch routes[destination.route].target {
        case .sendmail:
            return try sendmail.deliver(consignment, to: destination, offering: offering, report: report)
        case .gateway, .mailExchangers:
            return try smtp.deliver(consignment, to: destination, offering: offering, report: report)
        }
    }

    /// Returns true if the gateway of `destination` takes a connection.
    func takesConnection(_ destination: Destination) -> Bool { smtp.takesConnection(destination) }
    /// Returns true if a session with the gateway of `destination` can be opened, up to and including AUTH.
    func opensSession(_ destination: Destination) -> Bool { smtp.opensSession(destination) }

    func tidy(all: Bool = false) { smtp.tidy(all: all) }
    func interrupt() {
        smtp.interrupt()
        sendmail.interrupt()
    }
}
