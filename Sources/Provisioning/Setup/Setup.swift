import FoundationEssentials
import Glibc
public import HostProcess
import Monitoring
import Octets
import ProgramLife
import SESConfiguration
import Spool
import Workers

/// `ses setup`: from a machine with the programs to a house that signs, in at most five questions.
public struct Setup {
    private let options: SetupOptions
    private let places: HousePlaces
    private let say: (String) -> Void
    /// The steps that are left for a person, in order.
    private var next: [String] = []
    /// True if something that was to be made is there already, or did not work.
    private var isLacking = false

    /// Runs a setup on a thread of its own, because it waits for people, files and programs.
    /// - Parameter say: Called with each line for the person.
    /// - Throws: ``ProgramError`` as ``run()``.
    public static func run(
        _ options: SetupOptions, say: @escaping @Sendable (String) -> Void
    ) async throws(ProgramError) -> ExitStatus {
        try await WorkerThreads(count: 1, name: "ses-setup").run { () throws(ProgramError) in
            var setup = Setup(options, say: say)
            return try setup.run()
        }
    }

    init(_ options: SetupOptions, say: @escaping (String) -> Void) {
        self.options = options
        self.say = say
        places = HousePlaces(root: options.root)
    }

    /// Asks, writes, makes, starts and tests. Existing files are never changed.
    /// - Returns: 1 if a file was there already, or a step did not work.
    /// - Throws: ``ProgramError`` with 64 for answers that cannot be used, 73 if a file cannot be made.
    mutating func run() throws(ProgramError) -> ExitStatus {
        if places.isMachine, geteuid() != 0 {
            throw ProgramError(
                .noPermission,
                "setup writes to /etc and /var: run it as root (sudo ses setup), or try it with --root DIR")
        }
        let facts = MachineFacts(places, hostName: Surroundings().hostName)
        say("This machine:  " + facts.words)
        let answers = try SetupDialogue(options: options, facts: facts, say: say).answers()
        let client = "ses"
        let ses = SESText(answers, spool: places.spool, socket: places.dssSocket, client: client)
        let relay = RelayText(answers, spool: places.spool)
        try refuseFaults(ses.text, relay.text)
        say("")
        let accounts = SetupAccounts()
        try NewFile.makeDirectory(places.configuration, mode: 0o711)
        try write(ses.text, to: places.ses, group: accounts.group("ses"), Self.words(answers))
        try write(relay.text, to: places.relay, group: accounts.group("ses-relay"), Self.words(answers.nextHop))
        try makeSpool()
        if case .embedded = answers.server { try makeSite(answers, accounts) }
        let isStarted = start(facts, answers)
        if options.tests { try test(answers, accounts, isStarted: isStarted) }
        tellNext(facts, answers)
        return isLacking ? .unhealthy : .success
    }

    // MARK: - Configurations

    private static func words(_ answers: SetupAnswers) -> String {
        switch answers.directions {
        case .both: "signs mail from *@\(answers.domain), verifies what comes in"
        case .outgoing: "signs mail from *@\(answers.domain)"
        case .incoming: "verifies what comes in"
        }
    }

    private static func words(_ nextHop: SetupAnswers.NextHop) -> String {
        switch nextHop {
        case .gateway(let host, let port): "hands results to \(host):\(port)"
        case .exchangers: "hands results to the mail exchangers of each domain"
        }
    }

    /// Reads the texts as the programs will, before anything is written.
    private func refuseFaults(_ ses: String, _ relay: String) throws(ProgramError) {
        let folder = FileManager.default.temporaryDirectory.path + "/ses-setup.\(UUID().uuidString)"
        try NewFile.makeDirectory(folder, mode: 0o700)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        _ = try NewFile(folder + "/ses.xml", mode: 0o600).make(OctetString(ses))
        _ = try NewFile(folder + "/relay.xml", mode: 0o600).make(OctetString(relay))
        do throws(ConfigurationFaults) {
            _ = try SESConfiguration.load(path: folder + "/ses.xml")
            _ = try loadRelay(path: folder + "/relay.xml")
        } catch {
            let told = error.faults.map { $0.text + ($0.expected.map { "; expected \($0)" } ?? "") }
            throw ProgramError(.usage, "these answers make no configuration: " + told.joined(separator: "; "))
        }
    }

    private mutating func write(
        _ text: String, to path: String, group: String?, _ words: String
    ) throws(ProgramError) {
        if try NewFile(path, mode: 0o640, group: group).make(OctetString(text)) {
            tell("wrote", path, words)
        } else {
            isLacking = true
            tell("kept", path, "it is there already and was not changed: \(Self.summary(of: path))")
            next.append("To begin anew, move \(path) away and run ses setup again")
        }
    }

