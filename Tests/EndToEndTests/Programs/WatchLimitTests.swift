import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The limits are those of a user namespace of the test's own, so that nothing else on the machine feels them.
    @Suite(
        "A user without inotify",
        .enabled("user namespaces can be made here") { await InotifyLimit.canBeSet() })
    struct WatchLimits {
        @Test(
            "the daemon reads the folders every few seconds, and says so once for each",
            arguments: [("max_inotify_watches", 5), ("max_inotify_instances", 1)])
        func polling(_ limit: String, _ complaints: Int) async throws {
            var configuration = SESXML(servers: [try await DSSFixture.shared.address])
            configuration.outgoing = SESXML.sign(alias: Samples.aliceKey)
            let fixture = try await SpoolFixture(configuration)
            let daemon = try RunningProgram(
                "/usr/bin/unshare",
                InotifyLimit.command(
                    limit, try Programs.path("ses"), ["watch", "--config", fixture.configurationPath]),
                environment: ["SES_ALLOW_ROOT": "1"])
            _ = try await daemon.line(containing: "fs.inotify.max_user_")
            for number in 1...2 {
                try await fixture.drop(MailSamples.plain(), to: .outgoing)
                _ = try await fixture.arrived(number, in: "delivered")
            }
            let finished = try await daemon.terminate()
            #expect(finished.status == 0)
            #expect(
                finished.error.components(separatedBy: "is looked at every").count
                    + finished.error.components(separatedBy: "are looked at every").count == complaints + 2)
        }
    }
}

/// A limit of inotify in a user namespace, set to 0 for one program.
private enum InotifyLimit {
    /// - Returns: Arguments of unshare(1).
    static func command(_ limit: String, _ program: String, _ arguments: [String]) -> [String] {
        ["-Ur", "/bin/sh", "-c", "echo 0 > /proc/sys/user/\(limit) && exec \"$@\"", "sh", program] + arguments
    }

    static func canBeSet() async -> Bool {
        let finished = try? await RunningProgram.run(
            "/usr/bin/unshare", command("max_inotify_watches", "/bin/true", []))
        return finished?.status == 0
    }
}
