import InternetMessage
import Workflows

/// The parts of a message that are its text, and those that are attachments.
///
/// A text body is text/plain or text/html without disposition attachment, and either the first part of its multipart,
/// in a multipart/alternative, or without a name. An attachment is a leaf with disposition attachment, or one that is
/// neither a text body nor shown by an HTML part that refers to its Content-ID, and has a name or a type that readers
/// show as a file: an application/pdf without a name is a file to all of them. Parts in a forwarded message
/// (message/rfc822), in an encryption or in a signature object are neither. Nor is such an object if it is all that a
/// multipart/signed holds, because it is a layer of the mail (RFC 2634 §1.1).
struct MessageParts {
    private(set) var texts: [Entity] = []
    private(set) var attachments: [Attachment] = []

    struct Attachment {
        let entity: Entity
        let protection: AttachmentFacts.Protection?
    }

    /// - Parameters:
    ///   - isOpaque: whether the message is one CMS object, whose content cannot be seen as parts.
    ///   - charsets: for the names and the texts.
    init(_ root: Entity, isOpaque: Bool, charsets: Charsets) {
        guard !isOpaque else { return }
        var waiting = [Place(entity: root, isFirst: true, parent: nil, shown: nil, isSigned: false)]
        while let place = waiting.popLast() {
            switch place.entity.content {
            case .leaf: visit(place, charsets)
            case .message: break
            case .multipart(let multipart): waiting += Self.places(of: multipart, place, charsets).reversed()
            }
        }
    }

    private struct Place {
        let entity: Entity
        let isFirst: Bool
        /// The subtype of the multipart it stands in.
        let parent: String?
        /// The Content-IDs that HTML refers to within the multipart/related around this, found when needed.
        let shown: ReferencedContent?
        /// True if a multipart/signed is around it.
        let isSigned: Bool
    }

    private static func places(of multipart: Entity.Multipart, _ place: Place, _ charsets: Charsets) -> [Place] {
        let subtype = place.entity.contentType.subtype
        // Both parts of PGP/MIME (RFC 3156 §4) are made for machines.
        guard subtype != "encrypted" else { return [] }
        let shown =
            subtype == "related"
            ? ReferencedContent(place.entity, around: place.shown, charsets) : place.shown
        return multipart.parts.enumerated().compactMap { index, part in
            // RFC 1847 §2.1, S/MIME's or PGP's.
            subtype == "signed" && index == 1 && part.isDetachedSignature
                ? nil
                : Place(
                    entity: part, isFirst: index == 0, parent: subtype, shown: shown,
                    isSigned: place.isSigned || subtype == "signed")
        }
    }

    private mutating func visit(_ place: Place, _ charsets: Charsets) {
        let entity = place.entity
        if place.parent == "signed" && place.isFirst, SMIMEForm.of(entity).isOpaque { return }
        if entity.disposition?.type == "attachment" { return attach(place) }
        let isNamed = entity.fileName(using: charsets) != nil
        let isText = ["text/plain", "text/html"].contains(entity.contentType.mediaType)
        if isText && (place.isFirst || !isNamed || place.parent == "alternative") { return texts.append(entity) }
        let isFile = isNamed || entity.isShownAsFile(in: place.parent)
        if isFile && place.shown?.contains(entity) != true { attach(place) }
    }

    private mutating func attach(_ place: Place) {
        attachments.append(
            Attachment(
                entity: place.entity, protection: place.isSigned ? .withinSigned : place.entity.ownProtection))
    }
}

extension Entity {
    /// Returns true if readers show a part of this type as a file although it has no name.
    ///
    /// They do so with every part except text that they show themselves (RFC 2046 §4.1.4), another form of a text that
    /// they do show (RFC 2046 §5.1.4), a report for machines (RFC 6522 §3, RFC 8098 §3), an image that belongs to a
    /// page (RFC 2387), and a layer of security.
    /// - Parameter parent: The subtype of the multipart it stands in.
    fileprivate func isShownAsFile(in parent: String?) -> Bool {
        switch contentType.type {
        case "multipart", "message": return false
        case "text":
            let isOwnText = ["plain", "html", "enriched", "richtext", "rfc822-headers"].contains(contentType.subtype)
            return !isOwnText && parent != "alternative" && parent != "report"
        case "application": return !Self.layers.contains(contentType.subtype)
        case "image": return parent != "related"
        default: return true
        }
    }

