import Octets

/// The text of a ds:Signature that is being made: ASCII, without white space between elements, so that it can be put
/// into a document of any encoding and looks the same in canonical form.
struct SignatureText {
    let identifier: String
    let method: SignatureMethod
    let certificates: [OctetString]
    let form: XMLSignatureForm
    let signingTime: Int
    /// SHA-256 of the signer's certificate.
    let certificateDigest: OctetString

    var documentDigest = OctetString()
    var propertiesDigest = OctetString()
    var value = OctetString()
    var timestamp: OctetString?

    init(
        identifier: String, key: XMLSigningKey, form: XMLSignatureForm, signingTime: Int
    ) throws(XMLSignatureError) {
        self.identifier = identifier
        method = key.method
        certificates = [key.certificate] + key.chain.filter { $0 != key.certificate }
        self.form = form
        self.signingTime = signingTime
        certificateDigest = try DigestMethod.sha256.digest(of: key.certificate)
    }

    var signatureIdentifier: String { "signature-" + identifier }
    var propertiesIdentifier: String { "properties-" + identifier }
    private var referenceIdentifier: String { "reference-" + identifier }

    var text: String {
        let data = certificates.map { "<ds:X509Certificate>\(Self.base64($0))</ds:X509Certificate>" }.joined()
        return "<ds:Signature xmlns:ds=\"\(Namespace.signature)\" Id=\"\(signatureIdentifier)\">"
            + signedInfo
            + "<ds:SignatureValue Id=\"value-\(identifier)\">\(Self.base64(value))</ds:SignatureValue>"
            + "<ds:KeyInfo><ds:X509Data>\(data)</ds:X509Data></ds:KeyInfo>"
            + (form == .xades ? properties : "")
            + "</ds:Signature>"
    }

    private var signedInfo: String {
        // The whole document in inclusive form: the exclusive one leaves out declarations that only values use, such
        // as the prefix in xsi:type="xs:decimal", and so does not sign what they mean. The signature's own parts are in
        // exclusive form: they do not depend on what the document declares.
        "<ds:SignedInfo>\(Self.canonicalisation(Canonicalisation.exclusiveURI))"
            + "<ds:SignatureMethod Algorithm=\"\(method.uri)\"/>"
            + "<ds:Reference Id=\"\(referenceIdentifier)\" URI=\"\"><ds:Transforms>"
            + "<ds:Transform Algorithm=\"\(TransformChain.enveloped)\"/>"
            + "<ds:Transform Algorithm=\"\(Canonicalisation.inclusiveURI)\"/>"
            + "</ds:Transforms>\(Self.digest(documentDigest))</ds:Reference>"
            + (form == .xades ? propertiesReference : "")
            + "</ds:SignedInfo>"
    }

    private var propertiesReference: String {
        "<ds:Reference Type=\"http://uri.etsi.org/01903#SignedProperties\" URI=\"#\(propertiesIdentifier)\">"
            + "<ds:Transforms><ds:Transform Algorithm=\"\(Canonicalisation.exclusiveURI)\"/></ds:Transforms>"
            + Self.digest(propertiesDigest) + "</ds:Reference>"
    }

    /// Baseline B of EN 319 132-1 §6: time, certificate and the media type of what is signed; with a timestamp, T.
    private var properties: String {
        "<ds:Object><xades:QualifyingProperties xmlns:xades=\"\(Namespace.xades)\" Target=\"#\(signatureIdentifier)\">"
            + "<xades:SignedProperties Id=\"\(propertiesIdentifier)\"><xades:SignedSignatureProperties>"
            + "<xades:SigningTime>\(XMLTime.text(signingTime))</xades:SigningTime>"
            + "<xades:SigningCertificateV2><xades:Cert><xades:CertDigest>\(Self.digest(certificateDigest))"
            + "</xades:CertDigest></xades:Cert></xades:SigningCertificateV2></xades:SignedSignatureProperties>"
            + "<xades:SignedDataObjectProperties>"
            + "<xades:DataObjectFormat ObjectReference=\"#\(referenceIdentifier)\">"
            + "<xades:MimeType>text/xml</xades:MimeType></xades:DataObjectFormat>"
            + "</xades:SignedDataObjectProperties></xades:SignedProperties>"
            + (timestamp.map(unsignedProperties) ?? "")
            + "</xades:QualifyingProperties></ds:Object>"
    }

    private func unsignedProperties(_ token: OctetString) -> String {
        "<xades:UnsignedProperties><xades:UnsignedSignatureProperties>"
            + "<xades:SignatureTimeStamp Id=\"timestamp-\(identifier)\">"
            + Self.canonicalisation(Canonicalisation.exclusiveURI)
            + "<xades:EncapsulatedTimeStamp>\(Self.base64(token))</xades:EncapsulatedTimeStamp>"
            + "</xades:SignatureTimeStamp></xades:UnsignedSignatureProperties></xades:UnsignedProperties>"
    }

    private static func canonicalisation(_ uri: String) -> String {
        "<ds:CanonicalizationMethod Algorithm=\"\(uri)\"/>"
    }

    private static func digest(_ value: OctetString) -> String {
        "<ds:DigestMethod Algorithm=\"\(DigestMethod.sha256.rawValue)\"/>"
            + "<ds:DigestValue>\(Base64.encode(value))</ds:DigestValue>"
    }

    private static func base64(_ octets: OctetString) -> String {
        Base64Encoded(octets, lineLength: 76, lineEnd: .lf).collected().text
    }
}
