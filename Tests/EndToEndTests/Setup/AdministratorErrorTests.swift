import Foundation
import Glibc
import TestSupport
import Testing

/// One error that a new administrator provokes, and what the programs say of it.
struct AdministratorError: Sendable, CustomTestStringConvertible {
    /// The administrator's deed.
    let deed: String
    let program: String
    /// The arguments; `{…}` stands for a path or an address of the bench.
    let arguments: [String]
    /// Changes `ses.xml` of the bench before the program is run.
    var ses: [(String, String)] = []
    /// The content of `relay.xml`.
    var relay: String?
    let status: Int32
    /// The words for the fault, its place, its cause and its remedy, as far as each is told.
    let says: [String]
    var testDescription: String { deed }
}

extension EndToEnd {
    @Suite("Errors that a new administrator provokes")
    struct AdministratorErrors {
        private static let check = ["check", "--config", "{ses}"]
        private static let probe = ["check", "--probe", "--config", "{ses}", "--relay-config", "{relay}"]
        private static let relayCheck = ["check", "--config", "{relay}"]
        private static let setup = ["setup", "--root", "{root}", "--yes", "--no-test"]
        private static let profile = "adss:signing:profile:007"

        static let all: [AdministratorError] = [
            .init(
                deed: "sets up where nobody can be asked", program: "ses", arguments: ["setup", "--root", "{root}"],
                status: 64, says: ["nobody can be asked here", "--yes", "--domain example.org"]),
            .init(
                deed: "sets the machine up without being root", program: "ses", arguments: ["setup", "--yes"],
                status: 77, says: ["/etc and /var", "sudo ses setup", "--root DIR"]),
            .init(
                deed: "gives an address for the domain", program: "ses",
                arguments: setup + ["--domain", "boss@firm.test"], status: 64,
                says: ["--domain boss@firm.test", "no mail domain", "behind the @"]),
            .init(
                deed: "has a machine that tells no domain", program: "ses", arguments: setup, status: 64,
                says: ["Mail domain", "nothing on this machine tells", "--domain"]),
            .init(
                deed: "gives a next hop with a blank", program: "ses",
                arguments: setup + ["--domain", "firm.test", "--next-hop", "mail firm"], status: 64,
                says: ["--next-hop mail firm", "host and port", "127.0.0.1:10025"]),
            .init(
                deed: "forgets the client id of ADSS", program: "ses",
                arguments: setup + [
                    "--domain", "firm.test", "--signing-server", "https://adss.firm.test/adss/signing/dss",
                ],
                status: 64, says: ["--signing-server", "client id", "--client"]),
            .init(
                deed: "misspells an element", program: "ses", arguments: check,
                ses: [("<OperationRule>", "<OperationRul>"), ("</OperationRule>", "</OperationRul>")], status: 78,
                says: [
                    "ses.xml:", "<OperationRul> is not known in <Workflow>", "expected",
                    "did you mean <OperationRule>?",
                ]),
            .init(
                deed: "misspells an operation", program: "ses", arguments: check, ses: [("SIGN_EMAIL<", "SIGN_EMIAL<")],
                status: 78, says: ["ses.xml:", "SIGN_EMIAL", "did you mean SIGN_EMAIL?"]),
            .init(
                deed: "leaves the domain out", program: "ses", arguments: check,
                ses: [("<DomainName>example.test</DomainName>", "")], status: 78,
                says: ["<DomainName> is missing in <Settings>"]),
            .init(
                deed: "breaks the XML", program: "ses", arguments: check, ses: [("</Settings>", "")], status: 78,
                says: ["ses.xml:", "fault"]),
            .init(
                deed: "checks a file that is not there", program: "ses",
                arguments: ["check", "--config", "{root}/no.xml"],
                status: 78, says: ["no.xml", "No such file", "a readable ses.xml"]),
            .init(
                deed: "misspells the domain of a filter", program: "ses", arguments: check,
                ses: [("*@example.test", "*@exmaple.test")], status: 0,
                says: [
                    "ses.xml:", "matches no address of <DomainName> (example.test)", "no mail of yours is signed",
                    "did you mean *@example.test?",
                ]),
            .init(
                deed: "writes a filter that excludes itself", program: "ses", arguments: check,
                ses: [("<Email signed=\"false\"/>", "<Email signed=\"false\"/><Email signed=\"true\"/>")], status: 0,
                says: ["this filter never holds", "excludes the one on line", "write a workflow for each"]),
            .init(
                deed: "writes a name into an address filter", program: "ses", arguments: check,
                ses: [("*@example.test", "Bob &lt;bob@example.test&gt;")], status: 0,
                says: ["never holds", "write the address alone", "bob@example.org"]),
            .init(
                deed: "has no spool", program: "ses", arguments: probe, ses: [("{spool}", "{root}/nowhere")],
                status: 78,
                says: ["there is no spool at", "sudo ses init"]),
            .init(
                deed: "names a profile that the server has not", program: "ses", arguments: probe,
                ses: [(profile, "adss:signing:profile:099")], status: 78,
                says: [
                    "ses.xml:", "profile \"adss:signing:profile:099\" is not known to the server", "correct profileId=",
                ]),
            .init(
                deed: "names a key that the server has not", program: "ses", arguments: probe,
                ses: [("alice_email_signing", "alice_email_singing")], status: 78,
                says: ["ses.xml:", "the key \"alice_email_singing\" is not known to the server", "correct alias="]),
            .init(
                deed: "names a profile for another format", program: "ses", arguments: probe,
                ses: [(profile, "adss:signing:profile:006")], status: 78,
                says: ["ses.xml:", "signs PDF, but SIGN_EMAIL of this workflow gives it mail", "name another profile"]),
            .init(
                deed: "is not known to the server", program: "ses", arguments: probe,
                ses: [("samples_test_client", "somebody")], status: 78,
                says: ["client id is not known", "OriginatorId"]),
            .init(
                deed: "names a signing server where nobody listens", program: "ses", arguments: probe,
                ses: [("{server}", "http://127.0.0.1:{dead}")], status: 78,
                says: ["{dead}", "Couldn't connect", "systemctl start ses-dss", "correct its address"]),
            .init(
                deed: "has a next hop that does not listen", program: "ses", arguments: probe,
                relay: "<gateway>127.0.0.1</gateway><gatewayPort>{dead}</gatewayPort>", status: 78,
                says: ["relay.xml", "route default: 127.0.0.1:{dead}, connecting", "<gatewayPort>", "ses-pair"]),
            .init(
                deed: "has an administrator whom the next hop does not know", program: "ses", arguments: probe,
                relay: "<gateway>127.0.0.1</gateway><gatewayPort>{refusing}</gatewayPort><TLS level=\"off\"/>",
                status: 78,
                says: [
                    "notices to the administrator would not arrive", "admin@example.test", "550 5.1.1 unknown",
                    "<AdminEmailAddress>",
                ]),
            .init(
                deed: "writes the port into the gateway", program: "ses-relay", arguments: relayCheck,
                relay: "<gateway>127.0.0.1:10025</gateway>", status: 78,
                says: ["relay.xml:", "has a port inside", "<gatewayPort>10025</gatewayPort>"]),
            .init(
                deed: "sends a password without TLS", program: "ses-relay", arguments: relayCheck,
                relay:
                    "<gateway>127.0.0.1</gateway><gatewayusername>a</gatewayusername><gatewayPassword>b</gatewayPassword>",
                status: 78, says: ["relay.xml:", "not encrypted", "<TLS level=\"required\"/>", "inClear"]),
            .init(
                deed: "demands TLS of a server that has none", program: "ses-relay",
                arguments: relayCheck + ["--probe"],
                relay: "<gateway>127.0.0.1</gateway><gatewayPort>{refusing}</gatewayPort><TLS level=\"required\"/>",
                status: 78, says: ["route default", "STARTTLS", "<TLS level=\"required\">", "choose another level"]),
            .init(
                deed: "starts the daemon without a spool", program: "ses", arguments: ["watch", "--config", "{ses}"],
                ses: [("{spool}", "{root}/nowhere")], status: 78, says: ["nowhere", "ses init"]),
            .init(
                deed: "makes a spool of a directory that is something else", program: "ses",
                arguments: ["init", "{full}"],
                status: 69, says: ["is no spool and not empty", "mail.txt is in it", "name an empty directory"]),
            .init(
                deed: "imports a directory without an original", program: "ses",
                arguments: ["import", "{full}", "--root", "{root}"], status: 66,
                says: ["neither a ses.xml nor James' config.xml", "{full}", "installed in"]),
            .init(
                deed: "signs a text as a PDF", program: "ses",
                arguments: ["sign", "--as", "pdf", "--profile", "x", "--config", "{ses}"],
                status: 65, says: ["cannot be signed", "%PDF-"]),
            .init(
                deed: "sends a test to no address", program: "ses",
                arguments: ["send-test", "bob", "--config", "{ses}"],
                status: 64, says: ["\"bob\" is no mail address", "bob@example.org"]),
            .init(
                deed: "makes the keys a second time", program: "ses-dss", arguments: ["init", "{site}"], status: 73,
                says: ["dss.xml is there already", "remove the directory, or choose another"]),
        ]

