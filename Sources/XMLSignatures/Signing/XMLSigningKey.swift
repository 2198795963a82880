public import Octets

/// A private key with its certificate, ready to sign any number of documents, in any number of threads at once.
public struct XMLSigningKey: Sendable {
    let key: SecurityKey
    let method: SignatureMethod
    /// The certificate in DER.
    public let certificate: OctetString
    /// The certificates of the issuers in DER, as far as they shall go with the signature.
    public let chain: [OctetString]

    /// - Parameters:
    ///   - privateKeyPEM: RSA or ECDSA, PKCS #8, not encrypted.
    ///   - certificate: DER.
    ///   - chain: DER.
    /// - Throws: ``XMLSignatureError/Kind/key`` when one cannot be read, is of a kind that does not sign XML, or the
    ///   certificate is not that of the key.
    public init(
        privateKeyPEM: OctetString, certificate: OctetString, chain: [OctetString] = []
    ) throws(XMLSignatureError) {
        try SecurityLibrary.makeReady()
        guard let key = SecurityKey.ofPrivateKey(privateKeyPEM) else {
            throw XMLSignatureError(.key, "the private key cannot be read: PEM is wanted, not encrypted, RSA or ECDSA")
        }
        switch key.kind {
        case .rsa: method = .rsaSHA256
        case .ecdsa: method = .ecdsaSHA256
        case .dsa, .other: throw XMLSignatureError(.key, "XML is signed with RSA or ECDSA keys only")
        }
        guard let own = SecurityKey.ofCertificate(certificate) else {
            throw XMLSignatureError(.key, "the certificate cannot be read: DER is wanted")
        }
        let probe = OctetString("probe")
        guard method.verifies(try method.sign(probe, key).array, over: probe, own) == true else {
            throw XMLSignatureError(.key, "the certificate does not belong to the private key")
        }
        self.key = key
        self.certificate = certificate
        self.chain = chain
    }
}
