import Glibc
import Monitoring
import ProgramLife
import Spool

/// The reasons for which a house is not well, from what was found.
struct HouseJudgement {
    let look: HouseLook
    let programs: [ProgramLook]
    let servers: [SeenServer]
    private(set) var reasons = StatusReasons()

    init(_ look: HouseLook) {
        self.look = look
        let inScope: [Program] = look.scope == .whole ? [.ses, .relay] : [.relay]
        programs = inScope.map { ProgramLook($0, look.survey?.states ?? [], now: look.now) }
        servers = Self.servers(look, programs)
        guard let survey = look.survey else {
            if let fault = look.spoolFault {
                let isHidden = [EACCES, EPERM].contains(fault.errno)
                reasons.add(
                    isHidden ? .notVisible : .spoolMissing, isHidden ? .warning : .critical, fault.description,
                    remedy: isHidden ? "sudo ses status" : "sudo ses init \(look.spoolPath)")
            }
            judgeConfigurations()
            return
        }
        judgeFolders(survey)
        judgeRoom(survey)
        for program in programs { judge(program, survey) }
        judgeWaiting(survey)
        judgeFiles(survey)
        judgeServers()
        judgeConfigurations()
        for certificate in look.certificates.found {
            let remedy = "have it renewed, put it in its place, then: systemctl reload ses"
            reasons.add(certificate.reason(now: look.now, remedy: remedy))
        }
        // Whether the embedded server answers is seen from here, too.
        let ofServer = (look.dss?.reasons ?? []).filter { $0.code != .serverSilent }
        for reason in look.certificates.reasons + ofServer { reasons.add(reason) }
    }

    /// Those of all configurations that could be read.
    var certificates: [DatedCertificate] { look.certificates.found + (look.dss?.certificates ?? []) }

    func program(_ program: Program) -> ProgramLook? { programs.first { $0.program == program } }

    // MARK: - The spool

    private func isInScope(_ path: String) -> Bool {
        look.scope == .whole || ["delivered", "admin", "failed", "relay"].contains(String(path.prefix { $0 != "/" }))
    }

    private mutating func judgeFolders(_ survey: SpoolSurvey) {
        let faults = survey.faults.filter { isInScope($0.path) }
        for (kind, code, what) in [
            (SpoolSurvey.FolderFault.Kind.missing, StatusCode.folderMissing, "folders of the spool are missing"),
            (.unwritable, .folderUnwritable, "folders of the spool cannot be written to"),
        ] {
            let some = faults.filter { $0.kind == kind }
            guard let first = some.first else { continue }
            reasons.add(
                code, .critical,
                "\(what): \(Self.named(some.map(\.path))); \(first.path): \(first.text)",
                remedy: "sudo ses init \(survey.path)")
        }
        let hidden = faults.filter { $0.kind == .notVisible }
        if !hidden.isEmpty {
            reasons.add(
                .notVisible, .warning,
                "you may not look into \(Self.named(hidden.map(\.path))), so that mail there is not counted",
                remedy: "sudo ses status, or make this user a member of the group ses-monitor")
        }
    }

    private mutating func judgeRoom(_ survey: SpoolSurvey) {
        guard let room = survey.room else { return }
        if let lack = room.lack {
            let isInodes = lack.contains("inodes")
            reasons.add(
                isInodes ? .diskInodes : .diskSpace, .critical, lack,
                remedy: "df -h \(survey.path); df -i \(survey.path)")
        } else if let error = survey.writeError {
            reasons.add(.writeFailed, .critical, "nothing can be written in the spool: \(error.description)")
        }
        let reserve = look.options.leastFree ?? min(room.total / 10, 1 << 30)
        if room.lack == nil, room.free < reserve {
            reasons.add(
                .diskSpace, .warning,
                "the file system of \(survey.path) has \(StatusWords.octets(room.free)) free, and"
                    + " \(StatusWords.octets(reserve)) should be", remedy: "df -h \(survey.path)")
        }
        if room.totalInodes > 0, room.freeInodes > 0, room.freeInodes < room.totalInodes / 20 {
            reasons.add(
                .diskInodes, .warning,
                "the file system of \(survey.path) has \(room.freeInodes) of \(room.totalInodes) inodes free",
                remedy: "df -i \(survey.path)")
        }
        if survey.future.count > 0 {
            let many =
                survey.future.count == 1 ? "1 file in the spool is" : "\(survey.future.count) files in the spool are"
            reasons.add(
                .clockOff, .warning,
                "\(many) dated up to \(StatusWords.span(survey.future.longest)) in the future: the clock of this machine was"
                    + " ahead, or is behind now", remedy: "timedatectl")
        }
    }

