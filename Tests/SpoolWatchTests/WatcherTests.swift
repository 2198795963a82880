import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import SpoolWatch

/// One at a time: the library behind the watcher serves one for the whole process.
@Suite("The watcher", .serialized)
struct WatcherTests {
    /// Waits for a wake that has `reason`, at most 20 s.
    private func wait(
        _ iterator: inout AsyncStream<Wake>.Iterator, _ watcher: SpoolWatcher, for reason: Wake.Reason
    ) async throws {
        let limit = Task {
            try await Task.sleep(for: .seconds(20))
            watcher.stop()
        }
        defer { limit.cancel() }
        while let wake = await iterator.next() {
            if wake.reasons.contains(reason) { return }
        }
        throw WatchFailure("no wake of \(reason) within 20 s")
    }

    private func make(_ scratch: ScratchDirectory, _ names: [String] = ["new"], interval: Duration = .seconds(60))
        throws
        -> SpoolWatcher
    {
        for name in names where !FileManager.default.fileExists(atPath: scratch.file(name)) {
            try FileManager.default.createDirectory(atPath: scratch.file(name), withIntermediateDirectories: true)
        }
        return try SpoolWatcher(directories: names.map { scratch.file($0) }, interval: interval)
    }

    @Test(
        "wakes when a file is created, moved in, linked or closed after writing",
        arguments: ["create", "move", "link", "write"])
    func events(_ how: String) async throws {
        let scratch = try ScratchDirectory()
        let aside = try scratch.write([1], to: "aside")
        let watcher = try make(scratch)
        defer { watcher.stop() }
        var wakes = watcher.wakes.makeAsyncIterator()
        switch how {
        case "create": try scratch.write([1], to: "new/a")
        case "move": #expect(rename(aside, scratch.file("new/a")) == 0)
        case "link": #expect(link(aside, scratch.file("new/a")) == 0)
        default:
            try scratch.write([1], to: "new/a")
            try await wait(&wakes, watcher, for: .event)
            let file = open(scratch.file("new/a"), O_WRONLY)
            close(file)
        }
        try await wait(&wakes, watcher, for: .event)
    }

    @Test("wakes from time to time without an event")
    func timer() async throws {
        let scratch = try ScratchDirectory()
        let watcher = try make(scratch, interval: .milliseconds(20))
        defer { watcher.stop() }
        var wakes = watcher.wakes.makeAsyncIterator()
        for _ in 0..<3 { try await wait(&wakes, watcher, for: .timer) }
    }

    @Test("goes on watching a directory that was removed and made anew", arguments: [1, 3])
    func remade(_ times: Int) async throws {
        let scratch = try ScratchDirectory()
        let watcher = try make(scratch, ["new", "other"], interval: .milliseconds(50))
        defer { watcher.stop() }
        var wakes = watcher.wakes.makeAsyncIterator()
        for _ in 0..<times {
            #expect(rmdir(scratch.file("new")) == 0)
            try await wait(&wakes, watcher, for: .directory(scratch.file("new")))
            #expect(mkdir(scratch.file("new"), 0o750) == 0)
            // Told of once more when it is watched again.
            try await wait(&wakes, watcher, for: .directory(scratch.file("new")))
            try scratch.write([1], to: "new/a")
            try await wait(&wakes, watcher, for: .event)
            unlink(scratch.file("new/a"))
        }
        try scratch.write([1], to: "other/a")
        try await wait(&wakes, watcher, for: .event)
    }

    @Test("goes on watching a directory that was moved away and made anew, and not the one moved")
    func moved() async throws {
        let scratch = try ScratchDirectory()
        let watcher = try make(scratch, interval: .milliseconds(50))
        defer { watcher.stop() }
        var wakes = watcher.wakes.makeAsyncIterator()
        #expect(rename(scratch.file("new"), scratch.file("moved")) == 0)
        try await wait(&wakes, watcher, for: .directory(scratch.file("new")))
        #expect(mkdir(scratch.file("new"), 0o750) == 0)
        try await wait(&wakes, watcher, for: .directory(scratch.file("new")))
        try scratch.write([1], to: "moved/a")
        #expect(await !reasons(until: .timer, &wakes).contains(.event))
        try scratch.write([1], to: "new/a")
        try await wait(&wakes, watcher, for: .event)
    }

