import Octets

/// application/pkcs7-mime and its substitutes (RFC 8551 §3.2, §3.10). The content type inside decides; smime-type is
/// only the sender's claim.
struct OpaqueForm {
    let form: SMIMEForm
    let remarks: [String]

    /// nil when neither the media type nor the file name speaks of S/MIME.
    init?(_ entity: Entity) {
        guard case .leaf = entity.content, let declaration = Declaration(entity) else { return nil }
        let prefix = entity.decodedPrefix(CMSContentType.prefixLength)
        guard let content = CMSContentType(prefix: prefix) else {
            form = declaration.form
            remarks = ["the content does not begin as a CMS object does"]
            return
        }
        form = Self.form(content, declared: declaration)
        if let smimeType = declaration.smimeType, !Self.agree(form, declaration.form) {
            remarks = [
                "smime-type says \(smimeType.quotedBriefly), but the content is \(form.words): the content counts"
            ]
        } else {
            remarks = []
        }
    }

    private static func form(_ content: CMSContentType, declared: Declaration) -> SMIMEForm {
        switch content {
        case .signedData(let hasDigests):
            if !hasDigests, case .certificatesOnly = declared.form { return .certificatesOnly }
            return hasDigests || declared.smimeType != nil ? .signedData : .certificatesOnly
        case .encrypted: return .encrypted
        case .compressedData: return .compressed
        case .other: return .none
        }
    }

    private static func agree(_ one: SMIMEForm, _ other: SMIMEForm) -> Bool { one.words == other.words }

    /// The declarations of the header.
    private struct Declaration {
        /// Lower case.
        let smimeType: String?
        let form: SMIMEForm

        init?(_ entity: Entity) {
            // For most parts the names are not needed.
            lazy var names = entity.shownFileNames(using: BuiltInCharsets())
            func isNamed(_ endings: String...) -> Bool {
                names.contains { name in endings.contains(where: name.hasEnding) }
            }
            switch entity.contentType.mediaType {
            case "application/pkcs7-mime", "application/x-pkcs7-mime", "application/pkcs7-signature",
                "application/x-pkcs7-signature":
                break
            case "application/octet-stream":
                // §3.10: such files are S/MIME by their name alone.
                guard isNamed("p7m", "p7s", "p7c", "p7z") else { return nil }
            default: return nil
            }
            smimeType = entity.contentType.parameter("smime-type")?.text.asciiLowercased
            switch smimeType {
            case "signed-data", "signed-receipt": form = .signedData
            case "enveloped-data", "authenveloped-data": form = .encrypted
            case "compressed-data": form = .compressed
            case "certs-only": form = .certificatesOnly
            default:
                form = isNamed("p7c") ? .certificatesOnly : isNamed("p7z") ? .compressed : .none
            }
        }
    }
}

extension SMIMEForm {
    fileprivate var words: String {
        switch self {
        case .none: "no S/MIME content"
        case .multipartSigned: "multipart/signed"
        case .signedData: "signed data"
        case .encrypted: "encrypted data"
        case .compressed: "compressed data"
        case .certificatesOnly: "certificates only"
        }
    }
}
