/// One metric with its samples, in the terms of Prometheus.
public struct MetricFamily: Sendable {
    public enum Kind: String, Sendable { case counter, gauge, histogram }

    public struct Sample: Sendable {
        /// `_bucket`, `_sum` or `_count` of a histogram; empty otherwise.
        let suffix: String
        let labels: [(name: String, value: String)]
        let value: Double
    }

    public let name: String
    let kind: Kind
    let help: String
    public private(set) var samples: [Sample] = []

    /// - Parameters:
    ///   - name: `[a-zA-Z_:][a-zA-Z0-9_:]*`; that of a counter ends with `_total`.
    ///   - help: A sentence.
    public init(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        self.kind = kind
        self.help = help
    }

    /// A gauge or counter with one sample, without labels.
    public init(_ name: String, _ kind: Kind, _ help: String, value: Int) {
        self.init(name, kind, help)
        add(Double(value))
    }

    public mutating func add(_ value: Double, _ labels: [(name: String, value: String)] = [], suffix: String = "") {
        samples.append(Sample(suffix: suffix, labels: labels, value: value))
    }
}

extension MetricFamily {
    /// The ends of certificates. A subject may have several; the one that ends first counts.
    public static func expiry(_ name: String, _ certificates: [DatedCertificate]) -> MetricFamily {
        var ends: [[String]: Int] = [:]
        for one in certificates {
            guard let end = one.notAfter else { continue }
            ends[[one.use, one.subject]] = min(ends[[one.use, one.subject]] ?? end, end)
        }
        var family = MetricFamily(name, .gauge, "Unix time at which a certificate or revocation list expires.")
        for (words, end) in ends.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            family.add(Double(end), [(name: "use", value: words[0]), (name: "subject", value: words[1])])
        }
        return family
    }
}

/// The text format of Prometheus, version 0.0.4.
public enum MetricsText {
    /// The value of Content-Type for it.
    static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

    /// Returns the text of `families`. One without a sample is named all the same, so that a reader knows of it.
    public static func of(_ families: [MetricFamily]) -> String {
        var text = ""
        for family in families {
            text += "# HELP \(family.name) \(escaped(family.help, quotes: false))\n"
            text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
            for sample in family.samples {
                text += family.name + sample.suffix
                if !sample.labels.isEmpty {
                    let labels = sample.labels.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }
                    text += "{" + labels.joined(separator: ",") + "}"
                }
                text += " " + number(sample.value) + "\n"
            }
        }
        return text
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    private static func number(_ value: Double) -> String {
        if value == .infinity { return "+Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    }
}
