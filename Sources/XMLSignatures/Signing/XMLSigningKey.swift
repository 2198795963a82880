public import Octets

/// A private key with its certificate, ready to sign any number of documents, in any number of threads at once.
public struct XMLSigningKey: Sendable {
    /// Signs octets with a private key that is elsewhere: RSA PKCS #1 1.5, or ECDSA as two numbers of equal length
    /// (RFC 4050 §3.3), both with SHA-256. It throws ``XMLSignatureError/Kind/failed`` if it cannot now.
    public typealias RemoteSigner = @Sendable (OctetString) throws(XMLSignatureError) -> OctetString

    private let maker: RemoteSigner
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
        let method: SignatureMethod
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
        maker = { octets throws(XMLSignatureError) in try method.sign(octets, key) }
        self.method = method
        self.certificate = certificate
        self.chain = chain
    }

    /// A key that is in a device.
    /// - Parameters:
    ///   - certificate: DER; its public key says which kind of key it is.
    ///   - chain: DER.
    /// - Throws: ``XMLSignatureError/Kind/key`` if the certificate cannot be read or is of a kind that does not sign
    ///   XML.
    public init(
        certificate: OctetString, chain: [OctetString] = [], signedBy signer: @escaping RemoteSigner
    ) throws(XMLSignatureError) {
        try SecurityLibrary.makeReady()
        guard let own = SecurityKey.ofCertificate(certificate) else {
            throw XMLSignatureError(.key, "the certificate cannot be read: DER is wanted")
        }
        switch own.kind {
        case .rsa: method = .rsaSHA256
        case .ecdsa: method = .ecdsaSHA256
        case .dsa, .other: throw XMLSignatureError(.key, "XML is signed with RSA or ECDSA keys only")
        }
        maker = signer
        self.certificate = certificate
        self.chain = chain
    }

    /// The value of a signature over `octets`.
    func sign(_ octets: OctetString) throws(XMLSignatureError) -> OctetString { try maker(octets) }
}
