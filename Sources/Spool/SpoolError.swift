import Glibc

/// The spool could not carry out an operation. Its content is unchanged.
public struct SpoolError: Error, Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// The system refused a call; see `errno`.
        case system
        /// A file could not be made durable; it was thrown away and must be written anew.
        case fileSync
        /// A directory could not be made durable, or that happened before in this process: see ``SpoolError/isFatal``.
        case directorySync
        /// The directory is no spool, or parts of it are missing or are not directories.
        case layout
        /// Others may write where only the spool's owner may, or read what is secret.
        case permissions
        /// The file system cannot give what the spool rests on.
        case fileSystem
        /// The message has more octets than allowed; it stays claimed.
        case tooLarge(octets: Int)
        /// Somebody else changed or took what was being worked on.
        case raced
        /// The transaction has ended, or was given back; nothing more can be done with it.
        case ended
    }

    public let kind: Kind
    /// The place, as an administrator sees it.
    public let path: String
    /// The system's error number; 0 when the system had no part in it.
    public let errno: Int32
    /// The operation, and advice.
    public let explanation: String

    public init(_ kind: Kind, path: String, errno: Int32 = 0, _ explanation: String) {
        self.kind = kind
        self.path = path
        self.errno = errno
        self.explanation = explanation
    }

    /// A fault of this machine, not of the message: it costs no attempt, and the message is tried again later.
    ///
    /// Every error is one unless it is proven to be the message's. A list of error numbers would never be complete:
    /// EUCLEAN, EBADMSG, ESTALE, EFBIG or a mode that somebody changed say as little of the message as ENOSPC does.
    public var isLocalFault: Bool {
        switch kind {
        case .system, .fileSync, .directorySync, .layout, .permissions, .fileSystem: true
        case .tooLarge, .raced, .ended: false
        }
    }

    /// True if only the administrator can repair it: the spool does not exist, is not ours, or is on the wrong file
    /// system.
    public var pointsAtConfiguration: Bool {
        switch kind {
        case .layout, .permissions, .fileSystem: true
        case .system: errno == EACCES || errno == EPERM
        case .fileSync, .directorySync, .tooLarge, .raced, .ended: false
        }
    }

    /// True if a directory of the spool is missing.
    var isMissingDirectory: Bool { kind == .layout && errno == ENOENT }

    /// The program must exit with 74 (EX_IOERR) at once and publish nothing more: what the disk holds is unknown.
    public var isFatal: Bool { kind == .directorySync }
}

extension SpoolError: CustomStringConvertible {
    /// One line: what, where, why, what to do.
    public var description: String {
        let cause = errno == 0 ? "" : ": " + String(cString: strerror(errno)) + " (errno \(errno))"
        let advice = Self.advice(errno)
        return "\(explanation): \(path)\(cause)\(advice.isEmpty ? "" : "; " + advice)"
    }

    private static func advice(_ errno: Int32) -> String {
        switch errno {
        case ENOSPC, EDQUOT: "make room on the file system; work then continues by itself"
        case EIO, EUCLEAN, EBADMSG: "the disk reports damage: see the kernel log"
        case EROFS: "the file system is read-only: see the kernel log, then remount it"
        case EMFILE: "raise the limit of open files of this process"
        case ENFILE: "raise the system's limit of open files (fs.file-max)"
        case ENOMEM: "the system is out of memory"
        case EACCES, EPERM: "check owner, group and mode; `ses init` repairs those of the spool's folders"
        case EFBIG: "raise the limit of the file size of this process (ulimit -f, LimitFSIZE=)"
        case ESTALE: "the file system was exchanged below the spool: mount it again, or start the program anew"
        case EXDEV: "all folders of a spool must be on one file system"
        default: ""
        }
    }
}
