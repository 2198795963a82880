import ArgumentParser
import Glibc

@main
enum Program {
    static func main() async {
        // A client or a reader of the log who has gone away is told by an error of write(2), and never ends the program.
        _ = signal(SIGPIPE, SIG_IGN)
        await SESDSS.main()
    }
}

/// The embedded signing and verifying server.
struct SESDSS: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ses-dss", abstract: "Sign and verify for SES: OASIS DSS 1.0 on the addresses of ADSS.",
        discussion: "For trying SES out, for tests and for small sites: there is no HSM behind it.",
        subcommands: [Initialise.self, Check.self, Run.self])
}
