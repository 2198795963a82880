public import Octets

/// Tests whether a document that came back signed is the one that was sent.
public enum XMLComparison {
    /// Looks whether `signed` is `original` plus exactly one ds:Signature: equal in canonical form, comments included,
    /// when that one is taken out.
    ///
    /// Whether the signature is good is another question, for ``XMLSignatureReading``.
    /// - Returns: nil when it is, else the reason in one line.
    /// - Throws: ``XMLSignatureError`` when one of the two cannot be read.
    public static func difference(
        original: OctetString, signed: OctetString
    ) throws(XMLSignatureError) -> String? {
        let method = Canonicalisation(form: .inclusive, withComments: true)
        let wanted: OctetString
        let countBefore: Int
        do {
            // One tree at a time: this one is gone before the other is made.
            let parsed = try ParsedDocument(original)
            countBefore = try parsed.signatures().count
            wanted = try method.octets(parsed, .document)
        }
        let parsed = try ParsedDocument(signed)
        let signatures = try parsed.signatures()
        // Elements within an added signature count as part of it.
        guard signatures.count > countBefore else { return "no signature was added" }
        for signature in signatures where signature != parsed.root {
            let inside = signatures.filter { $0.isWithin(signature) }.count
            guard inside == 1, signatures.count - inside == countBefore else { continue }
            var rest = wanted[...]
            let isSame = try method.write(parsed, .documentWithout([signature])) { piece in
                guard piece.count <= rest.count else { return false }
                let expected = wanted.slice(rest.startIndex..<rest.startIndex + piece.count)
                rest = rest.dropFirst(piece.count)
                return expected.withUnsafeBytes { piece.holds($0, at: 0) }
            }
            if isSame && rest.isEmpty { return nil }
        }
        if signatures.count - countBefore > 1 { return "\(signatures.count - countBefore) signatures were added" }
        return "without the signature the document is not the one that was sent"
    }
}
