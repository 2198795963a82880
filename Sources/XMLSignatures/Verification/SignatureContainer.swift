import CXmlSec

/// A root element that a program puts around a document and its signature, side by side, and that adds nothing to what
/// the document says: the form of an internally detached signature.
///
/// The container itself is not signed. It must therefore have one of a few names without a meaning of their own, and
/// neither attributes, text nor instructions. Another name could change what its content means: an order, for example,
/// or a cancelled one.
struct SignatureContainer {
    private let namespace: String
    private let name: String
    /// The name of the element that holds the document as base64 text; nil for a container of XML.
    ///
    /// The base64 transform signs the octets of the document and nothing of this element, so its name must be fixed.
    private let encoded: String?

    private static let known = [
        SignatureContainer(namespace: "", name: "root", encoded: nil),
        SignatureContainer(namespace: "", name: "internally-detached", encoded: nil),
        // The platforms of the Spanish administration and of its universities.
        SignatureContainer(namespace: "", name: "AFIRMA", encoded: "CONTENT"),
        SignatureContainer(
            namespace: "urn:umu:eadmin:docuniversitario:schema", name: "DocUniversitario", encoded: nil),
    ]

    private static func around(_ root: Node) -> SignatureContainer? {
        guard root.isElement, root.pointee.properties == nil, declaresOwnNamespaceOnly(root) else { return nil }
        return known.first { $0.namespace == root.namespace && $0.name == root.localName }
    }

    /// Another declaration could give a prefix within the content a meaning that is not signed.
    private static func declaresOwnNamespaceOnly(_ root: Node) -> Bool {
        root.pointee.nsDef == nil || root.pointee.nsDef == root.pointee.ns && root.pointee.nsDef.pointee.next == nil
    }

    /// Returns true if `node` is the element for a document as base64 text in a container, and has no content but that
    /// text and no attributes but those that describe it.
    static func isEncodedDocument(_ node: Node) -> Bool {
        guard let root = node.pointee.parent, root.isElement, let encoded = around(root)?.encoded,
            node.pointee.ns == nil, node.pointee.nsDef == nil, node.localName == encoded, node.onlyText != nil
        else { return false }
        return node.attributes.allSatisfy { name, namespace, value in
            guard namespace.isEmpty else { return false }
            switch name {
            case "Id", "MimeType": return true
            case "Encoding": return value == TransformChain.base64
            default: return false
            }
        }
    }

    /// Returns true if `root` is a container, and each of its elements is signed whole or is one of `signatures`.
    static func isSigned(
        _ root: Node, by references: [ResolvedReference], of shape: SignatureShape, but signatures: [Node]
    ) -> Bool {
        guard around(root) != nil else { return false }
        let whole = Set(
            references.filter { reference in
                guard !reference.selection.isContentOnly, reference.selection.excluded.isEmpty else { return false }
                return !reference.reference.transforms.isBase64
                    || reference.target.map { isDescribed($0, by: reference, references, of: shape) } == true
            }.compactMap(\.target))
        let children = Array(root.children)
        return children.contains { whole.contains($0) }
            && children.allSatisfy { child in
                child.isElement
                    ? whole.contains(child) || signatures.contains(child)
                    : child.isComment || child.isText && child.isBlank
            }
    }

    /// Returns true if the media type that `document`, an encoded one, has in an attribute is the one that the signed
    /// properties give (xades:DataObjectFormat, EN 319 132-1 §5.2.4): the attribute itself is not signed.
    private static func isDescribed(
        _ document: Node, by reference: ResolvedReference, _ all: [ResolvedReference], of shape: SignatureShape
    ) -> Bool {
        guard isEncodedDocument(document) else { return false }
        guard let type = document.attribute("MimeType") else { return true }
        guard let identifier = reference.reference.element.attribute("Id"),
            let properties = try? SignedProperties(shape), all.contains(where: { $0.target == properties.element })
        else { return false }
        return properties.mediaType(of: identifier) == type
    }
}
