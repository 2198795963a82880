import CXmlSec

/// The part of a document that one signature signs, and what that leaves to be said against it.
struct Coverage {
    /// True if everything in the document except the signatures is signed, comments excepted.
    let isWhole: Bool
    private(set) var findings: [XMLFinding] = []

    /// - Parameters:
    ///   - references: Those of `shape`, and of the manifests that it signs, that could be followed.
    ///   - manifests: The manifests that were followed.
    ///   - signatures: All signatures of the document.
    init(
        _ references: [ResolvedReference], manifests: Set<Node>, of shape: SignatureShape,
        in document: ParsedDocument, signatures: [Node]
    ) {
        var open = [shape.element]
        var hasComments = false
        let roots = references.filter { reference in
            (reference.target == nil || reference.target == document.root) && !reference.selection.isContentOnly
                && !reference.selection.excluded.isEmpty && !reference.reference.transforms.isBase64
        }
        var prefixes: XMLFinding?
        if document.holdsSignaturesOnly, shape.element == document.root || roots.isEmpty {
            let objects = signatures.flatMap { $0.elements("Object") }
            let contents = references.filter { Self.isContent($0.target, of: objects) }
            isWhole = !contents.isEmpty
            open = signatures
            prefixes = contents.lazy.compactMap { UnsignedPrefixes.finding(in: $0, of: document) }.first
        } else if roots.isEmpty,
            SignatureContainer.isSigned(document.root, by: references, of: shape, but: signatures)
        {
            isWhole = true
            open = signatures
            prefixes = references.lazy.compactMap { UnsignedPrefixes.finding(in: $0, of: document) }.first
        } else {
            isWhole = !roots.isEmpty
            if roots.allSatisfy(\.reference.transforms.leavesOutSignatures) { open = signatures }
            hasComments = roots.contains(where: \.canonicalisation.withComments)
            // What one reference does not sign, another may.
            let findings = roots.map { UnsignedPrefixes.finding(in: $0, of: document) }
            prefixes = findings.contains { $0 == nil } ? nil : findings.first ?? nil
        }
        guard isWhole else {
            noteManifests(shape, followed: manifests)
            return
        }
        if !references.contains(where: { $0.target == nil }) { noteInstructions(around: document) }
        if !hasComments, let finding = document.commentFinding { findings.append(finding) }
        if let prefixes { findings.append(prefixes) }
        let covered = Set(references.flatMap(\.covered))
        if let stray = open.lazy.compactMap({ StrayContent.first(in: $0, covered: covered) }).first {
            findings.append(stray)
        }
        noteManifests(shape, followed: manifests)
    }

    /// Returns true if `target` is content that an enveloping signature encloses, and not something about the
    /// signature.
    private static func isContent(_ target: Node?, of objects: [Node]) -> Bool {
        guard let target, objects.contains(where: { target.isWithin($0) }) else { return false }
        let isAboutSignature = ["Manifest", "SignatureProperties", "SignatureProperty"].contains {
            target.isElement($0)
        }
        guard !isAboutSignature, !Namespace.anyXAdES.contains(target.namespace) else { return false }
        // An object that holds only properties does not count either.
        return !target.isElement("Object")
            || !target.elements.allSatisfy { Namespace.anyXAdES.contains($0.namespace) } || target.elements.isEmpty
    }

    /// A reference to an element, be it the root, does not cover the instructions around the root; they may choose
    /// what is shown (xml-stylesheet) or how the document is read (xml-model).
    private mutating func noteInstructions(around document: ParsedDocument) {
        let found = NodeSiblings(first: document.raw.pointee.children).first { $0.isInstruction }
        guard let found else { return }
        findings.append(
            XMLFinding(
                .invalid,
                "line \(found.line): the instruction \(found.localName) outside the root element is not signed"))
    }

    private mutating func noteManifests(_ shape: SignatureShape, followed: Set<Node>) {
        let manifests = shape.objects.flatMap { $0.elements("Manifest") }
        guard let left = manifests.first(where: { !followed.contains($0) }) else { return }
        findings.append(
            XMLFinding(.indeterminate, "line \(left.line): the list of a ds:Manifest that no reference means"))
    }
}

/// Content of a signature that no reference covers and that is not part of how signatures look: it could be taken for
/// content of the document.
private enum StrayContent {
    /// The finding about the first of it. It does not speak against what is signed, but nothing is known of it either.
    static func first(in signature: Node, covered: Set<Node>) -> XMLFinding? {
        var next: Node? = signature
        while let node = next {
            // SignedInfo is what the signature value signs.
            let isCovered = covered.contains(node) || node.isElement("SignedInfo") && node.pointee.parent == signature
            next = node.next(within: signature, skippingChildren: isCovered)
            guard !isCovered, let what = description(of: node) else { continue }
            return XMLFinding(
                .indeterminate, "line \(node.line): \(what) in the signature is not signed, and is none of its parts")
        }
        return nil
    }

    private static func description(of node: Node) -> String? {
        if node.isInstruction { return "the instruction \(node.localName)" }
        if node.isElement {
            let isForeign = !Namespace.ofSignatures.contains(node.namespace)
            if isForeign { return "the element \(node.localName)" }
            return node.attributes.first { !belongs($0.name, $0.namespace, to: node) }.map {
                "the attribute \($0.name)"
            }
        }
        guard node.isWrittenText, let parent = node.pointee.parent else { return nil }
        let isContainer = parent.namespace == Namespace.signature && containers.contains(parent.localName)
        return isContainer || !parent.elements.isEmpty ? "a text in \(parent.localName)" : nil
    }

    /// Elements of the signature namespace that hold elements only, or content of the document.
    private static let containers: Set<String> = [
        "Signature", "SignedInfo", "Reference", "Transforms", "KeyInfo", "KeyValue", "RSAKeyValue", "DSAKeyValue",
        "X509Data", "X509IssuerSerial", "PGPData", "SPKIData", "RetrievalMethod", "Object", "Manifest",
        "SignatureProperties", "SignatureProperty",
    ]

    /// Returns true if a schema of signatures has this attribute.
    private static func belongs(_ name: String, _ namespace: String, to element: Node) -> Bool {
        switch namespace {
        case "":
            return element.namespace == Namespace.signature ? coreAttributes.contains(name) : true
        case Namespace.xml: return ["id", "space", "lang"].contains(name)
        case Namespace.schemaInstance: return true
        case Namespace.security: return name == "Id"
        default: return false
        }
    }

    private static let coreAttributes: Set<String> = [
        "Id", "Algorithm", "URI", "Type", "Encoding", "MimeType", "Target",
    ]
}
