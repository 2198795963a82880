import Octets

@testable import XMLSignatures

/// Signatures that the signer does not make, for the verifier: built from the same algorithms.
enum PartSignature {
    private static let names = "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\""

    static let digestMethod = "<ds:DigestMethod Algorithm=\"\(DigestMethod.sha256.rawValue)\"/>"
    static let exclusive = "<ds:Transform Algorithm=\"\(Canonicalisation.exclusiveURI)\"/>"
    static let enveloped = "<ds:Transform Algorithm=\"\(TransformChain.enveloped)\"/>"

    /// A reference with the right digest for the canonical octets `content`.
    static func reference(_ attributes: String, transforms: String = exclusive, content: String) throws -> String {
        "<ds:Reference \(attributes)>"
            + (transforms.isEmpty ? "" : "<ds:Transforms>\(transforms)</ds:Transforms>") + digestMethod
            + "<ds:DigestValue>\(Base64.encode(try DigestMethod.sha256.digest(of: OctetString(content))))</ds:DigestValue>"
            + "</ds:Reference>"
    }

    /// A ds:Signature with these references, `objects` behind its key information, and a right signature value.
    static func sign(
        references: String, objects: String = "", keyInfo: String? = nil,
        method: String = SignatureMethod.rsaSHA256.uri
    ) throws -> String {
        let key = Signers.shared.rsa
        let front = "<ds:Signature \(names) Id=\"own\">"
        let signedInfo =
            "<ds:SignedInfo><ds:CanonicalizationMethod Algorithm=\"\(Canonicalisation.exclusiveURI)\"/>"
            + "<ds:SignatureMethod Algorithm=\"\(method)\"/>\(references)</ds:SignedInfo>"
        let parsed = try ParsedDocument(OctetString(front + signedInfo + "</ds:Signature>"))
        let canonical = try Canonicalisation.exclusive.octets(parsed, .element(parsed.root.elements[0]))
        let value = Base64.encode(try key.sign(canonical))
        let keyInfo =
            keyInfo
            ?? "<ds:X509Data><ds:X509Certificate>\(Base64.encode(key.certificate))</ds:X509Certificate></ds:X509Data>"
        return front + signedInfo + "<ds:SignatureValue>\(value)</ds:SignatureValue><ds:KeyInfo>\(keyInfo)</ds:KeyInfo>"
            + objects + "</ds:Signature>"
    }

    /// A signature of the element `element` (with the prefix ds) that it holds, by its Id.
    static func make(_ element: String, of identifier: String) throws -> String {
        // In exclusive canonical form the element declares its prefix itself.
        let parsed = try ParsedDocument(OctetString("<ds:Signature \(names)>\(element)</ds:Signature>"))
        let content = try Canonicalisation.exclusive.octets(parsed, .element(parsed.root.elements[0])).text
        return try sign(references: reference("URI=\"#\(identifier)\"", content: content), objects: element)
    }
}
