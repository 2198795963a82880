import ArgumentParser
import HostProcess
import ProgramCommands
import SigningServer

/// The authorities that verification trusts.
struct Trust: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust", abstract: "List, add and remove trusted authorities.",
        subcommands: [TrustList.self, TrustAdd.self, TrustRemove.self])
}

struct TrustList: DSSCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Tell whom the verification profiles trust.")

    @OptionGroup var site: SiteOption
    @OptionGroup var format: FormatOption

    func perform() async throws(ProgramError) -> ExitStatus {
        let site = try site.site()
        let report = try SiteOption.attempt { () throws(SiteError) in try site.trustReport(now: SiteOption.now) }
        return try report.printed(asJSON: format.isJSON)
    }
}

struct TrustAdd: DSSCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Trust an authority from now on.",
        discussion: """
            FILE has certificates in PEM or DER. --from takes the certificate of the authority out of a signed mail, \
            PDF, XML or CMS file: the one that issued the signer's. Compare the fingerprint with what the authority \
            itself says, by another way than the file. Everything that the authority issues is trusted then.
            """)

    @Argument(help: "Files with certificates.") var files: [String] = []
    @Option(help: "A signed file whose signer's authority is to be trusted.") var from: String?
    @Flag(help: "With --from: the highest authority in the file instead of the signer's own.") var root = false
    @Flag(help: "Trust the authorities of the system (\(SystemTrust.bundle)).") var system = false
    @Flag(help: "Use it on the way to an anchor only, and not as one.") var intermediate = false
    @Option(help: "The verification profile; else the default.") var profile: String?
    @Flag(help: "Do not ask.") var yes = false
    @OptionGroup var after: ChangeOptions

    func validate() throws {
        let ways = [!files.isEmpty, from != nil, system].filter { $0 }.count
        guard ways == 1 else { throw ValidationError("one of FILE, --from and --system is wanted") }
    }

    func perform() async throws(ProgramError) -> ExitStatus {
        if system {
            try Question.confirm("Trust every authority of \(SystemTrust.bundle)?", isConfirmed: yes)
            return try after.make { site throws(SiteError) in try site.addSystemTrust(profile: profile) }
        }
        let candidates = try SiteOption.attempt(.badInput) { () throws(SiteError) in
            if let from {
                return try DSSSite.candidates(inSigned: from, takesRoot: root, now: SiteOption.now)
            }
            var found: [TrustCandidate] = []
            for file in files { found += try DSSSite.candidates(inFile: file) }
            return found
        }
        for candidate in candidates { Console.write(candidate.text + "\n") }
        let count = candidates.count == 1 ? "this authority" : "these \(candidates.count) authorities"
        try Question.confirm("Trust \(count)?", isConfirmed: yes)
        return try after.make { site throws(SiteError) in
            try site.addTrust(candidates, asIntermediate: intermediate, profile: profile, now: SiteOption.now)
        }
    }
}

struct TrustRemove: DSSCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "End the trust in an authority.")

    @Argument(help: "The file as the configuration has it, or the beginning of the fingerprint.") var name: String
    @Option(help: "The verification profile; else all.") var profile: String?
    @Flag(help: "Do not ask.") var yes = false
    @OptionGroup var after: ChangeOptions

    func perform() async throws(ProgramError) -> ExitStatus {
        try Question.confirm("No longer trust \"\(name)\"?", isConfirmed: yes)
        return try after.make { site throws(SiteError) in try site.removeTrust(name, profile: profile) }
    }
}
