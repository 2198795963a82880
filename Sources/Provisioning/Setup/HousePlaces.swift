/// The places of a house on a machine, below a root that is empty except for trials.
public struct HousePlaces: Sendable, Hashable {
    /// The root without a slash at its end; empty for the machine itself.
    public let root: String

    /// - Parameter root: A directory; nil for the machine itself.
    public init(root: String? = nil) {
        var root = root ?? ""
        while root.hasSuffix("/") { root.removeLast() }
        self.root = root
    }

    /// True if it is the machine itself and not a place for trials.
    public var isMachine: Bool { root.isEmpty }

    /// The path of something on this machine.
    public func path(_ absolute: String) -> String { root + absolute }

    public var configuration: String { path("/etc/ses") }
    public var ses: String { configuration + "/ses.xml" }
    public var relay: String { configuration + "/relay.xml" }
    public var spool: String { path("/var/spool/ses") }
    public var dss: String { path("/var/lib/ses-dss") }
    public var dssConfiguration: String { dss + "/dss.xml" }
    public var dssSocket: String { dss + "/socket" }
    public var lmtpSockets: String { path("/run/ses-lmtp") }
}
