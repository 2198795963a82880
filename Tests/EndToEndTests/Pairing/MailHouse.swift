import Foundation
import TestSupport

/// An organisation, example.test, whose Postfix is paired with SES in both directions, and another one beside it,
/// elsewhere.test. All people have their mailbox in one Dovecot.
final class MailHouse: Sendable {
    static let password = "correct horse"
    static let people = [
        "alice@example.test", "bob@example.test", "dora@example.test", PartnerAuthority.carol, "emil@elsewhere.test",
        "frank@third.test",
    ]

    let spool: SpoolFixture
    let dovecot: DovecotFixture
    let house: PostfixFixture
    let partner: PostfixFixture
    let authority: PartnerAuthority
    private let submissionPort: Int
    private let dss: DSSFixture
    private let dkim: DKIMFixture
    private let gateway: RunningProgram
    private let relay: RunningProgram

    private static let making = Task { try await MailHouse(extra: []) }
    /// The one with `ses drop`, which several tests share.
    static var shared: MailHouse { get async throws { try await making.value } }

    /// - Parameter extra: More options for the Postfix recipe.
    init(extra: [String]) async throws {
        try MailServers.requireRoot()
        authority = try await PartnerAuthority()
        dss = try await Self.signingServer(trusting: authority)
        dkim = try await DKIMFixture(domain: "example.test")

        var configuration = SESXML(servers: [dss.address])
        configuration.outgoing = SESXML.sign(alias: "FROM_EMAIL_ADDRESS")
        configuration.incoming = SESXML.verify()
        configuration.processing = "<SenderMustOwnFrom>true</SenderMustOwnFrom>"
        spool = try await SpoolFixture(configuration)

        // The other organisation's server, and those of all others.
        let mailboxes = try DovecotFixture.Site()
        let houseSite = try await PostfixFixture.Site(host: "mail.example.test", settings: [])
        let delivery = [
            "virtual_mailbox_domains = elsewhere.test, third.test", "virtual_mailbox_base = \(mailboxes.mailboxRoot)",
            "virtual_mailbox_maps = texthash:\(mailboxes.mailboxes)", "virtual_uid_maps = static:65534",
            "virtual_gid_maps = static:65534", "smtpd_milters = \(dkim.verifying)",
            "transport_maps = inline:{ { example.test = smtp:[127.0.0.1]:\(houseSite.port) } }",
        ]
        let partnerSite = try await PostfixFixture.Site(host: "mail.elsewhere.test", settings: delivery)
        let route = "{ * = smtp:[127.0.0.1]:\(partnerSite.port) }"
        for line in ["transport_maps = inline:{ { example.test = virtual: } \(route) }"] {
            let set = try await RunningProgram.run(
                "/usr/sbin/postconf", ["-c", houseSite.configuration, "-e", line], asRoot: true)
            guard set.status == 0 else { throw HarnessError("postconf: \(set)") }
        }

        try await mailboxes.pair(withPostfixQueue: houseSite.queue, users: Self.people)
        submissionPort = try DSSFixture.deadPort()
        let (outgoingPort, incomingPort) = (try DSSFixture.deadPort(), try DSSFixture.deadPort())
        try await MailServers.pair(
            "postfix",
            [
                "--config-directory", houseSite.configuration, "--incoming", houseSite.service, "--submission",
                "127.0.0.1:\(submissionPort)", "--outgoing-port", "\(outgoingPort)", "--incoming-port",
                "\(incomingPort)", "--ses", try Programs.path("ses"), "--spool", spool.spool, "--drop-user",
                MailServers.accountAndGroup, "--maildir-user", MailServers.accountAndGroup, "--mailboxes",
                mailboxes.mailboxes, "--domains", "example.test", "--mailbox-root", mailboxes.mailboxRoot,
                "--mailbox-user", MailServers.account, "--verify-milter", dkim.verifying, "--sign-milter",
                dkim.signing,
            ] + (try await Self.certificate(in: houseSite.scratch)) + extra)
        dovecot = try await DovecotFixture(mailboxes)
        house = try await PostfixFixture(houseSite)
        partner = try await PostfixFixture(partnerSite)

        gateway = try await spool.watch()
        let relayConfiguration = """
            <Relay>
            <Spool>\(spool.spool)</Spool>
            <Route name="to our users" direction="incoming">
            <gateway>127.0.0.1</gateway><gatewayPort>\(incomingPort)</gatewayPort><TLS level="off"/></Route>
            <gateway>127.0.0.1</gateway><gatewayPort>\(outgoingPort)</gatewayPort><TLS level="off"/>
            <postmaster>postmaster@example.test</postmaster>
            <servernames><servername>ses.example.test</servername></servernames>
            </Relay>
            """
        let path = try spool.scratch.write(Array(relayConfiguration.utf8), to: "relay.xml")
        relay = try RunningProgram(try Programs.path("ses-relay"), ["run", "--config", path])
    }

    /// The demo server, which trusts the partner's authority, too.
    private static func signingServer(trusting authority: PartnerAuthority) async throws -> DSSFixture {
        let site = try await DSSFixture.demo
        let text = String(decoding: try TestMaterial.octets(site.configuration), as: UTF8.self)
        let anchor = site.directory + "/partner.pem"
        let path = site.directory + "/partner.xml"
        try TestMaterial.octets(authority.certificate).withUnsafeBytes {
            try Data($0).write(to: URL(fileURLWithPath: anchor))
        }
        try Data(
            text.replacingOccurrences(
                of: "<Anchor>ca.pem</Anchor>", with: "<Anchor>ca.pem</Anchor><Anchor>partner.pem</Anchor>"
            )
            .utf8
        ).write(to: URL(fileURLWithPath: path))
        for file in [anchor, path] {
            try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: file)
            try SpoolFixture.own(file)
        }
        return try await DSSFixture(configuration: path)
    }

    private static func certificate(in scratch: ScratchDirectory) async throws -> [String] {
        let (key, certificate) = (scratch.file("key.pem"), scratch.file("certificate.pem"))
        let made = try await RunningProgram.run(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
                "-subj", "/CN=mail.example.test",
            ], asRoot: true)
        guard made.status == 0 else { throw HarnessError("openssl: \(made)") }
        return ["--certificate", certificate, "--key", key]
    }

    /// Stops everything, the mail servers in order.
    func stop() async throws {
        for program in [relay, gateway] { try await program.terminate() }
        for server in [house, partner] { try await server.stop() }
        try await dovecot.stop()
        try await dss.stop()
    }

    /// What someone of the house submits with.
    func client(of user: String, password: String = MailHouse.password) -> Submission {
        Submission(port: submissionPort, user: user, password: password)
    }

    /// The server of the other organisation.
    var outside: Submission { Submission(port: partner.port) }
    /// The port of the house for mail of others.
    var door: Submission { Submission(port: house.port) }

    /// The demo CA.
    var anchor: String { dss.site.anchor }

    /// All that is known of what went wrong.
    var logs: String {
        [house.log, partner.log, gateway.text(.error), relay.text(.error), dss.log].joined(separator: "\n---\n")
    }

    /// The lines of the gateway's journal about one message.
    func journal(ofMessage id: String) throws -> [[String: String]] {
        let lines = try spool.names(in: "journal").flatMap { name in
            String(decoding: try TestMaterial.octets(spool.spool + "/journal/" + name), as: UTF8.self)
                .split(separator: "\n")
        }
        return try lines.filter { $0.contains("<\(id)>") || $0.contains("\"\(id)\"") }.map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
            return object.compactMapValues { $0 as? String }
        }
    }
}
