import Glibc

/// The number of files in one place, and the age of the oldest.
public struct FolderCount: Sendable, Hashable {
    public let name: String
    public internal(set) var count = 0
    /// Unix seconds of the oldest file's writing; nil when the place is empty.
    public internal(set) var oldest: Int?

    init(_ name: String) { self.name = name }

    mutating func add(_ seconds: Int) {
        count += 1
        oldest = min(oldest ?? seconds, seconds)
    }
}

extension Spool {
    /// Returns the number of messages that wait, are being processed and have been put away, place by place. The counts
    /// are a snapshot of a changing state.
    /// - Throws: ``SpoolError`` if a folder cannot be listed.
    public func counts() throws(SpoolError) -> [FolderCount] {
        var counts: [FolderCount] = []
        if let deferredPath = territory.deferredPath {
            var count = FolderCount("deferred")
            try add(deferredPath, to: &count) { !$0.hasPrefix(".") }
            counts.append(count)
        }
        for queue in territory.queues where territory.takesBareFiles {
            var count = FolderCount(queue.rawValue)
            try add(queue.rawValue + "/new", to: &count) { !$0.hasPrefix(".") }
            try add(queue.rawValue, to: &count) { !$0.hasPrefix(".") && $0.isMessageName }
            counts.append(count)
        }
        for (name, path) in [("work", territory.workPath), ("publish", territory.publishPath)] {
            var count = FolderCount(name)
            try add(path, to: &count) { !$0.hasPrefix(".") }
            counts.append(count)
        }
        for folder in territory.folders {
            var count = FolderCount(folder.rawValue)
            try add(folder.filePath, to: &count) { !$0.hasPrefix(".") }
            counts.append(count)
        }
        return counts
    }

    private func add(
        _ path: String, to count: inout FolderCount, where isCounted: (FileName) -> Bool
    ) throws(SpoolError) {
        let directory: Directory
        do throws(SpoolError) {
            directory = try root.descend(path)
        } catch let error where error.kind == .layout && error.errno == ENOENT {
            // A folder that somebody removed holds nothing; it is made again when something goes there.
            return
        }
        try directory.forEachName { (name, _) throws(SpoolError) in
            guard isCounted(name) else { return true }
            if let seconds = name.text.flatMap({ SpoolName(parsing: $0) })?.unique.seconds {
                count.add(seconds)
            } else if let status = try directory.status(name) {
                count.add(status.st_mtim.tv_sec)
            }
            return true
        }
    }
}
