import Glibc

/// Refuses to start with too few file descriptors: without any the process would be ended by a trap in the middle of
/// its work (``Descriptors``).
package enum DescriptorCheck {
    /// Descriptors that one thread may have in use: the files of a message, a connection, and the look-up of a name.
    private static let ofThread = 8

    /// Ends the process with 71 if it cannot even begin. To be called at the very start.
    package static func begin(_ program: String) {
        do throws(DescriptorShortage) { try Descriptors.require(Descriptors.leastFree) } catch {
            Console.writeError("\(program): \(error)")
            exit(ExitStatus.system.rawValue)
        }
    }

    /// - Parameter threads: The number of threads that work on messages.
    /// - Throws: ``ProgramError`` if they could use more descriptors than the system allows.
    package static func require(threads: Int) throws(ProgramError) {
        do throws(DescriptorShortage) {
            try Descriptors.require(Descriptors.leastFree + threads * ofThread)
        } catch {
            throw ProgramError(.system, "\(error), or let it work on fewer messages at a time")
        }
    }
}