    // MARK: - Programs

    private mutating func judge(_ program: ProgramLook, _ survey: SpoolSurvey) {
        let name = program.program.name
        for process in program.running {
            if let trouble = process.trouble {
                reasons.add(trouble.code, .critical, trouble.text, remedy: "systemctl restart \(name)")
            }
            if process.state.age < -SpoolSurvey.tolerance {
                reasons.add(
                    .clockOff, .warning,
                    "\(name) \(process.state.pid) wrote its state \(StatusWords.span(-process.state.age)) in the future: the"
                        + " clock was set back", remedy: "timedatectl")
            }
            for reason in process.told?.reasons ?? [] where stillHolds(reason, process, survey) {
                reasons.add(
                    reason.code, Self.level(of: reason.code), reason.text, remedy: Self.remedy(of: reason.code, name))
            }
        }
        guard program.running.isEmpty else { return }
        let waiting = waiting(for: program.program, survey)
        // Where programs run from time to time, one is due within a while.
        let idle = program.last.map { max(0, $0.state.age) }
        let isOneOfMany = program.last.map { $0.told?.watches != true } ?? false
        let start = "systemctl start \(name)"
        let ended = program.last.map {
            " (the last one ended at \(StatusWords(now: look.now).time(look.now - $0.state.age)))"
        }
        if waiting.count > 0 {
            let isInTime = isOneOfMany && (idle ?? 0) <= look.options.maximumIdle
            // Others than the relay may take what is delivered.
            let isForOthers = program.program == .relay && program.last == nil && waiting.overdue == 0
            guard !isInTime, !isForOthers else { return }
            let many = waiting.count == 1 ? "1 message waits" : "\(StatusWords.number(waiting.count)) messages wait"
            reasons.add(
                .notRunning, .critical, "no \(name) is running\(ended ?? ""), and \(many) for it", remedy: start)
        } else if program.last != nil, !isOneOfMany {
            reasons.add(.notRunning, .warning, "no \(name) is running\(ended ?? "")", remedy: start)
        }
    }

    /// The messages that a program has to do something about now, and those among them that are overdue.
    private func waiting(for program: Program, _ survey: SpoolSurvey) -> (count: Int, overdue: Int) {
        let (fresh, later) =
            program == .ses ? (["outgoing", "incoming"], "retry") : (["delivered", "admin"], "deferred")
        let places = fresh.compactMap(survey.place)
        let due = survey.place(later).map { place in
            max(place.overdue.count, place.nextDue.map { $0 <= look.now ? 1 : 0 } ?? 0)
        }
        return (
            places.reduce(0) { $0 + $1.count } + (due ?? 0),
            places.reduce(0) { $0 + $1.overdue.count } + (survey.place(later)?.overdue.count ?? 0)
        )
    }

    /// Returns true if a reason that a process tells is still true, as far as that can be seen from here.
    private func stillHolds(_ reason: StandingReason, _ process: ProgramLook.Running, _ survey: SpoolSurvey) -> Bool {
        if reason.code == .configurationUnusable { return process.isConfigurationOutdated }
        guard let path = reason.path else { return true }
        var status = stat()
        let absolute = path.hasPrefix("/") ? path : survey.path + "/" + path
        return lstat(absolute, &status) == 0 || errno == EACCES
    }

    private static func level(of code: StatusCode) -> StatusLevel {
        switch code {
        case .machineFault, .serverRefuses, .diskSpace, .writeFailed: .critical
        default: .warning
        }
    }

    private static func remedy(of code: StatusCode, _ program: String) -> String? {
        switch code {
        case .configurationUnusable: "\(program) check"
        case .serverRefuses: "ses check --probe"
        case .foreignFile, .foreignName, .unreadableFile: nil
        case .repairedState: "ses trace the entry, then: systemctl restart \(program)"
        default: nil
        }
    }

