import CXmlSec
import Octets

/// What a reference means in its document.
struct ResolvedReference {
    let reference: Reference
    /// The element; nil for the whole document.
    let target: Node?
    let selection: NodeSelection

    /// How its octets are made. A same-document reference takes no comments along, whatever the method says (XML
    /// Signature §4.4.3.3).
    var canonicalisation: Canonicalisation {
        var method = reference.transforms.canonicalisation ?? .inclusive
        method.withComments = false
        return method
    }
}

/// Finds what references mean, by this policy: within the document only, by an identifier that one element has.
struct ReferenceResolver {
    let document: ParsedDocument
    let signatures: [Node]
    let identified: [String: [IdentifiedElement]]

    func resolve(_ reference: Reference, of shape: SignatureShape) throws(XMLFault) -> ResolvedReference {
        guard let uri = reference.uri else {
            throw XMLFault(.invalid, "a reference has no URI: what it means was agreed elsewhere")
        }
        let transforms = reference.transforms
        var excluded: Set<Node> = transforms.leavesOutSignatures ? Set(signatures) : []
        if transforms.isEnveloped { excluded.insert(shape.element) }
        if uri.isEmpty {
            guard !transforms.isBase64 else {
                throw XMLFault(.invalid, "the base64 transform of a whole document leaves its structure unsigned")
            }
            return ResolvedReference(reference: reference, target: nil, selection: .documentWithout(excluded))
        }
        guard let identifier = reference.identifier else {
            throw XMLFault(.indeterminate, "a reference leads out of the document: \(uri); it is not followed")
        }
        guard Reference.isPlain(identifier) else {
            throw XMLFault(
                identifier.hasPrefix("xpointer(") ? .indeterminate : .invalid,
                "the reference #\(identifier) is no plain identifier")
        }
        let found = identified[identifier] ?? []
        guard let target = found.first else { throw XMLFault(.invalid, "the reference #\(identifier) leads nowhere") }
        guard found.count == 1 else {
            throw XMLFault(.invalid, "\(found.count) elements have the identifier \(identifier) that was signed")
        }
        guard target.isKnown else {
            throw XMLFault(.invalid, "the identifier \(identifier) stands in an attribute that is not followed")
        }
        guard !transforms.isEnveloped || shape.element.isWithin(target.node) else {
            throw XMLFault(.invalid, "the signature does not stand within #\(identifier), as it claims")
        }
        guard !transforms.isBase64 || shape.objects.contains(target.node) && target.node.onlyText != nil else {
            throw XMLFault(.invalid, "the base64 transform of #\(identifier) leaves its structure unsigned")
        }
        return ResolvedReference(
            reference: reference, target: target.node, selection: .elementWithout(target.node, excluded))
    }

    /// The digest of what a reference means.
    func digest(_ resolved: ResolvedReference, _ method: DigestMethod) throws(XMLSignatureError) -> OctetString {
        let run = try DigestRun(method)
        if resolved.reference.transforms.isBase64, let text = resolved.target?.onlyText {
            // What is not base64 has no digest that could be right.
            let octets = OctetString((try? Base64.decode(text)) ?? [])
            octets.withUnsafeBytes { _ = run.take($0) }
            return try run.finish()
        }
        _ = try resolved.canonicalisation.write(document, resolved.selection) { run.take($0) }
        return try run.finish()
    }

    /// How much of the document is signed by these references of `shape`.
    func coverage(_ references: [ResolvedReference], of shape: SignatureShape) -> Coverage {
        let isDocument = shape.element == document.root
        let isWhole: Bool
        var findings: [XMLFinding] = []
        var open = [shape.element]
        if isDocument {
            isWhole = references.contains { reference in
                guard let target = reference.target, shape.objects.contains(where: { target.isWithin($0) }) else {
                    return false
                }
                let isAboutSignature = ["Manifest", "SignatureProperties", "SignatureProperty"].contains {
                    target.isElement($0)
                }
                return !isAboutSignature && !Namespace.anyXAdES.contains(target.namespace)
            }
        } else {
            let roots = references.filter { reference in
                (reference.target == nil || reference.target == document.root)
                    && !reference.selection.excluded.isEmpty && !reference.reference.transforms.isBase64
            }
            isWhole = !roots.isEmpty
            if isWhole, roots.allSatisfy(\.reference.transforms.leavesOutSignatures) { open = signatures }
            if isWhole, !roots.contains(where: { $0.target == nil }), let line = styleSheetLine {
                findings.append(
                    XMLFinding(
                        .invalid, "line \(line): an xml-stylesheet instruction is not signed, but changes what is seen")
                )
            }
        }
        if isWhole, let comment = document.commentWithinText {
            findings.append(
                XMLFinding(
                    .indeterminate, isOlderThanSignature: true,
                    "line \(comment.line): a comment, which no signature covers, stands within a text; some readers take "
                        + "only what stands before it"))
        }
        let covered = Set(references.compactMap(\.target))
        if isWhole, let stray = open.lazy.compactMap({ strayContent(of: $0, covered: covered) }).first {
            findings.append(
                XMLFinding(.invalid, "line \(stray.line): \(stray.localName) in the signature is not signed"))
        }
        for object in shape.objects where !object.elements("Manifest").isEmpty {
            findings.append(
                XMLFinding(.indeterminate, "line \(object.line): the list of a ds:Manifest is not followed"))
            break
        }
        return Coverage(isWhole: isWhole, findings: findings)
    }

    struct Coverage {
        let isWhole: Bool
        let findings: [XMLFinding]
    }

    private var styleSheetLine: Int? {
        NodeSiblings(first: document.raw.pointee.children).first {
            $0.pointee.type == XML_PI_NODE && xmlStrEqual($0.pointee.name, "xml-stylesheet") == 1
        }?.line
    }

    /// The first content of a signature that no reference covers and that is not part of how signatures look: it could
    /// be taken for content of the document.
    private func strayContent(of signature: Node, covered: Set<Node>) -> Node? {
        var next: Node? = signature
        while let node = next {
            // SignedInfo is what the signature value signs.
            let isCovered = covered.contains(node) || node.isElement("SignedInfo") && node.pointee.parent == signature
            next = node.next(within: signature, skippingChildren: isCovered)
            guard !isCovered else { continue }
            if node.isElement {
                let namespace = node.namespace
                let belongs =
                    namespace == Namespace.signature || namespace == Namespace.signature11
                    || namespace == Namespace.exclusive || Namespace.anyXAdES.contains(namespace)
                if !belongs { return node }
            } else if node.isText, !node.isBlank, let parent = node.pointee.parent,
                parent == signature || parent.isElement("Object")
            {
                return parent
            }
        }
        return nil
    }
}
