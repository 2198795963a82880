public import DomainNames
public import InternetMessage

/// The messages that a route is for. Every criterion that is given must hold.
public struct RouteCriteria: Sendable, Hashable {
    /// The direction in which a message travels.
    public enum Direction: String, Sendable, Hashable, CaseIterable {
        case outgoing, incoming
    }

    /// The folder in which the message waited for the relay.
    public enum Source: String, Sendable, Hashable, CaseIterable {
        case delivered, admin
    }

    public let direction: Direction?
    public let source: Source?
    /// Domains of the envelope sender; empty: any. The null sender has none.
    public let fromDomains: [DomainPattern]
    /// Domains of the recipient; empty: any.
    public let toDomains: [DomainPattern]

    public init(
        direction: Direction? = nil, source: Source? = nil, fromDomains: [DomainPattern] = [],
        toDomains: [DomainPattern] = []
    ) {
        self.direction = direction
        self.source = source
        self.fromDomains = fromDomains
        self.toDomains = toDomains
    }

    /// One recipient's share of a message, as routes see it.
    public struct Given: Sendable, Hashable {
        public let direction: Direction
        public let source: Source
        public let sender: ReversePath?
        public let recipient: AddrSpec

        public init(direction: Direction, source: Source, sender: ReversePath?, recipient: AddrSpec) {
            self.direction = direction
            self.source = source
            self.sender = sender
            self.recipient = recipient
        }
    }

    public func matches(_ given: Given) -> Bool {
        if let direction, direction != given.direction { return false }
        if let source, source != given.source { return false }
        if !fromDomains.isEmpty {
            guard case .address(let sender)? = given.sender,
                fromDomains.contains(where: { $0.matches(sender.domain) })
            else { return false }
        }
        return toDomains.isEmpty || toDomains.contains { $0.matches(given.recipient.domain) }
    }

    /// Returns true if every message that matches `later` matches this one too, which stands before it.
    public func covers(_ later: RouteCriteria) -> Bool {
        (direction == nil || direction == later.direction) && (source == nil || source == later.source)
            && Self.covers(fromDomains, later.fromDomains) && Self.covers(toDomains, later.toDomains)
    }

    private static func covers(_ mine: [DomainPattern], _ theirs: [DomainPattern]) -> Bool {
        mine.isEmpty || (!theirs.isEmpty && theirs.allSatisfy { their in mine.contains { $0.covers(their) } })
    }
}

/// A domain, or with `*.` before it every domain below it.
public struct DomainPattern: Sendable, Hashable {
    /// The domain without `*.`.
    public let domain: CanonicalDomain
    public let isForSubdomains: Bool

    /// - Parameter domain: The domain with A-labels or U-labels, without `*.`.
    public init(domain: String, isForSubdomains: Bool) {
        self.domain = CanonicalDomain(domain)
        self.isForSubdomains = isForSubdomains
    }

    public func matches(_ other: String) -> Bool {
        let other = CanonicalDomain(other)
        return isForSubdomains ? other.isBelow(domain) : other == domain
    }

    func covers(_ other: DomainPattern) -> Bool {
        self == other || (isForSubdomains && other.domain.isBelow(domain))
    }
}
