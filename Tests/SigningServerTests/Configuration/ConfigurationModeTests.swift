import Glibc
import SigningServer
import TestSupport
import Testing

/// Files and directories of `dss.xml` that the wrong people can read or change.
@Suite("Modes of dss.xml and what it names")
struct ConfigurationModeTests {
    private let scratch: ScratchDirectory
    private let path: String

    init() throws {
        scratch = try ScratchDirectory()
        try DemonstrationSite.make(in: scratch.file("site"), now: Int(time(nil)))
        path = scratch.file("site/dss.xml")
    }

    private func load(
        allowsReadableSecrets: Bool = false
    ) throws(DSSConfigurationFaults) -> SigningServerConfiguration {
        try SigningServerConfiguration.load(
            path: path, environment: [:], allowsReadableSecrets: allowsReadableSecrets)
    }

    private func refusal() -> String? {
        do {
            _ = try load()
            return nil
        } catch { return "\(error)" }
    }

    @Test("a file that everybody can change is refused, and one that the group can change is not")
    func file() {
        for mode: mode_t in [0o646, 0o602, 0o777] {
            #expect(chmod(path, mode) == 0)
            #expect(refusal()?.contains("everybody can change this file: chmod o-w \(path)") == true)
        }
        #expect(chmod(path, 0o664) == 0)
        #expect(refusal() == nil)
    }

    @Test("a directory where everybody can replace the file is refused, and one with the sticky bit is not")
    func directory() {
        let directory = scratch.file("site")
        for mode: mode_t in [0o777, 0o703] {
            #expect(chmod(directory, mode) == 0)
            #expect(refusal()?.contains("everybody can replace this file: chmod o-w \(directory)") == true)
        }
        #expect(chmod(directory, 0o1777) == 0)
        #expect(refusal() == nil)
    }

    @Test("a key or a password that others can read is refused with its name, or a warning where that is allowed")
    func readable() throws {
        for file in ["keys/alice@example.test.p12", "keys/alice@example.test.password"] {
            #expect(try load().warnings == [])
            let place = scratch.file("site/" + file)
            #expect(chmod(place, 0o644) == 0)
            let refused = try #require(refusal())
            #expect(refused.contains(path + ":") && refused.contains(place), "\(refused)")
            #expect(refused.contains("chmod o-rwx") && refused.contains("--allow-readable-secrets"), "\(refused)")
            let warnings = try load(allowsReadableSecrets: true).warnings
            #expect(warnings.count == 1 && warnings.first?.contains(place) == true, "\(warnings)")
            #expect(warnings.first?.contains("chmod o-rwx") == true)
            #expect(chmod(place, 0o640) == 0)
        }
    }

    @Test("a password in the configuration is refused where others can read that")
    func passwordInText() throws {
        let password = try String(
            decoding: TestMaterial.octets(scratch.file("site/keys/alice@example.test.password")), as: UTF8.self)
        let key = "<Key alias='a@x.test' pfx='keys/alice@example.test.p12' password='\(password.dropLast())'/>"
        try scratch.write(Array("<DSS>\(key)</DSS>".utf8), to: "site/dss.xml")
        for (mode, isRefused) in [(0o644, true), (0o640, false), (0o600, false)] as [(mode_t, Bool)] {
            #expect(chmod(path, mode) == 0)
            #expect((refusal()?.contains("holds a password") ?? false) == isRefused)
            let warnings = try load(allowsReadableSecrets: true).warnings
            #expect(warnings.contains { $0.contains("holds a password") } == isRefused)
        }
    }

    @Test("a FIFO is refused at once, as the configuration and as what it names", .timeLimit(.minutes(1)))
    func pipes() throws {
        for name in ["keys/alice@example.test.p12", "keys/alice@example.test.password", "ca.pem", "dss.xml"] {
            let place = scratch.file("site/" + name)
            #expect(unlink(place) == 0 && mkfifo(place, 0o600) == 0)
            #expect(refusal()?.contains("is not a regular file") == true, "\(name)")
        }
    }
}
