public import InternetMessage
public import Octets

/// Puts what was made of attachments into their message: all other octets of it are slices of what came in.
public struct AttachmentSplice: Sendable {
    private let changes: [Entity.Path: AttachmentChange]
    /// The paths of what is changed and of everything around it.
    private let touched: Set<Entity.Path>
    /// Random, of letters and digits: boundaries are made of it.
    private let token: String

    /// - Parameter changes: By the paths of leaves, none of them within message/rfc822 or multipart/signed.
    public init(_ changes: [Entity.Path: AttachmentChange], token: String) {
        self.changes = changes
        touched = Set(changes.keys.flatMap { path in path.indices.map { Array(path[...$0]) } })
        self.token = token
    }

    /// Returns the message with the changes. New parts have CRLF line ends.
    ///
    /// A signature stands directly behind its file, in the same multipart/mixed. A new multipart/mixed takes the file's
    /// place if the file stands elsewhere (in another multipart, whose parts each have a meaning, or alone in the
    /// message), or if the names of the parts beside it would leave open which file the signature is for. The same is
    /// done if a message that is one file becomes a CMS object, because at the top that would be a signed mail (RFC
    /// 8551 §3.5.2).
    public func applied(to message: Message) -> OctetRope {
        var rope = OctetRope()
        if let change = changes[message.root.path] {
            rope.append(root(message.root, change))
        } else {
            rope.append(written(message.root, within: nil))
        }
        return rope
    }

    // MARK: - The tree

    private func written(_ entity: Entity, within parent: Entity?) -> OctetRope {
        if let change = changes[entity.path] { return part(entity, change, within: parent) }
        var rope = OctetRope()
        var end = entity.range.lowerBound
        for child in entity.children where touched.contains(child.path) {
            rope.append(entity.message.slice(end..<child.range.lowerBound))
            rope.append(written(child, within: entity))
            end = child.range.upperBound
        }
        rope.append(entity.message.slice(end..<entity.range.upperBound))
        return rope
    }

    private func part(_ entity: Entity, _ change: AttachmentChange, within parent: Entity?) -> OctetRope {
        var rope = OctetRope()
        if case .accompanied(_, let signature, let name) = change {
            if let parent, case .multipart(let mixed) = parent.content, parent.contentType.subtype == "mixed",
                Self.isUnmistakable(name, for: entity, among: mixed.parts)
            {
                rope.append(file(entity, change))
                rope.append("\r\n--")
                rope.append(mixed.boundary)
                rope.append("\r\n")
                rope.append(Self.signature(signature, name))
            } else {
                rope.append(mixed([file(entity, change), Self.signature(signature, name)], at: entity.path))
            }
        } else {
            rope.append(file(entity, change))
        }
        // Without a delimiter behind it nothing ends its last line.
        if entity.range.upperBound == entity.message.count { rope.append("\r\n") }
        return rope
    }

    /// Returns true if a signature of this name is clearly for `file`: it has its name, and no other of `parts` does.
    private static func isUnmistakable(_ name: String, for file: Entity, among parts: [Entity]) -> Bool {
        guard let own = file.fileName(using: BuiltInCharsets()) else { return false }
        let shown = ShownFileName(own)
        return ShownFileName(name).isTaken(for: ShownFileName(own + ".p7s"))
            && parts.count { part in part.shownFileNames(using: BuiltInCharsets()).contains(where: shown.isTaken) } == 1
    }

    private func root(_ root: Entity, _ change: AttachmentChange) -> OctetRope {
        var rope = OctetRope()
        let version: [HeaderRevision.Replacement] =
            root.header.first("MIME-Version") == nil ? [("mime-version", "MIME-Version: 1.0\r\n")] : []
        if case .replaced = change {
            rope.append(revision(for: root, change, adding: version).applied(to: root))
            rope.append("\r\n")
            rope.append(body(of: root, change))
            rope.append("\r\n")
            return rope
        }
        rope.append(HeaderRevision(replacements: version, selection: { !$0.isContentField }).applied(to: root))
        var parts = [file(root, change)]
        if case .accompanied(_, let signature, let name) = change { parts.append(Self.signature(signature, name)) }
        rope.append(mixed(parts, at: root.path))
        rope.append("\r\n")
        return rope
    }

