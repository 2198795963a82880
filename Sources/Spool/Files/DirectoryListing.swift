import Glibc

/// The type of an entry as the listing knows it without a further call.
enum EntryType {
    case file, directory, other, unknown
}

extension Directory {
    /// Calls `body` with each name except `.` and `..`, as the system yields them. Names that come and go meanwhile may
    /// be seen or not.
    /// - Parameter body: Returns false to stop.
    func forEachName(_ body: (FileName, EntryType) throws(SpoolError) -> Bool) throws(SpoolError) {
        try forEachRawName { (pointer, type) throws(SpoolError) in try body(FileName(pointer), type) }
    }

    /// The same with the name where the system put it, for folders with very many files. The pointer is good until
    /// `body` returns.
    func forEachRawName(_ body: (UnsafePointer<CChar>, EntryType) throws(SpoolError) -> Bool) throws(SpoolError) {
        let copy = retrying { Glibc.openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard copy >= 0 else { throw SpoolError(.system, path: path, errno: errno, "cannot list the directory") }
        guard let stream = fdopendir(copy) else {
            let cause = errno
            close(copy)
            throw SpoolError(.system, path: path, errno: cause, "cannot list the directory")
        }
        defer { closedir(stream) }
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno == 0 { return }
                throw SpoolError(.system, path: path, errno: errno, "cannot read on in the directory")
            }
            guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { continue }
            let pointer = (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self)
            if strcmp(pointer, ".") == 0 || strcmp(pointer, "..") == 0 { continue }
            let type: EntryType =
                switch Int(entry.pointee.d_type) {
                case Int(DT_REG): .file
                case Int(DT_DIR): .directory
                case Int(DT_UNKNOWN): .unknown
                default: .other
                }
            guard try body(pointer, type) else { return }
        }
    }

    /// All names. For directories that hold few.
    func names() throws(SpoolError) -> [FileName] {
        var names: [FileName] = []
        try forEachName { (name, _) throws(SpoolError) in
            names.append(name)
            return true
        }
        return names
    }
}
