public import InternetMessage
public import Octets

/// A message's share for the recipients that go the same way.
public struct Consignment: Sendable {
    /// An unknown sender becomes the null sender, because a failure cannot be reported to anybody.
    public let sender: ReversePath
    public let recipients: [AddrSpec]
    /// Header, empty line and body; line ends are the transport's concern.
    public let content: any OctetSource
    /// True if nothing of the content may be changed, because it is signed.
    public let isProtected: Bool
    /// Nobody gets it unless all do.
    public let isAllOrNothing: Bool
    /// The notifications that the sender asked for.
    public let notification: NotificationRequest

    public init(
        sender: ReversePath, recipients: [AddrSpec], content: any OctetSource, isProtected: Bool, isAllOrNothing: Bool,
        notification: NotificationRequest = NotificationRequest()
    ) {
        self.sender = sender
        self.recipients = recipients
        self.content = content
        self.isProtected = isProtected
        self.isAllOrNothing = isAllOrNothing
        self.notification = notification
    }
}

/// One way that messages go: a gateway, the mail servers of one domain, or a program. Health and connections are
/// counted for each.
public struct Destination: Sendable, Hashable, CustomStringConvertible {
    /// The index of the route, from 0.
    public let route: Int
    public let routeName: String
    /// The recipients' domain, lower case, where each domain has servers of its own.
    public let domain: String?

    public init(route: Int, routeName: String, domain: String?) {
        self.route = route
        self.routeName = routeName
        self.domain = domain
    }

    public var description: String { domain.map { "\(routeName) (\($0))" } ?? routeName }
}

public struct RecipientReport: Sendable, Hashable {
    public let recipient: AddrSpec
    public let report: DeliveryReport

    public init(_ recipient: AddrSpec, _ report: DeliveryReport) {
        self.recipient = recipient
        self.report = report
    }
}

extension Consignment {
    /// Returns the outcome for an accepted recipient, which depends on whether the server or program sends
    /// notifications.
    public func acceptance(notifies: Bool) -> DeliveryReport.Outcome {
        notification.wants(.success) && !notifies ? .relayed : .sent
    }
}

/// The state in which a delivery left its destination.
public enum TransportEnd: Sendable, Hashable {
    /// Every recipient has been reported, and the destination is as good as before.
    case complete
    /// Every recipient has been reported without contact with the destination.
    case untried
    /// The destination failed; recipients that were not reported have had no attempt.
    case routeFailed(String)
    /// This machine has no descriptors or no memory left, by errno: nothing was tried, and nobody is to blame.
    case machineFault(errno: Int32, String)
    /// The program is to stop.
    case interrupted
}

/// Hands a message over. Its calls block.
public protocol Transport: Sendable {
    /// - Parameters:
    ///   - offering: Called for the recipients to whom everything but the end of the message has been handed over. From
    ///     here until the report it is unknown whether the other side took it. When it throws, the end is not handed
    ///     over.
    ///   - report: Keeps results durably, before anything more is said to the other side. When it throws, the delivery
    ///     ends.
    /// - Throws: The error that `offering` or `report` throws; then the delivery has ended.
    func deliver<Fault: Error>(
        _ consignment: Consignment, to destination: Destination, offering: ([AddrSpec]) throws(Fault) -> Void,
        report: ([RecipientReport]) throws(Fault) -> Void
    ) throws(Fault) -> TransportEnd
}
