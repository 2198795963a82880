/// The options of a command that works on a spool.
public struct ProgramOptions: Sendable {
    package let configuration: String?
    package let spool: String?
    package let allowsRoot: Bool

    /// - Parameters:
    ///   - configuration: The path of the configuration; nil for the default.
    ///   - spool: The path of the spool; nil if the configuration names it.
    public init(_ configuration: String?, _ spool: String?, allowsRoot: Bool) {
        self.configuration = configuration
        self.spool = spool
        self.allowsRoot = allowsRoot
    }
}
