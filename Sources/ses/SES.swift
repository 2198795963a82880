public import ArgumentParser
import SESProgram
import Glibc
import HostProcess
import MailDrop
import ProgramCommands
public import Workflows

@main
enum Main {
    static func main() async {
        // `ses drop` is the program `ses-drop`, under its older name.
        if CommandLine.arguments.dropFirst().first == "drop" {
            exit(DropCommand.run(CommandLine.arguments.dropFirst(2), called: "ses drop"))
        }
        EarlySignals.prepare()
        DescriptorCheck.begin("ses")
        await SES.main()
    }
}

struct SES: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ses",
        abstract: "Signs outgoing and verifies incoming mail, by the workflows of ses.xml.",
        discussion: """
            Mail is taken from the watched Maildirs outgoing/ and incoming/ of a spool and leaves in delivered/, admin/, \
            blocked/ or retry/. Start with `ses setup`; `ses doctor` tells what to do when something is wrong.
            """, version: "ses " + ProgramRelease.version,
        subcommands: [
            SetUp.self, Import.self, ExamineHouse.self, SendTestMail.self, Init.self, Watch.self, Process.self,
            Sweep.self,
            Drop.self,
            Check.self, Explain.self, Status.self,
            List.self, Show.self, Export.self, Release.self, Requeue.self, Retry.self, Hold.self, Reject.self,
            Bounce.self,
            Remove.self, Trace.self, Sign.self, Verify.self,
        ])
}

protocol SESCommand: ProgramCommand {}

extension SESCommand {
    static var program: String { "ses" }
}

struct ConfigurationOption: ParsableArguments {
    @Option(name: .customLong("config"), help: "The configuration (else $SES_CONFIG, else /etc/ses/ses.xml).")
    var path: String?
}

extension Direction: ExpressibleByArgument {}
