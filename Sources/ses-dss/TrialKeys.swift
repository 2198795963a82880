import ArgumentParser
import CMSSignatures
import HostProcess
import ProgramCommands
import SigningServer

struct KeyIssue: DSSCommand {
    static let configuration = CommandConfiguration(
        commandName: "issue", abstract: "Make a key by the demonstration's authority: for trials only.",
        discussion: """
            ses-dss init makes an authority and keeps its key in the site. Nobody else trusts this authority, and anybody \
            who can read the site can issue certificates with it. For real use request a certificate: ses-dss key request.
            """)

    @Option(help: "The name of the person or unit (CN).") var name: String
    @Option(help: "A mail address (repeat it for more); else the alias if it is one.") var address: [String] = []
    @Option(name: .customLong("for"), help: "The use: mail, document or organisation (both).") var purpose: KeyPurpose?
    @Option(help: "The kind of key: rsa-3072 or p-256.") var kind: PrivateKey.Kind = .rsa3072
    @Option(help: "The days that the certificate is good for.") var days = 365
    @OptionGroup var grant: GrantOptions
    @OptionGroup var after: ChangeOptions

    func perform() async throws(ProgramError) -> ExitStatus {
        let addresses = !address.isEmpty ? address : grant.alias.contains("@") ? [grant.alias] : []
        let purpose = purpose ?? (addresses.isEmpty ? .document : .mail)
        guard purpose != .mail || !addresses.isEmpty else {
            throw ProgramError(.usage, "a key for mail needs an address: name it with --address")
        }
        let subject = KeySubject(commonName: name, organisation: "SES demonstration", addresses: addresses)
        var wishes = TrialKeyWishes(subject: subject, purpose: purpose)
        wishes.kind = kind
        wishes.days = days
        let (made, addition) = (wishes, grant.addition)
        return try after.make { site throws(SiteError) in try site.issueKey(made, addition, now: SiteOption.now) }
    }
}

struct KeyRevoke: DSSCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Revoke a certificate of the demonstration's authority: for trials only.",
        discussion: "What the key signed is not trusted from then on by profiles that trust this authority.")

    @Argument(help: "The alias of the key.") var alias: String
    @Option(
        help: ArgumentHelp(
            "The reason: \(RevocationReason.allCases.map(\.name).joined(separator: ", ")).", valueName: "reason"))
    var reason = "unspecified"
    @Option(help: "The days that the revocation list is good for.") var days = 30
    @Flag(help: "Do not ask.") var yes = false
    @OptionGroup var after: ChangeOptions

    func perform() async throws(ProgramError) -> ExitStatus {
        guard let known = RevocationReason.allCases.first(where: { $0.name == reason }) else {
            throw ProgramError(.usage, "--reason \(reason): not known; see --help")
        }
        try Question.confirm("Revoke the certificate of \"\(alias)\" for good?", isConfirmed: yes)
        return try after.make { site throws(SiteError) in
            try site.revokeKey(alias, reason: known, days: days, now: SiteOption.now)
        }
    }
}

struct KeyCRL: DSSCommand {
    static let configuration = CommandConfiguration(
        commandName: "crl", abstract: "Make a new revocation list of the demonstration's authority.")

    @Option(help: "The days that it is good for.") var days = 30
    @OptionGroup var after: ChangeOptions

    func perform() async throws(ProgramError) -> ExitStatus {
        try after.make { site throws(SiteError) in
            try site.renewRevocationList(days: days, now: SiteOption.now)
        }
    }
}
