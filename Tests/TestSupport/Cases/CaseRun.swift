import Foundation

/// All rows through the built programs.
///
/// Rows with the same configuration share a spool, and all share one signing server for each of its configurations, so
/// that hundreds of rows take seconds.
public enum CaseRun {
    private static let running = Task { try await findings(of: CaseRow.all()) }

    /// The outcome of each row; the rows are run once in a test run.
    public static var findings: [CaseRow: CaseFinding] {
        get async throws { try await running.value }
    }

    /// Few enough that no limit on notices to the administrator shows.
    private static let mostRows = 12
    private static let width = 3

    private struct Batch: Sendable {
        var rows: [CaseRow]
        var first: CaseRow { rows[0] }
        var isRelayed: Bool { CaseRun.isRelayed(first) }
    }

    private static func isRelayed(_ row: CaseRow) -> Bool { row.expected.contains("folded") }

    /// Returns the rows that may share a spool. A row about outgoing mail has a spool of its own, so that everything
    /// that leaves is its own.
    private static func batches(_ rows: [CaseRow]) -> [Batch] {
        var batches: [Batch] = []
        for row in rows {
            let place = batches.lastIndex {
                let other = $0.first
                return !$0.isRelayed && !isRelayed(row) && $0.rows.count < mostRows && other.set == row.set
                    && other.configuration == row.configuration && other.server == row.server
                    && other.alias == row.alias
            }
            if let place { batches[place].rows.append(row) } else { batches.append(Batch(rows: [row])) }
        }
        return batches
    }

    private static func findings(of rows: [CaseRow]) async throws -> [CaseRow: CaseFinding] {
        let servers = CaseServers()
        let found = await withTaskGroup(of: [(CaseRow, CaseFinding)].self) { group in
            var found: [CaseRow: CaseFinding] = [:]
            func take(_ part: [(CaseRow, CaseFinding)]?) {
                for (row, finding) in part ?? [] { found[row] = finding }
            }
            for (number, batch) in batches(rows).enumerated() {
                if number >= width { take(await group.next()) }
                group.addTask {
                    do {
                        return Array(zip(batch.rows, try await run(batch, servers)))
                    } catch {
                        return batch.rows.map { ($0, .failed("\(error)")) }
                    }
                }
            }
            while let part = await group.next() { take(part) }
            return found
        }
        try await servers.stop()
        return found
    }

    private static func run(_ batch: Batch, _ servers: CaseServers) async throws -> [CaseFinding] {
        let row = batch.first
        let spool = try await CaseSpool(
            row.set.folder + "/conf/ses-\(row.configuration).xml", alias: row.alias,
            server: try await servers.address(for: row))
        var findings = try await spool.run(
            try batch.rows.map {
                CaseSpool.Mail(
                    octets: try $0.message(), isIncoming: $0.isIncoming, entrance: $0.entrance, sender: $0.sender,
                    recipient: $0.recipient)
            })
        if batch.isRelayed { findings[0].relayed = try await spool.relay() }
        try await bringBack(batch, &findings, servers)
        return findings
    }

    /// Sends what was signed back in, with the configuration that verifies everything.
    private static func bringBack(_ batch: Batch, _ findings: inout [CaseFinding], _ servers: CaseServers) async throws
    {
        guard !batch.first.isIncoming else { return }
        let sent = findings.enumerated().flatMap { number, finding in finding.delivered.map { (number, $0.message) } }
        guard !sent.isEmpty else { return }
        let spool = try await CaseSpool(
            batch.first.set.folder + "/conf/ses-verify.xml", alias: "",
            server: try await servers.address(for: batch.first))
        let returned = try await spool.run(
            sent.map {
                CaseSpool.Mail(
                    octets: $0.1, isIncoming: true, entrance: .drop, sender: "alice@example.test",
                    recipient: "bob@partner.test")
            })
        for ((number, _), back) in zip(sent, returned) {
            let outcome = back.outcomes.first ?? (back.admin.isEmpty ? back.elsewhere.first ?? "refused" : "admin")
            findings[number].returned.append(
                CaseFinding.Returned(outcome: outcome, reason: back.refusal ?? back.reason))
        }
    }
}
