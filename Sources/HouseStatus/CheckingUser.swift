import Glibc
import HostProcess
import ProgramLife

/// The user with whose rights a configuration is checked: that of the daemon, so that a file that only root can read is
/// found unreadable.
public enum CheckingUser {
    /// Takes on the rights of the user of `ses`: the owner of the spool, else the account `ses`. Only root can.
    /// - Parameter configuration: `--config`.
    public static func assumeSES(configuration: String?) {
        let surroundings = Surroundings()
        let path = surroundings.configurationPath(option: configuration)
        let spool = surroundings.spoolPath(option: nil, configured: HouseLook.spool(namedIn: path))
        if Account.becomeOwner(of: spool) == nil, geteuid() != 0 { return }
        _ = Account.become("ses")
    }

    /// Takes on the rights of the user of `ses-relay`: the account of that name, else the owner of the spool.
    public static func assumeRelay(configuration: String?) {
        if Account.become("ses-relay") { return }
        let surroundings = Surroundings()
        let path = surroundings.relayConfigurationPath(option: configuration)
        _ = Account.becomeOwner(
            of: surroundings.spoolPath(option: nil, configured: HouseLook.spool(namedIn: path)))
    }

    /// The place of the spool that a configuration names, also one with faults; nil if it names none.
    public static func spool(namedIn path: String) -> String? { HouseLook.spool(namedIn: path) }
}
