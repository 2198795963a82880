import Synchronization

/// Counts by label values, since the program started.
public final class CounterBook: Sendable {
    public let name: String
    private let help: String
    private let labels: [String]
    private let counts = Mutex<[[String]: Int]>([:])
    /// Label values come from the configuration, so they are few; this only bounds the memory.
    private static let maximumSeries = 1_000

    /// - Parameter labels: The names of the labels.
    public init(_ name: String, _ help: String, labels: [String]) {
        self.name = name
        self.help = help
        self.labels = labels
    }

    /// Counts `count` more.
    /// - Parameter values: A value for each label.
    public func add(_ values: [String], _ count: Int = 1) {
        precondition(values.count == labels.count, "\(name) has \(labels.count) labels")
        counts.withLock { counts in
            if counts[values] == nil, counts.count >= Self.maximumSeries { return }
            counts[values, default: 0] += count
        }
    }

    public var family: MetricFamily {
        var family = MetricFamily(name, .counter, help)
        for (values, count) in counts.withLock({ $0 }).sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            family.add(Double(count), zip(labels, values).map { (name: $0, value: $1) })
        }
        return family
    }
}

/// Durations by label values, since the program started.
public final class DurationBook: Sendable {
    private struct Series {
        var buckets: [Int]
        var sum = 0.0
        var count = 0
    }

    public let name: String
    private let help: String
    private let labels: [String]
    private let series = Mutex<[[String]: Series]>([:])
    private static let maximumSeries = 200
    /// The upper bounds of the buckets in seconds: from a signature in memory to a server that is given up on.
    static let bounds: [Double] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]

    /// - Parameters:
    ///   - name: It ends with `_seconds`.
    ///   - labels: The names of the labels.
    public init(_ name: String, _ help: String, labels: [String]) {
        self.name = name
        self.help = help
        self.labels = labels
    }

    /// Counts one duration.
    /// - Parameter values: A value for each label.
    public func observe(_ duration: Duration, _ values: [String]) {
        precondition(values.count == labels.count, "\(name) has \(labels.count) labels")
        let parts = duration.components
        let seconds = Double(parts.seconds) + Double(parts.attoseconds) / 1e18
        series.withLock { all in
            if all[values] == nil, all.count >= Self.maximumSeries { return }
            var one = all[values] ?? Series(buckets: [Int](repeating: 0, count: Self.bounds.count))
            if let index = Self.bounds.firstIndex(where: { seconds <= $0 }) { one.buckets[index] += 1 }
            one.sum += seconds
            one.count += 1
            all[values] = one
        }
    }

    public var family: MetricFamily {
        var family = MetricFamily(name, .histogram, help)
        for (values, one) in series.withLock({ $0 }).sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            let own = zip(labels, values).map { (name: $0, value: $1) }
            var below = 0
            for (bound, count) in zip(Self.bounds, one.buckets) {
                below += count
                family.add(Double(below), own + [(name: "le", value: "\(bound)")], suffix: "_bucket")
            }
            family.add(Double(one.count), own + [(name: "le", value: "+Inf")], suffix: "_bucket")
            family.add(one.sum, own, suffix: "_sum")
            family.add(Double(one.count), own, suffix: "_count")
        }
        return family
    }
}
