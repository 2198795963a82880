/// The command line of `ses setup`.
public struct SetupOptions: Sendable {
    /// A directory that stands for the root of the machine, for trials.
    public var root: String?
    /// Takes the guesses for what is not given, and asks nothing.
    public var isUnattended = false
    public var domain: String?
    public var administrator: String?
    /// `embedded`, or the address of the signing service.
    public var signingServer: String?
    /// The address of the verification service; nil for the one beside the signing service.
    public var verificationServer: String?
    public var client: String?
    /// `HOST:PORT`, `HOST`, or `mx`.
    public var nextHop: String?
    public var directions: SetupAnswers.Directions?
    public var profile: String?
    public var key: String?
    /// Starts the services, or tells how.
    public var starts = true
    /// Sends a test mail through the house.
    public var tests = true

    public init() {}
}
