import ArgumentParser
import HostProcess
import ProgramCommands

@main
enum Main {
    static func main() async {
        EarlySignals.prepare()
        DescriptorCheck.begin("ses-dss")
        await SESDSS.main()
    }
}

/// The embedded signing and verifying server.
struct SESDSS: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ses-dss", abstract: "Sign and verify for SES: OASIS DSS 1.0 on the addresses of ADSS.",
        discussion: "For trying SES out, for tests and for small sites. Keys are in files, or in a token (PKCS #11).",
        version: "ses-dss " + ProgramRelease.version,
        subcommands: [
            Initialise.self, Check.self, Run.self, Status.self, Key.self, Keys.self, Trust.self,
        ])
}

protocol DSSCommand: ProgramCommand {}

extension DSSCommand {
    static var program: String { "ses-dss" }
}

/// The permission to use keys and passwords that every user of the machine can read.
struct SecretsOption: ParsableArguments {
    @Flag(
        name: .customLong("allow-readable-secrets"),
        help: "Use keys and passwords that every user of this machine can read; without it they are a fault.")
    var areReadableAllowed = false
}
