import Foundation
import Glibc
import Synchronization
import TestSupport

/// A message that can be told from all others in whatever is made of it.
struct Marked: Sendable, Hashable {
    let token: String

    init(_ scenario: String, _ number: Int) { token = "mark-\(scenario)-\(number)-x" }

    /// Its last line; what has it has the whole text.
    var lastLine: String { "End of \(token)." }

    func octets(from sender: String = MailSamples.alice, to recipient: String = MailSamples.bob, more: Int = 0)
        -> [UInt8]
    {
        let filling = String(repeating: "A line that makes the message longer than it would be.\r\n", count: more)
        return MailSamples.plain(
            from: sender, to: recipient, subject: "About \(token)", id: token,
            body: "The price is 100 euro.\r\n\(filling)\(lastLine)\r\n")
    }
}

/// A spool of `ses` with marked messages, and where each must be in the end.
final class GatewayState: KillState {
    static let folders = ["delivered", "admin", "blocked", "retry"]

    let fixture: SpoolFixture
    /// `process` or `sweep`.
    private let command: String
    /// By message, the folders that must hold it once each, sorted; `corrupt` counts files without a token under "".
    private let expected: [String: [String]]
    /// The other permitted outcome of a message, after a further start without an end.
    private let instead: [String: [String]]
    private let taken = Mutex<[String: [String]]>([:])
    private let damaged = Mutex<[String]>([])

    init(
        _ fixture: SpoolFixture, command: String = "process", expected: [Marked: [String]],
        instead: [Marked: [String]] = [:],
        corrupt: Int = 0
    ) {
        self.fixture = fixture
        self.command = command
        var all = Dictionary(uniqueKeysWithValues: expected.map { ($0.key.token, $0.value.sorted()) })
        if corrupt > 0 { all[""] = [String](repeating: "corrupt", count: corrupt) }
        self.expected = all
        self.instead = Dictionary(uniqueKeysWithValues: instead.map { ($0.key.token, $0.value.sorted()) })
    }

    private init(_ fixture: SpoolFixture, like other: GatewayState) {
        self.fixture = fixture
        command = other.command
        expected = other.expected
        instead = other.instead
    }

    var spool: String { fixture.spool }

    func image(at time: Int?, _ write: (String) throws -> Void) async throws -> any KillState {
        GatewayState(try SpoolFixture(configuredAs: fixture, write), like: self)
    }

    func copy() async throws -> any KillState {
        GatewayState(try await SpoolFixture(copying: fixture), like: self)
    }

    func run(_ environment: [String: String]) async throws -> RunningProgram.Finished {
        try await fixture.ses([command, "--config", fixture.configurationPath], environment: environment)
    }

    func take() throws { try look(removes: true) }

    /// Notes each published file, by the message it tells of.
    private func look(removes: Bool) throws {
        for folder in Self.folders where !removes || folder != "retry" {
            for file in try fixture.files(in: folder) {
                let text = Self.readable(file.octets)
                let tokens = expected.keys.filter { !$0.isEmpty && text.contains($0) }
                guard let token = tokens.first, tokens.count == 1 else {
                    damaged.withLock { $0.append("\(folder): a file of \(tokens.count) messages: \(file)") }
                    continue
                }
                // A notice of a message that is too large has only its header.
                let isNotice = text.hasPrefix("Return-Path: <>\n") && text.contains("\n--ses-mixed-")
                if !text.contains("End of \(token).") && !isNotice || file.octets.last != 0x0A {
                    damaged.withLock { $0.append("\(folder): a file that is cut short: \(file)") }
                }
                taken.withLock { $0[token, default: []].append(folder) }
                if removes { try FileManager.default.removeItem(atPath: file.path) }
            }
        }
        guard !removes else { return }
        let corrupt = try fixture.names(in: "corrupt")
        if !corrupt.isEmpty { taken.withLock { $0[""] = corrupt.map { _ in "corrupt" } } }
    }

    /// The text of a file, with what stands in base64 in it: a notice has the message attached so.
    private static func readable(_ octets: [UInt8]) -> String {
        let text = String(decoding: octets, as: UTF8.self).replacingOccurrences(of: "\r\n", with: "\n")
        let paragraphs = text.components(separatedBy: "\n\n").compactMap { paragraph in
            let lines = paragraph.split(separator: "\n").prefix { !$0.hasPrefix("--") }
            return Data(base64Encoded: lines.joined()).map { String(decoding: $0, as: UTF8.self) }
        }
        return text + paragraphs.joined()
    }

    func finish() async throws {
        let end = try await run([:])
        guard end.status == 0 else { throw HarnessError("the start after it ended with \(end)") }
    }

    func faults() throws -> [String] {
        try look(removes: false)
        var faults = damaged.withLock { $0 }
        let found = taken.withLock { $0.mapValues { $0.sorted() } }
        for token in Set(expected.keys).union(found.keys).sorted() where expected[token] != found[token] {
            if let found = found[token], found == instead[token] { continue }
            faults.append("\(token): in \(found[token] ?? []), must be in \(expected[token] ?? [])")
        }
        for place in ["outgoing/new", "incoming/new", "work", "publish"] {
            let names = try fixture.names(in: place)
            if !names.isEmpty { faults.append("left in \(place): \(names)") }
        }
        return faults
    }
}
