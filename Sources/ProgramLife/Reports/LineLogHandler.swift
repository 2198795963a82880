import Foundation
import Glibc
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
        // One write a line, so that lines of several processes on one stream do not mix.
        let octets = Array((line + "\n").utf8)
        _ = octets.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    static func textLine(_ level: Logger.Level, _ message: String, _ fields: Logger.Metadata) -> String {
        let facts = fields.sorted { $0.key < $1.key }.map { "\($0.key)=\(quoted(escaped($0.value.description)))" }
        return ([timestamp(), level.rawValue, escaped(message)] + facts).joined(separator: " ")
    }

    static func jsonLine(_ level: Logger.Level, _ message: String, _ fields: Logger.Metadata, label: String) -> String {
        var object = ["t": timestamp(), "level": level.rawValue, "program": label, "message": escaped(message)]
        for (key, value) in fields where object[key] == nil { object[key] = escaped(value.description) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(object) else { return "{}" }
        return String(decoding: data, as: UTF8.self)
    }

    /// Control characters and what turns the direction of text become visible escapes.
    package static func escaped(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isHarmful) else { return text }
        return text.unicodeScalars.map { isHarmful($0) ? "\\u{" + String($0.value, radix: 16) + "}" : String($0) }
            .joined()
    }

    /// A value with blanks gets quotes, so that none of its words looks like a separate fact.
    private static func quoted(_ text: String) -> String {
        guard
            text.isEmpty
                || text.unicodeScalars.contains(where: { $0.properties.isWhitespace || $0 == "\"" || $0 == "=" })
        else { return text }
        let marked = text.unicodeScalars.map { $0 == "\"" || $0 == "\\" ? "\\" + String($0) : String($0) }
        return "\"" + marked.joined() + "\""
    }

    private static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    private static func timestamp() -> String {
        Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}
