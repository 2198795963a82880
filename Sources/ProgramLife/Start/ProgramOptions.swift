public import HostProcess
public import Monitoring

/// The options of a command that works on a spool.
public struct ProgramOptions: Sendable {
    package let configuration: String?
    package let spool: String?
    package let allowsRoot: Bool
    /// The form of log lines that the command line asks for; nil for the fitting one.
    package let logFormat: LogFormat?
    package let metrics: MetricsOutlets

    /// - Parameters:
    ///   - configuration: The path of the configuration; nil for the default.
    ///   - spool: The path of the spool; nil if the configuration names it.
    ///   - logFormat: Nil for the form that fits standard error.
    public init(
        _ configuration: String?, _ spool: String?, allowsRoot: Bool, logFormat: LogFormat? = nil,
        metrics: MetricsOutlets = MetricsOutlets()
    ) {
        self.logFormat = logFormat
        self.metrics = metrics
        self.configuration = configuration
        self.spool = spool
        self.allowsRoot = allowsRoot
    }
}
