import Foundation
import TestSupport

/// The scenarios in which `ses-relay` is killed.
enum RelayScenarios {
    static let all = [
        KillScenario(name: "relay sends", program: "ses-relay") {
            try await waiting("sends", ["ok", "ok2"], count: 4)
        },
        KillScenario(name: "relay sends, defers and reports", program: "ses-relay") {
            try await waiting("mixed", ["ok", "later", "fail"], count: 3)
        },
        KillScenario(name: "relay reports failure", program: "ses-relay") {
            try await waiting("fails", ["fail", "fail2"], count: 3)
        },
        KillScenario(name: "relay reports what went on without notifications", program: "ses-relay") {
            try await waiting(
                "relayed", ["ok", "ok2"], count: 3, knowsDSN: false, notify: "SUCCESS", mustTell: true)
        },
        KillScenario(name: "relay tries again", program: "ses-relay") { try await deferred() },
        KillScenario(name: "relay publishes what was committed", program: "ses-relay") { try await left("publish") },
        KillScenario(name: "relay goes on with what it left in work", program: "ses-relay") { try await left("work") },
        KillScenario(name: "relay puts away what ended its starts", program: "ses-relay") { try await startedInVain() },
        KillScenario(name: "relay starts", program: "ses-relay", passesOver: nil) {
            try await waiting("starts", ["ok"], count: 1)
        },
    ]

    /// Messages each with recipients and a sender of its own.
    private static func waiting(
        _ name: String, _ recipients: [String], count: Int, knowsDSN: Bool = true, notify: String? = nil,
        mustTell: Bool = false
    ) async throws -> RelayState {
        let state = try await RelayState(knowsDSN: knowsDSN)
        var all: [String] = []
        var senders: [String] = []
        for number in 0..<count {
            let own = recipients.map { "\($0)-\(number)" }
            let fields = notify.map { ["X-SES-Notify: \($0)"] } ?? []
            try state.put(Marked(name, number), from: "sender\(number)", to: own, fields: fields)
            all += own
            senders.append("sender\(number)")
        }
        let refused = all.filter { $0.hasPrefix("fail") }
        return try await RelayState(
            state, recipients: all, refused: refused, senders: refused.isEmpty && !mustTell ? [] : senders)
    }

    private static func deferred() async throws -> RelayState {
        let state = try await waiting("deferred", ["later", "ok"], count: 3)
        _ = try await state.run([:])
        try state.makeDue()
        return try await RelayState(state, recipients: (0..<3).map { "later-\($0)" })
    }

    /// Kills a relay that has one message, and brings what several left into one spool.
    /// - Parameter place: `work` to kill it where its record is full, `publish` after the commit.
    private static func left(_ place: String) async throws -> RelayState {
        let together = try await RelayState()
        for number in 0..<3 {
            let alone = try await RelayState()
            let own = ["ok-\(number)", "fail-\(number)"]
            try alone.put(Marked(place, number), from: "sender\(number)", to: own)
            let state = try await RelayState(alone, recipients: own, refused: [own[1]], senders: ["sender\(number)"])
            let calls = try await KillScenario(name: "left", program: "ses-relay") { state }.calls(state)
            guard let commit = calls.first(where: { $0.name == "rename" && $0.target.contains("/relay/publish/") })
            else { throw HarnessError("no commit among \(calls)") }
            let point = place == "work" ? commit.number : commit.number + 1 + number
            _ = try await state.run(
                try await FaultPoint.environment(program: "ses-relay", point: point, action: .killBefore))
            let fresh = "/relay/\(place)/"
            for entry in try state.fixture.names(in: "relay/" + place) {
                try FileManager.default.moveItem(
                    atPath: state.fixture.spool + fresh + entry, toPath: together.fixture.spool + fresh + entry)
            }
            guard try together.fixture.names(in: "relay/" + place).count == number + 1 else {
                throw HarnessError("the relay left nothing of message \(number) in \(place)")
            }
            for folder in ["failed", "delivered/new"] {
                for file in try state.fixture.names(in: folder) {
                    try FileManager.default.moveItem(
                        atPath: state.fixture.spool + "/\(folder)/" + file,
                        toPath: together.fixture.spool + "/\(folder)/" + file)
                }
            }
        }
        let refused = (0..<3).map { "fail-\($0)" }
        return try await RelayState(
            together, recipients: refused, refused: refused, senders: (0..<3).map { "sender\($0)" })
    }

    /// Starts without an end: the last goes to `failed` for those whose record does not say that they have it.
    private static func startedInVain() async throws -> RelayState {
        let together = try await RelayState()
        var refused: [String] = []
        for number in 0..<4 {
            let own = ["ok-\(number)"]
            // The number of a call may be another one in the next run, because several threads make calls.
            for _ in 0..<10 {
                let alone = try await RelayState()
                try alone.put(Marked("vain", number), from: "sender\(number)", to: own)
                let state = try await RelayState(alone, recipients: own)
                let calls = try await KillScenario(name: "vain", program: "ses-relay") { state }.calls(state)
                // Its own directory is synced behind the claim, before a server is spoken to.
                guard let claimed = calls.first(where: { $0.name == "fsync" && $0.path.contains("/relay/work/") })
                else {
                    throw HarnessError("no claim among \(calls)")
                }
                _ = try await state.run(
                    try await FaultPoint.environment(
                        program: "ses-relay", point: claimed.number, action: .killBefore))
                // An empty directory: it was killed before the message was moved there.
                let entries = try state.fixture.names(in: "relay/work").filter { entry in
                    try !FileManager.default.contentsOfDirectory(atPath: state.fixture.spool + "/relay/work/" + entry)
                        .isEmpty
                }
                for entry in entries {
                    let folder = state.fixture.spool + "/relay/work/" + entry
                    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
                    guard let name = names.first(where: { $0.hasPrefix("message") }) else {
                        throw HarnessError("no message among \(names)")
                    }
                    try FileManager.default.moveItem(
                        atPath: folder + "/" + name,
                        toPath: folder + "/" + name.replacingOccurrences(of: "C=1", with: "C=\(number + 3)"))
                    try FileManager.default.moveItem(
                        atPath: folder, toPath: together.fixture.spool + "/relay/work/" + entry)
                }
                if !entries.isEmpty { break }
            }
            guard try together.fixture.names(in: "relay/work").count == number + 1 else {
                throw HarnessError("the relay was killed before it had claimed message \(number)")
            }
            refused.append(own[0])
        }
        return try await RelayState(
            together, recipients: refused, refused: refused, mayBeTold: (0..<4).map { "sender\($0)" })
    }
}