        @Test("is told with what is wrong, where, why and what to do", arguments: all)
        func told(_ error: AdministratorError) async throws {
            let bench = try await Bench()
            let finished = try await bench.run(error)
            #expect(finished.status == error.status, "\(finished)")
            for part in error.says {
                let wanted = bench.filled(part)
                #expect((finished.output + finished.error).contains(wanted), "\(wanted) in \(finished)")
            }
        }

        @Test("there are twenty-five of them at least, and each is another")
        func number() {
            #expect(Self.all.count >= 25 && Set(Self.all.map(\.deed)).count == Self.all.count)
        }

        @Test("equal filters are a warning, and a fault under --strict as in the original")
        func strict() async throws {
            let bench = try await Bench()
            let second = AdministratorError(
                deed: "", program: "ses", arguments: Self.check + ["--strict"],
                ses: [("</Sign>", "{workflow}</Sign>")], status: 78, says: [])
            let strict = try await bench.run(second)
            #expect(strict.status == 78 && strict.output.contains("fault: this workflow never runs"), "\(strict)")
            let plain = try await RunningProgram.run(
                try Programs.path("ses"), ["check", "--config", bench.scratch.file("ses.xml")])
            #expect(plain.status == 0 && plain.output.contains("warning: this workflow never runs"), "\(plain)")
        }

