import Foundation
import Glibc
import Octets
import Synchronization
import TestSupport
import Testing

@testable import Spool

@Suite("A transaction")
struct TransactionTests {
    @Test("outputs are published under the announced names, then nothing of the entry is left")
    func publish() throws {
        let test = try TestSpool()
        let transaction = try test.claimed()
        let told = try [
            transaction.add(output: test.output("one")), transaction.add(output: test.output("two", .admin)),
            transaction.add(output: test.output("three", .blocked)),
        ]
        #expect(try test.names("delivered/new").isEmpty)
        #expect(try transaction.commit())
        #expect(try transaction.publish() == told)
        #expect(try test.everything() == Set(told.map { "\($0.folder.rawValue)/new/\($0.name)" }))
        #expect(try test.text("admin/new/\(told[1].name)") == "X-SES-End: 1\r\ntwo")
        #expect(told[0].name.facts == NameFacts(envelopeOctets: 14, origin: .outgoing(bare: false)))
        #expect(told[0].name.unique.entry == transaction.entry)
        #expect(throws: SpoolError.self) { try transaction.publish() }
    }

    @Test("a result folder that somebody removed is made again, at each step that needs it")
    func missingFolder() throws {
        let test = try TestSpool()
        func remove(_ folder: String) throws { try FileManager.default.removeItem(atPath: test.file(folder)) }
        let transaction = try test.claimed()
        try remove("delivered")
        try transaction.add(output: test.output("one"))
        #expect(try transaction.commit())
        try remove("delivered")
        let told = try transaction.publish()
        #expect(try test.names("delivered/new") == told.map(\.name.description))
        #expect(try test.names("delivered").count == 3)
        try remove("retry")
        try test.claimed().defer(attempts: 1, due: 1)
        #expect(try test.names("retry/new").count == 1)
        try remove("blocked/new")
        _ = try test.claimed("x", "outgoing/new/2.M1.host").block()
        #expect(try test.names("blocked/new").count == 1)
        try remove("corrupt")
        try test.put("", "outgoing/new/empty")
        guard case .corrupt = try test.spool.claim(try test.candidates(.outgoing)[0]) else {
            throw TestFailure("not corrupt")
        }
        #expect(try test.names("corrupt").count == 1)
    }

    @Test("a commit without outputs would lose the message, and is refused")
    func noOutputs() throws {
        let test = try TestSpool()
        let transaction = try test.claimed()
        #expect(throws: SpoolError.self) { try transaction.commit() }
        #expect(throws: SpoolError.self) { try transaction.publish() }
    }

    @Test(
        "pure LF out: the envelope block too, and E counts it as written",
        arguments: [
            ("a\r\nb\r\n", "a\nb\n"), ("a\rb\r\r\n\r", "a\rb\r\n\r"), ("", ""), ("\r\n", "\n"), ("a\nb", "a\nb"),
        ])
    func lineFeeds(_ given: String, _ expected: String) throws {
        let test = try TestSpool()
        let transaction = try test.claimed()
        let told = try transaction.add(output: test.output(given, lineEnds: .lf))
        #expect(told.name.facts.envelopeOctets == 13)
        #expect(try transaction.commit())
        try transaction.publish()
        #expect(try test.text("delivered/new/\(told.name)") == "X-SES-End: 1\n" + expected)
    }

    @Test(
        "line ends are turned across the pieces of a large output",
        arguments: [262_143, 262_144, 262_145, 524_288, 1_000_003])
    func largeLineFeeds(_ size: Int) throws {
        let test = try TestSpool()
        let transaction = try test.claimed()
        var octets: [UInt8] = []
        while octets.count < size { octets += Array(octets.count % 3 == 0 ? "\r\n".utf8 : "x\r\r\n\ny".utf8) }
        let expected = String(decoding: octets, as: UTF8.self).replacingOccurrences(of: "\r\n", with: "\n")
        for lineEnds in [StagedOutput.LineEnds.lf, .asIs] {
            var rope = OctetRope()
            for start in stride(from: 0, to: octets.count, by: 7_919) {
                rope.append(OctetString(octets[start..<min(start + 7_919, octets.count)]))
            }
            try transaction.add(
                output: StagedOutput(
                    folder: .delivered, facts: NameFacts(), block: OctetString(), content: rope, lineEnds: lineEnds))
        }
        #expect(try transaction.commit())
        let told = try transaction.publish()
        #expect(told[0].name.facts.envelopeOctets == nil)
        #expect(try test.text("delivered/new/\(told[0].name)") == expected)
        #expect(try TestMaterial.octets(test.file("delivered/new/\(told[1].name)")) == octets)
    }

