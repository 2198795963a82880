import FoundationEssentials
import Glibc
import HostProcess
import Octets
package import Spool

/// The state that a running process publishes in `state/ses-PID.json` or `relay/ses-relay-PID.json`.
package struct PublishedState: Codable, Sendable, Equatable {
    package static let currentForm = 2

    /// The form of the object.
    package var v = Self.currentForm
    package var version = ProgramRelease.version
    /// Unix seconds.
    package var started: Int
    /// The start of the process in ticks since the machine's, by which a later process with its number is told apart;
    /// nil if the system does not say.
    package var startTicks: Int?
    /// True if it watches the folders and does not end by itself.
    package var watches: Bool
    /// The files that its configuration was read from, as they were then.
    package var configuration: [FileStamp]
    package var reasons: [StandingReason]
    package var lastError: String?
    package var servers: [ServerState]
    package var today: DayTally.Day

    package init(
        started: Int, watches: Bool, configuration: [FileStamp] = [], reasons: [StandingReason] = [],
        lastError: String? = nil, servers: [ServerState] = [], today: DayTally.Day = .init()
    ) {
        self.started = started
        startTicks = ProcessStart.ticks(of: getpid())
        self.watches = watches
        self.configuration = configuration
        self.reasons = reasons
        self.lastError = lastError
        self.servers = servers
        self.today = today
    }

    /// Returns the counts of the day with which the last process of the spool's program ended.
    package static func lastDay(of spool: Spool) -> DayTally.Day {
        spool.lastState().flatMap { reading($0.json)?.today } ?? DayTally.Day()
    }

    /// Reads what a process published; nil if it has another form.
    package static func reading(_ json: [UInt8]) -> PublishedState? {
        guard let state = try? JSONDecoder().decode(PublishedState.self, from: Data(json)), state.v == currentForm
        else {
            return nil
        }
        return state
    }
}

/// A server that a program calls, as it has found it: the signing server, or a next hop.
package struct ServerState: Codable, Sendable, Equatable {
    package enum Purpose: String, Codable, Sendable, CaseIterable {
        case signing, verifying
        case nextHop = "next hop"
        /// The mail exchangers of a domain.
        case domain
    }

    package var purpose: Purpose
    /// Without credentials.
    package var address: String
    package var isAnswering: Bool
    /// Unix seconds at which the present state began.
    package var since: Int
    /// True if it was called since ``since``.
    package var isUsed = false
    /// The reason why it is not answering.
    package var reason: String?
    /// Unix seconds of the next call to a server that is not answering.
    package var nextTry: Int?
    /// The time that the last call took; nil before the first.
    package var milliseconds: Int?
    /// Seconds by which its clock is ahead of this machine's, as its last answer said; nil if it did not.
    package var clockAhead: Int?

    package init(_ purpose: Purpose, _ address: String, isAnswering: Bool, since: Int) {
        self.purpose = purpose
        self.address = address
        self.isAnswering = isAnswering
        self.since = since
    }
}

/// The start of a process.
package enum ProcessStart {
    /// Returns the ticks since the start of the machine at which process `pid` was started (proc(5)); nil if the system
    /// does not say.
    package static func ticks(of pid: Int32) -> Int? {
        guard case .success(let octets) = SmallFile.read("/proc/\(pid)/stat", limit: 4_096) else { return nil }
        let line = String(decoding: octets.array, as: UTF8.self)
        // The name in parentheses may hold anything.
        guard let end = line.lastIndex(of: ")") else { return nil }
        let fields = line[line.index(after: end)...].split(separator: " ")
        return fields.count > 19 ? Int(fields[19]) : nil
    }
}

/// A file as it was when it was read.
package struct FileStamp: Codable, Sendable, Hashable {
    package let path: String
    /// Octets; nil if it was not there.
    package let size: Int?
    /// Nanoseconds since 1970.
    package let modified: Int
    /// A checksum of its content; nil if it could not be read.
    package let sum: String?

    /// The file as it is now.
    package init(of path: String) {
        self.path = path
        var status = stat()
        guard stat(path, &status) == 0 else { (size, modified, sum) = (nil, 0, nil); return }
        size = Int(status.st_size)
        modified = status.st_mtim.tv_sec * 1_000_000_000 + status.st_mtim.tv_nsec
        guard case .success(let octets) = SmallFile.read(path) else { sum = nil; return }
        // FNV-1a: it has to notice changes that people make, not attacks.
        let hash = octets.array.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        sum = String(hash, radix: 16)
    }

    /// True if the file has another content now. Who may not read it goes by size and time.
    package var isOutdated: Bool {
        let now = FileStamp(of: path)
        guard let sum, let present = now.sum else { return now.size != size || now.modified != modified }
        return present != sum
    }
}
