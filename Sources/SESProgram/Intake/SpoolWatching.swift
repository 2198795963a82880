import HostProcess
import ProgramLife
import Spool
import SpoolWatch

/// The watcher of one spool's intake.
enum SpoolWatching {
    /// - Parameter spool: Its directory; its watched Maildirs must exist.
    static func start(_ spool: String) throws(ProgramError) -> SpoolWatcher {
        let watched = ["outgoing", "outgoing/new", "incoming", "incoming/new"].map { spool + "/" + $0 }
        let bell = spool + "/" + Spool.bell
        do {
            return try SpoolWatcher(
                directories: watched + [bell], bells: [bell], interval: DaemonNotices.watcherInterval)
        } catch {
            let status: ExitStatus = error.kind == .directory ? .configuration : .system
            throw ProgramError(status, "cannot watch the spool: \(error) (`ses init \(spool)` makes its folders)")
        }
    }
}
