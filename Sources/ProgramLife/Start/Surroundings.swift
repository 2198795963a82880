public import HostProcess
import Glibc
import FoundationEssentials

/// The environment of a program: the places of its files and the user it runs as.
public struct Surroundings: Sendable {
    public let environment: [String: String]

    public init(environment: [String: String]) { self.environment = environment }

    /// Those of this process.
    public init() { self.init(environment: ProcessInfo.processInfo.environment) }

    /// `--config`, else `$SES_CONFIG`, else `/etc/ses/ses.xml`.
    public func configurationPath(option: String?) -> String {
        option ?? environment["SES_CONFIG"] ?? "/etc/ses/ses.xml"
    }

    /// `--config`, else `$SES_RELAY_CONFIG`, else `/etc/ses/relay.xml`.
    public func relayConfigurationPath(option: String?) -> String {
        option ?? environment["SES_RELAY_CONFIG"] ?? "/etc/ses/relay.xml"
    }

    /// `--spool`, else what the configuration says, else `/var/spool/ses`.
    public func spoolPath(option: String?, configured: String?) -> String {
        option ?? configured ?? "/var/spool/ses"
    }

    /// For `ses drop`, which reads no configuration: `--spool`, else `$SES_SPOOL`, else `/var/spool/ses`.
    public func dropSpoolPath(option: String?) -> String {
        option ?? environment["SES_SPOOL"] ?? "/var/spool/ses"
    }

    /// Refuses root: a program that reads hostile mail has no use for its rights.
    /// - Throws: ``ProgramError`` if the program runs as root and nothing allows it.
    public func refuseRoot(allowed: Bool, program: String = "ses") throws(ProgramError) {
        guard geteuid() == 0, !allowed, environment["SES_ALLOW_ROOT"] != "1" else { return }
        throw ProgramError(
            .noPermission,
            "\(program) does not run as root: start it as its own user (such as \(program)), or say --allow-root or SES_ALLOW_ROOT=1"
        )
    }

    /// The name of this host, for Received fields.
    public var hostName: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        let name = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        let legal = name.utf8.allSatisfy {
            isalnum(Int32($0)) != 0 || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
        }
        return name.isEmpty || !legal ? "localhost" : name
    }
}
