import ArgumentParser
import Foundation
import HostProcess

@main
enum Main {
    static func main() async {
        // If a client or a reader of the log has gone, write(2) fails, and the program goes on.
        _ = signal(SIGPIPE, SIG_IGN)
        do throws(DescriptorShortage) { try Descriptors.require(Descriptors.leastFree) } catch {
            ProgramOutput.put("ses-dss: \(error)", to: .standardError)
            exit(Sysexit.system.rawValue)
        }
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
