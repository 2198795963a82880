import Monitoring
import ProgramLife
import SESConfiguration
import Spool

/// A server as the status shows it: what a running program has found, and whether somebody listens where it is on this
/// machine.
struct SeenServer {
    var state: ServerState
    /// True if a running program tells of it; otherwise only its address is known.
    var isTold: Bool
    var listening: LocalSocket.Listening?

    /// The reason why it counts as not answering; nil if it answers, or if that is not known.
    var silence: String? {
        if isTold, !state.isAnswering { return state.reason ?? "no answer" }
        if case .refused = listening { return "connection refused" }
        return nil
    }
}

extension HouseJudgement {
    /// The signing servers and next hops: those that running programs tell of, else those of the configuration.
    static func servers(_ look: HouseLook, _ programs: [ProgramLook]) -> [SeenServer] {
        var seen: [SeenServer] = []
        for process in programs.flatMap(\.running) {
            for state in process.told?.servers ?? [] {
                let isKnown = seen.contains { $0.state.purpose == state.purpose && $0.state.address == state.address }
                if !isKnown {
                    seen.append(SeenServer(state: state, isTold: true, listening: LocalSocket.of(state.address)))
                }
            }
        }
        guard look.scope == .whole, let settings = look.settings else { return seen }
        for (purpose, addresses) in [
            (ServerState.Purpose.signing, settings.signing), (.verifying, settings.verification),
        ] where !seen.contains(where: { $0.state.purpose == purpose }) {
            for address in addresses?.all ?? [] {
                let state = ServerState(purpose, address, isAnswering: true, since: look.now)
                seen.append(SeenServer(state: state, isTold: false, listening: LocalSocket.of(address)))
            }
        }
        return seen
    }

    mutating func judgeServers() {
        let words = StatusWords(now: look.now)
        for server in servers {
            if let ahead = server.state.clockAhead, abs(ahead) > SpoolSurvey.tolerance {
                add(
                    StatusReason(
                        .clockOff, .warning,
                        "the clock of \(server.state.address) is \(StatusWords.span(abs(ahead)))"
                            + " \(ahead > 0 ? "ahead of" : "behind") the one of this machine", remedy: "timedatectl"))
            }
            guard let silence = server.silence else { continue }
            let others = servers.filter { $0.state.purpose == server.state.purpose && $0.silence == nil }
            let since = server.isTold && !server.state.isAnswering ? " since \(words.time(server.state.since))" : ""
            let next = server.state.nextTry.map { ", next try \(words.time($0))" } ?? ""
            let text = "\(server.state.address) is not answering\(since) (\(silence))\(next)"
            switch server.state.purpose {
            case .signing, .verifying:
                add(
                    StatusReason(
                        .serverSilent, others.isEmpty ? .critical : .warning, "the signing server \(text)",
                        remedy: server.listening == nil ? "ses check --probe" : "systemctl start ses-dss"))
            case .nextHop:
                add(StatusReason(.nextHopSilent, .critical, "the next hop \(text)", remedy: "ses-relay check"))
            case .domain:
                add(StatusReason(.nextHopSilent, .warning, "the mail servers of \(text)", remedy: "ses list deferred"))
            }
        }
        for socket in look.lmtp {
            guard case .refused = socket.state else { continue }
            add(
                StatusReason(
                    .lmtpSilent, .critical, "nobody listens on \(socket.path): mail servers cannot hand over mail",
                    remedy: "systemctl start ses-lmtp"))
        }
    }

    // MARK: - Configurations

    mutating func judgeConfigurations() {
        let all = [(Program.ses, look.sesPath, look.ses), (.relay, look.relayPath, look.relay)]
        for (program, path, state) in all where look.scope == .whole || program == .relay {
            let running = self.program(program)?.running ?? []
            if case .unusable(let fault, let count) = state {
                let more = count > 1 ? " (and \(count - 1) more faults)" : ""
                add(
                    StatusReason(
                        .configurationUnusable, running.isEmpty ? .critical : .warning,
                        "\(fault)\(more)"
                            + (running.isEmpty
                                ? "; \(program.name) cannot start"
                                : "; what \(program.name) has loaded stays in force"),
                        remedy: "\(program.name) check"))
                continue
            }
            for process in running where process.isConfigurationOutdated {
                let files = process.told?.configuration.filter(\.isOutdated).map(\.path) ?? [path]
                add(
                    StatusReason(
                        .configurationDiffers, .warning,
                        "\(program.name) \(process.state.pid) works with another configuration than is on disk:"
                            + " \(files.joined(separator: ", ")) changed since",
                        remedy: "systemctl reload \(program.name)"))
            }
        }
    }
}