    @Test("retry is one rename of the unchanged message, with the new facts")
    func deferred() throws {
        let test = try TestSpool()
        let transaction = try test.claimed("12345hello", "outgoing/new/\(TestSpool.retryName),E=5")
        let inode = try #require(try test.inode("work/\(test.names("work")[0])/message,E=5,O=out,N=0,C=1"))
        try transaction.add(output: test.output("thrown away"))
        let file = try transaction.defer(attempts: 1, due: 1_790_000_300)
        #expect(file.folder == .retry)
        #expect(try test.everything() == ["retry/new/\(file.name)"])
        #expect(file.name.facts.description == ",E=5,O=out,N=1,D=1790000300")
        #expect(try test.inode("retry/new/\(file.name)") == inode)
        let candidate = try #require(try test.candidates(.retry).first)
        #expect(candidate.entry == transaction.entry)
        #expect(throws: SpoolError.self) { try transaction.defer(attempts: 2, due: 0) }
    }

    @Test("blocking is one rename, too")
    func blocked() throws {
        let test = try TestSpool()
        let file = try test.claimed("hello", "incoming/a.eml").block()
        #expect(try test.everything() == ["blocked/new/\(file.name)"])
        #expect(file.name.facts == NameFacts(origin: .incoming(bare: true)))
    }

    @Test("a start that is given back costs nothing, and leaves the entry to the next recovery")
    func rollBack() throws {
        let test = try TestSpool()
        for _ in 0..<6 {
            if try test.names("work").isEmpty {
                let transaction = try test.claimed()
                try transaction.add(output: test.output("x"))
                try transaction.rollBackStart()
            } else {
                try test.spool.recover { (recovered) throws(SpoolError) in
                    guard case .work(let transaction) = recovered else { return }
                    #expect(transaction.starts == 1)
                    try transaction.rollBackStart()
                }
            }
            let work = try test.names("work")
            #expect(try test.names("work/" + work[0]) == ["message,O=out,N=0,C=0"])
        }
    }

    @Test("a committed entry that is given back stays committed")
    func rollBackCommitted() throws {
        let test = try TestSpool()
        let transaction = try test.claimed()
        try transaction.add(output: test.output("x"))
        #expect(try transaction.commit())
        try transaction.rollBackStart()
        #expect(try test.names("publish").count == 1)
        #expect(try test.recover().recovered.isEmpty)
        #expect(try test.names("delivered/new").count == 1)
    }

    @Test(
        "a claimed file that its writer still changes makes the work start over (F10)",
        arguments: ["append", "truncate", "replace", "touch", "remove"])
    func changed(_ how: String) throws {
        let test = try TestSpool()
        let transaction = try test.claimed("hello")
        let path = try test.file("work/\(test.names("work")[0])/message,O=out,N=0,C=1")
        #expect(try transaction.read(maximum: 100).octets.text == "hello")
        #expect(try !transaction.hasChanged())
        try transaction.add(output: test.output("hello"))
        switch how {
        case "append":
            let file = open(path, O_WRONLY | O_APPEND)
            #expect(write(file, "!", 1) == 1)
            close(file)
        case "truncate": #expect(truncate(path, 2) == 0)
        case "replace":
            try Data("other".utf8).write(to: URL(fileURLWithPath: path + "~"))
            #expect(rename(path + "~", path) == 0)
        case "touch": #expect(chmod(path, 0o600) == 0)
        default: unlink(path)
        }
        #expect(try transaction.hasChanged())
        #expect(try !transaction.commit())
        #expect(try test.names("publish").isEmpty)
        #expect(transaction.outputs.isEmpty)
        guard how != "remove" else {
            #expect(throws: SpoolError.self) { try transaction.read(maximum: 100) }
            return
        }
        let expected = ["append": "hello!", "truncate": "he", "replace": "other", "touch": "hello"]
        #expect(try transaction.read(maximum: 100).octets.text == expected[how])
        try transaction.add(output: test.output("again"))
        #expect(try transaction.commit())
        #expect(try transaction.publish().count == 1)
    }

