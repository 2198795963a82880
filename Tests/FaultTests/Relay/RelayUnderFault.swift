import Foundation
import Glibc
import Synchronization
import TestSupport

/// A relay with a server that counts, for tests of what a fault does to it.
final class RelayUnderFault: Sendable {
    let server: ScriptedMailServer
    let fixture: RelayFixture
    private let wanted = Mutex<Set<String>>([])

    init(
        in folder: String? = nil,
        _ deed: @escaping @Sendable (ScriptedMailServer.Step) -> ScriptedMailServer.Deed? = { _ in nil }
    ) async throws {
        server = try ScriptedMailServer(deed)
        fixture = try await RelayFixture(RelayFixture.gateway(server.port), in: folder)
    }

    func put(_ names: [String]) throws {
        try fixture.put(
            MailSamples.withLineFeeds(MailSamples.plain(id: names[0])).text, to: names.map { $0 + "@x.test" })
        wanted.withLock { $0.formUnion(names) }
    }

    /// The number of times that each got something.
    var taken: [String: Int] {
        Dictionary(server.mails.flatMap(\.recipients).map { ($0, 1) }, uniquingKeysWith: +)
    }

    /// Returns the deviations in the end: each recipient must have each mail, and every repeat must be announced in the
    /// journal.
    /// - Parameter most: Announcements for each recipient.
    func faults(repeatsAtMost most: Int = 1) throws -> [String] {
        let taken = taken
        let told = try fixture.possibleRepeats()
        var faults: [String] = []
        for name in wanted.withLock({ $0 }).sorted() where taken[name] == nil { faults.append("\(name) got nothing") }
        for (name, count) in taken where count > 1 + told["\(name)@x.test", default: 0] {
            faults.append("\(name) got it \(count) times, unannounced")
        }
        for (address, count) in told where count > most { faults.append("\(address) was announced \(count) times") }
        let left = try fixture.counts()
        if !left.isEmpty { faults.append("in the end: \(left)") }
        return faults
    }

    /// Waits until everything is delivered and the status is healthy.
    /// - Returns: The time it took; nil if it did not recover.
    func recovers(within limit: Duration) async throws -> Duration? {
        let begin = ContinuousClock.now
        while ContinuousClock.now - begin < limit {
            if try fixture.counts().isEmpty, try await fixture.status().isHealthy { return ContinuousClock.now - begin }
            try await Task.sleep(for: .milliseconds(100))
        }
        return nil
    }
}

extension [UInt8] {
    fileprivate var text: String { String(decoding: self, as: UTF8.self) }
}

extension String {
    /// Of lines of a log those that tell of something wrong.
    var troubleLines: [Substring] { split(separator: "\n").filter { !$0.contains("\"level\":\"info\"") } }
}