    @Test("follows a directory whose parent was moved and made anew")
    func parentMoved() async throws {
        let scratch = try ScratchDirectory()
        let watcher = try make(scratch, ["box/new"], interval: .milliseconds(50))
        defer { watcher.stop() }
        var wakes = watcher.wakes.makeAsyncIterator()
        #expect(rename(scratch.file("box"), scratch.file("moved")) == 0)
        #expect(mkdir(scratch.file("box"), 0o750) == 0)
        #expect(mkdir(scratch.file("box/new"), 0o750) == 0)
        try await wait(&wakes, watcher, for: .directory(scratch.file("box/new")))
        try scratch.write([1], to: "box/new/a")
        try await wait(&wakes, watcher, for: .event)
    }

    @Test("says once that a directory is missing")
    func blind() async throws {
        let scratch = try ScratchDirectory()
        let watcher = try make(scratch, interval: .milliseconds(20))
        defer { watcher.stop() }
        var wakes = watcher.wakes.makeAsyncIterator()
        #expect(rmdir(scratch.file("new")) == 0)
        var complaints = 0
        var timers = 0
        while timers < 10, let wake = await wakes.next() {
            complaints += wake.reasons.count { if case .blind = $0 { true } else { false } }
            timers += wake.isTimer ? 1 : 0
        }
        #expect(complaints == 1)
    }

    private func reasons(
        until reason: Wake.Reason, _ iterator: inout AsyncStream<Wake>.Iterator
    ) async -> [Wake.Reason] {
        var found: [Wake.Reason] = []
        var times = 0
        // Twice: the first may have been on its way before what is looked for.
        while times < 2, let wake = await iterator.next() {
            found += wake.reasons
            times += wake.reasons.contains(reason) ? 1 : 0
        }
        return found
    }

    @Test("there is one in a process, and another after it has stopped")
    func single() async throws {
        let scratch = try ScratchDirectory()
        for _ in 0..<3 {
            let watcher = try make(scratch)
            let error = try #require(throws: SpoolWatchError.self) { _ = try make(scratch) }
            #expect(error.kind == .alreadyWatching)
            watcher.stop()
            watcher.stop()
        }
    }

