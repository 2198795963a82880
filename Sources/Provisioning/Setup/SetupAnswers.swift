/// The answers to the questions of `ses setup`: all that its configurations need.
public struct SetupAnswers: Sendable, Hashable {
    /// The server that signs.
    public enum Server: Sendable, Hashable {
        /// `ses-dss` on this machine, with keys for trying out and small sites.
        case embedded
        /// ADSS or another DSS server.
        case remote(signing: String, verification: String, client: String)
    }

    /// The ways of mail that are worked on.
    public enum Directions: String, Sendable, Hashable, CaseIterable {
        case both, outgoing, incoming

        var signs: Bool { self != .incoming }
        var verifies: Bool { self != .outgoing }
    }

    /// The server that signed mail goes to.
    public enum NextHop: Sendable, Hashable {
        case gateway(host: String, port: Int)
        /// The mail exchangers of each recipient's domain.
        case exchangers

        var isLoopback: Bool {
            guard case .gateway(let host, _) = self else { return false }
            return host == "localhost" || host == "::1" || host.hasPrefix("127.")
        }
    }

    public var domain: String
    public var administrator: String
    public var server: Server
    public var nextHop: NextHop
    public var directions: Directions
    /// The profile for mail; empty for the server's own choice.
    public var profile: String
    /// The alias of the key that signs all mail; `NONE` for the profile's own.
    public var key: String
    /// The name of this host, for reports and Received fields.
    public var hostName: String

    public init(
        domain: String, administrator: String, server: Server, nextHop: NextHop, directions: Directions,
        profile: String, key: String, hostName: String
    ) {
        self.domain = domain
        self.administrator = administrator
        self.server = server
        self.nextHop = nextHop
        self.directions = directions
        self.profile = profile
        self.key = key
        self.hostName = hostName
    }
}
