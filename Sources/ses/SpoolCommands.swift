import ArgumentParser
import Gateway
import ProgramLife
import Workflows

struct Init: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Make a spool, or repair its folders and modes.")
    @Argument(help: "The spool's directory.") var spool: String

    func run() async throws {
        try await finish { () throws(ProgramError) in
            for note in try SpoolInitialisation.make(at: spool) { Console.writeError("ses: " + note) }
            Console.write("spool ready: \(spool)")
            return .success
        }
    }
}

struct Watch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Watch the spool and process what arrives, until told to stop.",
        discussion: "SIGTERM ends it in order, SIGHUP re-reads the configuration.")
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var spool: SpoolOption
    @OptionGroup var root: RootOption

    func run() async throws {
        try await finish(rereads: true) { () throws(ProgramError) in
            try await Daemon.run(.watch, GatewayOptions(config.path, spool.path, allowsRoot: root.isAllowed))
        }
    }
}

struct Process: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Process what waits in outgoing, incoming and is due in retry, then stop.")
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var spool: SpoolOption
    @OptionGroup var root: RootOption

    func run() async throws {
        try await finish(rereads: true) { () throws(ProgramError) in
            try await Daemon.run(.process, GatewayOptions(config.path, spool.path, allowsRoot: root.isAllowed))
        }
    }
}

struct Sweep: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Try again what is due in retry, then stop; for cron.")
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var spool: SpoolOption
    @OptionGroup var root: RootOption

    func run() async throws {
        try await finish(rereads: true) { () throws(ProgramError) in
            try await Daemon.run(.sweep, GatewayOptions(config.path, spool.path, allowsRoot: root.isAllowed))
        }
    }
}

struct Drop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put a message from standard input and its envelope into a spool; for mail servers.",
        discussion: """
            Reads no configuration, and prints the entry that the message became, for the mail server's log. Exit codes are \
            those of sysexits.h: 0 the spool has the message for good, 75 try again, 65 the message or an address can never \
            be accepted, 64 the command line is wrong.
            """)
    @Option(name: .customLong("to"), help: "outgoing or incoming.") var direction: Direction
    @Option(
        name: [.customShort("f", allowingJoined: true), .customLong("from")], parsing: .unconditional,
        help: "The envelope sender; '<>', '' or MAILER-DAEMON for the null sender.")
    var sender: String
    @Argument(help: "The envelope recipients, after `--`.") var recipients: [String] = []
    @Option(name: .customLong("queue-id"), help: "What the mail server calls the message; recorded in the spool.")
    var queueID: String?
    @Option(
        name: .customShort("N", allowingJoined: true),
        help: "When the sender is to be told (DSN): never, or success,failure,delay.")
    var notify: String?
    @Option(name: .customShort("R", allowingJoined: true), help: "How much a failure gives back (DSN): hdrs or full.")
    var returned: String?
    @Option(
        name: .customShort("V", allowingJoined: true), parsing: .unconditional,
        help: "What notifications are to call the message (DSN's ENVID), as xtext.")
    var envelopeID: String?
    @Option(name: .customLong("spool"), help: "The spool (else $SES_SPOOL, else /var/spool/ses).") var spool: String?

    func run() async throws {
        try await finish { () throws(ProgramError) in
            try MessageDrop.run(
                to: direction, sender: sender, recipients: recipients, queueID: queueID,
                notification: try MessageDrop.notification(
                    notify: notify, returned: returned, identifier: envelopeID), spool: spool)
        }
    }
}
