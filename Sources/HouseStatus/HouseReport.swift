import FoundationEssentials
package import HostProcess
public import Monitoring
import ProgramLife
import Spool

/// The facts of a house's status, for programs.
public struct HouseFacts: Encodable, Sendable {
    package struct Running: Encodable, Sendable {
        package let program: String
        let pid: Int32
        @OrNull var version: String?
        @OrNull var started: Int?
        package let watches: Bool
        let configurationIsCurrent: Bool
    }

    struct Server: Encodable, Sendable {
        let purpose: String
        let address: String
        let answering: Bool
        /// Unix seconds; null if no running program tells.
        @OrNull var since: Int?
        @OrNull var reason: String?
        @OrNull var nextTry: Int?
        @OrNull var milliseconds: Int?
    }

    package struct Dated: Encodable, Sendable {
        let use: String
        let subject: String
        let file: String
        @OrNull var notAfter: Int?
        @OrNull package var daysLeft: Int?
    }

    struct Disk: Encodable, Sendable {
        let free: Int
        let total: Int
        let freeInodes: Int
        let totalInodes: Int
    }

    let spool: String
    let folders: [String: PlaceCount]
    package let processes: [Running]
    let servers: [Server]
    package let certificates: [Dated]
    @OrNull var disk: Disk?
    let today: [String: Int]
    @OrNull var lastError: String?
}

/// The status of a house, or of its relay.
public enum HouseReport {
    /// Looks at the house and judges it.
    public static func make(_ scope: HouseScope, _ options: HouseOptions) -> StatusReport<HouseFacts> {
        let now = SpoolClock.system.now()
        return make(HouseLook(scope, options, now: now))
    }

    static func make(_ look: HouseLook) -> StatusReport<HouseFacts> {
        let judgement = HouseJudgement(look)
        let page = HousePage(judgement)
        return StatusReport(
            judgement.reasons, headline: page.headline, sections: page.sections, performance: page.performance,
            facts: page.facts)
    }
}

/// The lines and facts of a house's status.
private struct HousePage {
    let judgement: HouseJudgement
    let look: HouseLook
    let words: StatusWords
    let places: [SpoolSurvey.Place]

    init(_ judgement: HouseJudgement) {
        self.judgement = judgement
        look = judgement.look
        words = StatusWords(now: look.now)
        let relayed = ["delivered", "admin", "relay/work", "relay/publish", "deferred", "failed"]
        let isWhole = judgement.look.scope == .whole
        places = (judgement.look.survey?.places ?? []).filter { isWhole || relayed.contains($0.name) }
    }

    private var running: [ProgramLook.Running] { judgement.programs.flatMap(\.running) }

    var headline: String {
        guard look.survey != nil else { return "no spool at \(look.spoolPath)" }
        guard let first = running.first(where: { $0.told?.watches == true }) ?? running.first, let told = first.told
        else {
            let lasts = judgement.programs.compactMap(\.last)
            guard let last = lasts.min(by: { $0.state.age < $1.state.age }) else {
                return "nothing is running; no program has run on \(look.spoolPath) yet"
            }
            return "nothing is running; \(last.state.program) ran last at \(words.time(look.now - last.state.age))"
        }
        let names = running.compactMap { $0.told?.watches == true ? $0.state.program : nil }
        let what = names.isEmpty ? first.state.program : names.joined(separator: ", ")
        let configuration = running.contains(where: \.isConfigurationOutdated) ? "differs from disk" : "as on disk"
        return "\(what) running since \(words.longTime(told.started)) \(words.zone), version \(told.version),"
            + " configuration \(configuration)"
    }

    var sections: [[StatusLine]] { [folders, servers, resources, today] }

    private var folders: [StatusLine] {
        places.compactMap { (place) -> StatusLine? in
            let isAlwaysShown = ["outgoing", "incoming", "retry", "blocked", "delivered", "deferred", "failed"]
            guard place.count > 0 || isAlwaysShown.contains(place.name) else { return nil }
            let what =
                switch place.name {
                case "blocked": "held for a decision"
                case "failed": "given up on"
                case "corrupt": "no messages"
                case "work", "relay/work": "in work"
                case "publish", "relay/publish": "being put into folders"
                default: "waiting"
                }
            var state = "\(StatusWords.number(place.count)) \(what)"
            if let oldest = place.oldest { state += ", oldest \(StatusWords.span(look.now - oldest))" }
            if let next = place.nextDue {
                state += next > look.now ? ", next attempt \(words.time(next))" : ", next attempt due"
            }
            let advice =
                switch place.name {
                case "blocked" where place.count > 0: "ses list --held"
                case "failed" where place.count > 0: "ses list --failed"
                default: nil as String?
                }
            return StatusLine(place.name, nil, state, advice: advice)
        }
    }

    private var servers: [StatusLine] {
        var lines = judgement.servers.map { server in
            StatusLine(server.state.purpose.rawValue, Self.host(of: server.state.address), state(of: server))
        }
        lines += look.lmtp.map { path, state in
            let words =
                switch state {
                case .answered: "answering"
                case .refused: "nobody listens"
                case .hidden: "there; you may not connect"
                }
            return StatusLine("lmtp", path, words)
        }
        return lines
    }

