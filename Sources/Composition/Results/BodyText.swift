import InternetMessage
import Octets

/// The parts of a message that are shown as its text, and how a result is written into them.
struct BodyText {
    let result: ResultText
    let place: HTMLSplice.Place

    /// The content of `root` - Content-* fields, empty line, body - with the result in every form of its text.
    /// - Returns: nil when it has no text, or one in which nothing can be written safely.
    func written(into root: Entity) -> OctetRope? {
        guard let leaves = Self.leaves(of: root), !leaves.isEmpty else { return nil }
        var changed: [Entity.Path: OctetRope] = [:]
        for leaf in leaves {
            guard let body = written(intoLeaf: leaf) else { return nil }
            changed[leaf.path] = body
        }
        return Self.rope(of: root, replacing: changed)
    }

    // MARK: - Which parts

    /// The forms of the text: one leaf, or the leaves of a multipart/alternative. Nil if there is something else in its
    /// place.
    private static func leaves(of entity: Entity) -> [Entity]? {
        guard !entity.hasDoubtfulContentFields else { return nil }
        switch entity.content {
        case .message: return nil
        case .leaf:
            guard ["text/plain", "text/html"].contains(entity.contentType.mediaType),
                entity.disposition.map({ $0.type == "inline" }) ?? true,
                entity.fileName(using: BuiltInCharsets()) == nil
            else { return nil }
            return [entity]
        case .multipart(let multipart):
            guard let first = multipart.parts.first else { return nil }
            switch entity.contentType.subtype {
            case "mixed": return leaves(of: first)
            case "related":
                // A root that is named is the first part by habit only (RFC 2387 §3.2).
                return entity.contentType.parameter("start") == nil ? leaves(of: first) : nil
            case "alternative":
                var all: [Entity] = []
                for part in multipart.parts {
                    guard let leaves = leaves(of: part) else { return nil }
                    all += leaves
                }
                return all
            default: return nil
            }
        }
    }

    // MARK: - Writing

    /// The leaf's fields, empty line and body.
    private func written(intoLeaf leaf: Entity) -> OctetRope? {
        if case .other = leaf.transferEncoding { return nil }
        let charset = leaf.contentType.parameter("charset")?.text.asciiLowercased ?? "us-ascii"
        guard Self.carriesASCII(charset, at: place) else { return nil }
        if leaf.contentType.subtype == "html" {
            guard leaf.bodyRange.count <= EntityFitting.maximumHeld,
                let spliced = HTMLSplice.splice(Array(result.html.utf8), into: leaf.decodedBody.array, at: place)
            else { return nil }
            return Self.encoded(OctetRope([OctetString(spliced)]), as: leaf)
        }
        let text = BannerCharset(result.plain, ascii: result.plainASCII, into: leaf)
        var rope = OctetRope()
        if place == .top {
            rope.append(text.banner)
            rope.append("\r\n")
        }
        if let rewritten = text.rewritten { rope.append(rewritten) } else { rope.append(leaf.decodedSource) }
        if place == .bottom {
            rope.append(leaf.decodedSource.endsWithLineFeed ? "\r\n" : "\r\n\r\n")
            rope.append(text.banner)
        }
        return Self.encoded(rope, as: leaf, charset: text.charset)
    }

