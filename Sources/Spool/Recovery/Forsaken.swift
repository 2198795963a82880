import Glibc

extension Spool {
    /// Returns the number of entries in `work` and `publish` of this program that no process works on now.
    /// - Throws: ``SpoolError`` if a directory cannot be listed.
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
