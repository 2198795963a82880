import Foundation

/// One spool through which several mails go in one run of `ses process`.
struct CaseSpool {
    /// One input and the way it takes.
    struct Mail: Sendable {
        let octets: [UInt8]
        let isIncoming: Bool
        let entrance: CaseRow.Entrance
        let sender: String
        let recipient: String
    }

    let fixture: SpoolFixture

    init(_ configuration: String, alias: String, server: String) async throws {
        let template = String(decoding: try TestMaterial.octets(configuration), as: UTF8.self)
        fixture = try await SpoolFixture { spool in
            template.replacingOccurrences(of: "@URL@", with: server).replacingOccurrences(of: "@SPOOL@", with: spool)
                .replacingOccurrences(of: "@ALIAS@", with: alias)
        }
    }

    /// Puts the mails in, processes them and finds what became of each.
    func run(_ mails: [Mail]) async throws -> [CaseFinding] {
        // For each mail, a part of the name of its file at the claim, or its entry, by which the journal knows it; or a
        // refusal.
        var marks: [Result<String, HarnessError>] = []
        for (number, mail) in mails.enumerated() { marks.append(try await put(mail, number: number)) }
        try await fixture.process(within: .seconds(120))
        let entries = try journal()
        return try marks.map { mark in
            switch mark {
            case .success(let mark):
                guard let entry = entries.first(where: { $0.source.contains(mark) || $0.id == mark }) else {
                    return .failed("the journal does not name \(mark)")
                }
                return try finding(entry)
            case .failure(let refusal):
                var finding = CaseFinding()
                finding.refusal = refusal.description
                return finding
            }
        }
    }

    private func put(_ mail: Mail, number: Int) async throws -> Result<String, HarnessError> {
        let direction: SpoolFixture.Direction = mail.isIncoming ? .incoming : .outgoing
        switch mail.entrance {
        case .bare:
            let name = "case-\(number)-bare.eml"
            try fixture.place(mail.octets, in: direction.rawValue, named: name)
            return .success(name)
        case .maildir:
            let name = "case-\(number)-maildir"
            try fixture.place(mail.octets, in: direction.rawValue + "/new", named: name)
            return .success(name)
        case .drop:
            let dropped = try await fixture.ses(
                [
                    "drop", "--spool", fixture.spool, "--to", direction.rawValue, "-f", mail.sender, "--",
                    mail.recipient,
                ],
                input: mail.octets)
            guard dropped.status == 0 else { return .failure(HarnessError(dropped.error)) }
            guard let entry = dropped.output.firstMatch(of: /entry ([0-9a-f]{32})/) else {
                throw HarnessError("ses drop names no entry: \(dropped)")
            }
            return .success(String(entry.1))
        }
    }

    private struct Entry {
        let id: String
        var source = ""
        var reason = ""
    }

    private struct Line: Decodable {
        let e: String?
        let f: String?
        let reason: String?
    }

    private func journal() throws -> [Entry] {
        var entries: [String: Entry] = [:]
        for name in try fixture.names(in: "journal") {
            let text = String(decoding: try TestMaterial.octets(fixture.spool + "/journal/" + name), as: UTF8.self)
            for line in text.split(separator: "\n") {
                let line = try JSONDecoder().decode(Line.self, from: Data(line.utf8))
                guard let id = line.e else { continue }
                var entry = entries[id] ?? Entry(id: id)
                if let source = line.f { entry.source = source }
                if let reason = line.reason { entry.reason = reason }
                entries[id] = entry
            }
        }
        return Array(entries.values)
    }

    private func finding(_ entry: Entry) throws -> CaseFinding {
        var finding = CaseFinding()
        finding.reason = entry.reason
        finding.delivered = try fixture.files(in: "delivered").filter { $0.name.contains(entry.id) }
        finding.admin = try fixture.files(in: "admin").filter { $0.name.contains(entry.id) }
        for place in ["blocked/new", "retry/new", "work", "publish", "corrupt"]
        // A copy beside the administrator's notice is no place where it went.
        where try fixture.names(in: place).contains(where: { $0.contains(entry.id) && !$0.hasSuffix(",A=told") }) {
            finding.elsewhere.append(place)
        }
        return finding
    }

    /// Lets `ses-relay` send everything to a mail server, and returns what the server got.
    func relay() async throws -> [[UInt8]] {
        let server = try ScriptedMailServer()
        let relay = try RelayFixture(beside: fixture, RelayFixture.gateway(server.port))
        try await relay.toEnd()
        return server.mails.map(\.content)
    }
}
