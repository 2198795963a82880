import FoundationEssentials
import Glibc
import HostProcess
import Monitoring

/// The test at the end of a setup: a mail is signed and verified by the filters, and another goes through the spool.
/// Programs that do not run yet are run for as long as it takes.
struct SetupTrial {
    let places: HousePlaces
    let answers: SetupAnswers
    let accounts: SetupAccounts
    /// True if the services run already.
    let isStarted: Bool

    struct Result {
        var lines: [String] = []
        var isWell = true
        /// The first thing that a person should do.
        var advice: String?

        mutating func fail(_ text: String, _ advice: String) {
            lines.append("FAILED  " + text)
            isWell = false
            self.advice = self.advice ?? advice
        }
    }

    /// Seconds that a program may take to start.
    private static let patience = 15

    private var configuration: [String] { ["--config", places.ses] }
    private var ses: SiblingProgram { SiblingProgram("ses", as: accounts.user("ses")) }

    func run() -> Result {
        var result = Result()
        var running: [StartedProgram] = []
        defer { Self.end(running) }
        do throws(ProgramError) {
            if !isStarted, answers.server == .embedded, LocalSocket.unix(places.dssSocket).map(Self.answers) != true {
                running.append(try launchServer(&result))
            }
            guard result.isWell else { return result }
            try tryFilters(&result)
            guard result.isWell else { return result }
            if !isStarted {
                running.append(
                    try SiblingProgram("ses", as: accounts.user("ses")).launch(["watch"] + configuration))
                running.append(
                    try SiblingProgram("ses-relay", as: accounts.user("ses-relay") ?? accounts.user("ses")).launch(
                        ["run", "--config", places.relay]))
            }
            try trySending(&result)
        } catch {
            result.fail(error.text, "Look at it with:  ses doctor")
        }
        return result
    }

    private static func answers(_ state: LocalSocket.Listening) -> Bool {
        if case .answered = state { true } else { false }
    }

    /// Ends programs in the opposite order, and waits for each.
    private static func end(_ running: [StartedProgram]) {
        for program in running.reversed() { program.signal(SIGTERM) }
        for program in running { program.wait() }
    }

    // MARK: - Steps

    private func launchServer(_ result: inout Result) throws(ProgramError) -> StartedProgram {
        let (program, isReady, said) = try SiblingProgram("ses-dss", as: accounts.site.user).launch(
            ["run", "--config", places.dssConfiguration], until: "listening on ", patience: Self.patience)
        if !isReady {
            result.fail(
                "the embedded server does not start: " + (said.split(separator: "\n").last ?? "it says nothing"),
                "See why the signing server does not start:  ses-dss check --config \(places.dssConfiguration)")
        }
        return program
    }

    /// The result of a filter as it tells it.
    private struct FilterResult: Decodable {
        let result: String
        let reason: String
        let milliseconds: Int
    }

    private func tryFilters(_ result: inout Result) throws(ProgramError) {
        guard answers.directions.signs else { return }
        let mail =
            "From: <\(answers.administrator)>\r\nTo: <\(answers.administrator)>\r\nSubject: Test of Secure Email Server\r\n"
            + "Date: Mon, 5 Jan 2026 10:00:00 +0000\r\nMessage-ID: <setup@\(answers.domain)>\r\n\r\nThis is a test.\r\n"
        let sender = mail.replacing(
            "From: <\(answers.administrator)>", with: "From: <postmaster@\(answers.domain)>", maxReplacements: 1)
        let signed = try ses.run(["sign", "--json"] + configuration, input: sender)
        guard signed.status == 0, let told = Self.told(signed) else {
            result.fail(
                "no mail can be signed: " + Self.reason(signed),
                "Find out what the signing server wants:  ses check --probe")
            return
        }
        let verified = try ses.run(["verify", "--json"] + configuration, input: signed.output)
        let verdict = Self.told(verified)
        let line = "tested  signed in \(told.milliseconds) ms, verified: "
        guard verified.status == 0, verdict?.result == "trusted" else {
            result.lines.append(line + (verdict?.result ?? "no verdict"))
            result.fail(
                "mail signed here is not trusted here: " + Self.reason(verified),
                "See that the verification service trusts the authority of your own key")
            return
        }
        result.lines.append(line + "trusted")
    }

    private static func told(_ ending: SiblingProgram.Ending) -> FilterResult? {
        guard let start = ending.error.firstIndex(of: "{") else { return nil }
        return try? JSONDecoder().decode(FilterResult.self, from: Data(ending.error[start...].utf8))
    }

    private static func reason(_ ending: SiblingProgram.Ending) -> String {
        told(ending).map { "\($0.result): \($0.reason)" } ?? ending.words
    }

    /// The report of a test mail as it tells it.
    private struct SendResult: Decodable {
        struct Step: Decodable {
            let name: String
            let done: Bool
            let milliseconds: Int
            let text: String
        }
        let steps: [Step]
        let failed: String?
        let advice: String?
    }

    private func trySending(_ result: inout Result) throws(ProgramError) {
        let sent = try ses.run(
            ["send-test", answers.administrator, "--json", "--timeout", "\(Self.patience)s"] + configuration
                + ["--spool", places.spool, "--from", "postmaster@" + answers.domain]
                + (answers.directions.signs ? [] : ["--direction", "incoming"]))
        guard let report = try? JSONDecoder().decode(SendResult.self, from: Data(sent.output.utf8)) else {
            return result.fail("no test mail can be sent: " + sent.words, "Look at it with:  ses doctor")
        }
        let done = report.steps.filter(\.done).map(\.name).joined(separator: ", ")
        let last = report.steps.last
        switch report.failed {
        case nil: result.lines.append("tested  \(done) in \(last?.milliseconds ?? 0) ms: \(last?.text ?? "")")
        // Before the mail server is paired nobody listens there, and the mail waits.
        case "relayed" where answers.nextHop.isLoopback:
            result.lines.append(
                "tested  \(done); the next hop does not answer yet, so the test mail to \(answers.administrator) waits for it"
            )
        case .some(let step):
            result.fail(
                "a test mail was not \(step): \(last?.text ?? "")", report.advice ?? "Look at it with:  ses doctor")
        }
    }
}
