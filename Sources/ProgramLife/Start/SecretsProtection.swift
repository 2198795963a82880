import Foundation
import HostProcess

/// Keeps passwords and private keys out of core files and from other processes; to be called first.
package enum SecretsProtection {
    /// - Parameter program: The name before the words on standard error, where it could not be done.
    package static func begin(_ program: String) {
        guard let trouble = ProcessSecrets.protect(ProcessInfo.processInfo.environment) else { return }
        Console.writeError("\(program): \(trouble)")
    }
}
