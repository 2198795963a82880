package import HostProcess
package import MailEnvelope
package import Spool

/// The command line of `ses drop`.
///
/// Read here and not by swift-argument-parser, which costs more time to start than the whole delivery takes, and which
/// takes time by the square of the number of recipients. Its rules are kept: an option's value is the next argument or
/// stands behind `=`; a short option's value may stand directly behind its letter; behind `--` every argument is a
/// recipient; of a repeated option the last counts.
package struct DropArguments: Sendable {
    package var queue: MaildirDelivery.Destination
    package var sender: String
    package var recipients: [String]
    package var queueID: String?
    package var notification: NotificationRequest
    package var spool: String?

    /// - Parameter arguments: Without the name of the program.
    /// - Returns: nil if the help is asked for.
    /// - Throws: ``ProgramError`` with 64.
    package static func reading(_ arguments: [String]) throws(ProgramError) -> DropArguments? {
        var values: [Option: String] = [:]
        var recipients: [String] = []
        var index = 0
        while index < arguments.count {
            let argument = arguments[index]
            index += 1
            if argument == "--" {
                recipients += arguments[index...]
                break
            }
            if argument == "-h" || argument == "--help" { return nil }
            guard argument.utf8.first == UInt8(ascii: "-"), argument.utf8.count > 1 else {
                recipients.append(argument)
                continue
            }
            let (option, attached) = try Option.reading(argument)
            if let attached {
                values[option] = attached
                continue
            }
            guard index < arguments.count,
                option.takesAnything || arguments[index].utf8.first != UInt8(ascii: "-")
            else {
                throw ProgramError(.usage, "Missing value for '\(option.shown)'")
            }
            values[option] = arguments[index]
            index += 1
        }
        return try DropArguments(values, recipients)
    }

    private init(_ values: [Option: String], _ recipients: [String]) throws(ProgramError) {
        guard let direction = values[.to] else { throw ProgramError(.usage, "Missing expected argument '--to <to>'") }
        guard let queue = MaildirDelivery.Destination(rawValue: direction) else {
            throw ProgramError(
                .usage,
                "The value '\(EnvelopeReading.shown(direction))' is invalid for '--to <to>'."
                    + " Please provide one of 'outgoing' and 'incoming'.")
        }
        guard let sender = values[.from] else {
            throw ProgramError(.usage, "Missing expected argument '-f <from>'")
        }
        self.queue = queue
        self.sender = sender
        self.recipients = recipients
        queueID = values[.queueID]
        spool = values[.spool]
        notification = try Self.notification(
            notify: values[.notify], returned: values[.returned], identifier: values[.envelopeID])
    }

    private enum Option: String, CaseIterable {
        case to = "--to"
        case from = "--from"
        case queueID = "--queue-id"
        case notify = "-N"
        case returned = "-R"
        case envelopeID = "-V"
        case spool = "--spool"

        /// True if the next argument is the value whatever it looks like.
        var takesAnything: Bool { self == .from || self == .envelopeID }

        var shown: String { self == .from ? "-f <from>" : rawValue }

        /// The option that `argument` names, and the value that is attached to it.
        static func reading(_ argument: String) throws(ProgramError) -> (Option, String?) {
            if argument.hasPrefix("--") {
                let equals = argument.utf8.firstIndex(of: UInt8(ascii: "="))
                let name = equals.map { String(argument[..<$0]) } ?? argument
                if let option = Option(rawValue: name) {
                    return (option, equals.map { String(argument[argument.utf8.index(after: $0)...]) })
                }
            } else {
                let name = String(decoding: Array(argument.utf8.prefix(2)), as: UTF8.self)
                if let option = name == "-f" ? .from : Option(rawValue: name) {
                    let rest = argument.utf8.dropFirst(2)
                    return (option, rest.isEmpty ? nil : String(decoding: Array(rest), as: UTF8.self))
                }
            }
            throw ProgramError(.usage, "Unknown option '\(EnvelopeReading.shown(argument))'")
        }
    }

    /// Reads sendmail's options: each nil or empty where nothing was said, as a mail server's macro for it is.
    private static func notification(
        notify: String?, returned: String?, identifier: String?
    ) throws(ProgramError) -> NotificationRequest {
        func value<Value>(
            _ option: String, _ text: String?, _ read: (String) -> Value?, expected: String
        ) throws(ProgramError) -> Value? {
            guard let text, !text.isEmpty else { return nil }
            guard let value = read(text) else {
                throw ProgramError(.usage, "\(option) \(EnvelopeReading.shown(text)): expected \(expected)")
            }
            return value
        }
        return NotificationRequest(
            notify: try value(
                "-N", notify, { NotificationRequest.Notify(parsing: $0) },
                expected: "never, or success, failure and delay with commas and no blanks between them"),
            returned: try value(
                "-R", returned, { NotificationRequest.Returned(parsing: $0) }, expected: "hdrs or full"),
            identifier: try value(
                "-V", identifier, { EnvelopeIdentifier(xtext: $0) },
                expected: "at most \(EnvelopeIdentifier.limit) printable octets as xtext (RFC 3461): a blank is +20,"
                    + " `+` is +2B and `=` is +3D"))
    }
}
