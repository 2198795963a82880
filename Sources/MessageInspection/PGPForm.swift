import InternetMessage
import Workflows

/// The forms in which PGP protects a mail as a whole: PGP/MIME (RFC 3156), and ASCII armour as the only text (RFC 9580
/// §6.2).
enum PGPForm {
    /// - Parameters:
    ///   - root: The mail.
    ///   - text: Its decoded text; asked for only where the mail is one text/plain part.
    /// - Returns: nil where nothing, or only a part of the mail, is protected.
    static func kind(of root: Entity, text: () -> String) -> MailProtection.Kind? {
        switch root.contentType.mediaType {
        case "multipart/encrypted": return .encrypted
        case "multipart/signed":
            let names = root.contentType.parameter("protocol")?.text.asciiLowercased
            return names == "application/pgp-signature" || hasSignaturePart(root) ? .signed : nil
        case "text/plain":
            guard case .leaf = root.content else { return nil }
            return kind(ofArmour: text())
        default: return nil
        }
    }

    private static func hasSignaturePart(_ root: Entity) -> Bool {
        guard case .multipart(let multipart) = root.content, multipart.parts.count == 2 else { return false }
        return multipart.parts[1].contentType.mediaType == "application/pgp-signature"
    }

    /// Text around the armour is not protected: then the mail as a whole is not.
    private static func kind(ofArmour text: String) -> MailProtection.Kind? {
        let forms: [(begin: String, end: String, kind: MailProtection.Kind)] = [
            ("-----BEGIN PGP SIGNED MESSAGE-----", "-----END PGP SIGNATURE-----", .signed),
            ("-----BEGIN PGP MESSAGE-----", "-----END PGP MESSAGE-----", .encrypted),
        ]
        let start = text.drop { $0.isWhitespace }
        guard let form = forms.first(where: { start.hasPrefix($0.begin) }) else { return nil }
        var end = start
        while let last = end.last, last.isWhitespace { end.removeLast() }
        return end.hasSuffix(form.end) ? form.kind : nil
    }
}
