import FoundationEssentials
import Glibc
public import HostProcess
import Octets
import SESConfiguration
import Workers

/// The command line of `ses import`.
public struct ImportOptions: Sendable {
    /// The directory of the original.
    public var directory: String
    /// A directory that stands for the root of the machine, for trials.
    public var root: String?
    /// `required` or `clear`, for the password of the next hop; nil to ask.
    public var login: String?

    public init(directory: String) { self.directory = directory }
}

/// `ses import`: takes the configuration of an original over. Nothing is written over a file that is there.
public struct OriginalImport {
    private let options: ImportOptions
    private let places: HousePlaces
    private let accounts = SetupAccounts()
    private let say: (String) -> Void
    private var report = ImportReport()
    private var isLacking = false

    /// Runs an import on a thread of its own, because it waits for people and files.
    /// - Parameter say: Called with each line for the person.
    /// - Throws: ``ProgramError`` with 66 if there is nothing to take over, 73 if a file cannot be made.
    public static func run(
        _ options: ImportOptions, say: @escaping @Sendable (String) -> Void
    ) async throws(ProgramError) -> ExitStatus {
        try await WorkerThreads(count: 1, name: "ses-import").run { () throws(ProgramError) in
            var original = OriginalImport(options, say: say)
            return try original.run()
        }
    }

    private init(_ options: ImportOptions, say: @escaping (String) -> Void) {
        self.options = options
        self.say = say
        places = HousePlaces(root: options.root)
    }

    /// - Returns: 1 if a file was there already, or has faults that a person has to mend.
    private mutating func run() throws(ProgramError) -> ExitStatus {
        let site = try OriginalSite(in: options.directory)
        guard site.ses != nil || site.james != nil else {
            throw ProgramError(
                .noInput,
                "neither a ses.xml nor James' config.xml is below \(options.directory): name the directory that the original"
                    + " is installed in")
        }
        if places.isMachine, geteuid() != 0 {
            throw ProgramError(
                .noPermission,
                "import writes to \(places.configuration): run it as root (sudo), or try it with --root DIR")
        }
        try NewFile.makeDirectory(places.configuration, mode: 0o711)
        let trustStore = try adoptTrust(site)
        let original = try adoptSES(site, trustStore: trustStore)
        try adoptJames(site, original)
        report.leave("signing server, mail server and keys as before; then: ses doctor, which tells what is missing")
        for line in report.lines { say(line) }
        return isLacking ? .unhealthy : .success
    }

    // MARK: - Authorities and keys

    private mutating func adoptTrust(_ site: OriginalSite) throws(ProgramError) -> String? {
        guard let path = site.trust else { return nil }
        let place = places.configuration + "/server-ca.pem"
        switch TrustConversion.pem(of: path) {
        case .failure(let error):
            isLacking = true
            report.leave("the authorities in \(path): \(error.text)")
            return nil
        case .success(let (text, count)):
            guard try write(OctetString(text), to: place, group: "ses") else { return place }
            report.noteTaken("\(path): \(count == 1 ? "1 authority" : "\(count) authorities") of servers, now \(place)")
            return place
        }
    }

    private mutating func adoptKey(_ site: OriginalSite, named name: String) throws(ProgramError) -> String? {
        let found = site.keys.first { SmallFile.lastName(of: $0).lowercased() == name.lowercased() } ?? site.keys.first
        guard let found else {
            isLacking = true
            report.leave(
                "the client certificate \(name) was not found: copy it to \(places.configuration)/\(name), mode 640, group ses,"
                    + " and correct <PfxFilePath>")
            return nil
        }
        let octets: OctetString
        switch SmallFile.read(found) {
        case .success(let read): octets = read
        case .failure(let error): throw ProgramError(.noInput, "\(error)")
        }
        let place = places.configuration + "/client.pfx"
        if try write(octets, to: place, group: "ses") {
            report.noteTaken("\(found): the client certificate, now \(place)")
        }
        return place
    }

    // MARK: - ses.xml

    private mutating func adoptSES(
        _ site: OriginalSite, trustStore: String?
    ) throws(ProgramError) -> SESAdoption? {
        guard let path = site.ses else {
            report.leave("no ses.xml was found: ses setup writes one")
            return nil
        }
        var original = try SESAdoption(path: path)
        original.joinAddresses()
        if let name = original.clientCertificate, let place = try adoptKey(site, named: name) {
            original.setClientCertificate(place)
        }
        original.setProcessing(spool: places.spool, trustStore: trustStore)
        guard try write(OctetString(original.text), to: places.ses, group: "ses") else { return original }
        let changes = original.changes.isEmpty ? "as it was" : original.changes.joined(separator: ", ")
        report.noteTaken("\(path): \(places.ses), \(changes)")
        judge(places.ses)
        return original
    }

