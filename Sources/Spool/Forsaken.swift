import Glibc

extension Spool {
    /// How many entries stand in `work` and `publish` of this program on which no process works now.
    public func forsakenCount() throws(SpoolError) -> Int {
        var count = 0
        for parent in [try work, try publish.directory] {
            for name in try parent.names() where !name.hasPrefix(".") {
                guard let text = name.text, UniqueName(parsing: text) != nil else { continue }
                do throws(SpoolError) {
                    // The lock is given back with the descriptor.
                    if try parent.directory(text).tryLock() { count += 1 }
                } catch let error where error.errno == ENOENT {
                    continue
                }
            }
        }
        return count
    }
}
