public import ArgumentParser
import Glibc
import HostProcess
import Octets
import ProgramCommands
public import SESProgram

extension FilterForm: ExpressibleByArgument {}

/// Standard input and output of a filter.
private enum FilterStreams {
    static func input() throws(ProgramError) -> OctetString {
        var octets: [UInt8] = []
        let failure = DescriptorIO.readToEnd(STDIN_FILENO, into: &octets)
        guard failure == 0 else {
            throw ProgramError(.noInput, "standard input cannot be read: \(String(cString: strerror(failure)))")
        }
        guard !octets.isEmpty else { throw ProgramError(.noInput, "standard input is empty") }
        return OctetString(octets)
    }

    static func output(_ octets: OctetString) throws(ProgramError) {
        let failure = DescriptorIO.writeAll(octets.array, to: STDOUT_FILENO)
        guard failure == 0 else {
            throw ProgramError(
                .inputOutput, "standard output cannot be written: \(String(cString: strerror(failure)))")
        }
    }

    static func tell(_ report: FilterReport, asJSON: Bool) throws(ProgramError) {
        Console.writeError(asJSON ? try JSONText.of(report) : "ses: " + report.text)
    }
}

struct Sign: SESCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign",
        abstract: "Sign one mail or file from standard input; the result goes to standard output.",
        discussion: """
            By the workflows of ses.xml, or with the profile and key that are given. No spool is touched. What was done is said \
            on standard error. Exit status: 0 signed, 1 unchanged because nothing was to be signed, 65 it cannot be signed, 69 \
            the server refuses, 75 the server does not answer.
            """)
    @Option(name: .customLong("as"), help: "mail, pdf, xml or cms (a signature beside the file, in DER).")
    var form = FilterForm.mail
    @Option(help: "The signing profile, instead of the workflows.") var profile: String?
    @Option(help: "The key: an alias, FROM_EMAIL_ADDRESS or NONE.") var alias: String?
    @OptionGroup var config: ConfigurationOption
    @Flag(name: .customLong("json"), help: "Tell the result as JSON, on standard error.") var isJSON = false

    func perform() async throws(ProgramError) -> ExitStatus {
        var request = FilterRequest()
        (request.configuration, request.form, request.profile, request.alias) = (config.path, form, profile, alias)
        let (output, report) = try await SigningFilter.run(try FilterStreams.input(), request)
        try FilterStreams.output(output)
        try FilterStreams.tell(report, asJSON: isJSON)
        return report.status
    }
}

struct Verify: SESCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verify one mail or file from standard input; a mail comes out with its result, a file unchanged.",
        discussion: """
            No spool is touched. The verdict is said on standard error. Exit status: 0 trusted, 1 not signed or indeterminate, \
            2 not trusted, 65 it cannot be read, 69 the server refuses, 75 the server does not answer.
            """)
    @Option(name: .customLong("as"), help: "mail, pdf, xml or cms.") var form = FilterForm.mail
    @Option(help: "The file that a detached CMS signs.") var content: String?
    @OptionGroup var config: ConfigurationOption
    @Flag(name: .customLong("json"), help: "Tell the verdict as JSON, on standard error.") var isJSON = false

    func perform() async throws(ProgramError) -> ExitStatus {
        var request = FilterRequest()
        (request.configuration, request.form) = (config.path, form)
        if let content {
            guard form == .cms else { throw ProgramError(.usage, "--content is for --as cms") }
            switch SmallFile.read(content, limit: 1 << 30) {
            case .success(let octets): request.content = octets
            case .failure(let error): throw ProgramError(.noInput, "cannot be read: \(error)")
            }
        }
        let (output, report) = try await VerifyingFilter.run(try FilterStreams.input(), request)
        try FilterStreams.output(output)
        try FilterStreams.tell(report, asJSON: isJSON)
        return report.status
    }
}
