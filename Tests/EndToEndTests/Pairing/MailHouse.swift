import Foundation
import TestSupport
import Testing

/// An organisation, example.test, whose mail server is paired with SES in both directions, and another one beside it,
/// elsewhere.test, with a Postfix. All people have their mailbox in one Dovecot.
final class MailHouse: Sendable {
    /// The organisation's mail server, with more options of the recipe.
    enum Kind: Sendable, CustomTestStringConvertible {
        case postfix([String])
        case exim([String])
        case openSMTPD

        var testDescription: String {
            switch self {
            case .postfix(let options): "Postfix \(options.joined(separator: " "))"
            case .exim(let options): "Exim \(options.joined(separator: " "))"
            case .openSMTPD: "OpenSMTPD"
            }
        }
    }

    private enum Server {
        case postfix(PostfixFixture)
        case unpacked(UnpackedServer)
    }

    /// The ports of the organisation's mail server.
    private struct Ports {
        /// The port for mail from outside.
        let door: Int
        let submission: Int
        let outgoing: Int
        let incoming: Int
    }

    static let password = "correct horse"
    static let people = [
        "alice@example.test", "bob@example.test", "dora@example.test", PartnerAuthority.carol, "emil@elsewhere.test",
        "frank@third.test",
    ]

    let spool: SpoolFixture
    let dovecot: DovecotFixture
    private let server: Server
    let partner: PostfixFixture
    let authority: PartnerAuthority
    private let kind: Kind
    private let ports: Ports
    private let dss: DSSFixture
    private let dkim: DKIMFixture
    private let lmtp: LMTPFixture
    private let gateway: RunningProgram
    private let relay: RunningProgram

    private static let making = Task { try await MailHouse(.postfix([])) }
    /// The one with Postfix and `ses-lmtp`, which several tests share.
    static var shared: MailHouse { get async throws { try await making.value } }

    init(_ kind: Kind) async throws {
        try MailServers.requireRoot()
        self.kind = kind
        authority = try await PartnerAuthority()
        dss = try await Self.signingServer(trusting: authority)
        dkim = try await DKIMFixture(domain: "example.test")

        var configuration = SESXML(servers: [dss.address])
        configuration.outgoing = SESXML.sign(alias: "FROM_EMAIL_ADDRESS")
        configuration.incoming = SESXML.verify()
        configuration.processing = "<SenderMustOwnFrom>true</SenderMustOwnFrom>"
        spool = try await SpoolFixture(configuration)
        lmtp = try await LMTPFixture(spool: spool.spool)

        ports = Ports(
            door: try DSSFixture.deadPort(), submission: try DSSFixture.deadPort(),
            outgoing: try DSSFixture.deadPort(), incoming: try DSSFixture.deadPort())
        let mailboxes = try DovecotFixture.Site()
        // The other organisation's server, and those of all others.
        let partnerSite = try await PostfixFixture.Site(
            host: "mail.elsewhere.test", port: try DSSFixture.deadPort(),
            settings: [
                "virtual_mailbox_domains = elsewhere.test, third.test",
                "virtual_mailbox_base = \(mailboxes.mailboxRoot)",
                "virtual_mailbox_maps = texthash:\(mailboxes.mailboxes)", "virtual_uid_maps = static:65534",
                "virtual_gid_maps = static:65534", "smtpd_milters = \(dkim.verifying)",
                "transport_maps = inline:{ { example.test = smtp:[127.0.0.1]:\(ports.door) } }",
            ])
        let recipe =
            try Self.recipe(ports, spool: spool) + [
                "--lmtp", lmtp.directory, "--ses-drop", try Programs.path("ses-drop"),
            ]
        switch kind {
        case .postfix(let options):
            let site = try await PostfixFixture.Site(
                host: "mail.example.test", port: ports.door,
                settings: [
                    "transport_maps = inline:{ { example.test = virtual: }"
                        + " { * = smtp:[127.0.0.1]:\(partnerSite.port) } }"
                ])
            try await mailboxes.pair(withPostfixQueue: site.queue, users: Self.people)
            try await MailServers.pair(
                "postfix",
                recipe + [
                    "--config-directory", site.configuration, "--incoming", site.service, "--submission",
                    "127.0.0.1:\(ports.submission)", "--drop-user", MailServers.accountAndGroup, "--mailboxes",
                    mailboxes.mailboxes, "--domains", "example.test", "--mailbox-root", mailboxes.mailboxRoot,
                    "--mailbox-user", MailServers.account, "--verify-milter", dkim.verifying, "--sign-milter",
                    dkim.signing,
                ] + (try await Self.certificate(in: site.scratch)) + options)
            server = .postfix(try await PostfixFixture(site))
        case .exim(let options):
            try await mailboxes.pair(withPostfixQueue: partnerSite.queue, users: Self.people)
            let configuration = UnpackedConfiguration.exim(
                people: mailboxes.mailboxes, mailboxRoot: mailboxes.mailboxRoot, scratch: mailboxes.scratch.path,
                door: ports.door, partner: partnerSite.port)
            server = .unpacked(
                try await UnpackedServer(
                    .exim, configuration: configuration,
                    pairing: recipe + [
                        "--smtp-port", "\(ports.door)", "--submission-port", "\(ports.submission)", "--drop-user",
                        MailServers.accountAndGroup, "--maildir-user", MailServers.accountAndGroup,
                    ] + options, directories: [mailboxes.scratch.path + "/exim"], port: ports.door))
        case .openSMTPD:
            try await mailboxes.pair(withPostfixQueue: partnerSite.queue, users: Self.people)
            let configuration = UnpackedConfiguration.openSMTPD(
                door: ports.door, submission: ports.submission, mailboxRoot: mailboxes.mailboxRoot,
                partner: partnerSite.port)
            server = .unpacked(
                try await UnpackedServer(
                    .opensmtpd, configuration: configuration,
                    pairing: Self.recipe(ports, spool: spool) + [
                        "--ses-drop", try Programs.path("ses-drop"), "--drop-user", MailServers.account, "--recipients",
                        "recipients", "--submission-tag",
                        "SUBMISSION",
                    ], directories: [], port: ports.door))
        }
        dovecot = try await DovecotFixture(mailboxes)
        partner = try await PostfixFixture(partnerSite)
        gateway = try await spool.watch()
        relay = try Self.relay(ports, spool: spool)
    }

