public import ArgumentParser
import HostProcess
import ProgramCommands
import SESProgram
public import Spool
import Steering
import Workflows

/// The messages that a command is about, by property.
struct FilterOptions: ParsableArguments {
    @Option(help: "Only with this text in the sender's address.") var from: String?
    @Option(help: "Only with this text in a recipient's address.") var to: String?
    @Option(help: "Only with this text in the reason.") var reason: String?
    @Option(help: "Only what has stood there for so long: 30m, 6h, 2d.") var older: Age?

    func selection(_ entries: [String], _ places: Set<StandingPlace> = []) throws(ProgramError) -> MessageSelection {
        try MessageSelection(
            entries: entries, places: places, from: from, to: to, reason: reason, olderThan: older?.seconds)
    }
}

extension StandingPlace: ExpressibleByArgument {}

struct List: SESCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the messages in the folders, with the reasons; the oldest first.",
        discussion: "Run as root it works with the rights of the spool's owner.")
    @Argument(help: "Folders, such as blocked or retry; all of them without any.") var folders: [StandingPlace] = []
    @Flag(help: "What is kept from its recipients until somebody decides: blocked.") var held = false
    @Flag(help: "What waits: outgoing, incoming, retry, and deferred by the relay.") var waiting = false
    @Flag(help: "What was given up on: failed and corrupt.") var failed = false
    @OptionGroup var filter: FilterOptions
    @Option(help: "The number of messages that are shown; 0 for all.") var limit = 50
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var spool: SpoolOption
    @OptionGroup var format: FormatOption

    func perform() async throws(ProgramError) -> ExitStatus {
        var places = Set(folders)
        if held { places.insert(.blocked) }
        if waiting { places.formUnion([.outgoing, .incoming, .retry, .deferred]) }
        if failed { places.formUnion([.failed, .corrupt]) }
        let steered = try SteeredSpool(configuration: config.path, spool: spool.path)
        let report = try ListReport.make(steered, try filter.selection([], places), limit: max(0, limit))
        return try report.printed(asJSON: format.isJSON)
    }
}

struct Show: SESCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one message: its place, its envelope, its header, and what the journal tells of it.")
    @Argument(help: "The entry, or its first digits.") var entry: String
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var spool: SpoolOption
    @OptionGroup var format: FormatOption

    func perform() async throws(ProgramError) -> ExitStatus {
        let steered = try SteeredSpool(configuration: config.path, spool: spool.path)
        let report = try ShowReport.make(steered, entry: entry)
        let status = try report.printed(asJSON: format.isJSON)
        guard !format.isJSON, let path = report.firstPath, let direction = report.direction.flatMap(Direction.init)
        else { return status }
        // The message is shown whether or not it can be explained, such as with a configuration that is at fault.
        do throws(ProgramError) {
            let explanation = try await ExplainReport.makeInFull(
                file: path, direction: direction, configuration: config.path)
            Console.write("\nBy the configuration as it is now:\n" + explanation.text)
        } catch {
            Console.write("\nIts decision cannot be explained: \(error.text)")
        }
        return status
    }
}

struct Export: SESCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write one message to standard output, or several to files, without their envelopes.")
    @Argument(help: "The entry, or its first digits; several with --directory.") var entries: [String] = []
    @Option(help: "The folder, if the entry stands in several.") var folder: StandingPlace?
    @Option(help: "The directory where each message becomes a file ENTRY.eml.") var directory: String?
    @OptionGroup var filter: FilterOptions
    @Flag(help: "All messages, with --directory.") var all = false
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var spool: SpoolOption

    func perform() async throws(ProgramError) -> ExitStatus {
        let steered = try SteeredSpool(configuration: config.path, spool: spool.path)
        guard let directory else {
            guard entries.count == 1, !all else {
                throw ProgramError(.usage, "name one entry, or say --directory for several messages")
            }
            try MessageExport.run(steered, entry: entries[0], folder: folder)
            return .success
        }
        let selection = try filter.selection(entries, folder.map { [$0] } ?? [])
        guard !entries.isEmpty || all || selection.hasFilter || folder != nil else {
            throw ProgramError(.usage, "say which messages: entries, a filter such as --from, --folder, or --all")
        }
        let count = try MessageExport.run(steered, selection, to: directory) { Console.write($0) }
        Console.write(count == 1 ? "1 message" : "\(count) messages")
        return .success
    }
}

/// The messages that an order is about.
struct OrderOptions: ParsableArguments {
    @Argument(help: "Entries, or their first digits.") var entries: [String] = []
    @Flag(help: "All messages for which the order has a meaning.") var all = false
    @OptionGroup var filter: FilterOptions
    @Flag(help: "Do not ask.") var yes = false
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var spool: SpoolOption