    @Test("stop ends the stream and the thread, even if others stop it at the same time")
    func stop() async throws {
        let scratch = try ScratchDirectory()
        for _ in 0..<20 {
            let watcher = try make(scratch)
            let taken = Task {
                var count = 0
                for await _ in watcher.wakes { count += 1 }
                return count
            }
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<3 { group.addTask { watcher.stop() } }
            }
            _ = await taken.value
        }
        #expect(try watcherThreads() == 0)
        #expect(inotifyDescriptors().isEmpty)
    }

    /// Other tests start and end threads of this process at the same time, so only the watchers' own count.
    private func watcherThreads() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count { task in
            let name = try? String(contentsOfFile: "/proc/self/task/\(task)/comm", encoding: .utf8)
            return name == WatcherThread.threadName + "\n"
        }
    }

    private func inotifyDescriptors() -> [CInt] {
        (0..<1_024).filter { number in
            var buffer = [CChar](repeating: 0, count: 64)
            let length = readlink("/proc/self/fd/\(number)", &buffer, buffer.count)
            return length > 0
                && String(decoding: buffer.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
                    == "anon_inode:inotify"
        }
    }

    @Test("its descriptor is closed in child processes")
    func closedOnExec() throws {
        let scratch = try ScratchDirectory()
        let watcher = try make(scratch)
        defer { watcher.stop() }
        let descriptors = inotifyDescriptors()
        #expect(descriptors.count == 1)
        #expect(descriptors.allSatisfy { fcntl($0, F_GETFD) & FD_CLOEXEC != 0 })
    }

    @Test("a descriptor that the library cannot use is refused, not met by an abort")
    func maximumDescriptor() throws {
        let scratch = try ScratchDirectory()
        var limit = rlimit()
        #expect(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
        guard limit.rlim_max > 1_200 else { return }
        limit.rlim_cur = min(limit.rlim_max, 4_096)
        #expect(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
        var held: [CInt] = []
        defer { for descriptor in held { close(descriptor) } }
        var refusal: SpoolWatchError?
        // Tests beside this one close files at any time, and free a low number.
        for _ in 0..<200 where refusal == nil {
            repeat {
                let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
                guard descriptor >= 0 else { throw WatchFailure("cannot fill the table of open files") }
                held.append(descriptor)
            } while held.last.map { $0 < 1_030 } == true
            do { try make(scratch).stop() } catch let error as SpoolWatchError { refusal = error }
        }
        let error = try #require(refusal)
        #expect(error.kind == .tooManyDescriptors)
        #expect(error.description.contains("before other files"))
    }

    @Test(
        "a directory that is missing, a link or a file is refused at the start", arguments: ["missing", "link", "file"])
    func refused(_ kind: String) throws {
        let scratch = try ScratchDirectory()
        try scratch.write([1], to: "file")
        #expect(symlink(scratch.path, scratch.file("link")) == 0)
        let error = try #require(throws: SpoolWatchError.self) {
            _ = try SpoolWatcher(directories: [scratch.path, scratch.file(kind)])
        }
        #expect(error.kind == .directory)
        #expect(error.path.hasSuffix(kind))
        // The one that failed holds nothing back.
        try SpoolWatcher(directories: [scratch.path]).stop()
    }

    @Test("wakes that nobody took are joined, and no reason is lost")
    func coalescing() async throws {
        let scratch = try ScratchDirectory()
        let watcher = try make(scratch, ["new", "other"], interval: .milliseconds(10))
        defer { watcher.stop() }
        for number in 0..<200 { try scratch.write([1], to: "new/\(number)") }
        #expect(rmdir(scratch.file("other")) == 0)
        // Long enough that several timers come, each of which would push the others out.
        var wakes = watcher.wakes.makeAsyncIterator()
        let started = ContinuousClock.now
        while ContinuousClock.now - started < .milliseconds(200) { await Task.yield() }
        let first = try #require(await wakes.next())
        #expect(first.reasons.isSuperset(of: [.event, .timer, .directory(scratch.file("other"))]))
    }

    // The masks of inotify(7) by their numbers: only the watcher's own target knows the C header.
    @Test("a queue that overflows wakes, with the reason")
    func overflow() async throws {
        #expect(EventMeaning(mask: UInt32(0x4000)) == .overflow)
        let scratch = try ScratchDirectory()
        var directories = WatchedDirectories([scratch.path])
        #expect(directories.reasons(mask: UInt32(0x4000), watch: -1) == [.overflow])
        #expect(Wake([.overflow]).description.contains("max_queued_events"))
    }

    @Test(
        "events have their meaning",
        arguments: [
            (UInt32(0x100), EventMeaning.arrival), (UInt32(0x80), .arrival),
            (UInt32(0x8), .arrival),
            (UInt32(0x800), .moved), (UInt32(0x400), .gone), (UInt32(0x8000), .gone),
            (UInt32(0x2000), .gone), (UInt32(0x4), .nothing), (0, .nothing),
        ])
    func meanings(_ mask: UInt32, _ meaning: EventMeaning) { #expect(EventMeaning(mask: mask) == meaning) }

    @Test("the kernel's limits are read")
    func limits() {
        let limits = InotifyLimits.current()
        #expect((limits.queuedEvents ?? 0) > 0)
        #expect((limits.instances ?? 0) > 0)
        #expect((limits.watches ?? 0) > 0)
    }
}

struct WatchFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