    /// Subtypes of application that a reader takes for a layer of the mail: S/MIME's and PGP's.
    private static let layers: Set<String> = [
        "pkcs7-mime", "x-pkcs7-mime", "pkcs7-signature", "x-pkcs7-signature", "pgp-signature", "pgp-encrypted",
    ]

    /// The protection of a part that is not a file but a layer of the mail, which a reader takes off; nil for other
    /// parts.
    fileprivate var ownProtection: AttachmentFacts.Protection? {
        switch SMIMEForm.of(self) {
        case .encrypted: .encryptedPart
        case .signedData where !isAttachedFile: .signedPart
        case .none, .multipartSigned, .signedData, .compressed, .certificatesOnly: nil
        }
    }

    /// By its type, or by the name where the type says nothing.
    fileprivate var isDetachedSignature: Bool {
        if contentType.subtype.hasSuffix("-signature") { return true }
        return contentType.subtype == "octet-stream"
            && shownFileNames(using: BuiltInCharsets()).contains { $0.hasEnding("p7s") }
    }
}

extension SMIMEForm {
    /// True if it is one CMS object, whose content cannot be seen as parts.
    var isOpaque: Bool {
        switch self {
        case .signedData, .encrypted, .compressed, .certificatesOnly: true
        case .none, .multipartSigned: false
        }
    }
}

/// The Content-IDs to which the HTML parts within a multipart/related refer (RFC 2392).
final class ReferencedContent: Sendable {
    private let related: Entity
    private let around: ReferencedContent?
    private let charsets: Charsets
    private let identifiers = ComputedOnce<Set<String>>()

    init(_ related: Entity, around: ReferencedContent?, _ charsets: Charsets) {
        self.related = related
        self.around = around
        self.charsets = charsets
    }

    /// Returns true if HTML here, or further out, refers to `entity`.
    func contains(_ entity: Entity) -> Bool {
        guard let field = entity.header.first("Content-ID") else { return false }
        let identifier = field.text.filter { $0 != "<" && $0 != ">" }
        guard !identifier.isEmpty else { return false }
        return identifiers.value(find).contains(identifier) || around?.contains(entity) == true
    }

    private func find() -> Set<String> {
        var found: Set<String> = []
        for entity in related.walk(.ownParts) where entity.contentType.mediaType == "text/html" {
            found.formUnion(Self.references(in: TextBody.octets(of: entity)))
        }
        return found
    }

    /// Returns the Content-IDs after `cid:` in `html`, with percent-encoding undone.
    static func references(in html: [UInt8]) -> Set<String> {
        var found: Set<String> = []
        let scheme = Array("cid:".utf8)
        var index = 0
        while index + scheme.count < html.count {
            guard html[index].asciiLowercased == scheme[0],
                html[index..<index + scheme.count].lazy.map(\.asciiLowercased).elementsEqual(scheme)
            else {
                index += 1
                continue
            }
            let start = index + scheme.count
            let identifier = html[start...].prefix { $0 > 0x20 && !"\"'<>()&".utf8.contains($0) }
            found.insert(percentDecoded(identifier))
            index = start + identifier.count
        }
        return found
    }

    private static func percentDecoded(_ octets: ArraySlice<UInt8>) -> String {
        var plain: [UInt8] = []
        var index = octets.startIndex
        while index < octets.endIndex {
            if octets[index] == UInt8(ascii: "%"), octets.endIndex - index > 2,
                let octet = UInt8(String(decoding: octets[(index + 1)...(index + 2)], as: UTF8.self), radix: 16)
            {
                plain.append(octet)
                index += 3
            } else {
                plain.append(octets[index])
                index += 1
            }
        }
        return String(decoding: plain, as: UTF8.self)
    }
}
