public import ArgumentParser
import HostProcess
import ProgramCommands
public import Provisioning
import Workflows

extension SetupAnswers.Directions: ExpressibleByArgument {}

struct SetUp: SESCommand {
    static let configuration = CommandConfiguration(
        commandName: "setup",
        abstract: "Set SES up on this machine: at most five questions, then mail is signed.",
        discussion: """
            Writes ses.xml and relay.xml, makes the spool and the keys of the embedded signing server, starts the services, and \
            sends a test mail through the whole house. What is guessed from the machine is shown in brackets. Files that are \
            there already are shown and left; the exit status is 1 then, or if a step did not work.
            """)
    @Flag(help: "Ask nothing: take the guesses for what is not given.") var yes = false
    @Option(help: "The mail domain whose mail is signed.") var domain: String?
    @Option(help: "The address that receives notices.") var administrator: String?
    @Option(help: "embedded, or the address of the signing service of ADSS or another DSS server.")
    var signingServer: String?
    @Option(help: "The address of the verification service (else beside the signing service).")
    var verificationServer: String?
    @Option(help: "The client id at that server.") var client: String?
    @Option(help: "The next mail server for signed mail: HOST:PORT, or mx for the exchangers of each domain.")
    var nextHop: String?
    @Option(help: "both, outgoing (sign only) or incoming (verify only).") var directions: SetupAnswers.Directions?
    @Option(help: "The signing profile for mail (else the server's own, or the embedded server's).")
    var profile: String?
    @Option(help: "The alias of the key that signs all mail, FROM_EMAIL_ADDRESS, or NONE.") var key: String?
    @Option(help: "A directory that stands for the root of the machine, to try it.") var root: String?
    @Flag(inversion: .prefixedNo, help: "Start the services, if systemd runs them.") var start = true
    @Flag(inversion: .prefixedNo, help: "Send a test mail through the house.") var test = true

    func perform() async throws(ProgramError) -> ExitStatus {
        var options = SetupOptions()
        options.root = root
        options.isUnattended = yes
        options.domain = domain
        options.administrator = administrator
        options.signingServer = signingServer
        options.verificationServer = verificationServer
        options.client = client
        options.nextHop = nextHop
        options.directions = directions
        options.profile = profile
        options.key = key
        options.starts = start
        options.tests = test
        return try await Setup.run(options) { Console.write($0) }
    }
}

struct SendTestMail: SESCommand {
    static let configuration = CommandConfiguration(
        commandName: "send-test",
        abstract: "Send a test mail through the whole house, and tell each step; exit 1 names the one that failed.",
        discussion: """
            The mail is dropped into the spool and followed by the journals of ses and ses-relay. Run as root it works with the \
            rights of the spool's owner.
            """)
    @Argument(help: "The address to send to.") var address: String
    @Option(help: "The sender (else the administrator, if the address is in one of the own domains).")
    var from: String?
    @Option(help: "outgoing, to have it signed, or incoming.") var direction = Direction.outgoing
    @Option(help: "How long it is followed: 30s, 2m.") var timeout = Age(seconds: 30)
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var spool: SpoolOption
    @OptionGroup var format: FormatOption

    func perform() async throws(ProgramError) -> ExitStatus {
        var options = SendTest.Options(recipient: address)
        options.configuration = config.path
        options.spool = spool.path
        options.sender = from
        options.direction = direction
        options.patience = timeout.seconds
        return try await SendTest(options).run().printed(asJSON: format.isJSON)
    }
}

struct ExamineHouse: SESCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Examine the whole house and tell what to do, the most important first.",
        discussion: """
            Configurations, users and folders, programs, signing server, next hop, certificates, clock, waiting mail, and the \
            pairing with the mail server. Exit status: 0 nothing to do, 1 warnings, 2 something is broken. Run it as root, so \
            that it sees everything.
            """)
    @OptionGroup var config: ConfigurationOption
    @Option(help: "The relay's configuration (else $SES_RELAY_CONFIG, else /etc/ses/relay.xml).") var relayConfig:
        String?
    @Option(help: "The embedded server's dss.xml (else the one beside the socket that ses.xml names).")
    var dssConfig: String?
    @Option(help: "The directory with the sockets of ses-lmtp.") var lmtpSockets = "/run/ses-lmtp"
    @Option(help: "A directory that stands for the root of the machine, for the files of the mail server.")
    var root: String?
    @OptionGroup var spool: SpoolOption
    @OptionGroup var format: FormatOption

    func perform() async throws(ProgramError) -> ExitStatus {
        var options = Doctor.Options()
        options.configuration = config.path
        options.relayConfiguration = relayConfig
        options.dssConfiguration = dssConfig
        options.spool = spool.path
        options.lmtpSockets = lmtpSockets
        options.root = root
        return try await Doctor(options).examine().printed(asJSON: format.isJSON)
    }
}

struct Import: SESCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Take over the configuration of the original product: ses.xml, keys, authorities, James' config.xml.",
        discussion: """
            Says what was taken and what is to be done by hand. Nothing is written over a file that is there; the exit status \
            is 1 then, or if something has to be mended.
            """)
    @Argument(help: "The directory that the original is installed in, or a copy of it.") var directory: String
    @Option(help: "required (over TLS only) or clear (as the original), for the password of the next hop.")
    var login: String?
    @Option(help: "A directory that stands for the root of the machine, to try it.") var root: String?

    func perform() async throws(ProgramError) -> ExitStatus {
        var options = ImportOptions(directory: directory)
        options.login = login
        options.root = root
        return try await OriginalImport.run(options) { Console.write($0) }
    }
}
