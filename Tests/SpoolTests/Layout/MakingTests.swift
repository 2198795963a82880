import Foundation
import Glibc
import Octets
import TestSupport
import Testing

@testable import Spool

@Suite("Making and opening a spool")
struct MakingTests {
    private let topLevel = [
        "admin", "blocked", "corrupt", "delivered", "failed", "incoming", "journal", "outgoing", "publish", "relay",
        "retry", "secret", "state", "work",
    ]

    static func mode(_ path: String) throws -> mode_t {
        var status = stat()
        guard lstat(path, &status) == 0 else { throw TestFailure("no \(path)") }
        return status.st_mode & 0o7777
    }

    @Test(
        "each directory has the mode of the layout, whatever the umask, and files 0640", .serialized,
        arguments: [0o000, 0o077])
    func modes(_ mask: mode_t) throws {
        // The umask is the process's: other tests make their files at the same time, and must stand it too.
        let before = umask(mask)
        defer { umask(before) }
        let test = try TestSpool()
        #expect(try Self.mode(test.path) == 0o751)
        for item in Layout.items { #expect(try Self.mode(test.file(item.path)) == item.mode, "\(item.path)") }
        #expect(try Self.mode(test.file("secret")) == 0o600)
        let transaction = try test.claimed()
        try transaction.add(output: test.output("x"))
        #expect(try transaction.commit())
        let published = try transaction.publish()
        #expect(try Self.mode(test.file("delivered/new/\(published[0].name)")) == 0o640)
        let delivery = try MaildirDelivery(spool: test.path, queue: .incoming)
        let name = try delivery.commit(envelopeOctets: nil)
        #expect(try Self.mode(test.file("incoming/new/\(name)")) == 0o640)
    }

    @Test("made twice, nothing changes but what was wrong")
    func idempotent() throws {
        let test = try TestSpool()
        let secret = try TestMaterial.octets(test.file("secret"))
        try test.put("outgoing/new/1.M1.host")
        chmod(test.file("delivered/new"), 0o700)
        try FileManager.default.removeItem(atPath: test.file("blocked"))
        _ = try Spool.make(at: test.path)
        #expect(try TestMaterial.octets(test.file("secret")) == secret)
        #expect(secret.count == 32)
        #expect(try Self.mode(test.file("delivered/new")) == 0o2770)
        #expect(try test.names("blocked") == ["cur", "new", "tmp"])
        #expect(try test.names("outgoing/new") == ["1.M1.host"])
        #expect(try test.names("") == topLevel)
    }

    @Test("a directory with something else in it is refused and keeps its mode")
    func foreign() throws {
        let scratch = try ScratchDirectory()
        try FileManager.default.createDirectory(atPath: scratch.file("etc"), withIntermediateDirectories: false)
        try scratch.write([0x0A], to: "etc/main.cf")
        #expect(chmod(scratch.file("etc"), 0o755) == 0)
        let error = try #require(throws: SpoolError.self) { _ = try Spool.make(at: scratch.file("etc")) }
        #expect(error.kind == .layout && error.description.contains("main.cf is in it"), "\(error)")
        #expect(try Self.mode(scratch.file("etc")) == 0o755)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.file("etc")) == ["main.cf"])
    }

    @Test("a spool that a killed start left half made is completed, and the mode of the secret is repaired")
    func completed() throws {
        let test = try TestSpool()
        let secret = try TestMaterial.octets(test.file("secret"))
        #expect(chmod(test.file("secret"), 0o644) == 0)
        _ = try Spool.make(at: test.path)
        #expect(try Self.mode(test.file("secret")) == 0o600 && TestMaterial.octets(test.file("secret")) == secret)
        try FileManager.default.removeItem(atPath: test.file("secret"))
        try FileManager.default.removeItem(atPath: test.file("relay"))
        try test.put("x", ".secret.0123")
        try test.makeDirectory("lost+found")
        _ = try Spool.make(at: test.path)
        #expect(try TestMaterial.octets(test.file("secret")).count == 32)
    }

    @Test(
        "what everybody may write to is refused (F16)",
        arguments: ["", "outgoing/new", "incoming", "work", "delivered/new", "incoming/tmp"])
    func worldWritable(_ directory: String) throws {
        let test = try TestSpool()
        #expect(chmod(test.file(directory), 0o777) == 0)
        let error = try #require(throws: SpoolError.self) { _ = try test.another() }
        #expect(error.kind == .permissions)
        #expect(error.description.contains("chmod o-w"))
    }

    @Test(
        "a missing directory is named, and what makes it",
        arguments: ["work", "publish", "outgoing", "outgoing/new", "journal", "state"])
    func missing(_ directory: String) throws {
        let test = try TestSpool()
        try FileManager.default.removeItem(atPath: test.file(directory))
        let error = try #require(throws: SpoolError.self) { _ = try test.another() }
        #expect(error.kind == .layout)
        #expect(error.path.hasSuffix(directory))
        #expect(error.description.contains("ses init"))
    }

    @Test(
        "a folder of results that somebody removed is made again at the next start, with its mode",
        arguments: ["delivered", "delivered/new", "admin", "blocked", "retry/new", "failed", "corrupt"])
    func madeAgain(_ directory: String) throws {
        let test = try TestSpool()
        let mode = try Self.mode(test.file(directory))
        try FileManager.default.removeItem(atPath: test.file(directory))
        _ = try test.another()
        #expect(try Self.mode(test.file(directory)) == mode)
        // Without its secret it is no spool in which anything may be made.
        try FileManager.default.removeItem(atPath: test.file(directory))
        try FileManager.default.removeItem(atPath: test.file("secret"))
        #expect(throws: SpoolError.self) { _ = try test.another() }
        #expect(!FileManager.default.fileExists(atPath: test.file(directory)))
    }

    @Test(
        "a directory replaced by a symbolic link is refused (F8)",
        arguments: ["outgoing", "outgoing/new", "outgoing/tmp", "delivered/new", "work", "relay"])
    func symbolicLink(_ directory: String) throws {
        let test = try TestSpool()
        let elsewhere = test.scratch.file("elsewhere")
        try FileManager.default.moveItem(atPath: test.file(directory), toPath: elsewhere)
        try FileManager.default.createSymbolicLink(atPath: test.file(directory), withDestinationPath: elsewhere)
        #expect(throws: SpoolError.self) { _ = try test.another() }
        #expect(throws: SpoolError.self) { _ = try Spool.make(at: test.path) }
    }

    @Test("a path that is no spool is refused")
    func noSpool() throws {
        let scratch = try ScratchDirectory()
        for path in [scratch.path, scratch.file("absent"), try scratch.write([1], to: "file")] {
            let error = try #require(throws: SpoolError.self) { _ = try Spool(opening: path, program: .ses) }
            #expect(error.kind == .layout)
        }
    }

    @Test("the secret is 32 octets for the owner alone")
    func secret() throws {
        let test = try TestSpool()
        #expect(test.spool.secret.array == (try TestMaterial.octets(test.file("secret"))))
        chmod(test.file("secret"), 0o640)
        #expect(try #require(throws: SpoolError.self) { _ = try test.another() }.kind == .permissions)
        chmod(test.file("secret"), 0o600)
        try test.put("short", "secret")
        chmod(test.file("secret"), 0o600)
        #expect(try #require(throws: SpoolError.self) { _ = try test.another() }.kind == .layout)
        unlink(test.file("secret"))
        #expect(try #require(throws: SpoolError.self) { _ = try test.another() }.kind == .layout)
    }

    @Test("the relay opens the same spool without the secret")
    func relay() throws {
        let test = try TestSpool()
        unlink(test.file("secret"))
        #expect(try Spool(opening: test.path, program: .relay).secret.isEmpty)
    }
}
