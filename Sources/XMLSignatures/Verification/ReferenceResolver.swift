import CXmlSec
import Octets

/// The meaning of a reference in its document.
struct ResolvedReference {
    let reference: Reference
    /// The element; nil for the whole document.
    let target: Node?
    let selection: NodeSelection

    /// The elements of which everything is signed, tags included.
    var covered: [Node] {
        guard case .childrenOf(let parent, _) = selection else { return target.map { [$0] } ?? [] }
        return Array(parent.children)
    }

    /// The way in which its octets are made. A same-document reference takes no comments along, whatever the method
    /// says, unless it is an XPointer (XML Signature 1.1 §4.4.3.3).
    var canonicalisation: Canonicalisation {
        var method = reference.transforms.canonicalisation ?? .inclusive
        if !reference.keepsComments { method.withComments = false }
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
        guard let pointer = reference.pointer else {
            throw XMLFault(.indeterminate, "a reference leads out of the document: \(uri); it is not followed")
        }
        if case .other(let expression) = pointer {
            throw XMLFault(.indeterminate, "the reference #\(expression) is an XPointer that is not followed here")
        }
        guard let identifier = pointer.identifier else {
            guard !transforms.isBase64 else {
                throw XMLFault(.invalid, "the base64 transform of a whole document leaves its structure unsigned")
            }
            return ResolvedReference(reference: reference, target: nil, selection: .documentWithout(excluded))
        }
        guard Reference.isPlain(identifier) else {
            throw XMLFault(.invalid, "the reference #\(identifier) is no plain identifier")
        }
        let found = identified[identifier] ?? []
        guard let target = found.first else { throw XMLFault(.invalid, "the reference #\(identifier) leads nowhere") }
        guard found.count == 1 else {
            throw XMLFault(.invalid, "\(found.count) elements have the identifier \(identifier) that was signed")
        }
        guard target.isKnown else {
            throw XMLFault(.invalid, "the identifier \(identifier) stands in an attribute that is not followed")
        }
        // The enveloped-signature transform removes nothing if the signature is not within the target: its XPath form
        // holds for every node outside of the signature (XML Signature 1.1 §6.6.4).
        guard
            !transforms.isBase64 || shape.objects.contains(target.node) && target.node.onlyText != nil
                || SignatureContainer.isEncodedDocument(target.node)
        else {
            throw XMLFault(.invalid, "the base64 transform of #\(identifier) leaves its structure unsigned")
        }
        if case .children = pointer {
            return ResolvedReference(
                reference: reference, target: target.node, selection: .childrenOf(target.node, excluded))
        }
        if case .signedProperties = pointer {
            guard let properties = target.node.onlyXAdES("QualifyingProperties", "SignedProperties") else {
                throw XMLFault(.invalid, "the reference to xades:SignedProperties leads nowhere")
            }
            return ResolvedReference(
                reference: reference, target: properties, selection: .elementWithout(properties, excluded))
        }
        return ResolvedReference(
            reference: reference, target: target.node, selection: .elementWithout(target.node, excluded))
    }

    /// The digest of what a reference means.
    func digest(_ resolved: ResolvedReference, _ method: DigestMethod) throws(XMLSignatureError) -> OctetString {
        let run = try DigestRun(method)
        if resolved.reference.transforms.isBase64, let text = resolved.target?.onlyText {
            // Text that is not base64 has no digest that could be right.
            let octets = OctetString((try? Base64.decode(text)) ?? [])
            octets.withUnsafeBytes { _ = run.update($0) }
            return try run.finish()
        }
        _ = try resolved.canonicalisation.write(document, resolved.selection) { run.update($0) }
        return try run.finish()
    }
}
