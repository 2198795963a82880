import CMSSignatures
import FoundationEssentials
import Glibc
import HostProcess
import Octets
import XMLReading

/// The directory of a signing server: `dss.xml` and what it names. Commands look at it and change it while the server
/// runs or not, and may be ended at any instant.
public struct DSSSite: Sendable {
    /// The configuration.
    public let path: String
    let directory: String
    let environment: [String: String]

    /// The place of the configuration if nobody names it: the first that is there.
    public static let usualPaths = ["/etc/ses-dss/dss.xml", "/var/lib/ses-dss/dss.xml"]

    /// - Parameter path: nil takes ``usualPaths``.
    /// - Throws: ``SiteError`` if there is none.
    public init(path: String?, environment: [String: String]) throws(SiteError) {
        guard let path = path ?? Self.usualPaths.first(where: { SmallFile.exists($0) }) else {
            throw SiteError(
                words: "there is no \(Self.usualPaths.joined(separator: " and no ")): name the configuration with"
                    + " --config, or make one with ses-dss init")
        }
        self.path = path
        directory = SmallFile.directory(of: path)
        self.environment = environment
    }

    /// Takes on the rights of the owner of the site, so that what is written belongs to the server (see
    /// ``Account/becomeOwner(of:)``). To be called after everything else was read that needs the caller's rights.
    /// - Throws: ``SiteError`` if that is not possible.
    public func becomeOwner() throws(SiteError) {
        if let reason = Account.becomeOwner(of: directory) { throw SiteError(words: reason) }
    }

    func load() throws(SiteError) -> SigningServerConfiguration {
        do throws(DSSConfigurationFaults) {
            // Whoever mends a site has to be able to read it as it is.
            return try SigningServerConfiguration.load(
                path: path, environment: environment, allowsReadableSecrets: true)
        } catch {
            throw SiteError(words: "\(error)")
        }
    }

    /// Changes `dss.xml`, and what belongs to it.
    ///
    /// New files are written before, under names that nothing refers to yet. Then the new text is read as the server
    /// reads it, and takes the place of the old one in one step.
    /// - Parameter prepare: Gets the present configuration, may write files, and changes the text.
    /// - Returns: The value of `prepare`.
    func change<Value>(
        _ prepare: (SigningServerConfiguration, SiteFiles, inout ConfigurationText) throws(SiteError) -> Value
    ) throws(SiteError) -> Value {
        let files = try SiteFiles(directory)
        let configuration = try load()
        let former: OctetString
        switch SmallFile.read(path, limit: 1 << 20) {
        case .success(let octets): former = octets
        case .failure(let error): throw SiteError(words: "\(error)")
        }
        guard String(validating: former.array, as: UTF8.self) != nil, former.text.contains("<DSS") else {
            throw SiteError(words: "\(path) is not in UTF-8, and only such a file is changed: save it as UTF-8")
        }
        var text = ConfigurationText(former.array)
        let value = try prepare(configuration, files, &text)
        guard text.octets != former.array else { return value }
        do throws(DSSConfigurationFaults) {
            _ = try SigningServerConfiguration.read(
                OctetString(text.octets), path: path, environment: environment, allowsReadableSecrets: true)
        } catch {
            throw SiteError(words: "\(path) was not changed, because it would have faults:\n\(error)")
        }
        // A link to a file elsewhere would be replaced by a file.
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw SiteError(words: "\(path) is a link: name the file that it leads to")
        }
        try files.write(text.octets, to: files.nameOfConfiguration(path), isSecret: false)
        for leftover in text.afterwards {
            switch leftover {
            case .remove(let name): try files.remove(name)
            case .putAside(let name): try files.putAside(name)
            }
        }
        return value
    }

    // MARK: The server

    /// The address that a configuration has the server listen on, as a URL. Nothing else of it is read.
    /// - Throws: ``SiteError`` if it cannot be read.
    public static func address(of path: String) throws(SiteError) -> String {
        switch SmallFile.read(path, limit: 1 << 20) {
        case .failure(let error): throw SiteError(words: "\(error)")
        case .success(let octets):
            do throws(XMLReadingError) {
                let root = try XMLTree.parse(octets)
                // The address of a socket must hold for other programs too.
                let directory = URL(fileURLWithPath: path).standardizedFileURL.deletingLastPathComponent().path
                return DSSConfigurationReading(
                    path: path, directory: directory, environment: [:], allowsReadableSecrets: true
                ).address(root)
            } catch {
                throw SiteError(words: "\(path):\(error.line): \(error.reason)")
            }
        }
    }

    /// Returns true if the file was changed after a time, in Unix seconds.
    public static func isChanged(_ path: String, since time: Int) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mtim.tv_sec > time
    }

    /// The result of telling the server.
    public enum Telling: Sendable, Hashable {
        /// The server of this process id was told, and reads the configuration again.
        case told(Int32)
        /// No server runs here, as far as can be seen.
        case notRunning
        /// It cannot be found or told: a person does it.
        case byHand(String)

        /// A line for a person.
        public var text: String {
            switch self {
            case .told(let process): "told the running server (process \(process)) to read it again"
            case .notRunning: "no server runs on it now; the next start takes it"
            case .byHand(let why): "\(why): tell a running server with systemctl reload ses-dss, or kill -HUP"
            }
        }
    }

    /// Tells the server that listens on the site's Unix socket to read its configuration again (SIGHUP). The kernel
    /// names its process (SO_PEERCRED, unix(7)), so that no other one gets the signal.
    public func tellServer() -> Telling {
        let socket: UnixSocket?
        do throws(SiteError) { socket = try load().listening.socket } catch {
            return .byHand("the configuration has faults")
        }
        guard let socket else { return .byHand("a server on TCP is not looked for") }
        guard let process = socket.listeningProcess() else { return .notRunning }
        guard process > 0, kill(process, SIGHUP) == 0 else {
            return .byHand("process \(process) cannot be told (\(String(cString: strerror(errno))))")
        }
        return .told(process)
    }
}

extension SiteFiles {
    /// The configuration's name within the directory.
    func nameOfConfiguration(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }
}