    @Test("a large message is read from a private copy: truncating it does no harm (F10)")
    func privateCopy() throws {
        let test = try TestSpool()
        let text = String(repeating: "0123456789abcdef", count: 100_000)
        let transaction = try test.claimed(text)
        let file = try transaction.read(maximum: .max)
        let work = try test.names("work")[0]
        #expect(truncate(test.file("work/\(work)/message,O=out,N=0,C=1"), 0) == 0)
        #expect(file.octets.count == 1_600_000)
        #expect(file.octets.text == text)
        #expect(try transaction.hasChanged())
        #expect(try test.names("work/" + work) == ["message,O=out,N=0,C=1"])
    }

    @Test("a message that is too large is an error with its size, and nothing is read (F13)")
    func tooLarge() throws {
        let test = try TestSpool()
        let transaction = try test.claimed("x")
        let work = try test.names("work")[0]
        #expect(truncate(test.file("work/\(work)/message,O=out,N=0,C=1"), 1 << 40) == 0)
        let error = try #require(throws: SpoolError.self) { try transaction.read(maximum: 200 << 20) }
        #expect(error.kind == .tooLarge(octets: 1 << 40))
        #expect(!error.isLocalFault)
        #expect(try transaction.block().folder == .blocked)
    }

    @Test("an output whose name is taken in the folder gets a fresh one; the same inode is ours already")
    func nameTaken() throws {
        let test = try TestSpool()
        for isSame in [false, true] {
            let transaction = try test.claimed()
            let told = try transaction.add(output: test.output("ours"))
            #expect(try transaction.commit())
            let publish = try test.names("publish")[0]
            let target = "delivered/new/\(told.name)"
            if isSame {
                #expect(link(test.file("publish/\(publish)/delivered~\(told.name)"), test.file(target)) == 0)
            } else {
                try test.put("theirs", target)
            }
            let published = try transaction.publish()
            #expect((published[0].name == told.name) == isSame)
            #expect(published[0].name.facts == told.name.facts)
            #expect(try test.text("delivered/new/\(published[0].name)").hasSuffix("ours"))
            if !isSame { #expect(try test.text(target) == "theirs") }
            #expect(try test.names("publish").isEmpty)
        }
        #expect(try test.names("delivered/new").count == 3)
    }

    @Test("a folder that is gone is made again", arguments: ["delivered", "delivered/new"])
    func folderMade(_ gone: String) throws {
        let test = try TestSpool()
        let transaction = try test.claimed()
        try transaction.add(output: test.output("x"))
        #expect(try transaction.commit())
        try FileManager.default.removeItem(atPath: test.file(gone))
        try transaction.publish()
        #expect(try test.names("delivered/new").count == 1)
        #expect(try MakingTests.mode(test.file("delivered/new")) == 0o2770)
    }

    @Test("a folder that was moved away and made anew gets the outputs published after that")
    func folderRemade() throws {
        let test = try TestSpool()
        let transaction = try test.claimed()
        try transaction.add(output: test.output("x"))
        #expect(try transaction.commit())
        #expect(rename(test.file("delivered"), test.scratch.file("moved")) == 0)
        try test.makeDirectory("delivered")
        try test.makeDirectory("delivered/new")
        try transaction.publish()
        #expect(try test.names("delivered/new").count == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: test.scratch.file("moved/new")).isEmpty)
    }

    @Test("a folder that became a symbolic link gets nothing; the entry stays committed until it is repaired (F8)")
    func folderLink() throws {
        let test = try TestSpool()
        let transaction = try test.claimed()
        try transaction.add(output: test.output("x"))
        #expect(try transaction.commit())
        let elsewhere = test.scratch.file("elsewhere")
        #expect(rename(test.file("delivered/new"), elsewhere) == 0)
        #expect(symlink(elsewhere, test.file("delivered/new")) == 0)
        // The same directory by another way is refused, too: the link may lead elsewhere the next time.
        let error = try #require(throws: SpoolError.self) {
            #expect(unlink(test.file("delivered/new")) == 0)
            #expect(symlink("/tmp", test.file("delivered/new")) == 0)
            try transaction.publish()
        }
        #expect(error.kind == .layout)
        #expect(try test.names("publish").count == 1)
        unlink(test.file("delivered/new"))
        #expect(rename(elsewhere, test.file("delivered/new")) == 0)
        try transaction.publish()
        #expect(try test.names("delivered/new").count == 1)
        #expect(try test.names("publish").isEmpty)
    }

