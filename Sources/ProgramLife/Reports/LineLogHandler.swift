import Glibc
import HostProcess
public import Logging

/// One line for each event on standard error: text on a terminal, JSON otherwise. Untrusted text cannot end the line.
public struct LineLogHandler: LogHandler {
    public enum Format: Sendable { case text, json }

    public var metadata: Logger.Metadata = [:]
    public var logLevel: Logger.Level = .info
    private let label: String
    private let format: Format

    public init(label: String, format: Format) {
        self.label = label
        self.format = format
    }

    /// Text when standard error is a terminal, else JSON for the machine that collects it.
    public static func bootstrap() {
        let format: Format = isatty(STDERR_FILENO) == 1 ? .text : .json
        LoggingSystem.bootstrap { LineLogHandler(label: $0, format: format) }
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var fields = metadata
        if let more = event.metadata { fields.merge(more) { $1 } }
        let line =
            switch format {
            case .text: Self.textLine(event.level, event.message.description, fields)
            case .json: Self.jsonLine(event.level, event.message.description, fields, label: label)
            }
        LogLine.put(line)
    }

    static func textLine(_ level: Logger.Level, _ message: String, _ fields: Logger.Metadata) -> String {
        LogLine.text(level.rawValue, message, facts(fields))
    }

    static func jsonLine(_ level: Logger.Level, _ message: String, _ fields: Logger.Metadata, label: String) -> String {
        LogLine.json(level.rawValue, message, facts(fields), program: label)
    }

    private static func facts(_ fields: Logger.Metadata) -> [(key: String, value: String)] {
        fields.map { (key: $0.key, value: $0.value.description) }.sorted { $0.key < $1.key }
    }
}