    /// Finds the messages, asks where that is due, and carries the order out.
    /// - Parameter places: The only ones that are looked through; empty for all.
    /// - Returns: 1 if a message had gone meanwhile or could not be dealt with.
    func give(_ order: Order, in places: Set<StandingPlace> = []) throws(ProgramError) -> ExitStatus {
        let selection = try filter.selection(entries, places)
        guard !entries.isEmpty || all || selection.hasFilter || !places.isEmpty else {
            throw ProgramError(.usage, "say which messages: entries, a filter such as --from, or --all")
        }
        let steered = try SteeredSpool(configuration: config.path, spool: spool.path)
        let planned = try PlannedOrder(order, selection, in: steered)
        guard !planned.rows.isEmpty else {
            Console.write("no message")
            return .success
        }
        if order.isFinal || entries.isEmpty {
            let count = planned.rows.count == 1 ? "1 message" : "\(planned.rows.count) messages"
            var isConfirmed = yes
            if !isConfirmed { isConfirmed = try Confirmation.ask("\(order.word) \(count)?") }
            guard isConfirmed else {
                Console.write("nothing was done")
                return .unhealthy
            }
        }
        return try planned.carryOut(steered) { Console.write($0) } == 0 ? .success : .unhealthy
    }
}

struct Release: SESCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Pass blocked messages on to their recipients as they were received, never as trusted.")
    @OptionGroup var options: OrderOptions

    func perform() async throws(ProgramError) -> ExitStatus { try options.give(.release) }
}

struct Requeue: SESCommand {
    static let configuration = CommandConfiguration(
        commandName: "requeue",
        abstract: "Process blocked or waiting messages by the workflows again, as if they had just come.")
    @OptionGroup var options: OrderOptions

    func perform() async throws(ProgramError) -> ExitStatus { try options.give(.requeue) }
}

struct Retry: SESCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract:
            "Try what waits in retry or is deferred by the relay now, and give what is in failed to the relay again.")
    @Flag(help: "All messages that wait for the signing server.") var server = false
    @OptionGroup var options: OrderOptions

    func perform() async throws(ProgramError) -> ExitStatus {
        try options.give(.retry, in: server ? [.retry] : [])
    }
}

struct Hold: SESCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold",
        abstract: "Keep messages that wait to be processed in blocked, until somebody decides.")
    @OptionGroup var options: OrderOptions

    func perform() async throws(ProgramError) -> ExitStatus { try options.give(.hold) }
}

struct Reject: SESCommand {
    static let configuration = CommandConfiguration(
        commandName: "reject",
        abstract: "Give blocked messages back to their senders, with a reason.")
    @Option(help: "The reason, for the sender.") var text: String?
    @OptionGroup var options: OrderOptions

    func perform() async throws(ProgramError) -> ExitStatus { try options.give(.reject(text)) }
}

struct Bounce: SESCommand {
    static let configuration = CommandConfiguration(
        commandName: "bounce",
        abstract: "Give messages that could not be processed or delivered back to their senders as undeliverable.")
    @Option(help: "The reason, for the sender.") var text: String?
    @OptionGroup var options: OrderOptions

    func perform() async throws(ProgramError) -> ExitStatus { try options.give(.bounce(text)) }
}

struct Remove: SESCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove messages for good; asks first.")
    @OptionGroup var options: OrderOptions

    func perform() async throws(ProgramError) -> ExitStatus { try options.give(.remove) }
}

struct Trace: SESCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Tell the way of messages through ses and the relay, from their journals.")
    @Argument(
        help:
            "An entry or its first digits, the mail server's queue id, a Message-ID, an address, or a word of the subject."
    )
    var text: String?
    @Option(help: "Only what happened since then: 2026-11-30, \"2026-11-30 16:00\", 16:00, or 2h for two hours ago.")
    var since: String?
    @Option(help: "Only what happened until then.") var until: String?
    @Option(help: "The number of messages that are shown, the latest ones.") var limit = 10
    @OptionGroup var config: ConfigurationOption
    @OptionGroup var spool: SpoolOption
    @OptionGroup var format: FormatOption

    func perform() async throws(ProgramError) -> ExitStatus {
        let steered = try SteeredSpool(configuration: config.path, spool: spool.path)
        let report = try TraceReport.make(
            steered, TraceReport.Question(text: text, since: since, until: until, limit: limit))
        return try report.printed(asJSON: format.isJSON)
    }
}
