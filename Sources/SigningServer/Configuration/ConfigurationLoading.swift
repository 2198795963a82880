import CMSSignatures
import HostProcess
import Octets
import XMLReading

extension SigningServerConfiguration {
    /// Reads `dss.xml` and everything that it names; relative paths are those of its directory.
    /// - Parameter allowsReadableSecrets: False makes it a fault that every user of the machine can read a key or a
    ///   password; true makes it a warning.
    /// - Throws: All faults, each with its line.
    public static func load(
        path: String, environment: [String: String], allowsReadableSecrets: Bool = false
    ) throws(DSSConfigurationFaults) -> SigningServerConfiguration {
        let directory = SmallFile.directory(of: path)
        for (place, what) in [(path, "change this file"), (directory, "replace this file")]
        where SmallFile.isWritableByOthers(place) {
            throw DSSConfigurationFaults(
                path: path, faults: [.init(line: 0, text: "everybody can \(what): chmod o-w \(place)")])
        }
        switch SmallFile.read(path, limit: 1 << 20) {
        case .failure(let error):
            throw DSSConfigurationFaults(path: path, faults: [.init(line: 0, text: "cannot be read: \(error)")])
        case .success(let octets):
            return try read(
                octets, path: path, environment: environment, allowsReadableSecrets: allowsReadableSecrets)
        }
    }

    /// Reads `octets` as if they stood in the file `path`.
    /// - Throws: All faults, each with its line.
    static func read(
        _ octets: OctetString, path: String, environment: [String: String], allowsReadableSecrets: Bool
    ) throws(DSSConfigurationFaults) -> SigningServerConfiguration {
        let root: XMLElement
        do throws(XMLReadingError) { root = try XMLTree.parse(octets) } catch {
            throw DSSConfigurationFaults(path: path, faults: [.init(line: error.line, text: error.reason)])
        }
        let directory = SmallFile.directory(of: path)
        let reading = DSSConfigurationReading(
            path: path, directory: directory, environment: environment, allowsReadableSecrets: allowsReadableSecrets)
        var configuration = reading.configuration(root)
        reading.refuseReadablePasswords(root)
        configuration.knownPast = KnownPast.newest(of: [path])
        configuration.path = path
        configuration.trust = reading.trust
        configuration.warnings = reading.warnings + configuration.keyWarnings(now: RFC3339Time.now)
        guard reading.faults.isEmpty else {
            throw DSSConfigurationFaults(path: path, faults: reading.faults.sorted { $0.line < $1.line })
        }
        return configuration
    }
}

/// Goes through one configuration and gathers its faults.
final class DSSConfigurationReading {
    private let path: String
    let directory: String
    let environment: [String: String]
    private(set) var faults: [DSSConfigurationFaults.Fault] = []
    /// Settings that work, but probably not as intended; one line each.
    var warnings: [String] = []
    private let allowsReadableSecrets: Bool
    var hasPasswordInText = false
    /// The files with certificates and revocation lists that were read, in the order of the configuration.
    var trust: [TrustEntry] = []

    init(path: String, directory: String, environment: [String: String], allowsReadableSecrets: Bool) {
        self.allowsReadableSecrets = allowsReadableSecrets
        self.path = path
        self.directory = directory
        self.environment = environment
    }

    func configuration(_ root: XMLElement) -> SigningServerConfiguration {
        if root.localName != "DSS" { fault(root, "the root element is <\(root.localName)>: expected <DSS>") }
        inspect(
            root, attributes: [],
            children: ["Listen", "TLS", "Key", "SigningProfile", "VerificationProfile", "Client"])
        let listening = listen(root)
        let tls = root.child("TLS").flatMap { self.tls($0) }
        let asksForCertificates = root.child("TLS")?.attribute("clientCA") != nil
        if listening.socket != nil {
            if let element = root.child("TLS") { fault(element, "<TLS> is not for a Unix socket: take it out") }
        } else if !Self.isLoopback(listening.address), !asksForCertificates {
            fault(
                root.child("Listen") ?? root,
                "\(listening.address) can be reached by others: add <TLS> with a clientCA, or listen on 127.0.0.1")
        } else if !asksForCertificates {
            warnings.append(
                "every user of this machine can reach \(listening.address) and have documents signed: listen on a Unix"
                    + " socket (<Listen unix=\"…\"/>), or add <TLS> with a clientCA")
        }
        let keys = self.keys(root)
        let (verification, defaultVerification) = verificationProfiles(root)
        let (signing, defaultSigning) = signingProfiles(root, verification: Set(verification.keys), keys: keys)
        let profiles = Set(signing.keys).union(verification.keys)
        return SigningServerConfiguration(
            listening, tls: tls, keys: keys, signingProfiles: signing,
            defaultSigningProfile: defaultSigning, verificationProfiles: verification,
            defaultVerificationProfile: defaultVerification,
            clients: clients(root, profiles: profiles, keys: keys))
    }