    /// - Parameter charset: The one that is to be declared; nil for that which is.
    private static func encoded(_ content: OctetRope, as leaf: Entity, charset: String? = nil) -> OctetRope {
        let encoding: String
        let body: any OctetSource
        if content.count > EntityFitting.maximumHeld {
            (encoding, body) = ("base64", Base64Encoded(content))
        } else {
            let octets = content.collected()
            let isFit = TransportFaults.of(octets).isEmpty
            if leaf.transferEncoding == .base64 {
                (encoding, body) = ("base64", Base64Encoded(octets))
            } else if isFit && leaf.transferEncoding != .quotedPrintable {
                (encoding, body) = ("7bit", octets)
            } else {
                (encoding, body) = ("quoted-printable", DelimiterSafeText(octets))
            }
        }
        var stale = ["Content-Transfer-Encoding", "Content-MD5", "Content-Length"]
        var rope = OctetRope()
        if let charset {
            stale.append("Content-Type")
            rope.append(contentType(of: leaf, charset: charset))
        }
        for field in leaf.header.fields where leaf.path.isEmpty ? field.isContentField : true {
            if !stale.contains(where: { field.isNamed($0) }) { rope.append(field.completed) }
        }
        rope.append("Content-Transfer-Encoding: " + encoding + "\r\n\r\n")
        rope.append(OctetRope([body]))
        return rope
    }

    /// The leaf's Content-Type field with another charset; its other parameters, such as format=flowed, stay.
    private static func contentType(of leaf: Entity, charset: String) -> String {
        let others = leaf.contentType.parameters.filter { !$0.name.equalsIgnoringASCIICase("charset") }
        let declared = ContentType(parsing: "text/plain; charset=" + charset)?.parameters ?? []
        return ParameterLines.field("Content-Type", leaf.contentType.mediaType, declared + others)
    }

    /// Returns true if US-ASCII stands for itself in `charset`, wherever the text is added.
    static func carriesASCII(_ charset: String, at place: HTMLSplice.Place) -> Bool {
        let families = [
            "iso-8859-", "windows-125", "cp125", "koi8-", "euc-", "gb2312", "gbk", "gb18030", "big5", "shift_jis",
            "ks_c_5601", "tis-620", "macintosh",
        ]
        if ["utf-8", "utf8", "us-ascii", "ascii", "latin1", "windows-874"].contains(charset) { return true }
        // Escape sequences are in force until the line ends - where the sender kept to the rules.
        if charset.hasPrefix("iso-2022-") { return place == .top }
        return families.contains { charset.hasPrefix($0) }
    }

    // MARK: - Joining

    /// `entity` with the entities at some paths replaced, all else slices; of the root only its Content-* fields.
    private static func rope(of entity: Entity, replacing changed: [Entity.Path: OctetRope]) -> OctetRope {
        if let replacement = changed[entity.path] { return replacement }
        var rope = OctetRope()
        if entity.path.isEmpty {
            for field in entity.header.fields where field.isContentField && !field.isNamed("Content-Length") {
                rope.append(field.completed)
            }
            rope.append("\r\n")
        } else {
            rope.append(entity.message.slice(entity.range.lowerBound..<entity.bodyRange.lowerBound))
        }
        var end = entity.bodyRange.lowerBound
        for child in entity.children where changed.keys.contains(where: { $0.starts(with: child.path) }) {
            rope.append(entity.message.slice(end..<child.range.lowerBound))
            rope.append(Self.rope(of: child, replacing: changed))
            end = child.range.upperBound
        }
        rope.append(entity.message.slice(end..<entity.range.upperBound))
        return rope
    }
}

extension Entity {
    /// True if a reader may find another type, charset or encoding than was read here, and so show as HTML a text that
    /// we wrote into as plain text.
    fileprivate var hasDoubtfulContentFields: Bool {
        defects.contains { defect in
            switch defect {
            case .repeatedField(let name): name.asciiLowercased.hasPrefix("content-")
            case .repeatedParameter, .malformedContentType: true
            case .missingBoundaryParameter, .missingClosingBoundary, .noParts, .malformedHeaderLine, .missingHeaderEnd,
                .unknownTransferEncoding, .encodedComposite, .tooDeep:
                false
            }
        }
    }
}

extension DecodedBody {
    /// True if the last octet is a LF, or there are no octets at all.
    fileprivate var endsWithLineFeed: Bool {
        var last: UInt8 = 0x0A
        forEachChunk { last = $0[$0.count - 1] }
        return last == 0x0A
    }
}
