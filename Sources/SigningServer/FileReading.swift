import Glibc
import Octets

/// Reading of whole small files.
enum SmallFile {
    /// - Parameter limit: The most octets that are taken.
    /// - Returns: The octets, or why not.
    static func read(_ path: String, limit: Int = 16 << 20) -> Result<OctetString, SmallFileError> {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return .failure(SmallFileError(path)) }
        defer { close(descriptor) }
        var octets: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { return .failure(SmallFileError(path)) }
            if count == 0 { return .success(OctetString(octets)) }
            octets.append(contentsOf: buffer.prefix(count))
            guard octets.count <= limit else {
                return .failure(SmallFileError(path, "is larger than \(limit) octets"))
            }
        }
    }

    /// `path` as it is when absolute, else below `directory`.
    static func resolve(_ path: String, in directory: String) -> String {
        path.hasPrefix("/") ? path : directory + "/" + path
    }

    /// The directory part of `path`.
    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

struct SmallFileError: Error, CustomStringConvertible {
    let description: String

    init(_ path: String, _ reason: String? = nil) {
        description = "\(path): \(reason ?? String(cString: strerror(errno)))"
    }
}
