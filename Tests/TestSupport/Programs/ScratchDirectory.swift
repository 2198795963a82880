import Foundation
import Glibc
import Synchronization

/// A directory of a test's own, removed with it.
public final class ScratchDirectory: Sendable {
    public let path: String

    public init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "ses-test-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o750])
        Leftovers.add(path)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
        Leftovers.remove(path)
    }

    /// The path of `name` within.
    public func file(_ name: String) -> String { path + "/" + name }

    /// Writes a file and returns its path.
    @discardableResult
    public func write(_ octets: some Collection<UInt8>, to name: String) throws -> String {
        try Data(octets).write(to: URL(fileURLWithPath: file(name)))
        // The mode does not depend on the umask: a test that sets it may run at the same time, and a configuration that
        // everybody may change is refused.
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file(name))
        return file(name)
    }

    /// The names within `directory`, sorted.
    public func names(in directory: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: file(directory)).sorted()
    }
}

/// Directories to remove with the test run, for those that are shared until its end.
enum Leftovers {
    private static let standing = Mutex<Set<String>>([])
    private static let atEnd: Void = {
        atexit { Leftovers.standing.withLock { for path in $0 { try? FileManager.default.removeItem(atPath: path) } } }
    }()

    static func add(_ path: String) {
        atEnd
        standing.withLock { _ = $0.insert(path) }
    }

    static func remove(_ path: String) { standing.withLock { _ = $0.remove(path) } }
}
