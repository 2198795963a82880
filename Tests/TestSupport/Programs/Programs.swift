import Foundation
import Glibc

/// The built programs, and as whom tests run them.
public enum Programs {
    /// The account that tests run programs as when they themselves run as root: the programs refuse root, and a test of
    /// modes means nothing for one who may do everything. Nil when the tests have no privileges to drop.
    public static let unprivileged: (user: UInt32, group: UInt32)? = {
        guard geteuid() == 0 else { return nil }
        guard let nobody = getpwnam("nobody") else { return (65_534, 65_534) }
        return (nobody.pointee.pw_uid, nobody.pointee.pw_gid)
    }()

    /// The path of a built program: in `$SES_PROGRAMS`, else beside the running test bundle.
    /// - Throws: ``HarnessError`` when it was not built.
    public static func path(_ name: String) throws(HarnessError) -> String {
        for folder in folders {
            let candidate = folder + "/" + name
            if access(candidate, X_OK) == 0 { return try reachable(candidate, name) }
        }
        throw HarnessError("no program \(name) in \(folders.joined(separator: ", "))")
    }

    private static let folders: [String] = {
        var found: [String] = []
        if let named = ProcessInfo.processInfo.environment["SES_PROGRAMS"] { found.append(named) }
        let started = [try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")]
        for path in started.compactMap(\.self) + CommandLine.arguments {
            var folder = URL(fileURLWithPath: path)
            while folder.pathComponents.count > 2, !found.contains(folder.path) {
                folder.deleteLastPathComponent()
                if folder.lastPathComponent == "debug" || folder.lastPathComponent == "release" {
                    found.append(folder.path)
                    break
                }
            }
        }
        return found
    }()

    /// A program under a folder that the unprivileged account cannot enter is copied to where it can.
    private static func reachable(_ path: String, _ name: String) throws(HarnessError) -> String {
        guard unprivileged != nil, !isOpenToAll(path) else { return path }
        let copy = "/tmp/ses-test-programs-\(getpid())/\(name)"
        guard access(copy, X_OK) != 0 else { return copy }
        do {
            let folder = URL(fileURLWithPath: copy).deletingLastPathComponent()
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
            Leftovers.add(folder.path)
            try FileManager.default.copyItem(atPath: path, toPath: copy)
        } catch {
            throw HarnessError("cannot copy \(path) to \(copy): \(error)")
        }
        return copy
    }

    private static func isOpenToAll(_ path: String) -> Bool {
        var folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        while folder.path != "/" {
            var facts = stat()
            guard stat(folder.path, &facts) == 0, facts.st_mode & 0o001 != 0 else { return false }
            folder.deleteLastPathComponent()
        }
        return true
    }
}

/// A fault of the harness itself, as opposed to one of the tested program.
public struct HarnessError: Error, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

/// Waits until `condition` gives a value.
/// - Parameter limit: The time that the event may take; then a test fails by the error thrown.
public func eventually<Value>(
    _ what: String, within limit: Duration = .seconds(20), _ condition: () async throws -> Value?
) async throws -> Value {
    let end = ContinuousClock.now + limit
    var pause = Duration.milliseconds(2)
    var turns = 0
    while true {
        if let value = try await condition() { return value }
        turns += 1
        // Where many tests share few processors, time passes in which nobody here had a turn.
        guard ContinuousClock.now < end || turns < 200 else { throw HarnessError("not within \(limit): \(what)") }
        try await Task.sleep(for: pause)
        pause = min(pause * 2, .milliseconds(25))
    }
}
