import Glibc

/// The facts that the file system gives about a file.
struct FileFacts: Sendable {
    let mode: mode_t

    var isRegular: Bool { mode & S_IFMT == S_IFREG }
    var isWritableByAll: Bool { mode & S_IWOTH != 0 }
    var isReadableByOthers: Bool { mode & S_IROTH != 0 }
    var isSticky: Bool { mode & S_ISVTX != 0 }

    init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        mode = status.st_mode
    }
}

/// The system's reason why a small file could not be read.
struct FileReadingError: Error {
    let reason: String
}

enum ConfigurationFile {
    /// Reads a regular file of at most `limit` octets.
    static func read(_ path: String, limit: Int) throws(FileReadingError) -> [UInt8] {
        guard !path.utf8.contains(0) else { throw FileReadingError(reason: "the path has a NUL character") }
        // A FIFO in the place of the file must not make us wait.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileReadingError(reason: words(errno)) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileReadingError(reason: words(errno)) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw FileReadingError(reason: "it is not a regular file") }
        var octets: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == 0 { return octets }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileReadingError(reason: words(errno))
            }
            guard octets.count + count <= limit else {
                throw FileReadingError(reason: "it has more than \(limit) octets")
            }
            octets += buffer[..<count]
        }
    }

    static func isReadable(_ path: String) -> Bool { access(path, R_OK) == 0 }
    static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }

    /// Returns true if `text` is an IPv4 or IPv6 address.
    static func isNumericAddress(_ text: String) -> Bool {
        var octets = in6_addr()
        return inet_pton(AF_INET, text, &octets) == 1 || inet_pton(AF_INET6, text, &octets) == 1
    }

    /// Returns the path that `path` leads to after symbolic links are followed; `path` itself if that fails.
    static func followed(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    /// `path` as seen from `directory`.
    static func resolve(_ path: String, in directory: String) -> String {
        path.hasPrefix("/") || directory.isEmpty ? path : directory + "/" + path
    }

    /// Returns the directory part of `path`; `.` if there is none.
    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func words(_ code: Int32) -> String { String(cString: strerror(code)) }
}
