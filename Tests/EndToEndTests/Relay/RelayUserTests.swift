import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The relay as a user of its own", .enabled(if: geteuid() == 0, "needs root"))
    struct RelayUser {
        private static let user = 61_001
        private static let group = 61_002

        @Test("needs nothing of the spool but the group of its folders", arguments: ["once", "status"])
        func ownUser(command: String) async throws {
            let fixture = try await RelayFixture(RelayFixture.gateway(25))
            let folders = ["delivered", "admin", "failed", "relay"].map { fixture.spool + "/" + $0 }
            let given = try await RunningProgram.run("/bin/chgrp", ["-R", "\(Self.group)"] + folders, asRoot: true)
            try #require(given.status == 0, "\(given)")
            // Any user may find the configuration and the spool, and read the former.
            try #require(chmod(fixture.scratch.path, 0o755) == 0 && chmod(fixture.configurationPath, 0o644) == 0)
            let ended = try await RunningProgram.run(
                "/usr/bin/setpriv",
                [
                    "--reuid=\(Self.user)", "--regid=\(Self.group)", "--clear-groups", "--",
                    try Programs.path("ses-relay"), command, "--config", fixture.configurationPath,
                ], asRoot: true)
            #expect(ended.status == 0, "\(ended)")
            #expect(!ended.error.contains("Permission denied"), "\(ended)")
        }
    }
}
