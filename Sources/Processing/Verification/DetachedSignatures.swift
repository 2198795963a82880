import InternetMessage
import Workflows

/// Finds the file that a detached signature is for. Names are only untrusted hints: if they leave a choice, there is no
/// answer.
struct DetachedSignatures {
    /// All attachments of the message, in order.
    let attachments: [AttachmentFacts]

    enum Match: Hashable {
        case file(AttachmentFacts)
        case none
        /// More than one file could be meant.
        case several
    }

    /// Returns the file next to `signature`, in the same multipart: the one whose name it has (`x.pdf.p7s` for
    /// `x.pdf`), otherwise the one that differs from it in its extension (`x.p7s`), otherwise the only one there is.
    func file(for signature: AttachmentFacts) -> Match {
        guard !signature.path.isEmpty else { return .none }
        let beside = attachments.filter {
            $0.path != signature.path && $0.path.dropLast() == signature.path.dropLast()
        }
        let files = beside.filter { !$0.isNamedAsSignature }
        if let stem = signature.shownFileName?.withoutEnding {
            // A signature is a file too, and may be signed.
            let named = beside.filter { $0.shownFileName?.isTaken(for: stem) == true }
            if !named.isEmpty { return Self.only(named) }
            let related = files.filter { $0.shownFileName?.withoutEnding?.isTaken(for: stem) == true }
            if !related.isEmpty { return Self.only(related) }
        }
        return Self.only(files)
    }

    private static func only(_ files: [AttachmentFacts]) -> Match {
        switch files.count {
        case 0: .none
        case 1: .file(files[0])
        default: .several
        }
    }
}

extension AttachmentFacts {
    /// True if its name or type says that it is a signature and not a document (RFC 8551 §3.2.1).
    var isNamedAsSignature: Bool {
        ["application/pkcs7-signature", "application/x-pkcs7-signature"].contains(mediaType)
            || shownFileName?.hasEnding("p7s") == true
    }
}
