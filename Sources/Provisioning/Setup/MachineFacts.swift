import FoundationEssentials
import Glibc
import HostProcess
import Octets

/// The facts that a machine tells of itself, from which the answers of a setup are guessed.
public struct MachineFacts: Sendable, Hashable {
    /// The whole name of this host.
    public let hostName: String
    /// The mail servers that were found, such as `Postfix`.
    public let mailServers: [String]
    /// The mail domain; nil if nothing tells it.
    public let domain: String?
    /// The place that the domain was read from.
    public let domainSource: String?
    /// `Debian GNU/Linux 12 (bookworm)`; nil if it does not say.
    public let system: String?
    /// True if systemd runs the services of this machine.
    public let hasSystemd: Bool

    /// - Parameter hostName: The name of this host as the system says it.
    public init(_ places: HousePlaces, hostName: String) {
        let files = MachineFiles(places)
        let main = files.postfix("/etc/postfix/main.cf")
        let exim = files.words("/etc/exim4/update-exim4.conf.conf", separator: "=")
        let mailName = files.line("/etc/mailname")
        var whole = hostName
        if !whole.contains("."), let named = files.hostsName(of: hostName) { whole = named }
        if !whole.contains("."), let named = main["myhostname"], named.contains(".") { whole = named }
        self.hostName = whole
        mailServers = [
            ("Postfix", "/etc/postfix/main.cf"), ("Exim", "/etc/exim4"), ("OpenSMTPD", "/etc/smtpd.conf"),
            ("Dovecot", "/etc/dovecot"),
        ].filter { files.exists($0.1) }.map(\.0)
        let own = whole.split(separator: ".", maxSplits: 1).dropFirst().first.map(String.init)
        let candidates: [(String?, String)] = [
            (main["mydomain"], "mydomain of Postfix"), (main["myorigin"], "myorigin of Postfix"),
            (exim["dc_other_hostnames"]?.split(separator: ":").first.map(String.init), "dc_other_hostnames of Exim"),
            (mailName, "/etc/mailname"), (own, "the name of this host"),
        ]
        let found = candidates.lazy.compactMap { name, source -> (String, String)? in
            guard let name, Self.isDomain(name) else { return nil }
            return (name.lowercased(), source)
        }.first
        domain = found?.0
        domainSource = found?.1
        system = files.words("/etc/os-release", separator: "=")["PRETTY_NAME"]
        hasSystemd = files.exists("/run/systemd/system")
    }

    /// A name that may be a mail domain, and is not one that only stands for "here".
    private static func isDomain(_ name: String) -> Bool {
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        return labels.count > 1 && !name.contains("$") && !name.contains("/")
            && !["localdomain", "localhost"].contains(labels.last.map(String.init) ?? "")
            && labels.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { $0 > 0x2C && $0 != 0x2F } }
    }

    /// The first line of the dialogue: what was found.
    public var words: String {
        ([hostName, system].compactMap(\.self) + mailServers.map { $0 + " found" }).joined(separator: ", ")
    }

    /// The recipe of `ses-pair` for the mail server that was found; nil without one.
    public var pairingRecipe: String? {
        mailServers.first { $0 != "Dovecot" }.map { $0.lowercased() }
    }
}

/// Reading of small files of the machine.
private struct MachineFiles {
    let places: HousePlaces

    init(_ places: HousePlaces) { self.places = places }

    func exists(_ path: String) -> Bool { SmallFile.exists(places.path(path)) }

    private func text(_ path: String) -> String? {
        guard case .success(let octets) = SmallFile.read(places.path(path), limit: 1 << 20) else { return nil }
        return String(decoding: octets.array, as: UTF8.self)
    }

    func line(_ path: String) -> String? {
        text(path)?.split(separator: "\n").first.map { $0.trimmed() }
    }

    /// Settings of the form `name=value`, with or without quotation marks.
    func words(_ path: String, separator: Character) -> [String: String] {
        var found: [String: String] = [:]
        for line in text(path)?.split(separator: "\n") ?? [] where !line.hasPrefix("#") {
            let parts = line.split(separator: separator, maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            found[parts[0].trimmed()] = parts[1].trimmed { $0.isWhitespace || $0 == "'" || $0 == "\"" }
        }
        return found
    }

    /// Settings of Postfix: a line that begins with white space goes on with the one before it (postconf(5)).
    func postfix(_ path: String) -> [String: String] {
        var logical: [String] = []
        for line in text(path)?.split(separator: "\n") ?? [] where !line.hasPrefix("#") {
            if line.first?.isWhitespace == true, !logical.isEmpty {
                logical[logical.count - 1] += " " + line.trimmed()
            } else {
                logical.append(String(line))
            }
        }
        var found: [String: String] = [:]
        for line in logical {
            let parts = line.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            found[parts[0].trimmed()] = parts[1].trimmed()
        }
        // "myorigin = /etc/mailname" names a file with the value.
        if let origin = found["myorigin"], origin.hasPrefix("/") { found["myorigin"] = self.line(origin) }
        return found
    }

    /// The whole name of `host` in /etc/hosts.
    func hostsName(of host: String) -> String? {
        for line in text("/etc/hosts")?.split(separator: "\n") ?? [] {
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace).map(String.init)
            guard words.dropFirst().contains(host) else { continue }
            if let whole = words.dropFirst().first(where: { $0.hasPrefix(host + ".") }) { return whole }
        }
        return nil
    }
}
