import Foundation
import Glibc

/// A library that is loaded into a program under test and numbers each call that changes a file
/// (`Fixtures/endtoend/faultpoint.c`).
public enum FaultPoint {
    public enum Action: Sendable {
        case killBefore, killAfter
        /// The call fails with this errno and does nothing.
        case fail(Int32)
        /// A write takes only half of its octets.
        case short

        var word: String {
            switch self {
            case .killBefore: "before"
            case .killAfter: "after"
            case .fail(let number): String(number)
            case .short: "short"
            }
        }
    }

    /// One numbered call.
    public struct Call: Sendable {
        public let number: Int
        /// `rename`, `link`, `unlink`, `mkdir`, `rmdir`, `create`, `write`, `fsync`, `allocate`, `chmod` or `chown`;
        /// and of those that change nothing `open`, `lock`, `stat`, `access` or `read`.
        public let name: String
        public let path: String
        /// The new name of a rename or link; else empty.
        public let target: String
    }

    private static let making = Task {
        let folder = try ScratchDirectory()
        guard chmod(folder.path, 0o755) == 0 else { throw HarnessError("chmod: \(errno)") }
        let library = folder.file("faultpoint.so")
        let source = TestMaterial.fixtures + "/endtoend/faultpoint.c"
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let made = try await RunningProgram.run(
            "/usr/bin/env", ["clang", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"],
            environment: ["PATH": path], asRoot: true)
        guard made.status == 0 else { throw HarnessError("clang: \(made)") }
        return (folder, library)
    }

    /// The environment that makes `program` act.
    /// - Parameters:
    ///   - log: A file for the calls; must be writable for the programs' account.
    ///   - point: The call to act at, from 1; nil only logs.
    ///   - countsAll: True if calls that change nothing are numbered too.
    public static func environment(
        program: String, log: String? = nil, point: Int? = nil, action: Action = .killBefore, countsAll: Bool = false
    ) async throws -> [String: String] {
        var environment = ["LD_PRELOAD": try await making.value.1, "FAULTPOINT_PROGRAM": program]
        environment["FAULTPOINT_LOG"] = log
        environment["FAULTPOINT_AT"] = point.map(String.init)
        environment["FAULTPOINT_ACTION"] = action.word
        if countsAll { environment["FAULTPOINT_ALL"] = "1" }
        return environment
    }

    /// Reads a log.
    public static func calls(in log: String) throws -> [Call] {
        String(decoding: try TestMaterial.octets(log), as: UTF8.self).split(separator: "\n").compactMap { line in
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 4, let number = Int(fields[0]) else { return nil }
            return Call(number: number, name: fields[1], path: fields[2], target: fields[3])
        }
    }
}

/// A listener that takes connections and never answers.
public final class SilentServer: Sendable {
    private let descriptor: Int32
    public let port: Int
    public var address: String { "http://127.0.0.1:\(port)" }

    public init() throws {
        (descriptor, port) = try LoopbackPlace().boundSocket(Int32(SOCK_STREAM.rawValue), backlog: 16)
    }

    deinit { close(descriptor) }
}