    /// The options that all recipes have.
    private static func recipe(_ ports: Ports, spool: SpoolFixture) throws -> [String] {
        [
            "--outgoing-port", "\(ports.outgoing)", "--incoming-port", "\(ports.incoming)", "--spool", spool.spool,
        ]
    }

    private static func relay(_ ports: Ports, spool: SpoolFixture) throws -> RunningProgram {
        let configuration = """
            <Relay>
            <Spool>\(spool.spool)</Spool>
            <Route name="to our users" direction="incoming">
            <gateway>127.0.0.1</gateway><gatewayPort>\(ports.incoming)</gatewayPort><TLS level="off"/></Route>
            <gateway>127.0.0.1</gateway><gatewayPort>\(ports.outgoing)</gatewayPort><TLS level="off"/>
            <postmaster>postmaster@example.test</postmaster>
            <servernames><servername>ses.example.test</servername></servernames>
            </Relay>
            """
        let path = try spool.scratch.write(Array(configuration.utf8), to: "relay.xml")
        return try RunningProgram(try Programs.path("ses-relay"), ["run", "--config", path])
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
        for program in [relay, gateway, lmtp.program] { try await program.terminate() }
        switch server {
        case .postfix(let postfix): try await postfix.stop()
        case .unpacked(let server): try await server.stop()
        }
        try await partner.stop()
        try await dovecot.stop()
        try await dss.stop()
    }

    /// Returns the submission of a user of the organisation.
    func client(of user: String, password: String = MailHouse.password) -> Submission {
        switch kind {
        case .postfix: Submission(port: ports.submission, user: user, password: password)
        // Exim has no certificate in these tests, and Debian 12's OpenSMTPD no TLS that works, so no passwords either.
        case .exim: Submission(port: ports.submission, user: user, password: password, usesTLS: false)
        case .openSMTPD: Submission(port: ports.submission, user: nil)
        }
    }

    /// The server of the other organisation.
    var outside: Submission { Submission(port: partner.port, user: nil) }
    /// The port of the house for mail of others.
    var door: Submission { Submission(port: ports.door, user: nil) }

    /// Waits until nothing is under way in a Postfix or in the spool.
    func settled() async throws {
        try await eventually("empty queues\n\(logs)") {
            var waiting = try await partner.waiting()
            if case .postfix(let postfix) = server { waiting += try await postfix.waiting() }
            let isEmpty = try spool.counts().isEmpty
            return waiting == 0 && isEmpty ? () : nil
        }
    }

    /// The demo CA.
    var anchor: String { dss.site.anchor }

    /// All that is known of what went wrong.
    var logs: String {
        let own =
            switch server {
            case .postfix(let postfix): postfix.log
            case .unpacked(let server): server.log
            }
        return [own, partner.log, lmtp.program.text(.error), gateway.text(.error), relay.text(.error), dss.log].joined(
            separator: "\n---\n")
    }

    /// The lines of the gateway's journal about one message.
    func journal(ofMessage id: String) throws -> [[String: String]] {
        let lines = try spool.names(in: "journal").flatMap { name in
            String(decoding: try TestMaterial.octets(spool.spool + "/journal/" + name), as: UTF8.self)
                .split(separator: "\n")
        }
        let events = try lines.map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
            return object.compactMapValues { $0 as? String }
        }
        // A line says only what the lines before it did not: most name the entry alone.
        let named = zip(lines, events).filter { line, _ in line.contains("<\(id)>") || line.contains("\"\(id)\"") }
        let entries = Set(named.compactMap { $0.1["e"] })
        return events.filter { $0["e"].map(entries.contains) == true }
    }

    static func identifier() -> String { UUID().uuidString.lowercased() }

    /// Waits for messages in a mailbox with a Message-ID of the domain example.test.
    func messages(_ id: String, of user: String) async throws -> [[UInt8]] {
        let wanted = Array("<\(id)@example.test>".utf8)
        return try await eventually("\(id) for \(user)\n\(logs)") {
            let found = try await dovecot.messages(of: user).filter { $0.firstRange(of: wanted) != nil }
            return found.isEmpty ? nil : found
        }
    }

    /// Waits for the message with a subject.
    func message(subject: String, of user: String) async throws -> [UInt8] {
        try await eventually("\(subject) for \(user)\n\(logs)") {
            try await dovecot.messages(of: user).first { $0.firstRange(of: Array(subject.utf8)) != nil }
        }
    }

    /// An atom may have nearly all that means something to a shell (RFC 5322 §3.2.3), and mail servers run commands.
    func expectShellWordsArrive() async throws {
        let id = Self.identifier()
        let sender = "o'b*$HOME`id`{x}|y&#z@elsewhere.test"
        try await door.deliver(
            MailSamples.plain(from: PartnerAuthority.carol, to: MailSamples.bob, id: id), from: sender,
            to: [MailSamples.bob])
        let message = try #require(try await messages(id, of: MailSamples.bob).first)
        #expect(try await PythonReading.of(message).values("Return-Path") == ["<\(sender)>"])
    }
}
