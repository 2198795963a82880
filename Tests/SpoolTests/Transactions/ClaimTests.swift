import Foundation
import Glibc
import Octets
import Synchronization
import TestSupport
import Testing

@testable import Spool

@Suite("Claiming waiting messages")
struct ClaimTests {
    @Test("a claim that finds no descriptor left leaves no empty directory behind, at whichever step")
    func noDescriptors() async {
        // A process of its own, because the limit holds for all tests of one.
        await #expect(processExitsWith: .exitCode(0)) {
            let test = try TestSpool()
            try test.put("outgoing/new/1.M1.host")
            let candidate = try test.candidates(.outgoing)[0]
            let unused = dup(STDIN_FILENO)
            close(unused)
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            let former = limit
            var failures = 0
            for more in 0..<16 {
                limit.rlim_cur = rlim_t(Int(unused) + more)
                setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
                let claimed = Result { try test.spool.claim(candidate) }
                limit = former
                setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
                let places = try test.names("work")
                guard try places.allSatisfy({ try !test.names("work/" + $0).isEmpty }) else { exit(3) }
                if case .failure = claimed { failures += 1 }
                // Claimed, or left with its message to the next recovery.
                if !places.isEmpty { exit(failures > 0 ? 0 : 2) }
            }
            exit(4)
        }
    }

    @Test(
        "a claim is one rename that keeps the facts and counts the start",
        arguments: [
            ("outgoing/new/1.M1.host", Origin.outgoing(bare: false)),
            ("incoming/new/1.M1.host", .incoming(bare: false)),
            ("outgoing/a.eml", .outgoing(bare: true)), ("incoming/a.eml", .incoming(bare: true)),
            ("outgoing/A.EML", .outgoing(bare: true)), ("incoming/Mail.Eml", .incoming(bare: true)),
        ])
    func claim(_ name: String, _ origin: Origin) throws {
        let test = try TestSpool()
        let transaction = try test.claimed("hello", name)
        #expect(transaction.origin == origin)
        #expect(transaction.starts == 1)
        #expect(transaction.attempts == 0)
        let work = try test.names("work")
        #expect(work.count == 1)
        #expect(try test.names("work/" + work[0]) == ["message,O=\(origin.word),N=0,C=1"])
        #expect(try transaction.read(maximum: 100).octets.text == "hello")
        #expect(!FileManager.default.fileExists(atPath: test.file(name)))
    }

    @Test("a retry keeps its entry, its attempts and its order, and is due by its time")
    func retry() throws {
        let test = try TestSpool()
        try test.put("12345hello", "retry/new/\(TestSpool.retryName),E=5,O=infile,N=3,D=1790000100,A=release")
        let candidate = try #require(try test.candidates(.retry).first)
        #expect(candidate.due == 1_790_000_100)
        #expect(!candidate.isDue(now: 1_790_000_099, maximumDelay: 1_000))
        #expect(candidate.isDue(now: 1_790_000_100, maximumDelay: 1_000))
        #expect(candidate.isDue(now: 1_780_000_000, maximumDelay: 1_000))
        guard case .claimed(let transaction) = try test.spool.claim(candidate) else { throw TestFailure("not claimed") }
        #expect(transaction.entry.digits == TestSpool.entry)
        #expect(
            transaction.facts
                == NameFacts(envelopeOctets: 5, origin: .incoming(bare: true), attempts: 3, starts: 1, order: .release))
        let file = try transaction.read(maximum: 100)
        #expect(file.block?.text == "12345")
        #expect(file.message.text == "hello")
    }

    @Test("in outgoing and incoming only E and the entry are believed, and only of a name that `ses drop` made")
    func belief() throws {
        let test = try TestSpool()
        let all = ",E=3,O=infile,N=9,D=5,C=3,A=release"
        let transaction = try test.claimed("abcdef", "outgoing/new/\(TestSpool.retryName)\(all)")
        #expect(
            transaction.facts == NameFacts(envelopeOctets: 3, origin: .outgoing(bare: false), attempts: 0, starts: 1))
        #expect(transaction.entry.digits == TestSpool.entry)
        try transaction.defer(attempts: 1, due: 0)
        for name in [
            "outgoing/new/1790000000.M1.host,E=3", "outgoing/\(TestSpool.retryName),E=3.eml",
            "outgoing/\(TestSpool.retryName),E=3:2,.eml",
        ] {
            #expect(try test.claimed("abcdef", name).envelopeOctets == nil, "\(name)")
        }
    }

    @Test(
        "names that are not ours are claimed unchanged (F9)",
        arguments: [
            "-rf", "a b\nc", "1790000000.M1P2.host:2,S", String(repeating: "n", count: 255), "..x", "%s",
            "message,O=out,C=1",
        ])
    func names(_ name: String) throws {
        let test = try TestSpool()
        guard !name.hasPrefix(".") else {
            try test.put("outgoing/new/" + name)
            #expect(try test.candidates(.outgoing).isEmpty)
            return
        }
        let transaction = try test.claimed("x", "outgoing/new/" + name)
        #expect(try transaction.read(maximum: 1).octets.text == "x")
    }

    @Test("a name that is not UTF-8 is claimed too")
    func octetName() throws {
        let test = try TestSpool()
        var path = Array((test.file("incoming/new/") + "a").utf8CString.dropLast())
        path += [-1, -2, 0]
        let file = open(path, O_CREAT | O_WRONLY, 0o640)
        #expect(file >= 0)
        #expect(write(file, "x", 1) == 1)
        close(file)
        let candidate = try #require(try test.candidates(.incoming).first)
        #expect(candidate.name.description == "a\\xff\\xfe")
        guard case .claimed = try test.spool.claim(candidate) else { throw TestFailure("not claimed") }
    }

    @Test("dot files, *.part and *.tmp are never seen, nor bare files that are not *.eml")
    func unseen() throws {
        let test = try TestSpool()
        for name in [
            "new/.a", "new/a.part", "new/a.tmp", ".b.eml", "b.txt", "b.eml.part", "b.eml.tmp", "beml", "tmp/c",
            "cur/c",
        ] {
            try test.put("x", "outgoing/" + name)
        }
        #expect(try test.candidates(.outgoing).isEmpty)
    }

    @Test(
        "a file that cannot be a message goes to corrupt by one rename (F1, F5, F11)",
        arguments: ["link", "fifo", "socket", "directory", "empty", "dangling"])
    func corrupt(_ kind: String) throws {
        let test = try TestSpool()
        let bait = try test.scratch.write(Array("bait".utf8), to: "bait")
        for place in ["outgoing/new/x", "outgoing/x.eml"] {
            let path = test.file(place)
            switch kind {
            case "link": #expect(symlink(bait, path) == 0)
            case "dangling": #expect(symlink("/nonexistent", path) == 0)
            case "fifo": #expect(mkfifo(path, 0o640) == 0)
            case "directory": #expect(mkdir(path, 0o750) == 0)
            case "empty": try test.put("", place)
            default: try makeSocket(path)
            }
            let candidate = try #require(try test.candidates(.outgoing).first)
            if candidate.isBare { #expect(try test.spool.observe(candidate) != nil) }
            guard case .corrupt(let reason) = try test.spool.claim(candidate) else { throw TestFailure("not corrupt") }
            #expect(reason.hasPrefix(place.hasSuffix(".eml") ? "x.eml: it " : "x: it "))
        }
        #expect(try test.names("corrupt").count == 2)
        #expect(try test.names("work").isEmpty)
        #expect(try TestMaterial.octets(bait) == Array("bait".utf8))
    }

    /// The path of a test may be longer than an address of a socket: it is made by its short name, then moved.
    private func makeSocket(_ path: String) throws {
        let short = "/tmp/ses-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(short.utf8) + [0]) }
        let outcome = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard outcome == 0, rename(short, path) == 0 else { throw TestFailure("no socket: \(errno)") }
    }

    @Test("a file with more envelope than octets is corrupt")
    func shortEnvelope() throws {
        let test = try TestSpool()
        try test.put("abc", "outgoing/new/\(TestSpool.retryName),E=4")
        guard case .corrupt(let reason) = try test.spool.claim(test.candidates(.outgoing)[0]) else {
            throw TestFailure("not corrupt")
        }
        #expect(reason.contains("4 octets of envelope"))
    }

    @Test("a second link to the file elsewhere is never touched (F6)")
    func hardLink() throws {
        let test = try TestSpool()
        let other = try test.scratch.write(Array("linked".utf8), to: "other")
        #expect(link(other, test.file("outgoing/new/x")) == 0)
        guard case .claimed(let transaction) = try test.spool.claim(test.candidates(.outgoing)[0]) else {
            throw TestFailure("not claimed")
        }
        #expect(try transaction.read(maximum: 100).octets.text == "linked")
        try transaction.add(output: test.output("linked"))
        #expect(try transaction.commit())
        try transaction.publish()
        #expect(try TestMaterial.octets(other) == Array("linked".utf8))
    }

    @Test("a file that is gone, or that another process claimed, counts as taken")
    func taken() throws {
        let test = try TestSpool()
        try test.put("outgoing/new/a")
        try test.put("outgoing/new/b")
        let candidates = try test.candidates(.outgoing)
        unlink(test.file("outgoing/new/\(candidates[0].name)"))
        guard case .taken = try test.spool.claim(candidates[0]) else { throw TestFailure("claimed what is gone") }
        guard case .claimed = try test.spool.claim(candidates[1]) else { throw TestFailure("not claimed") }
        guard case .taken = try test.spool.claim(candidates[1]) else { throw TestFailure("claimed twice") }
        #expect(try test.names("work").count == 1)
    }

    @Test(
        "unreadable for us: left where it is, with the reason (F12)",
        .enabled(if: geteuid() != 0, "needs a user other than root"))
    func unreadable() throws {
        let test = try TestSpool()
        for name in ["outgoing/new/x", "outgoing/y.eml"] {
            try test.put("x", name)
            chmod(test.file(name), 0)
        }
        var seen = 0
        let left = try test.spool.forEachWaiting(in: .outgoing) { (_) throws(SpoolError) in
            seen += 1
            return true
        }
        #expect(seen == 0)
        #expect(left.count == 2)
        #expect(left.allSatisfy { $0.reason.contains("not readable") })
        #expect(try test.names("corrupt").isEmpty)
    }

    @Test(
        "a message that cannot be read once it is claimed stays in work and costs no start (F12)",
        .enabled(if: geteuid() != 0, "needs a user other than root"))
    func unreadableClaimed() throws {
        let test = try TestSpool()
        try test.put("x", "outgoing/new/x")
        let candidate = try test.candidates(.outgoing)[0]
        chmod(test.file("outgoing/new/x"), 0)
        let error = try #require(throws: SpoolError.self) { try test.spool.claim(candidate) }
        #expect(error.isLocalFault && error.errno == EACCES)
        #expect(try test.names("corrupt").isEmpty)
        let place = "work/" + (try #require(try test.names("work").first))
        let message = try #require(try test.names(place).first)
        #expect(message.contains("C=0"))
        chmod(test.file(place + "/" + message), 0o640)
        #expect(try test.recover().recovered == ["work C=1"])
    }

    @Test("a foreign file in retry is left and reported, because its direction is unknown")
    func foreignRetry() throws {
        let test = try TestSpool()
        try test.put("x", "retry/new/mine")
        try test.put("x", "retry/new/\(TestSpool.retryName),N=1")
        var seen = 0
        let left = try test.spool.forEachWaiting(in: .retry) { (_) throws(SpoolError) in
            seen += 1
            return true
        }
        #expect(seen == 0)
        #expect(left.count == 2)
        #expect(try test.names("retry/new").count == 2)
    }

    @Test("the listing follows a directory that was moved away and made anew")
    func remade() throws {
        let test = try TestSpool()
        try test.put("x", "outgoing/new/old")
        #expect(rename(test.file("outgoing/new"), test.scratch.file("moved")) == 0)
        try test.makeDirectory("outgoing/new")
        try test.put("x", "outgoing/new/young")
        #expect(try test.candidates(.outgoing).map(\.name.description) == ["young"])
    }

    @Test("a listing stops when told to, and its claims do not disturb it")
    func streaming() throws {
        let test = try TestSpool()
        for number in 0..<500 { try test.put("x", "outgoing/new/\(number)") }
        var seen: Set<String> = []
        try test.spool.forEachWaiting(in: .outgoing) { (candidate) throws(SpoolError) in
            #expect(seen.insert(candidate.name.description).inserted)
            guard case .claimed(let transaction) = try test.spool.claim(candidate) else { return false }
            try transaction.defer(attempts: 1, due: 0)
            return true
        }
        #expect(seen.count == 500)
        #expect(try test.names("retry/new").count == 500)
        var count = 0
        try test.spool.forEachWaiting(in: .retry) { (_) throws(SpoolError) in
            count += 1
            return count < 3
        }
        #expect(count == 3)
    }

    @Test("a directory that a recovery removes before it is locked costs a new name, not the claim")
    func removedBeforeLock() throws {
        let test = try TestSpool()
        let isDone = Atomic(false)
        try onThreads(3) { number in
            if number > 0 {
                // What recovery does to S1, as fast as can be.
                while !isDone.load(ordering: .relaxed) {
                    for name in try test.names("work") {
                        let directory = open(test.file("work/" + name), O_RDONLY | O_DIRECTORY)
                        if directory >= 0, flock(directory, LOCK_EX | LOCK_NB) == 0 { rmdir(test.file("work/" + name)) }
                        if directory >= 0 { close(directory) }
                    }
                }
                return
            }
            defer { isDone.store(true, ordering: .relaxed) }
            for round in 0..<300 {
                try test.put("x", "outgoing/new/\(round)")
                guard let candidate = try test.candidates(.outgoing).first else { throw TestFailure("nothing waits") }
                guard case .claimed(let transaction) = try test.spool.claim(candidate) else {
                    throw TestFailure("round \(round) was not claimed")
                }
                try transaction.defer(attempts: 1, due: 0)
            }
        }
        #expect(try test.names("retry/new").count == 300)
    }

    @Test("many threads and two processes: each file is claimed once, while recovery runs again and again")
    func race() throws {
        let test = try TestSpool()
        let other = try test.another()
        let count = 400
        for number in 0..<count { try test.put("\(number)", "outgoing/new/\(number)") }
        let claimed = Mutex<[String]>([])
        let running = Mutex(8)
        try onThreads(9) { number in
            if number == 8 {
                while running.withLock({ $0 }) > 0 {
                    // What is being worked on is busy, and what is being made must survive.
                    try test.spool.recover { (_) throws(SpoolError) in
                        throw SpoolError(.raced, path: "", "a living entry was taken for a left one")
                    }
                }
                return
            }
            defer { running.withLock { $0 -= 1 } }
            let spool = number.isMultiple(of: 2) ? test.spool : other
            try spool.forEachWaiting(in: .outgoing) { (candidate) throws(SpoolError) in
                if case .claimed(let transaction) = try spool.claim(candidate) {
                    let text = try transaction.read(maximum: 100).octets.text
                    claimed.withLock { $0.append(text) }
                    try transaction.defer(attempts: 1, due: 0)
                }
                return true
            }
        }
        #expect(claimed.withLock { $0.count } == count)
        #expect(Set(claimed.withLock { $0 }).count == count)
        #expect(try test.names("work").isEmpty)
        #expect(try test.names("retry/new").count == count)
    }
}
