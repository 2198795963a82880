package import HostProcess
package import SESConfiguration

/// Reading `ses.xml`, with every fault told at once.
package enum LoadedConfiguration {
    /// - Throws: ``ProgramError`` with 78 and all faults of the file.
    package static func load(_ path: String) throws(ProgramError) -> SESSettings {
        do {
            return try SESConfiguration.load(path: path, environment: Surroundings().environment)
        } catch {
            throw ProgramError(.configuration, error.description)
        }
    }
}