    /// The address that the configuration has the server listen on, as a URL; faults are not told.
    func address(_ root: XMLElement) -> String { Self.url(listen(root), isSecure: root.child("TLS") != nil) }

    static func url(_ listening: SigningServerConfiguration.Listening, isSecure: Bool) -> String {
        if let socket = listening.socket { return "http://unix:\(socket.path):/" }
        let host = listening.address.contains(":") ? "[\(listening.address)]" : listening.address
        return (isSecure ? "https://" : "http://") + "\(host):\(listening.port)/"
    }

    private static func isLoopback(_ address: String) -> Bool {
        address == "::1" || address == "localhost" || address.hasPrefix("127.")
    }

    // MARK: Elements

    private func listen(_ root: XMLElement) -> SigningServerConfiguration.Listening {
        var listening = SigningServerConfiguration.Listening()
        guard let element = single("Listen", in: root) else { return listening }
        inspect(element, attributes: ["address", "port", "unix", "mode", "group"])
        if let path = element.attribute("unix") {
            listening.socket = socket(path, element)
            return listening
        }
        for name in ["mode", "group"] where element.attribute(name) != nil {
            fault(element, "\(name)=\"…\" is for a Unix socket: add unix=\"…\", or take it out")
        }
        listening.address = element.attribute("address") ?? listening.address
        guard let text = element.attribute("port") else { return listening }
        guard let port = Int(text), (0...65_535).contains(port) else {
            fault(element, "port \"\(text)\" is none: expected a number from 0 to 65535")
            return listening
        }
        listening.port = port
        return listening
    }

    private func socket(_ path: String, _ element: XMLElement) -> UnixSocket? {
        for name in ["address", "port"] where element.attribute(name) != nil {
            fault(element, "\(name)=\"…\" and unix=\"…\" exclude each other")
        }
        var socket = UnixSocket(path: SmallFile.resolve(path, in: directory))
        if socket.path.utf8.count > UnixSocket.maximumPathLength {
            fault(
                element, "\(socket.path) is longer than the \(UnixSocket.maximumPathLength) octets of a socket's path")
        }
        if let text = element.attribute("mode") {
            // Write permission is permission to connect. A socket for everybody would be no better than the loopback.
            if let mode = UInt32(text, radix: 8), mode & ~0o770 == 0, mode & 0o600 == 0o600 {
                socket.mode = mode
            } else {
                fault(element, "mode=\"\(text)\": expected 600, 660 or 770; a socket for everybody protects nothing")
            }
        }
        if let name = element.attribute("group") {
            socket.group = UnixSocket.group(named: name)
            if socket.group == nil { fault(element, "there is no group \"\(name)\"") }
        }
        return socket
    }

    private func clients(
        _ root: XMLElement, profiles: Set<String>, keys: KeyStore
    ) -> [String: SigningServerConfiguration.Client] {
        var clients: [String: SigningServerConfiguration.Client] = [:]
        for element in root.children("Client") {
            inspect(element, attributes: ["id"], children: ["Profile", "Key"])
            guard let id = required("id", of: element) else { continue }
            let granted = references("Profile", in: element) { profiles.contains($0) }
            let aliases = references("Key", in: element) { keys[$0] != nil }
            let client = SigningServerConfiguration.Client(
                profiles: Set(granted), keys: Set(aliases.map(KeyStore.folded)))
            if clients.updateValue(client, forKey: id) != nil { fault(element, "the client \"\(id)\" is there twice") }
        }
        return clients
    }

