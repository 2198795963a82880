import CLinux
import Glibc

/// A look at the folders of a spool: whether they are there, and can be written to.
///
/// It is tried with files that never have a name (`O_TMPFILE`), so that even a killed attempt leaves nothing behind.
struct FolderInspection {
    private(set) var faults: [SpoolSurvey.FolderFault] = []
    /// The error of writing some octets; nil if it succeeded, or if the caller has no right to write.
    private(set) var writeError: SpoolError?
    private var hasWritten = false

    init(of root: Directory) {
        for item in Layout.items {
            do throws(SpoolError) {
                guard let status = try root.status(item.path) else {
                    add(.missing, item.path, "it is missing")
                    continue
                }
                guard status.st_mode & S_IFMT == S_IFDIR else {
                    add(.missing, item.path, "it is no directory")
                    continue
                }
                if let defect = Self.defect(of: status, item, root) {
                    add(.unwritable, item.path, defect)
                } else if !item.path.hasSuffix("/cur") {
                    try attempt(item, in: root)
                }
            } catch {
                add(.notVisible, item.path, String(cString: strerror(error.errno)))
            }
        }
    }

    private mutating func add(_ kind: SpoolSurvey.FolderFault.Kind, _ path: String, _ text: String) {
        faults.append(.init(kind: kind, path: path, text: text))
    }

    /// Compares owner and mode with the layout.
    private static func defect(of status: stat, _ item: Layout.Item, _ root: Directory) -> String? {
        let lack = item.mode & 0o770 & ~status.st_mode
        if status.st_uid != root.owner {
            return "it belongs to user \(status.st_uid), and the spool to user \(root.owner)"
        }
        guard lack != 0 else { return nil }
        return "its mode is \(String(status.st_mode & 0o7777, radix: 8)), and should be \(String(item.mode, radix: 8))"
    }

    private mutating func attempt(_ item: Layout.Item, in root: Directory) throws(SpoolError) {
        let folder: Directory
        do throws(SpoolError) {
            folder = try root.descend(item.path)
        } catch let error where error.errno == EACCES {
            return add(.notVisible, item.path, String(cString: strerror(EACCES)))
        }
        let file = openat(folder.descriptor, ".", O_RDWR | O_DIRECTORY | O_CLOEXEC | CInt(clinux_open_unnamed), 0o600)
        guard file < 0 else {
            let open = OpenFile(adopting: file, path: folder.path)
            if !hasWritten {
                hasWritten = true
                do throws(SpoolError) {
                    try open.write([UInt8](repeating: UInt8(ascii: " "), count: 4_096))
                } catch {
                    writeError = error
                }
            }
            return
        }
        let cause = errno
        switch cause {
        case EACCES, EPERM:
            // Others than the owner of the spool may have no right there; the owner must have it.
            if geteuid() == root.owner { add(.unwritable, item.path, String(cString: strerror(cause))) }
        case ENOSPC, EDQUOT, EROFS, ENFILE, EMFILE, ENOMEM:
            // No fault of this folder.
            writeError = folder.failure(cause, ".", "cannot make a file")
        case EOPNOTSUPP, EISDIR, EINVAL, ENOENT:
            // A file system without such files: the rights are asked for.
            if geteuid() == root.owner, faccessat(folder.descriptor, ".", W_OK | X_OK, AT_EACCESS) != 0 {
                add(.unwritable, item.path, String(cString: strerror(errno)))
            }
        default: add(.unwritable, item.path, String(cString: strerror(cause)))
        }
    }
}