        @Test("a file that only root can read is a fault when root checks", .enabled(if: geteuid() == 0, "needs root"))
        func asRoot() async throws {
            let bench = try await Bench()
            try bench.write(AdministratorError(deed: "", program: "", arguments: [], status: 0, says: []))
            let path = bench.scratch.file("ses.xml")
            #expect(chown(path, 0, 0) == 0 && chmod(path, 0o600) == 0)
            let checked = try await RunningProgram.run(
                try Programs.path("ses"), ["check", "--config", path], asRoot: true)
            #expect(checked.status == 78 && checked.output.contains("Permission denied"), "\(checked)")
        }
    }
}

/// Everything that the errors are provoked on.
private final class Bench: Sendable {
    let scratch: ScratchDirectory
    private let values: [String: String]
    private let refusing: ScriptedMailServer

    init() async throws {
        scratch = try ScratchDirectory()
        try SpoolFixture.own(scratch.path)
        refusing = try ScriptedMailServer { step in
            if case .rcpt = step { .say("550 5.1.1 unknown") } else { nil }
        }
        let site = try await DSSFixture.demo.directory
        let full = scratch.file("full")
        try FileManager.default.createDirectory(atPath: full, withIntermediateDirectories: false)
        try SpoolFixture.own(full)
        try scratch.write(Array("x".utf8), to: "full/mail.txt")
        let made = try await RunningProgram.run(try Programs.path("ses"), ["init", scratch.file("spool")])
        guard made.status == 0 else { throw HarnessError("ses init: \(made)") }
        values = [
            "{root}": scratch.path, "{ses}": scratch.file("ses.xml"), "{relay}": scratch.file("relay.xml"),
            "{spool}": scratch.file("spool"), "{full}": full, "{site}": site,
            "{server}": try await DSSFixture.shared.address, "{dead}": "\(try DSSFixture.deadPort())",
            "{refusing}": "\(refusing.port)", "{workflow}": Self.workflow,
        ]
    }

    private static let workflow = """
        <Workflow><Filter><AND><From contains="*@example.test"/><Email signed="false"/></AND></Filter>
        <OperationRule>SIGN_EMAIL</OperationRule>
        <ProfileSelection><SignEmail profileId="adss:signing:profile:007"/></ProfileSelection>
        <CertificateSelection><SignEmail alias="alice_email_signing"/></CertificateSelection></Workflow>
        """

    private static let ses = """
        <SES><Settings>
        <DomainName>example.test</DomainName>
        <AdminEmailAddress>admin@example.test</AdminEmailAddress>
        <OriginatorId>samples_test_client</OriginatorId>
        <SigningServiceSettings><SigningServiceAddress>
        <PrimaryAddress>{server}/adss/signing/dss</PrimaryAddress>
        </SigningServiceAddress></SigningServiceSettings>
        </Settings>
        <Outgoing><Sign>
        {workflow}</Sign></Outgoing>
        <Processing><Spool>{spool}</Spool></Processing></SES>
        """

    func filled(_ text: String) -> String {
        values.sorted { $0.key < $1.key }.reduce(text) { $0.replacing($1.key, with: $1.value) }
    }

    func write(_ error: AdministratorError) throws {
        // The workflow comes in first, so that a change may be one of it.
        var text = Self.ses.replacing("{workflow}", with: Self.workflow)
        for (part, other) in error.ses {
            guard text.contains(part) else { throw HarnessError("\(part) is not in ses.xml") }
            text = text.replacing(part, with: other)
        }
        let relay = error.relay ?? "<Sendmail path=\"/usr/bin/true\"/>"
        for (name, text) in [
            ("ses.xml", filled(text)), ("relay.xml", filled("<Relay><Spool>{spool}</Spool>\n\(relay)</Relay>")),
        ] {
            let path = try scratch.write(Array(text.utf8), to: name)
            guard chmod(path, 0o640) == 0 else { throw HarnessError("chmod \(path)") }
            try SpoolFixture.own(path)
        }
    }

    func run(_ error: AdministratorError) async throws -> RunningProgram.Finished {
        try write(error)
        return try await RunningProgram.run(
            try Programs.path(error.program), error.arguments.map(filled), input: Array("no document\n".utf8))
    }
}
