import FoundationEssentials
import Glibc
public import HostProcess

/// The places where a program shows its metrics.
public struct MetricsOutlets: Sendable {
    /// A file for the node exporter's text collector; nil for none.
    public var file: String?
    /// An address of the loopback with its port, such as `127.0.0.1:9465`; nil for none.
    public var address: String?

    public init(file: String? = nil, address: String? = nil) {
        self.file = file
        self.address = address
    }
}

/// Writes metrics to a file, and answers for them on a port of the loopback.
///
/// Both are done on a thread of their own. The file is a new one each time, renamed into place: a reader never sees
/// half of it.
public final class MetricsService: Sendable {
    /// The interval at which the file is written.
    static let interval = Duration.seconds(10)

    private let file: @Sendable () -> String?
    private let listener: MetricsListener?
    private let families: @Sendable () -> [MetricFamily]
    private let written: @Sendable (_ trouble: String?) -> Void

    /// Opens the port; the work begins with ``start()``.
    /// - Parameters:
    ///   - file: The path of the file, asked for at each writing; nil for none.
    ///   - address: An address of the loopback with its port; nil for none.
    ///   - written: Told after each writing of the file why it failed, or nil.
    ///   - families: The present metrics. May block.
    /// - Throws: ``ProgramError`` if the address cannot be listened on, or is none of the loopback.
    public init(
        file: @escaping @Sendable () -> String?, address: String?,
        written: @escaping @Sendable (_ trouble: String?) -> Void,
        families: @escaping @Sendable () -> [MetricFamily]
    ) throws(ProgramError) {
        self.file = file
        self.families = families
        self.written = written
        do throws(SocketError) {
            listener = try address.map { (address) throws(SocketError) in try MetricsListener(address) }
        } catch {
            throw ProgramError(.usage, "--metrics-listen: \(error.description)")
        }
    }

    /// The address that is listened on, with the port that the system gave for port 0; nil without one.
    public var address: String? { listener?.address }

    /// Starts the threads.
    public func start() {
        if let listener {
            OwnThread.start("metrics-port") { [families] in listener.serve { MetricsText.of(families()) } }
        }
        OwnThread.start("metrics-file") { [self] in
            while true {
                write()
                sleep(UInt32(Self.interval.components.seconds))
            }
        }
    }

    /// Writes the file now: at the end of the program, so that the last counts are seen.
    public func write() {
        guard let file = file() else { return }
        do {
            try Data(MetricsText.of(families()).utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
            // The node exporter runs as a user of its own; metrics are no secret.
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
            written(nil)
        } catch {
            written("the metrics cannot be written to \(file): \(error)")
        }
    }
}
