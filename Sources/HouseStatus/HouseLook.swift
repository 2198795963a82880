import FoundationEssentials
import Glibc
import HostProcess
import Monitoring
import Octets
import ProgramLife
import SESConfiguration
import Spool

/// Everything that a status is made of, as it was found. Nothing is judged here.
struct HouseLook {
    /// The result of reading a configuration.
    enum ConfigurationState {
        case usable
        /// No file was named, and there is none in the usual place.
        case absent
        /// The caller may not read it.
        case hidden
        /// The first fault of it, and the number of all.
        case unusable(String, count: Int)
    }

    let scope: HouseScope
    let options: HouseOptions
    let now: Int
    var survey: SpoolSurvey?
    /// The reason why there is no survey.
    var spoolFault: SpoolError?
    var spoolPath = ""
    var sesPath = ""
    var ses = ConfigurationState.absent
    var settings: SESSettings?
    var relayPath = ""
    var relay = ConfigurationState.absent
    var certificates = CertificateSearch()
    /// Sockets of `ses-lmtp` by path.
    var lmtp: [(path: String, state: LocalSocket.Listening)] = []
    var dss: DSSStatusReading?

    /// Looks at the house. Run by root it goes on with the rights of the spool's owner, so that it sees what the
    /// programs see.
    init(_ scope: HouseScope, _ options: HouseOptions, now: Int) {
        self.scope = scope
        self.options = options
        self.now = now
        let surroundings = Surroundings()
        sesPath = surroundings.configurationPath(option: scope == .whole ? options.configuration : nil)
        relayPath = surroundings.relayConfigurationPath(
            option: scope == .relay ? options.configuration : options.relayConfiguration)
        let main = scope == .whole ? sesPath : relayPath
        spoolPath = surroundings.spoolPath(option: options.spool, configured: Self.spool(namedIn: main))
        // Where that fails, what is seen with the rights of root is still true.
        _ = Account.becomeOwner(of: spoolPath)
        readConfigurations(surroundings)
        let child = dssStatus()
        do throws(SpoolError) {
            survey = try SpoolSurvey(of: spoolPath, now: now, patience: options.maximumAge)
        } catch {
            spoolFault = error
        }
        if scope == .whole {
            lookAtSockets()
            dss = child?.reading()
        }
    }

    /// The place of the spool that a configuration names, also one with faults.
    static func spool(namedIn path: String) -> String? {
        guard case .success(let octets) = SmallFile.read(path) else { return nil }
        let text = String(decoding: octets.array, as: UTF8.self).replacing(/<!--.*?-->/.dotMatchesNewlines(), with: "")
        guard let match = text.firstMatch(of: /<Spool>\s*([^<]*?)\s*<\/Spool>/) else { return nil }
        let named = String(match.1)
        return named.isEmpty ? nil : SmallFile.resolve(named, in: SmallFile.directory(of: path))
    }

    private mutating func readConfigurations(_ surroundings: Surroundings) {
        if scope == .whole {
            ses = read(sesPath, isNamed: options.configuration != nil) { (look) throws(ConfigurationFaults) in
                let settings = try SESConfiguration.load(path: look.sesPath, environment: surroundings.environment)
                look.settings = settings
                look.certificates.add(settings)
            }
        }
        let isNamed = scope == .relay ? options.configuration != nil : options.relayConfiguration != nil
        relay = read(relayPath, isNamed: isNamed) { (look) throws(ConfigurationFaults) in
            look.certificates.add(try loadRelay(path: look.relayPath, environment: surroundings.environment))
        }
    }

    private mutating func read(
        _ path: String, isNamed: Bool, _ load: (inout HouseLook) throws(ConfigurationFaults) -> Void
    ) -> ConfigurationState {
        if !isNamed, access(path, F_OK) != 0, errno == ENOENT { return .absent }
        // Another user may read neither the file nor those with passwords that it names.
        let isStranger = owner(of: spoolPath).map { $0 != geteuid() } ?? false
        if access(path, R_OK) != 0, errno == EACCES, isStranger { return .hidden }
        do throws(ConfigurationFaults) {
            try load(&self)
            return .usable
        } catch {
            guard !isStranger || geteuid() == 0 else { return .hidden }
            return .unusable(error.faults.first.map { "\($0)" } ?? path, count: error.faults.count)
        }
    }

    private func owner(of path: String) -> uid_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_uid : nil
    }

    // MARK: - Sockets of this machine

    private mutating func lookAtSockets() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: options.lmtpSockets)) ?? []
        for name in names.sorted() {
            let path = options.lmtpSockets + "/" + name
            if let state = LocalSocket.unix(path) { lmtp.append((path, state)) }
        }
    }

    /// The directory of the embedded server's socket, where `ses-dss init` puts its configuration.
    private func dssStatus() -> DSSStatusReading.Child? {
        guard scope == .whole else { return nil }
        let addresses = (settings?.signing?.all ?? []) + (settings?.verification?.all ?? [])
        let beside = addresses.compactMap(LocalSocket.unixPath).map { SmallFile.directory(of: $0) + "/dss.xml" }
        let candidates = options.dssConfiguration.map { [$0] } ?? beside
        guard let path = candidates.first(where: { access($0, R_OK) == 0 }) else { return nil }
        // Its keys can be read by the server's own user alone. To anybody else they would look like a fault; such a
        // user hears what the running server tells.
        let isOwn = options.dssConfiguration != nil || owner(of: path) == geteuid()
        return DSSStatusReading.Child(configuration: path, acceptsFiles: isOwn)
    }
}
