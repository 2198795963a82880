import Foundation
import Glibc

/// A fault of the machine that lasts until it is lifted, for the calls of one name on paths that contain one text.
public final class LastingFault: Sendable, CustomStringConvertible {
    public let call: String
    public let path: String
    public let number: Int32
    private let scratch: ScratchDirectory
    private var switchPath: String { scratch.file("switch") }

    /// It is not there before ``begin()``.
    /// - Parameters:
    ///   - call: As in ``FaultPoint/Call/name``; `*` for all.
    ///   - path: Part of the path; empty for any.
    ///   - number: The errno.
    public init(_ call: String, on path: String, _ number: Int32) throws {
        self.call = call
        self.path = path
        self.number = number
        scratch = try ScratchDirectory()
        guard chmod(scratch.path, 0o755) == 0 else { throw HarnessError("chmod: \(errno)") }
        try scratch.write([UInt8(ascii: "0")], to: "switch")
    }

    public var description: String { "\(call) on \(path.isEmpty ? "anything" : path): errno \(number)" }

    /// The environment in which `program` meets it.
    public func environment(program: String) async throws -> [String: String] {
        var environment = try await FaultPoint.environment(program: program)
        environment["FAULTPOINT_CALL"] = call
        environment["FAULTPOINT_PATH"] = path.isEmpty ? nil : path
        environment["FAULTPOINT_ERRNO"] = String(number)
        environment["FAULTPOINT_SWITCH"] = switchPath
        return environment
    }

    public func begin() throws { try turn("1") }
    public func lift() throws { try turn("0") }

    private func turn(_ state: Unicode.Scalar) throws {
        try Sharing.overwrite(switchPath, [UInt8(ascii: state)])
    }
}

/// A time of day that a test shifts for one program; the monotonic clock goes on as it does.
public final class ShiftedClock: Sendable {
    private let scratch: ScratchDirectory

    public init() throws {
        scratch = try ScratchDirectory()
        guard chmod(scratch.path, 0o755) == 0 else { throw HarnessError("chmod: \(errno)") }
        try scratch.write([UInt8](repeating: 0, count: 8), to: "shift")
    }

    public func environment(program: String) async throws -> [String: String] {
        var environment = try await FaultPoint.environment(program: program)
        environment["FAULTPOINT_CLOCK"] = scratch.file("shift")
        return environment
    }

    public func shift(by seconds: Int) throws {
        try Sharing.overwrite(scratch.file("shift"), withUnsafeBytes(of: Int64(seconds)) { Array($0) })
    }
}

private enum Sharing {
    /// In place, because the program has the file mapped.
    static func overwrite(_ path: String, _ octets: [UInt8]) throws {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw HarnessError("open \(path): \(errno)") }
        defer { close(descriptor) }
        guard pwrite(descriptor, octets, octets.count, 0) == octets.count else {
            throw HarnessError("write \(path): \(errno)")
        }
    }
}

/// A small file system of its own that a test fills. Needs root and loop devices.
public final class SmallFileSystem: Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        case tmpfs, ext4, xfs, btrfs

        var megabytes: Int {
            switch self {
            case .tmpfs: 16
            case .ext4: 32
            case .xfs: 320
            case .btrfs: 160
            }
        }
    }

    /// Returns the reason why there can be none; nil if there can.
    public static func obstacle(to kind: Kind) -> String? {
        guard geteuid() == 0 else { return "\(kind.rawValue): only root can mount" }
        guard kind != .tmpfs else { return nil }
        guard access("/usr/sbin/mkfs.\(kind.rawValue)", X_OK) == 0 || access("/sbin/mkfs.\(kind.rawValue)", X_OK) == 0
        else { return "\(kind.rawValue): there is no mkfs.\(kind.rawValue)" }
        return access("/dev/loop-control", F_OK) == 0 ? nil : "\(kind.rawValue): there are no loop devices"
    }

    public let path: String
    private let scratch: ScratchDirectory

    public init(_ kind: Kind) async throws {
        scratch = try ScratchDirectory()
        guard chmod(scratch.path, 0o755) == 0 else { throw HarnessError("chmod: \(errno)") }
        path = scratch.file("mounted")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        if kind == .tmpfs {
            try await Self.run("/bin/mount", ["-t", "tmpfs", "-o", "size=\(kind.megabytes)m", "ses-test", path])
        } else {
            let image = try scratch.write([], to: "image")
            guard truncate(image, kind.megabytes << 20) == 0 else { throw HarnessError("truncate: \(errno)") }
            let options: [String] =
                switch kind {
                case .ext4: ["-q", "-m", "0", "-b", "1024", "-J", "size=4"]
                case .btrfs: ["-q", "-M"]
                case .xfs, .tmpfs: ["-q"]
                }
            try await Self.run("/usr/sbin/mkfs." + kind.rawValue, options + [image])
            try await Self.run("/bin/mount", ["-o", "loop", image, path])
        }
        guard chmod(path, 0o755) == 0 else { throw HarnessError("chmod: \(errno)") }
        try SpoolFixture.own(path)
    }

    deinit { umount2(path, CInt(MNT_DETACH)) }

    private var filler: String { path + "/filler" }

    /// Fills it until no more than `kibibytes` are free, as the unprivileged see it.
    public func fill(leaving kibibytes: Int) throws {
        let descriptor = open(filler, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw HarnessError("open \(filler): \(errno)") }
        defer { close(descriptor) }
        for size in [1 << 20, 65_536, 4_096, 1_024] {
            let octets = [UInt8](repeating: 1, count: size)
            while try free() - size >= kibibytes << 10, write(descriptor, octets, size) == size {}
            fsync(descriptor)
        }
    }

    /// Gives back what ``fill(leaving:)`` took.
    public func empty() throws {
        guard unlink(filler) == 0 else { throw HarnessError("unlink \(filler): \(errno)") }
        sync()
    }

    private func free() throws -> Int {
        var facts = statvfs()
        guard statvfs(path, &facts) == 0 else { throw HarnessError("statvfs: \(errno)") }
        return Int(facts.f_bavail) * Int(facts.f_frsize)
    }

    private static func run(_ program: String, _ arguments: [String]) async throws {
        let finished = try await RunningProgram.run(program, arguments, asRoot: true)
        guard finished.status == 0 else { throw HarnessError("\(program) \(arguments): \(finished)") }
    }
}