    /// An existing configuration in a few words.
    private static func summary(of path: String) -> String {
        guard case .success(let octets) = SmallFile.read(path) else { return "it cannot be read" }
        let text = String(decoding: octets.array, as: UTF8.self).replacing(
            /<!--.*?-->/.dotMatchesNewlines(), with: "")
        func values(_ element: String) -> [String] {
            text.matches(of: (try? Regex("<\(element)>\\s*([^<]*?)\\s*</\(element)>")) ?? Regex(verbatim: ""))
                .compactMap {
                    $0.output.count > 1 ? $0.output[1].substring.map(String.init) : nil
                }
        }
        let domains = values("DomainName")
        let hosts = values("gateway")
        let workflows = text.matches(of: /<Workflow[ >]/).count
        if !hosts.isEmpty { return "gateway \(hosts.joined(separator: ", "))" }
        return (domains.isEmpty ? "" : "domain \(domains.joined(separator: ", ")), ")
            + (workflows == 1 ? "1 workflow" : "\(workflows) workflows")
    }

    private func tell(_ verb: String, _ what: String, _ words: String) {
        say(verb.padding(8) + (what + " ").padding(24) + words)
    }

    // MARK: - Spool and keys

    private mutating func makeSpool() throws(ProgramError) {
        let wasThere = SmallFile.exists(places.spool + "/outgoing")
        try NewFile.makeDirectory(SmallFile.directory(of: places.spool), mode: 0o755)
        do {
            let notes = try Spool.make(at: places.spool)
            tell(wasThere ? "checked" : "made", places.spool, "the spool")
            for note in notes { say("        note: " + note) }
        } catch {
            throw ProgramError(error.pointsAtConfiguration ? .unavailable : .inputOutput, error.description)
        }
    }

    private mutating func makeSite(_ answers: SetupAnswers, _ accounts: SetupAccounts) throws(ProgramError) {
        guard !SmallFile.exists(places.dssConfiguration) else {
            isLacking = true
            tell("kept", places.dss, "its dss.xml is there already and was not changed")
            return
        }
        let site = accounts.site
        // With the set-group-id bit the socket belongs to the group that may use it.
        try NewFile.makeDirectory(places.dss, mode: site.isShared ? 0o2750 : 0o700, owner: site.owner)
        let made = try SiblingProgram("ses-dss", as: site.user).run([
            "init", places.dss, "--domain", answers.domain, "--address", answers.administrator,
        ])
        guard made.status == 0 else {
            throw ProgramError(.cannotCreate, "ses-dss init \(places.dss): " + made.words)
        }
        tell("made", places.dss, "demonstration authority, key \"seal\" for the mail of \(answers.domain)")
        next.append(
            "Replace the demonstration key, which nobody else trusts:  docs/embedded-server.md, or your own ADSS")
    }

    // MARK: - Programs

    /// - Returns: True if the services run now.
    private mutating func start(_ facts: MachineFacts, _ answers: SetupAnswers) -> Bool {
        guard options.starts else { return false }
        let units = (answers.server == .embedded ? ["ses-dss"] : []) + ["ses", "ses-relay", "ses-lmtp"]
        let command = "systemctl enable --now " + units.joined(separator: " ")
        guard places.isMachine, facts.hasSystemd else {
            if places.isMachine {
                next.append(
                    "Start the programs, each as its own user:  ses-dss run --config \(places.dssConfiguration), ses watch,"
                        + " ses-relay run, ses-lmtp (README)")
            }
            return false
        }
        let systemctl = SiblingProgram("systemctl")
        let known = units.filter { (try? systemctl.run(["cat", "--quiet", $0]))?.status == 0 }
        guard known.count == units.count else {
            next.append("Install the units of the package, then: \(command)")
            return false
        }
        guard let ending = try? systemctl.run(["enable", "--now"] + units), ending.status == 0 else {
            isLacking = true
            say("failed  \(command)")
            next.append("See why a program does not start:  systemctl status " + units.joined(separator: " "))
            return false
        }
        say("started " + units.joined(separator: ", "))
        return true
    }

    private mutating func test(
        _ answers: SetupAnswers, _ accounts: SetupAccounts, isStarted: Bool
    ) throws(ProgramError) {
        let trial = SetupTrial(places: places, answers: answers, accounts: accounts, isStarted: isStarted)
        let result = trial.run()
        for line in result.lines { say(line) }
        if let advice = result.advice { next.insert(advice, at: 0) }
        if !result.isWell { isLacking = true }
    }

    private func tellNext(_ facts: MachineFacts, _ answers: SetupAnswers) {
        var steps: [String] = []
        if let recipe = facts.pairingRecipe {
            steps.append(
                "Show \(facts.mailServers[0]) where to deliver:  ses-pair \(recipe) --dry-run, then without --dry-run")
        } else {
            steps.append(
                "Show your mail server where to deliver:  ses-pair (Postfix, Exim, OpenSMTPD), or docs/lmtp.md")
        }
        steps += next
        steps.append("See that all is well:  ses doctor, and later ses status")
        say("")
        say("Next:")
        for (index, step) in steps.enumerated() { say("  \(index + 1). " + step) }
    }
}