    // MARK: - Mail that does not move

    private mutating func judgeWaiting(_ survey: SpoolSurvey) {
        for (names, taker) in [
            (["outgoing", "incoming", "retry"], Program.ses), (["delivered", "admin", "deferred"], .relay),
        ] {
            guard let program = program(taker) else { continue }
            for place in names.compactMap(survey.place) where place.overdue.count > 0 {
                let longest = place.overdue.longest
                reasons.add(
                    .mailWaits, longest > 6 * look.options.maximumAge ? .critical : .warning,
                    "\(place.name) holds \(StatusWords.number(place.overdue.count)) that should have been taken, the first"
                        + " for \(StatusWords.span(longest))"
                        + (program.running.isEmpty ? "" : "; \(taker.name) runs and does not take them"),
                    remedy: "ses list \(place.name)")
            }
        }
        let ours =
            look.scope == .whole
            ? ["work", "publish", "relay/work", "relay/publish"] : ["relay/work", "relay/publish"]
        for place in ours.compactMap(survey.place) {
            guard let oldest = place.oldest, look.now - oldest > look.options.maximumAge else { continue }
            let taker = place.name.hasPrefix("relay") ? Program.relay : .ses
            let isRunning = program(taker)?.running.isEmpty == false
            // A message in work may wait for a server for long, but what is decided is put into its folders at once.
            guard !isRunning || place.name.hasSuffix("publish") else { continue }
            let many =
                place.count == 1
                ? "1 message whose work was interrupted" : "\(place.count) messages whose work was interrupted"
            reasons.add(
                .unfinishedWork, .warning,
                "\(place.name) holds \(many), the oldest for \(StatusWords.span(look.now - oldest))",
                remedy: isRunning ? "systemctl restart \(taker.name)" : "systemctl start \(taker.name)")
        }
    }

    private mutating func judgeFiles(_ survey: SpoolSurvey) {
        if look.scope == .whole {
            var causes: [String] = []
            for stray in survey.strays where !causes.contains(stray.reason) { causes.append(stray.reason) }
            for cause in causes {
                let paths = survey.strays.filter { $0.reason == cause }.map(\.path)
                reasons.add(
                    .notTaken, .warning, "not taken for more than ten minutes: \(Self.named(paths)): \(cause)",
                    remedy: "look at each, then move it to outgoing/new or incoming/new, or remove it")
            }
        }
        let foreign = survey.foreign.filter { isInScope($0.path) }
        // A running relay has said of those that it leaves why it does.
        if !foreign.isEmpty, !reasons.all.contains(where: { $0.code == .foreignName }) {
            reasons.add(
                .foreignName, .warning,
                "\(Self.named(foreign.map(\.path))): no program of SES gives such names, and nothing has taken it",
                remedy: foreign.contains { $0.path.hasPrefix("delivered") || $0.path.hasPrefix("admin") }
                    ? "give it trace fields (Return-Path, Envelope-To) that name sender and recipients, or remove it"
                    : "move it to outgoing/new or incoming/new, or remove it")
        }
        let inWork = survey.foreignInWork.filter(isInScope)
        if !inWork.isEmpty {
            reasons.add(
                .foreignFile, .warning, "\(Self.named(inWork)): it does not belong there, and is left untouched",
                remedy: "look at it, then remove it")
        }
        if let failed = survey.place("failed"), failed.count > 0 {
            reasons.add(
                .failedMail, .warning, "failed holds \(StatusWords.number(failed.count)) that could not be delivered",
                remedy: "ses list --failed; then ses retry or ses remove")
        }
        if look.scope == .whole, let corrupt = survey.place("corrupt"), corrupt.count > 0 {
            reasons.add(
                .corruptFiles, .warning, "corrupt holds \(StatusWords.number(corrupt.count)) that cannot be messages",
                remedy: "ses list corrupt; then ses remove")
        }
    }

    static func named(_ paths: [String]) -> String {
        paths.prefix(3).joined(separator: ", ") + (paths.count > 3 ? " and \(paths.count - 3) more" : "")
    }

    mutating func add(_ reason: StatusReason) { reasons.add(reason) }
}