    private func references(_ name: String, in parent: XMLElement, exists: (String) -> Bool) -> [String] {
        parent.children(name).compactMap { element in
            inspect(element, attributes: ["ref"])
            guard let reference = required("ref", of: element) else { return nil }
            guard exists(reference) else {
                fault(element, "there is no \(name.lowercased()) \"\(reference)\"")
                return nil
            }
            return reference
        }
    }

    func refuseReadable(_ path: String, what: String, _ element: XMLElement) {
        guard SmallFile.isReadableByOthers(path) else { return }
        let text = "\(path) holds \(what) and every user of this machine can read it: chmod o-rwx it"
        if allowsReadableSecrets {
            warnings.append(text)
        } else {
            fault(element, text + ", or say --allow-readable-secrets")
        }
    }

    /// Refuses a configuration that holds passwords and that others can read.
    func refuseReadablePasswords(_ root: XMLElement) {
        if hasPasswordInText { refuseReadable(path, what: "a password", root) }
    }

    // MARK: Values

    /// A path of the configuration: relative ones are those of its directory.
    func resolved(_ path: String) -> String { SmallFile.resolve(path, in: directory) }

    func certificates(_ path: String, _ element: XMLElement) -> [Certificate] {
        read(path, element) { octets throws(CryptographyError) in try Certificate.readAll(octets) }
    }

    func revocationLists(_ path: String, _ element: XMLElement) -> [RevocationList] {
        read(path, element) { octets throws(CryptographyError) in try RevocationList.readAll(octets) }
    }

    private func read<Value>(
        _ path: String, _ element: XMLElement, _ parse: (OctetString) throws(CryptographyError) -> [Value]
    ) -> [Value] {
        let place = SmallFile.resolve(path, in: directory)
        switch SmallFile.read(place) {
        case .failure(let error): fault(element, "cannot be read: \(error)")
        case .success(let octets):
            do throws(CryptographyError) { return try parse(octets) } catch {
                fault(element, "\(place): \(error.reason)")
            }
        }
        return []
    }

    func text(of element: XMLElement) -> String {
        inspect(element, attributes: [], takesText: true)
        if element.trimmedText.isEmpty { fault(element, "<\(element.localName)> is empty") }
        return element.trimmedText
    }

    func required(_ name: String, of element: XMLElement) -> String? {
        if let value = element.attribute(name), !value.isEmpty { return value }
        fault(element, "<\(element.localName)> has no \(name)=\"…\"")
        return nil
    }

    func flag(_ name: String, of element: XMLElement) -> Bool {
        switch element.attribute(name) {
        case nil, "false": return false
        case "true": return true
        case let other?:
            fault(element, "\(name)=\"\(other)\": expected true or false")
            return false
        }
    }

    func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, of element: XMLElement
    ) -> Choice? where Choice.RawValue == String {
        guard let text = required(name, of: element) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        fault(element, "\(name)=\"\(text)\" is not known: expected one of \(known)")
        return nil
    }

    func single(_ name: String, in parent: XMLElement) -> XMLElement? {
        let found = parent.children(name)
        if found.count > 1 { fault(found[1], "<\(name)> is there twice") }
        return found.first
    }

    func inspect(
        _ element: XMLElement, attributes: Set<String>, children: Set<String> = [], takesText: Bool = false
    ) {
        for attribute in element.attributes where !attributes.contains(attribute.name) {
            fault(element, "<\(element.localName)> has no attribute \"\(attribute.name)\"")
        }
        for child in element.children where !children.contains(child.localName) {
            fault(child, "<\(element.localName)> has no element <\(child.localName)>")
        }
        if !takesText && !element.trimmedText.isEmpty { fault(element, "<\(element.localName)> takes no text") }
    }

    func fault(_ element: XMLElement, _ text: String) {
        faults.append(DSSConfigurationFaults.Fault(line: element.line, text: text))
    }
}