    /// Content-Type, empty line and body of a multipart/mixed, up to its final delimiter without line end.
    private func mixed(_ parts: [OctetRope], at path: Entity.Path) -> OctetRope {
        let boundary = (["ses-attachment", token] + path.map(String.init)).joined(separator: "-")
        var rope = OctetRope()
        rope.append(FieldLines.field("Content-Type", ["multipart/mixed;", "boundary=\"\(boundary)\""]))
        for part in parts {
            rope.append("\r\n--" + boundary + "\r\n")
            rope.append(part)
        }
        rope.append("\r\n--" + boundary + "--")
        return rope
    }

    // MARK: - Parts

    /// The part that the file is in from now on.
    private func file(_ entity: Entity, _ change: AttachmentChange) -> OctetRope {
        if case .accompanied = change, entity.transferEncoding == .base64 {
            guard entity.path.isEmpty else { return OctetRope([entity.octets]) }
            var rope = HeaderRevision(selection: \.isContentField).applied(to: entity)
            rope.append("\r\n")
            rope.append(entity.body)
            return rope
        }
        var revision = revision(for: entity, change)
        if entity.path.isEmpty { revision.selection = \.isContentField }
        var rope = revision.applied(to: entity)
        rope.append("\r\n")
        rope.append(body(of: entity, change))
        return rope
    }

    private func revision(
        for entity: Entity, _ change: AttachmentChange, adding: [HeaderRevision.Replacement] = []
    ) -> HeaderRevision {
        var revision = HeaderRevision(replacements: adding, dropped: ["content-md5", "content-length"])
        let encoding: HeaderRevision.Replacement = (
            "content-transfer-encoding", "Content-Transfer-Encoding: base64\r\n"
        )
        switch change {
        case .replaced(_, let charset):
            revision.replacements.append(encoding)
            if let charset, let field = Self.contentType(entity.contentType, charset: charset) {
                revision.replacements.append(("content-type", field))
            }
        case .accompanied:
            revision.replacements.append(encoding)
        case .enclosed(_, let name):
            revision.replacements += [
                ("content-type", Self.cmsType("mime", smimeType: "signed-data", name: name)), encoding,
                ("content-disposition", Self.disposition(name: name)),
            ]
        }
        return revision
    }

    private func body(of entity: Entity, _ change: AttachmentChange) -> Base64Encoded {
        switch change {
        case .replaced(let content, _), .enclosed(let content, _), .accompanied(let content, _, _):
            Base64Encoded(content)
        }
    }

    /// A detached signature as a part.
    private static func signature(_ cms: any OctetSource, _ name: String) -> OctetRope {
        var rope = OctetRope()
        rope.append(
            cmsType("signature", smimeType: nil, name: name) + "Content-Transfer-Encoding: base64\r\n"
                + disposition(name: name) + "\r\n")
        rope.append(Base64Encoded(cms))
        return rope
    }

    // MARK: - Fields

    private static func cmsType(_ kind: String, smimeType: String?, name: String) -> String {
        let parameters = [
            smimeType.map { Parameter(name: "smime-type", value: Array($0.utf8)) }, self.name("name", name),
        ]
        return ParameterLines.field("Content-Type", "application/pkcs7-" + kind, parameters.compactMap(\.self))
    }

    private static func disposition(name: String) -> String {
        ParameterLines.field("Content-Disposition", "attachment", [self.name("filename", name)])
    }

    /// Returns a file name as a parameter. A name that looks like an encoded-word is written so that no reader decodes
    /// it once more.
    private static func name(_ parameter: String, _ name: String) -> Parameter {
        Parameter(name: parameter, value: Array(name.utf8), charset: name.contains("=?") ? "utf-8" : nil)
    }

    private static func contentType(_ type: ContentType, charset: String) -> String? {
        guard type.parameter("charset") != nil else { return nil }
        return ParameterLines.field(
            "Content-Type", type.mediaType,
            type.parameters.map {
                $0.name == "charset" ? Parameter(name: "charset", value: Array(charset.utf8)) : $0
            })
    }
}
