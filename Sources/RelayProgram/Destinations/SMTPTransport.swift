import CurlTransfer
import InternetMessage
import MailExchange
import Octets
import Delivery
import Probes
import SESConfiguration
import SMTPClient
import Synchronization

/// Delivery by SMTP: to one gateway, or to the mail exchangers of each domain. Connections are kept for the next
/// message.
final class SMTPTransport: Transport {
    private let routes: [RelayRoute]
    private let heloName: String
    private let lookup: MailExchangeLookup
    private let exchangerPort: Int
    private let interruption = Interruption()
    private let pool = SessionPool()

    /// - Parameter exchangerPort: The port of mail exchangers; other than 25 only for tests.
    init(_ configuration: RelayConfiguration, hostName: String, exchangerPort: Int = 25) {
        routes = configuration.routes
        heloName = hostName
        var lookup = MailExchangeLookup()
        lookup.servers = configuration.dnsServers.compactMap { NameServer($0) }
        lookup.ownNames = Set(configuration.serverNames + [hostName])
        self.lookup = lookup
        self.exchangerPort = exchangerPort
    }

    func deliver<Fault: Error>(
        _ consignment: Consignment, to destination: Destination, offering: ([AddrSpec]) throws(Fault) -> Void,
        report: ([RecipientReport]) throws(Fault) -> Void
    ) throws(Fault) -> TransportEnd {
        let route = routes[destination.route]
        let message: SMTPMessage
        do throws(SMTPFailure) {
            message = try SMTPMessage(
                consignment.content, strayReturns: consignment.isProtected ? .refused : .madeLineEnds)
        } catch {
            try report(consignment.recipients.map { RecipientReport($0, .init(error, server: nil)) })
            return .untried
        }
        switch route.target {
        case .gateway(let gateway):
            return try deliver(
                consignment, message, to: destination, by: [route.connection(to: gateway, heloName: heloName)],
                route.timeouts,
                offering: offering, report)
        case .mailExchangers(let security):
            let targets: [SMTPTarget]
            do throws(MailExchangeError) {
                targets = SMTPTarget.targets(
                    of: try lookup.exchangers(of: destination.domain ?? "") { interruption.isRaised })
            } catch {
                if interruption.isRaised { return .interrupted }
                if case .machine(let errno) = error.kind { return .machineFault(errno: errno, error.detail) }
                try report(consignment.recipients.map { RecipientReport($0, .init(SMTPFailure(error), server: nil)) })
                return .untried
            }
            let general = route.connection(
                to: RelayRoute.Gateway(host: "", port: exchangerPort, security: security, credentials: nil),
                heloName: heloName)
            return try deliver(
                consignment, message, to: destination, by: targets.map { general.directed(to: $0) }, route.timeouts,
                offering: offering, report)
        case .sendmail: return .routeFailed("the route \(route.name) has no server")
        }
    }

    /// Ends connections that were idle for long; `all` also those that were not.
    func tidy(all: Bool = false) { pool.tidy(olderThan: all ? .zero : .seconds(20)) }

    /// Ends all waiting on servers, now and later: the program is to stop at once.
    func interrupt() { interruption.raise() }

    // MARK: - One message

    private func deliver<Fault: Error>(
        _ consignment: Consignment, _ message: SMTPMessage, to destination: Destination,
        by ways: [MailConnectionSettings], _ timeouts: SMTPTimeouts, offering: ([AddrSpec]) throws(Fault) -> Void,
        _ report: ([RecipientReport]) throws(Fault) -> Void
    ) throws(Fault) -> TransportEnd {
        let envelope = SMTPEnvelope(
            sender: consignment.sender,
            recipients: consignment.recipients.map {
                SMTPRecipient(
                    $0, notify: consignment.notification.notify, original: consignment.notification.originals[$0])
            }, returned: consignment.notification.returned, identifier: consignment.notification.identifier)
        var failure: SMTPFailure?
        // A connection that waited may be dead; each turns out so at most once.
        while true {
            let session: SMTPSession
            if let held = pool.removeIdle(destination) {
                session = held
            } else {
                switch connect(ways, timeouts) {
                case .success(let made): session = made
                case .failure(let error):
                    if interruption.isRaised { return .interrupted }
                    return error.machineFault.map { .machineFault(errno: $0, error.summary) }
                        ?? .routeFailed(error.summary)
                }
            }
            let server = session.peerAddress
            let acceptance = consignment.acceptance(notifies: session.capabilities.takesDSN)
            failure = nil
            let end = try session.deliver(
                envelope, message, partial: consignment.isAllOrNothing ? .refused : .allowed
            ) { (accepted) throws(Fault) in
                try offering(accepted.map { consignment.recipients[$0] })
            } report: { (results) throws(Fault) in
                try report(
                    results.map { result in
                        let recipient = consignment.recipients[result.recipient]
                        switch result.outcome {
                        case .accepted(let reply):
                            return RecipientReport(
                                recipient,
                                DeliveryReport(
                                    acceptance, status: reply.status?.description ?? "2.0.0", server: server,
                                    "\(reply)",
                                    isReply: true))
                        case .failed(let error):
                            if error.scope == .route { failure = error }
                            return RecipientReport(recipient, DeliveryReport(error, server: server))
                        case .unknown(let error):
                            failure = error
                            return RecipientReport(
                                recipient,
                                DeliveryReport(
                                    .unknown, status: "\(error.status)", server: server, error.summary))
                        }
                    })
            }
            switch end {
            case .open:
                pool.put(session, destination)
                return failure.map { .routeFailed($0.summary) } ?? .complete
            case .closed(let error):
                if interruption.isRaised { return .interrupted }
                return .routeFailed(failure?.summary ?? error.summary)
            case .stale: continue
            }
        }
    }

