public import HostProcess
import ProgramLife
import Spool

/// `ses init`.
public enum SpoolInitialisation {
    /// Makes the spool at `path`, or repairs the folders and modes of one that is there.
    /// - Returns: Notes for the administrator, such as groups that do not exist.
    /// - Throws: ``ProgramError`` if the spool cannot be made or repaired.
    public static func make(at path: String) throws(ProgramError) -> [String] {
        do {
            return try Spool.make(at: path)
        } catch {
            throw ProgramError(error.pointsAtConfiguration ? .unavailable : .inputOutput, error.description)
        }
    }
}
