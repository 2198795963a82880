import Foundation
import Glibc
import TestSupport

/// The scenarios in which `ses` is killed.
enum GatewayScenarios {
    static let all = [
        KillScenario(name: "ses signs", program: "ses") { try await waiting("signs", isServerUp: true) },
        KillScenario(name: "ses verifies", program: "ses") { try await verified() },
        KillScenario(name: "ses defers", program: "ses") { try await waiting("defers", isServerUp: false) },
        KillScenario(name: "ses tries again", program: "ses") { try await due("again", command: "process") },
        KillScenario(name: "ses sweeps", program: "ses") { try await due("sweeps", command: "sweep") },
        KillScenario(name: "ses publishes what was committed", program: "ses") { try await committed() },
        KillScenario(name: "ses goes on with what it left in work", program: "ses") { try await interrupted() },
        KillScenario(name: "ses puts away what ended its starts", program: "ses") { try await startedInVain() },
        KillScenario(name: "ses passes, blocks and sorts out", program: "ses") { try await odd() },
        KillScenario(name: "ses works on four at once", program: "ses") {
            try await waiting("four", isServerUp: true, concurrency: 4)
        },
        KillScenario(name: "ses starts", program: "ses", passesOver: nil) {
            try await waiting("starts", count: 1, isServerUp: true)
        },
        KillScenario(name: "ses drop", program: "ses") { try await DropState() },
    ]

    private static func configuration(isServerUp: Bool = true, concurrency: Int = 1, more: String = "") async throws
        -> SESXML
    {
        let dead = "http://127.0.0.1:\(try DSSFixture.deadPort())"
        var configuration = SESXML(servers: [isServerUp ? try await DSSFixture.shared.address : dead])
        configuration.outgoing = SESXML.sign(
            alias: MailSamples.alice, filter: "<Filter><AND><Subject contains=\"About\"/></AND></Filter>")
        configuration.incoming = SESXML.verify()
        configuration.notTrustedAction = "EMAIL_TO_ADMINISTRATOR_AND_RECIPIENTS"
        configuration.processing =
            "<Concurrency>\(concurrency)</Concurrency>"
            + "<Retry><delayTime>1 second</delayTime><maxRetries>99</maxRetries></Retry>" + more
        return configuration
    }

    private static func marked(_ name: String, _ count: Int) -> [Marked] { (0..<count).map { Marked(name, $0) } }

    private static func put(_ octets: [UInt8], _ fixture: SpoolFixture, to direction: SpoolFixture.Direction) throws {
        let trace =
            "Return-Path: <\(MailSamples.alice)>\r\nEnvelope-To: \(MailSamples.bob)\r\n"
            + "Received: by mx.example.test; Mon, 5 Jan 2026 10:00:00 +0000\r\n"
        try fixture.place(
            Array(trace.utf8) + octets, in: direction.rawValue + "/new", named: "1700000000.\(UUID().uuidString).test")
    }

    private static func waiting(
        _ name: String, count: Int = 5, isServerUp: Bool, concurrency: Int = 1
    ) async throws -> GatewayState {
        let fixture = try await SpoolFixture(configuration(isServerUp: isServerUp, concurrency: concurrency))
        let all = marked(name, concurrency > 1 ? 2 * count : count)
        for one in all { try put(one.octets(), fixture, to: .outgoing) }
        let folder = isServerUp ? "delivered" : "retry"
        return GatewayState(fixture, expected: Dictionary(uniqueKeysWithValues: all.map { ($0, [folder]) }))
    }

    /// Three whose signature holds, three whose text was changed.
    private static func verified() async throws -> GatewayState {
        let fixture = try await SpoolFixture(configuration())
        var expected: [Marked: [String]] = [:]
        for (index, one) in marked("verifies", 6).enumerated() {
            let signed = try await signed(one)
            let octets = index < 3 ? signed : try MailSamples.changed(signed, "100 euro", to: "900 euro")
            try put(octets, fixture, to: .incoming)
            expected[one] = index < 3 ? ["delivered"] : ["admin", "delivered"]
        }
        return GatewayState(fixture, expected: expected)
    }

    private static func signed(_ one: Marked) async throws -> [UInt8] {
        let fixture = try await SpoolFixture(configuration())
        try put(one.octets(), fixture, to: .outgoing)
        try await fixture.process()
        return try fixture.onlyFile(in: "delivered").message
    }

    private static func due(_ name: String, command: String) async throws -> GatewayState {
        let state = try await waiting(name, isServerUp: false)
        let fixture = state.fixture
        try await fixture.process()
        for file in try fixture.names(in: "retry/new") {
            guard let due = SpoolFile.part("D", of: file) else { throw HarnessError("no D in \(file)") }
            try FileManager.default.moveItem(
                atPath: fixture.spool + "/retry/new/" + file,
                toPath: fixture.spool + "/retry/new/" + file.replacingOccurrences(of: "D=" + due, with: "D=0"))
        }
        try fixture.configure(try await configuration())
        let all = marked(name, 5)
        return GatewayState(
            fixture, command: command, expected: Dictionary(uniqueKeysWithValues: all.map { ($0, ["delivered"]) }))
    }

