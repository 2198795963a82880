import Glibc
public import HostProcess
import ProgramLife
import SESConfiguration
import Spool

/// The spool that orders are about, opened with the rights of its owner.
public struct SteeredSpool: Sendable {
    let spool: Spool
    let clock: SpoolClock
    /// The person who gives the orders, for the journal.
    let person: String
    /// The path of `ses.xml`, for orders that need it.
    private let configurationPath: String

    /// Opens the spool. Run by root it goes on as the owner of the spool.
    /// - Parameters:
    ///   - configuration: `--config`; only read for the place of the spool, and for the words of a rejection.
    ///   - option: `--spool`.
    /// - Throws: ``ProgramError`` with 66 if there is no spool, 77 without the rights to it.
    public init(configuration: String?, spool option: String?) throws(ProgramError) {
        let surroundings = Surroundings()
        person = Account.person(surroundings.environment)
        configurationPath = surroundings.configurationPath(option: configuration)
        let path = try ProgramRun.spoolPath(
            option: option, configuration: configurationPath, isNamed: configuration != nil
        ) { (path) throws(ProgramError) in try LoadedConfiguration.load(path).processing.spool }
        if let trouble = Account.becomeOwner(of: path) { throw ProgramError(.noPermission, trouble) }
        clock = .system
        do {
            spool = try Spool(opening: path, program: .ses)
        } catch {
            let isDenied = [EACCES, EPERM].contains(error.errno)
            throw ProgramError(
                isDenied ? .noPermission : .noInput,
                error.description + (isDenied ? " (run it as root or as the user of the spool)" : ""))
        }
    }

    func configuration() throws(ProgramError) -> SESSettings { try LoadedConfiguration.load(configurationPath) }
}