    @Test("a swap for a symbolic link at any moment never lets a read out of the spool (F7)")
    func swapRace() throws {
        let test = try TestSpool()
        let bait = try test.scratch.write(Array("bait".utf8), to: "bait")
        let link = test.scratch.file("link")
        let plain = try test.scratch.write(Array("mail".utf8), to: "plain")
        #expect(symlink(bait, link) == 0)
        let isDone = Atomic(false)
        let target = test.file("outgoing/new/x")
        try onThreads(2) { number in
            if number == 1 {
                while !isDone.load(ordering: .relaxed) {
                    for source in [plain, link] {
                        let copy = test.scratch.file("copy")
                        _ = source == plain ? Glibc.link(plain, copy) : symlink(bait, copy)
                        _ = rename(copy, target)
                    }
                }
                return
            }
            defer { isDone.store(true, ordering: .relaxed) }
            for _ in 0..<1_000 {
                try test.spool.forEachWaiting(in: .outgoing) { (candidate) throws(SpoolError) in
                    if case .claimed(let transaction) = try test.spool.claim(candidate) {
                        let file = try transaction.read(maximum: 100)
                        #expect(file.octets.text == "mail")
                        _ = try transaction.block()
                    }
                    return true
                }
            }
        }
    }

    @Test(
        "scratch stays in memory when small, goes to a private file when large, and leaves no name",
        arguments: [0, 1, 1_048_576, 1_048_577, 5_000_000])
    func scratch(_ size: Int) throws {
        let test = try TestSpool()
        let transaction = try test.claimed()
        let expected = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var collector = try transaction.scratch.makeCollector()
        for start in stride(from: 0, to: size, by: 70_001) {
            let piece = expected[start..<min(start + 70_001, size)]
            try OctetString(piece).forEachChunk { (chunk) throws(OctetCollectionError) in try collector.append(chunk) }
        }
        let octets = try collector.finish()
        #expect(octets.array == expected)
        #expect(try transaction.makeMapped(octets).array == expected)
        #expect(try test.names("work/\(test.names("work")[0])") == ["message,O=out,N=0,C=1"])
    }

    @Test("many small octets of one entry do not stay in memory together")
    func scratchInAll() throws {
        let test = try TestSpool()
        let transaction = try test.claimed()
        var found: [OctetString] = []
        for number in 0..<24 {
            var collector = try transaction.scratch.makeCollector()
            let piece = OctetString([UInt8](repeating: UInt8(number), count: 900_000))
            try piece.forEachChunk { (chunk) throws(OctetCollectionError) in try collector.append(chunk) }
            found.append(try collector.finish())
        }
        let kept = transaction.scratchSpace.octetsInMemory
        #expect(kept > 900_000 && kept <= ScratchSpace.maximumInMemoryTogether)
        for (number, octets) in found.enumerated() {
            #expect(octets.count == 900_000 && octets.allSatisfy { $0 == UInt8(number) })
        }
    }

    @Test("mapped octets outlive their transaction")
    func outlive() throws {
        let test = try TestSpool()
        var octets = OctetString()
        do {
            let transaction = try test.claimed(String(repeating: "x", count: 2_000_000))
            octets = try transaction.read(maximum: .max).octets
            _ = try transaction.block()
        }
        #expect(octets.allSatisfy { $0 == UInt8(ascii: "x") })
    }

    @Test("an entry dropped without an end is free for the next recovery, even while its scratch is held")
    func dropped() throws {
        let test = try TestSpool()
        var scratch: (any OctetCollectorMaking)?
        do { scratch = try test.claimed().scratch }
        #expect(try test.recover().recovered == ["work C=2"])
        #expect(scratch != nil)
    }

    @Test("several threads collect scratch of one entry at once")
    func concurrentScratch() throws {
        let test = try TestSpool()
        let transaction = try test.claimed()
        try onThreads(8) { number in
            let piece = [UInt8](repeating: UInt8(number), count: 3_000_000)
            var collector = try transaction.scratch.makeCollector()
            try OctetString(piece).forEachChunk { (chunk) throws(OctetCollectionError) in try collector.append(chunk) }
            let octets = try collector.finish()
            guard octets.array == piece else { throw TestFailure("mixed up") }
        }
    }
}

extension TestSpool {
    func inode(_ name: String) throws -> UInt? {
        var status = stat()
        return lstat(file(name), &status) == 0 ? UInt(status.st_ino) : nil
    }
}

extension NameFacts {
    var description: String { suffix }
}
