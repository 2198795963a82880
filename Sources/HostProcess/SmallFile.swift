import Glibc
package import Octets

/// Reading of whole small files.
package enum SmallFile {
    /// Reads a regular file; anything else, such as a FIFO, is refused at once and never waited for.
    /// - Parameter limit: The most octets that are taken.
    /// - Returns: The octets, or why not.
    package static func read(_ path: String, limit: Int = 16 << 20) -> Result<OctetString, SmallFileError> {
        guard !path.utf8.contains(0) else { return .failure(SmallFileError(path, "the path has a NUL character")) }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { return .failure(SmallFileError(path)) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return .failure(SmallFileError(path)) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            return .failure(SmallFileError(path, "it is not a regular file"))
        }
        var octets: [UInt8] = []
        while true {
            let count = DescriptorIO.readMore(descriptor, into: &octets)
            guard count >= 0 else { return .failure(SmallFileError(path, String(cString: strerror(CInt(-count))))) }
            if count == 0 { return .success(OctetString(octets)) }
            guard octets.count <= limit else {
                return .failure(SmallFileError(path, "is larger than \(limit) octets"))
            }
        }
    }

    /// Returns true if every user of the machine may read `path`.
    package static func isReadableByOthers(_ path: String) -> Bool { mode(path) & S_IROTH != 0 }

    /// Returns true if every user of the machine may change `path`; in a directory with the sticky bit they may not.
    package static func isWritableByOthers(_ path: String) -> Bool {
        let mode = mode(path)
        return mode & S_IWOTH != 0 && (mode & S_IFMT != S_IFDIR || mode & S_ISVTX == 0)
    }

    /// Returns true if there is something at `path`.
    package static func exists(_ path: String) -> Bool { mode(path) != 0 }

    /// 0 where there is nothing.
    private static func mode(_ path: String) -> mode_t {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode : 0
    }

    /// Returns `path` unchanged if it is absolute, otherwise below `directory`.
    package static func resolve(_ path: String, in directory: String) -> String {
        path.hasPrefix("/") ? path : directory + "/" + path
    }

    /// The directory part of `path`.
    package static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

/// The reason why a file was not read: its path and the cause, in one line.
package struct SmallFileError: Error, CustomStringConvertible {
    package let description: String

    init(_ path: String, _ reason: String? = nil) {
        description = "\(path): \(reason ?? String(cString: strerror(errno)))"
    }
}