    private mutating func judge(_ path: String) {
        do throws(ConfigurationFaults) {
            let settings = try SESConfiguration.load(path: path)
            if !settings.warnings.isEmpty {
                report.leave(
                    "ses check has \(settings.warnings.count) warnings about \(path), such as: \(settings.warnings[0])")
            }
        } catch {
            isLacking = true
            for fault in error.faults.prefix(10) { report.leave("mend \(fault)") }
        }
    }

    // MARK: - relay.xml

    private mutating func adoptJames(_ site: OriginalSite, _ original: SESAdoption?) throws(ProgramError) {
        guard let path = site.james else {
            report.leave("no config.xml of James was found: ses setup writes a relay.xml")
            return
        }
        let james = try JamesConfiguration(path: path)
        guard let delivery = james.deliveries.first else {
            report.leave("\(path) has no <mailet class=\"RemoteDelivery\">: ses setup writes a relay.xml")
            return
        }
        for other in james.deliveries.dropFirst() {
            report.leave(
                "\(path):\(other.line): a further RemoteDelivery for match=\"\(other.match)\" was not taken: write it as a <Route>"
                    + " of relay.xml (direction=, fromDomain=, toDomain=)")
        }
        if let outgoing = delivery.outgoing {
            report.noteTaken(
                "<outgoing>\(outgoing)</outgoing> is left out: results stand in the folder delivered of the spool")
        }
        for name in delivery.others { report.leave("<\(name)> of RemoteDelivery has no counterpart in relay.xml") }
        let login = try login(for: delivery)
        let domain = original?.value("DomainName")
        let postmaster = james.postmaster.map {
            $0.contains("@") || !james.serverNames.isEmpty ? $0 : $0 + "@" + (domain ?? "localhost")
        }
        let relay = RelayAdoption(
            delivery, james, spool: places.spool, postmaster: postmaster ?? domain.map { "postmaster@" + $0 },
            login: login, &report)
        if let password = relay.password {
            try writePassword(password)
            if login == .required {
                report.leave(
                    "the original sent its password in clear; relay.xml asks for TLS: ses-relay check --probe tells whether"
                        + " the next hop has it, and ses import --login clear would do as before")
            }
        }
        guard try write(OctetString(relay.text), to: places.relay, group: "ses-relay") else { return }
        report.noteTaken("\(path):\(delivery.line): RemoteDelivery, now \(places.relay)")
        do throws(ConfigurationFaults) {
            _ = try loadRelay(path: places.relay)
        } catch {
            isLacking = true
            for fault in error.faults.prefix(10) { report.leave("mend \(fault)") }
        }
    }

    private mutating func writePassword(_ password: String) throws(ProgramError) {
        let place = places.configuration + "/" + RelayAdoption.passwordFile
        if try write(OctetString(password + "\n"), to: place, group: "ses-relay") {
            report.noteTaken("the password of the next hop, now \(place) (mode 640)")
        }
    }

    /// The way of the password: the original sent it over any connection, which is asked about and not refused.
    private func login(for delivery: JamesConfiguration.Delivery) throws(ProgramError) -> RelayAdoption.Login {
        guard let user = delivery.user, !delivery.gateways.isEmpty else { return .required }
        if let given = options.login {
            guard let login = RelayAdoption.Login(rawValue: given) else {
                throw ProgramError(
                    .usage, "--login \(given): write required (only over TLS) or clear (as the original)")
            }
            return login
        }
        guard isatty(STDIN_FILENO) == 1 else { return .required }
        Console.writeError(
            "The original sent the password of \(user) to \(delivery.gateways[0]) without asking for TLS. Only over TLS from now"
                + " on? [yes]")
        let answer = readLine()?.trimmed().lowercased() ?? ""
        return answer.hasPrefix("n") ? .clear : .required
    }

    // MARK: - Files

    private mutating func write(_ octets: OctetString, to path: String, group: String) throws(ProgramError) -> Bool {
        if try NewFile(path, mode: 0o640, group: accounts.group(group)).make(octets) { return true }
        isLacking = true
        report.leave("\(path) is there already and was not changed: move it away and run ses import again")
        return false
    }
}

extension SmallFile {
    /// The last name of a path.
    fileprivate static func lastName(of path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }
}
