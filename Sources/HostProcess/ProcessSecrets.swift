import CProcess
import Glibc

/// Keeps what the process knows, such as passwords and private keys, in the process.
package enum ProcessSecrets {
    /// Sees to it that a crash leaves no core file, and that no other process of the same user can look into the memory
    /// (prctl(2), PR_SET_DUMPABLE).
    ///
    /// To be called at the very start. `SES_ALLOW_CORE=1` in the environment allows a core file, for finding a fault
    /// with a debugger.
    /// - Returns: The reason why it failed, for the log; nil if it succeeded, or was not wanted.
    package static func protect(_ environment: [String: String]) -> String? {
        protect(allowsCore: environment["SES_ALLOW_CORE"] == "1")
    }

    /// The same by the environment of the process.
    package static func protect() -> String? {
        protect(allowsCore: getenv("SES_ALLOW_CORE").map { String(cString: $0) } == "1")
    }

    private static func protect(allowsCore: Bool) -> String? {
        guard !allowsCore else { return nil }
        guard cprocess_set_dumpable(0) == 0 else {
            return "core files may hold passwords and private keys: " + String(cString: strerror(errno))
        }
        return nil
    }

    /// True if a crash may leave a core file.
    package static var mayBeDumped: Bool { cprocess_is_dumpable() != 0 }
}
