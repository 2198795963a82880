/// The namespaces of the protocol (docs/dss-protocol.md, Namespaces).
public enum DSSNamespace {
    public static let core = "urn:oasis:names:tc:dss:1.0:core:schema"
    public static let xmlSignature = "http://www.w3.org/2000/09/xmldsig#"
    public static let verificationReport = "urn:oasis:names:tc:dss-x:1.0:profiles:verificationreport:schema#"
    /// ADSS's, of its words about each signature.
    public static let verificationInfo = "urn:oasis:names:tc:dss:1.0:profiles:VA:schema#"
    public static let soap11 = "http://schemas.xmlsoap.org/soap/envelope/"
    public static let soap12 = "http://www.w3.org/2003/05/soap-envelope"
    public static let xop = "http://www.w3.org/2004/08/xop/include"
    /// Our own namespace, so that no guess is mistaken for another's definition.
    public static let extensions = "urn:ses-gateway:dss:extensions:1.0"
}

/// The words of requests and answers.
public enum DSSWord {
    /// The SignatureType and `Base64Signature/@Type` of CMS.
    public static let cms = "urn:ietf:rfc:3369"
    public static let xmlSignature = "urn:ietf:rfc:3275"
    public static let pades = "http://uri.etsi.org/02778/3"
    /// Before the name of an attribute in the dssProperties form.
    public static let propertyPrefix = DSSNamespace.extensions + ":property:"
    public static let majorPrefix = "urn:oasis:names:tc:dss:1.0:resultmajor:"
    public static let minorPrefix = "urn:oasis:names:tc:dss:1.0:resultminor:"
    public static let detailPrefix = "urn:oasis:names:tc:dss:1.0:detail:"
    /// The detail type by which `ses-dss` says that the signer of a mail is not its author; core has none for that.
    public static let signerIdentityDetail = DSSNamespace.extensions + ":detail:SignerIdentity"
    /// The minor by which `ses-dss` says that it does not know the client id.
    public static let unknownClient = DSSNamespace.extensions + ":resultminor:UnknownClient"
}

/// Reading of words that servers write as URIs, URNs or bare.
enum URIWord {
    /// The part after the last `:`, `/` or `#`, without white space at the ends.
    static func lastPart(of text: String) -> String {
        var octets = text.utf8[...]
        while let last = octets.last, last <= 0x20 { octets.removeLast() }
        while let first = octets.first, first <= 0x20 { octets.removeFirst() }
        let start = octets.lastIndex { $0 == 0x3A || $0 == 0x2F || $0 == 0x23 }.map { octets.index(after: $0) }
        return String(octets[(start ?? octets.startIndex)...]) ?? ""
    }
}