    /// Kills a program that works on one message, so that it leaves the message in `place`.
    private static func killed(_ one: Marked, isTampered: Bool, leaving place: String) async throws -> SpoolFixture {
        let octets =
            isTampered ? try MailSamples.changed(try await signed(one), "100 euro", to: "900 euro") : one.octets()
        // The number of a call may be another one in the next run, because several threads make calls.
        for _ in 0..<10 {
            let alone = try await SpoolFixture(configuration())
            try put(octets, alone, to: isTampered ? .incoming : .outgoing)
            let state = GatewayState(alone, expected: [one: isTampered ? ["admin", "delivered"] : ["delivered"]])
            let calls = try await KillScenario(name: "left", program: "ses") { state }.calls(state)
            guard let commit = calls.first(where: { $0.name == "rename" && $0.target.contains("/publish/") }) else {
                throw HarnessError("no commit among \(calls)")
            }
            // Where there are two outputs, one is published already.
            let point = place == "work" ? commit.number : commit.number + (isTampered ? 3 : 1)
            _ = try await state.run(
                try await FaultPoint.environment(program: "ses", point: point, action: .killBefore))
            // A directory without a message: it was killed before the message was moved there.
            let isLeft = try alone.names(in: place).contains { entry in
                try FileManager.default.contentsOfDirectory(atPath: alone.spool + "/\(place)/" + entry)
                    .contains { $0.hasPrefix("message") }
            }
            if isLeft { return alone }
        }
        throw HarnessError("ses left nothing of \(one.token) in \(place)")
    }

    /// Kills a program that works on each message alone, and brings what they left into one spool.
    /// - Parameter place: `work` to kill it before the commit, `publish` after it.
    private static func left(in place: String, _ all: [Marked]) async throws -> SpoolFixture {
        let fixture = try await SpoolFixture(configuration())
        for (index, one) in all.enumerated() {
            let alone = try await killed(one, isTampered: index.isMultiple(of: 2), leaving: place)
            for entry in try alone.names(in: place) {
                try FileManager.default.moveItem(
                    atPath: alone.spool + "/\(place)/" + entry, toPath: fixture.spool + "/\(place)/" + entry)
            }
            for folder in ["delivered", "admin"] {
                for file in try alone.names(in: folder + "/new") {
                    try FileManager.default.moveItem(
                        atPath: alone.spool + "/\(folder)/new/" + file,
                        toPath: fixture.spool + "/\(folder)/new/" + file)
                }
            }
        }
        return fixture
    }

    private static func committed() async throws -> GatewayState {
        let all = marked("committed", 6)
        let outcomes = all.enumerated().map { ($1, $0.isMultiple(of: 2) ? ["admin", "delivered"] : ["delivered"]) }
        return GatewayState(
            try await left(in: "publish", all), expected: Dictionary(uniqueKeysWithValues: outcomes))
    }

    private static func interrupted() async throws -> GatewayState {
        let all = marked("interrupted", 6)
        let outcomes = all.enumerated().map { ($1, $0.isMultiple(of: 2) ? ["admin", "delivered"] : ["delivered"]) }
        // One start had no end already. Killed at the same message in this run and in its recovery, it has had three.
        let instead = Dictionary(uniqueKeysWithValues: all.map { ($0, ["admin", "blocked"]) })
        return GatewayState(
            try await left(in: "work", all), expected: Dictionary(uniqueKeysWithValues: outcomes), instead: instead)
    }

    /// The last but one start ends with a notice to the administrator, the last one in `blocked`.
    private static func startedInVain() async throws -> GatewayState {
        let all = marked("vain", 4)
        let fixture = try await left(in: "work", all)
        var expected: [Marked: [String]] = [:]
        for entry in try fixture.names(in: "work") {
            let folder = fixture.spool + "/work/" + entry
            let names = try FileManager.default.contentsOfDirectory(atPath: folder)
            guard let name = names.first(where: { $0.hasPrefix("message,") }) else {
                throw HarnessError("no message among \(names)")
            }
            let text = String(decoding: try TestMaterial.octets(folder + "/" + name), as: UTF8.self)
            guard let index = all.firstIndex(where: { text.contains($0.token) }) else { throw HarnessError(text) }
            let starts = index < 2 ? 3 : 4
            try FileManager.default.moveItem(
                atPath: folder + "/" + name,
                toPath: folder + "/" + name.replacingOccurrences(of: "C=1", with: "C=\(starts)"))
            expected[all[index]] = starts == 3 ? ["admin", "blocked"] : ["blocked"]
        }
        // Killed at its notice, a message is not looked into again.
        let instead = expected.filter { $0.value.contains("admin") }.mapValues { _ in ["blocked"] }
        return GatewayState(fixture, expected: expected, instead: instead)
    }

    private static func odd() async throws -> GatewayState {
        let fixture = try await SpoolFixture(
            configuration(more: "<MaxMessageSize>4 KiB</MaxMessageSize>"))
        let all = marked("odd", 4)
        for one in all[..<2] {
            let plain = try MailSamples.changed(one.octets(), "Subject: About", to: "Subject: On")
            try put(plain, fixture, to: .outgoing)
        }
        for one in all[2...] { try put(one.octets(more: 100), fixture, to: .outgoing) }
        try fixture.place([], in: "outgoing/new", named: "1700000000.empty.test")
        try FileManager.default.createSymbolicLink(
            atPath: fixture.spool + "/incoming/new/1700000000.link.test", withDestinationPath: "/etc/passwd")
        return GatewayState(
            fixture,
            expected: [
                all[0]: ["delivered"], all[1]: ["delivered"], all[2]: ["admin", "blocked"],
                all[3]: ["admin", "blocked"],
            ],
            corrupt: 2)
    }
}
