public import HostProcess
public import Logging

/// One line for each event on standard error, in the form that fits it. Untrusted text cannot end the line.
public struct LineLogHandler: LogHandler {
    public var metadata: Logger.Metadata = [:]
    public var logLevel: Logger.Level = .info
    private let label: String
    private let format: LogFormat

    public init(label: String, format: LogFormat) {
        self.label = label
        self.format = format
    }

    /// Has all loggers of the process write such lines. To be called once, before the first logger is made.
    /// - Parameter format: The form that the command line asks for; nil for the one that fits standard error.
    public static func bootstrap(_ format: LogFormat? = nil) {
        let format = format ?? .fitting
        LoggingSystem.bootstrap { LineLogHandler(label: $0, format: format) }
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var fields = metadata
        if let more = event.metadata { fields.merge(more) { $1 } }
        LogLine.put(line(event.level, event.message.description, fields))
    }

    func line(_ level: Logger.Level, _ message: String, _ fields: Logger.Metadata) -> String {
        let facts = fields.map { (key: $0.key, value: $0.value.description) }
        return LogLine.line(format, level.rawValue, message, facts, program: label)
    }
}
