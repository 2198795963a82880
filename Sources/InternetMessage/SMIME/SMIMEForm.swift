import Octets

/// The form, if any, in which an entity is an S/MIME message (RFC 8551 §3.2 to §3.10). Structure only: no signature is
/// checked.
public enum SMIMEForm: Sendable {
    /// No S/MIME; PGP/MIME is among this.
    case none
    /// multipart/signed with a detached S/MIME signature, whole or malformed.
    case multipartSigned(ClearSigned)
    /// A CMS SignedData that encloses what it signs.
    case signedData
    /// Enveloped, authenticated-enveloped or encrypted: what is inside, signatures too, cannot be seen.
    case encrypted
    case compressed
    /// A SignedData that carries certificates and no signer (§3.8).
    case certificatesOnly

    /// The form of `entity` itself; what stands further down does not matter.
    public static func of(_ entity: Entity) -> SMIMEForm { SMIMEReading(entity).form }

    /// True if it claims a signature that is visible from outside.
    public var isSigned: Bool {
        switch self {
        case .multipartSigned, .signedData: true
        case .none, .encrypted, .compressed, .certificatesOnly: false
        }
    }
}

/// A multipart/signed (RFC 1847 §2.1) with an S/MIME signature.
public struct ClearSigned: Sendable {
    /// The signed content: the octets of this entity, header included.
    public let content: Entity
    /// The part with the detached signature. If there is none, the multipart itself, which no reader takes for a
    /// signature.
    public let signature: Entity
    /// The multipart/signed itself.
    let frame: Entity
    /// The faults in the number and kind of its parts.
    let objections: [String]
}

/// The S/MIME form of an entity, with what was odd about it.
public struct SMIMEReading: Sendable {
    public let form: SMIMEForm
    private let entity: Entity
    /// The differences between declaration and content that do not make it ambiguous, such as a wrong smime-type.
    public let remarks: [String]

    public init(_ entity: Entity) {
        self.entity = entity
        if entity.contentType.mediaType == "multipart/signed" {
            if let signed = ClearSigned(entity) {
                form = .multipartSigned(signed)
            } else {
                form = .none
            }
            remarks = []
        } else if let opaque = OpaqueForm(entity) {
            form = opaque.form
            remarks = opaque.remarks
        } else {
            form = .none
            remarks = []
        }
    }

    /// Readings that differ in which octets are signed, or in which parts there are, a sentence each: not trusted.
    ///
    /// Found anew each time: the whole message is read in all ways that readers in use do.
    public var ambiguities: [String] {
        switch form {
        case .multipartSigned(let signed): signed.ambiguities
        case .signedData:
            (entity.structuralAmbiguities(called: "the message") + entity.damage + entity.differingReadings).uniqued
        case .none, .encrypted, .compressed, .certificatesOnly: []
        }
    }
}

extension SMIMEForm {
    /// The signed parts below a `root` that is not itself signed or encrypted, outermost ones only, in order.
    ///
    /// They make a mail partly signed: what stands beside them is not under the signature. A forwarded message
    /// (message/rfc822) is a document of its own and not looked into; a signed file that is merely attached, such as
    /// `contract.pdf.p7m`, is an attachment and no part of the mail's text.
    public static func signedPartsBelow(_ root: Entity) -> [Entity.Path] {
        var found: [Entity.Path] = []
        var waiting = Array(root.multipartChildren.reversed())
        while let entity = waiting.popLast() {
            switch of(entity) {
            case .multipartSigned: found.append(entity.path)
            case .signedData where !entity.isAttachedFile: found.append(entity.path)
            case .none, .signedData, .encrypted, .compressed, .certificatesOnly:
                waiting += entity.multipartChildren.reversed()
            }
        }
        return found
    }
}

extension Entity {
    /// The body parts of a multipart, else none.
    fileprivate var multipartChildren: [Entity] {
        if case .multipart(let multipart) = content { multipart.parts } else { [] }
    }

    /// Of a CMS object: true if it is a file with a name of its own, not the `smime.p7m` that RFC 8551 §3.2.1 gives to
    /// parts of a mail, or a loose detached signature.
    ///
    /// A layer of a mail gives its smime-type, a file need not. One that is attached under another name is a file in
    /// any case.
    public var isAttachedFile: Bool {
        if contentType.subtype.hasSuffix("pkcs7-signature") { return true }
        return (contentType.parameter("smime-type") == nil || disposition?.type == "attachment")
            && shownFileNames(using: BuiltInCharsets()).contains { !$0.isTaken(for: Self.layerName) }
    }

    private static let layerName = ShownFileName("smime.p7m")
}
