import Glibc
import HostProcess

/// A host that takes mail for a domain.
public struct MailExchanger: Sendable, Hashable {
    /// Its name without the dot at the end: what its certificate should show. Of an address literal the address.
    public let name: String
    /// Lower is tried before higher; 0 where there is no MX record.
    public let preference: Int
    /// IP addresses in the order in which to try them; at least one.
    public let addresses: [String]

    public init(name: String, preference: Int, addresses: [String]) {
        self.name = name
        self.preference = preference
        self.addresses = addresses
    }
}

/// The reason why a domain's mail cannot be delivered anywhere.
public struct MailExchangeError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Kind: Sendable, Hashable {
        /// The domain does not exist.
        case noSuchDomain
        /// The domain says that it takes no mail (RFC 7505).
        case takesNoMail
        /// Neither the domain nor its exchangers have an address.
        case noAddress
        /// The best exchanger is ourselves: the mail would come back (RFC 5321 §5.1).
        case loop
        /// It cannot be a domain.
        case badName
        /// No answer, or a server that fails: another time may do better.
        case temporary
        /// This machine has no descriptors or no memory left.
        case machine(errno: Int32)
        /// c-ares itself, or its settings.
        case `internal`
    }
    public let kind: Kind
    /// The event, its place and its cause, in one line.
    public let detail: String

    public var description: String { detail }
    /// True if asking again later may help.
    public var isTransient: Bool {
        switch kind {
        case .temporary, .internal, .machine: true
        case .noSuchDomain, .takesNoMail, .noAddress, .loop, .badName: false
        }
    }

    init(_ kind: Kind, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }

    /// A question that got no answer. c-ares does not tell that it could not even ask, so it is found out here.
    static func unanswered(_ kind: Kind, _ detail: String) -> MailExchangeError {
        guard let errno = Descriptors.shortage() else { return MailExchangeError(kind, detail) }
        return MailExchangeError(.machine(errno: errno), "\(detail): \(String(cString: strerror(errno)))")
    }
}
