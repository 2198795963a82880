import ArgumentParser

/// The embedded signing and verifying server.
@main
struct SESDSS: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ses-dss", abstract: "Sign and verify for SES: OASIS DSS 1.0 on the addresses of ADSS.",
        discussion: "For trying SES out, for tests and for small sites: there is no HSM behind it.",
        subcommands: [Initialise.self, Run.self])
}
