import Foundation

/// The signing servers that the cases share: one for each configuration.
actor CaseServers {
    private var copies: [CaseSet: Task<ScratchDirectory, any Error>] = [:]
    private var servers: [String: Task<DSSFixture, any Error>] = [:]

    /// The address of the server that a row uses; it starts with the first row.
    func address(for row: CaseRow) async throws -> String {
        let name = row.server.map { "dss-\($0).xml" } ?? "dss.xml"
        let key = row.set.folder + "/" + name
        let copy = copies[row.set] ?? Task { try await Self.copy(of: row.set) }
        copies[row.set] = copy
        let server =
            servers[key] ?? Task { try await DSSFixture(configuration: copy.value.file("conf/" + name)) }
        servers[key] = server
        return try await server.value.address
    }

    /// Stops them all.
    func stop() async throws {
        for server in servers.values { try await server.value.stop() }
    }

    /// A copy of configurations and keys that others cannot read, as `ses-dss` demands.
    private static func copy(of set: CaseSet) async throws -> ScratchDirectory {
        let scratch = try ScratchDirectory()
        try SpoolFixture.own(scratch.path)
        var commands = [
            ["/bin/cp", "-r", set.folder + "/conf", set.folder + "/pki", scratch.path],
            ["/bin/chmod", "-R", "u+rwX,go-rwx", scratch.file("conf"), scratch.file("pki")],
        ]
        if let account = Programs.unprivileged {
            commands.append(
                ["/bin/chown", "-R", "\(account.user):\(account.group)", scratch.file("conf"), scratch.file("pki")])
        }
        for command in commands {
            let finished = try await RunningProgram.run(command[0], Array(command.dropFirst()), asRoot: true)
            guard finished.status == 0 else { throw HarnessError("\(command): \(finished)") }
        }
        return scratch
    }
}
