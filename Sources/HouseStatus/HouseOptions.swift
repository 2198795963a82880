/// The parts of a house that a status is about.
public enum HouseScope: Sendable {
    /// `ses`, `ses-relay`, `ses-lmtp`, and `ses-dss` where it runs on this machine.
    case whole
    /// `ses-relay` alone.
    case relay
}

/// The places of a house, and the limits by which it is judged.
public struct HouseOptions: Sendable {
    /// `--config`: of `ses.xml`, or of `relay.xml` for the relay alone.
    public var configuration: String?
    public var spool: String?
    /// The path of `relay.xml` for the whole house; nil for the usual one.
    public var relayConfiguration: String?
    /// The path of `dss.xml`; nil to look beside the socket that `ses.xml` names.
    public var dssConfiguration: String?
    /// The directory with the sockets of `ses-lmtp`.
    public var lmtpSockets = "/run/ses-lmtp"
    /// Seconds for which a message may wait to be taken.
    public var maximumAge = 300
    /// Seconds within which a process must have run where no daemon does.
    public var maximumIdle = 600
    /// Octets that are to stay free; nil for a tenth of the file system, at most one GiB.
    public var leastFree: Int?

    public init() {}
}

extension HouseOptions {
    /// - Parameters:
    ///   - maximumAge: Seconds.
    ///   - maximumIdle: Seconds.
    ///   - leastFree: MiB; nil for the standard.
    public init(_ configuration: String?, _ spool: String?, maximumAge: Int, maximumIdle: Int, leastFree: Int?) {
        self.init()
        self.configuration = configuration
        self.spool = spool
        self.maximumAge = maximumAge
        self.maximumIdle = maximumIdle
        self.leastFree = leastFree.map { $0 << 20 }
    }
}
