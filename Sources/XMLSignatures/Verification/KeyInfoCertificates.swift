import Octets

/// The certificates and revocation lists of a ds:KeyInfo. Nothing else in it is used: a bare key identifies nobody, and
/// a name is not a key.
struct KeyInfoCertificates {
    private(set) var certificates: [OctetString] = []
    private(set) var revocationLists: [OctetString] = []

    init(_ keyInfo: Node?, in document: ParsedDocument) throws(XMLFault) {
        guard let keyInfo else { return }
        for data in keyInfo.elements("X509Data") { try add(data) }
        for place in keyInfo.children.filter({ $0.isElement("KeyInfoReference", in: Namespace.signature11) }).prefix(2)
        {
            // Only to a ds:KeyInfo of the same document, and no further (XML Signature 1.1 §4.5.10).
            guard let uri = place.attribute("URI"), uri.hasPrefix("#") else { continue }
            let identifier = String(uri.dropFirst())
            guard let found = document.elements(identifiedBy: [identifier])[identifier] else { continue }
            guard found.count == 1, found[0].isKnown, found[0].node.isElement("KeyInfo") else {
                throw XMLFault(.invalid, "ds11:KeyInfoReference leads to more than one place")
            }
            for data in found[0].node.elements("X509Data") { try add(data) }
        }
        // Each is looked for in the whole document; one is what is seen.
        for retrieval in keyInfo.elements("RetrievalMethod").prefix(2) {
            // Only to X509Data of the same document, used unchanged.
            guard retrieval.attribute("Type") == Namespace.signature + "X509Data", retrieval.elements.isEmpty,
                let uri = retrieval.attribute("URI"), uri.hasPrefix("#")
            else { continue }
            let identifier = String(uri.dropFirst())
            guard let found = document.elements(identifiedBy: [identifier])[identifier] else { continue }
            guard found.count == 1, found[0].isKnown, found[0].node.isElement("X509Data") else {
                throw XMLFault(.invalid, "ds:RetrievalMethod leads to more than one place")
            }
            try add(found[0].node)
        }
    }

    private mutating func add(_ data: Node) throws(XMLFault) {
        for element in data.elements("X509Certificate") {
            let der = OctetString(try SignatureShape.octets(of: element))
            if !certificates.contains(der) { certificates.append(der) }
            guard certificates.count <= XMLSignatureLimits.certificates else {
                throw XMLFault(
                    .indeterminate, "the signature has more than \(XMLSignatureLimits.certificates) certificates")
            }
        }
        for element in data.elements("X509CRL").prefix(XMLSignatureLimits.certificates) {
            // An unreadable list counts as missing: an attacker who can spoil it could also leave it out.
            if let octets = try? SignatureShape.octets(of: element) { revocationLists.append(OctetString(octets)) }
        }
    }

    /// Certificates that may be the signer's: those that did not issue another of them come first.
    static func candidates(_ certificates: [OctetString]) -> [OctetString] {
        let names = certificates.map { CertificateNames($0) }
        let isIssuer = names.map { own in
            own.map { own in names.contains { $0 != nil && $0 != own && $0?.issuer == own.subject } } ?? true
        }
        let order = certificates.indices.filter { !isIssuer[$0] } + certificates.indices.filter { isIssuer[$0] }
        return order.map { certificates[$0] }
    }
}

/// Subject and issuer of a certificate (RFC 5280 §4.1) in DER; nothing is verified.
struct CertificateNames: Hashable {
    let serial: OctetString
    let issuer: OctetString
    let subject: OctetString

    init?(_ der: OctetString) {
        guard let certificate = DERElement.first(of: der), certificate.tag == 0x30,
            let signed = DERElement.first(of: certificate.content), signed.tag == 0x30
        else { return nil }
        var rest = signed.content
        var fields: [DERElement] = []
        while fields.count < 7, let field = DERElement.first(of: rest) {
            rest = rest.slice(field.length..<rest.count)
            // The version may be left out.
            if fields.isEmpty && field.tag == 0xA0 { continue }
            fields.append(field)
        }
        // serialNumber, signature, issuer, validity, subject
        guard fields.count >= 5 else { return nil }
        serial = fields[0].content
        issuer = fields[2].content
        subject = fields[4].content
    }
}

/// One element of DER with a definite length.
struct DERElement {
    let tag: UInt8
    /// With tag and length.
    let length: Int
    let content: OctetString

    static func first(of octets: OctetString) -> DERElement? {
        guard octets.count >= 2, octets[0] & 0x1F != 0x1F else { return nil }
        var start = 2
        var count = Int(octets[1])
        if count >= 0x80 {
            let digits = count & 0x7F
            guard (1...4).contains(digits), octets.count >= 2 + digits else { return nil }
            count = octets.slice(2..<2 + digits).reduce(0) { $0 << 8 | Int($1) }
            start += digits
        }
        guard count <= octets.count - start else { return nil }
        return DERElement(tag: octets[0], length: start + count, content: octets.slice(start..<start + count))
    }
}