    /// The time within which the servers of a domain are tried, all together: a domain may name very many.
    private static let connecting = Duration.seconds(300)

    /// Tries each way until one stands.
    private func connect(
        _ ways: [MailConnectionSettings], _ timeouts: SMTPTimeouts
    ) -> Result<SMTPSession, SMTPFailure> {
        var last = SMTPFailure(.transient, .route, .connect, status: (4, 1), "there is no server to connect to")
        let end = ContinuousClock.now + Self.connecting
        for var way in ways where !interruption.isRaised {
            let left = end - .now
            guard left > .seconds(1) else { break }
            way.connectTimeout = min(way.connectTimeout, left)
            way.openingTimeout = min(way.openingTimeout, left)
            do throws(SMTPFailure) {
                return .success(try SMTPSession(way, timeouts: timeouts, interruption: interruption))
            } catch {
                last = error
                // The next address would fare no better.
                if error.machineFault != nil { break }
            }
        }
        return .failure(last)
    }

    // MARK: - Whether a gateway is back

    /// The time that a gateway has for a connection that is only tried.
    private static let glance = Duration.seconds(1)

    /// Returns true if the gateway of `destination` takes a connection; nothing is said over it.
    func takesConnection(_ destination: Destination) -> Bool {
        guard let (gateway, _) = gateway(of: destination) else { return false }
        return ConnectionGlance.succeeds(host: gateway.host, port: gateway.port, within: Self.glance)
    }

    /// Opens a session with the gateway of `destination`, and keeps it for the next message.
    /// - Returns: False if the gateway does not answer as it should.
    func opensSession(_ destination: Destination) -> Bool {
        guard let (gateway, route) = gateway(of: destination) else { return false }
        var settings = route.connection(to: gateway, heloName: heloName)
        settings.connectTimeout = min(settings.connectTimeout, .seconds(5))
        settings.openingTimeout = min(settings.openingTimeout, .seconds(10))
        guard case .success(let session) = connect([settings], route.timeouts) else { return false }
        pool.put(session, destination)
        return true
    }

    private func gateway(of destination: Destination) -> (RelayRoute.Gateway, RelayRoute)? {
        guard routes.indices.contains(destination.route), case .gateway(let gateway) = routes[destination.route].target
        else { return nil }
        return (gateway, routes[destination.route])
    }
}

extension DeliveryReport {
    /// A route's fault is never the recipient's: it is tried again, however final the server's word was.
    init(_ failure: SMTPFailure, server: String?) {
        let isFinal = failure.permanence == .permanent && failure.scope != .route
        self.init(
            isFinal ? .failed : .deferred, status: "\(failure.status)", server: server,
            failure.reply.map { "\($0)" } ?? failure.summary, isReply: failure.reply != nil)
    }
}

/// Connections that wait for their next message.
private final class SessionPool: Sendable {
    /// Unchecked: a session is in the pool, or with the one thread that took it, never both.
    private struct Held: @unchecked Sendable {
        let session: SMTPSession
        let destination: Destination
        let since: ContinuousClock.Instant
    }

    private let idle = Mutex<[Held]>([])

    func removeIdle(_ destination: Destination) -> SMTPSession? {
        while true {
            let held = idle.withLock { idle -> Held? in
                guard let index = idle.lastIndex(where: { $0.destination == destination }) else { return nil }
                return idle.remove(at: index)
            }
            guard let held else { return nil }
            if !held.session.hasEnded { return held.session }
        }
    }

    func put(_ session: SMTPSession, _ destination: Destination) {
        guard session.isOpen else { return }
        let held = Held(session: session, destination: destination, since: .now)
        idle.withLock { $0.append(held) }
    }

    /// The time that all servers together may take to say goodbye.
    private static let farewell = Duration.seconds(2)

    func tidy(olderThan age: Duration) {
        let limit = ContinuousClock.now - age
        let old = idle.withLock { idle in
            let old = idle.filter { $0.since <= limit }
            idle.removeAll { $0.since <= limit }
            return old
        }
        let end = ContinuousClock.now + Self.farewell
        for held in old where ContinuousClock.now < end { held.session.quit(within: end - .now) }
    }
}
