import Glibc

/// A call that fails on a path for as long as the fault lasts.
struct LastingPoint: Sendable, CustomStringConvertible {
    let call: String
    /// Any part of the path; empty: each path.
    let path: String
    /// errno.
    let number: Int32

    var description: String { "\(call) on \(path.isEmpty ? "anything" : path), errno \(number)" }

    static let numbers = [
        EIO, ENOSPC, EDQUOT, EROFS, EMFILE, ENFILE, ENOMEM, EACCES, EPERM, ESTALE, EUCLEAN, EFBIG, EBADMSG,
    ]
}