    /// The part of an address that tells the machine.
    private static func host(of address: String) -> String {
        if let path = LocalSocket.unixPath(address) { return path }
        guard let scheme = address.firstRange(of: "://") else { return address }
        return String(address[..<scheme.upperBound] + address[scheme.upperBound...].prefix { $0 != "/" })
    }

    private func state(of server: SeenServer) -> String {
        let state = server.state
        if let silence = server.silence {
            guard server.isTold, !state.isAnswering else { return "not answering (\(silence))" }
            let next = state.nextTry.map { ", next try \(words.time($0))" } ?? ""
            return "not answering since \(words.time(state.since)) (\(silence))\(next)"
        }
        guard server.isTold else {
            if case .answered = server.listening { return "listening" }
            return "not called: no program is running"
        }
        if let milliseconds = state.milliseconds {
            return "answering since \(words.time(state.since)), \(milliseconds) ms"
        }
        return state.isUsed ? "answering since \(words.time(state.since))" : "not called yet"
    }

    private var resources: [StatusLine] {
        let soonest = judgement.certificates.filter { $0.notAfter != nil }.sorted {
            ($0.notAfter ?? 0) < ($1.notAfter ?? 0)
        }
        // The first that ends, and all that end soon.
        let shown = soonest.enumerated().filter { index, one in
            index == 0 || (one.daysLeft(now: look.now) ?? 0) < DatedCertificate.warningDays
        }
        var lines = shown.prefix(10).map { _, one in
            let days = one.daysLeft(now: look.now) ?? 0
            return StatusLine(
                "certificate", "\(one.use): \(one.subject)",
                "valid until \(StatusWords.date(one.notAfter ?? 0)), \(days) days left")
        }
        if let room = look.survey?.room {
            lines.append(StatusLine("disk", look.spoolPath, "\(StatusWords.octets(room.free)) free"))
        }
        return lines
    }

    private var counts: [String: Int] {
        let date = words.day(look.now)
        var counts: [String: Int] = [:]
        for program in judgement.programs {
            let days = program.running.compactMap { $0.told?.today } + [program.last?.told?.today].compactMap(\.self)
            // Processes of one program go on counting where the last one ended, so they are not added up.
            for (name, count) in days.filter({ $0.date == date }).flatMap(\.counts) {
                counts[name] = max(counts[name] ?? 0, count)
            }
        }
        return counts
    }

    private var today: [StatusLine] {
        let counts = counts
        guard !counts.isEmpty else { return [] }
        func number(_ name: String) -> String { StatusWords.number(counts[name] ?? 0) }
        var parts: [String] = []
        if look.scope == .whole {
            parts += [
                "\(number("signed")) signed",
                "\(number("verified")) verified (\(number("trusted")) trusted, \(number("not trusted")) not trusted,"
                    + " \(number("indeterminate")) indeterminate)",
            ]
        }
        if look.scope == .whole { parts.append("\(number("failed")) failed") }
        parts += ["\(number("sent")) sent on", "\(number("given up on")) given up on"]
        return [StatusLine("today", nil, parts.joined(separator: ", "))]
    }

    var performance: [PerformanceValue] {
        var values: [PerformanceValue] = []
        for place in places {
            values.append(PerformanceValue(place.name, place.count))
            guard ["outgoing", "incoming", "delivered"].contains(place.name) else { continue }
            values.append(
                PerformanceValue(place.name + "_oldest", place.oldest.map { max(0, look.now - $0) } ?? 0, "s"))
        }
        if let room = look.survey?.room { values.append(PerformanceValue("free", room.free, "B")) }
        return values
    }

    var facts: HouseFacts {
        HouseFacts(
            spool: look.spoolPath,
            folders: Dictionary(
                uniqueKeysWithValues: places.map {
                    ($0.name, PlaceCount(count: $0.count, oldest: $0.oldest.map { look.now - $0 }, next: $0.nextDue))
                }),
            processes: running.map {
                HouseFacts.Running(
                    program: $0.state.program, pid: $0.state.pid, version: $0.told?.version, started: $0.told?.started,
                    watches: $0.told?.watches ?? false, configurationIsCurrent: !$0.isConfigurationOutdated)
            },
            servers: judgement.servers.map { server in
                HouseFacts.Server(
                    purpose: server.state.purpose.rawValue, address: server.state.address,
                    answering: server.silence == nil, since: server.isTold ? server.state.since : nil,
                    reason: server.silence, nextTry: server.state.nextTry, milliseconds: server.state.milliseconds)
            },
            certificates: judgement.certificates.map {
                HouseFacts.Dated(
                    use: $0.use, subject: $0.subject, file: $0.file, notAfter: $0.notAfter,
                    daysLeft: $0.daysLeft(now: look.now))
            },
            disk: look.survey?.room.map {
                HouseFacts.Disk(
                    free: $0.free, total: $0.total, freeInodes: $0.freeInodes, totalInodes: $0.totalInodes)
            }, today: counts, lastError: running.compactMap { $0.told?.lastError }.last)
    }
}
