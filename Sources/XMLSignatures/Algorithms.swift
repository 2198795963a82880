import CXmlSec
import Octets

/// A digest that XML signatures are made with (XML Signature 1.1 §6.2, RFC 9231 §2.1), by its name there.
enum DigestMethod: String, CaseIterable {
    case md5 = "http://www.w3.org/2001/04/xmldsig-more#md5"
    case ripemd160 = "http://www.w3.org/2001/04/xmlenc#ripemd160"
    case sha1 = "http://www.w3.org/2000/09/xmldsig#sha1"
    case sha224 = "http://www.w3.org/2001/04/xmldsig-more#sha224"
    case sha256 = "http://www.w3.org/2001/04/xmlenc#sha256"
    case sha384 = "http://www.w3.org/2001/04/xmldsig-more#sha384"
    case sha512 = "http://www.w3.org/2001/04/xmlenc#sha512"

    var weakness: XMLWeakness? {
        switch self {
        case .md5: XMLWeakness(algorithm: "MD5", isBroken: true)
        case .ripemd160: XMLWeakness(algorithm: "RIPEMD-160", isBroken: false)
        case .sha1: XMLWeakness(algorithm: "SHA-1", isBroken: false)
        case .sha224, .sha256, .sha384, .sha512: nil
        }
    }

    func digest(of octets: OctetString) throws(XMLSignatureError) -> OctetString {
        let run = try DigestRun(self)
        octets.withUnsafeBytes { _ = run.update($0) }
        return try run.finish()
    }
}

/// A digest of what comes in pieces.
final class DigestRun {
    private let run: TransformRun
    private let first: xmlSecTransformPtr
    private var isGood = true

    init(_ method: DigestMethod) throws(XMLSignatureError) {
        let run = try TransformRun(method.rawValue, usage: 0x0004, operation: xmlSecTransformOperationSign)
        guard xmlSecTransformCtxPrepare(run.context, 0x01) == 0, let first = run.context.pointee.first else {
            throw XMLSignatureError(.failed, "xmlsec1 cannot begin a digest")
        }
        self.run = run
        self.first = first
    }

    /// - Returns: True if the digest can still be made.
    func update(_ piece: UnsafeRawBufferPointer) -> Bool {
        guard isGood, piece.count > 0 else { return isGood }
        let octets = piece.bindMemory(to: UInt8.self).baseAddress
        isGood = xmlSecTransformPushBin(first, octets, UInt32(piece.count), 0, run.context) == 0
        return isGood
    }

    func finish() throws(XMLSignatureError) -> OctetString {
        guard isGood, xmlSecTransformPushBin(first, nil, 0, 1, run.context) == 0,
            let result = run.context.pointee.result
        else { throw XMLSignatureError(.failed, "xmlsec1 cannot make a digest") }
        return result.octets
    }
}

/// A signature method (XML Signature 1.1 §6.4, RFC 9231 §2.3).
struct SignatureMethod: Hashable {
    enum Key: Hashable { case rsa, pss, dsa, ecdsa }
    let uri: String
    let key: Key
    let digest: DigestMethod

    private static let old = "http://www.w3.org/2000/09/xmldsig#"
    private static let more = "http://www.w3.org/2001/04/xmldsig-more#"
    private static let later = "http://www.w3.org/2007/05/xmldsig-more#"

    static let rsaSHA256 = SignatureMethod(uri: more + "rsa-sha256", key: .rsa, digest: .sha256)
    static let ecdsaSHA256 = SignatureMethod(uri: more + "ecdsa-sha256", key: .ecdsa, digest: .sha256)

    private static let known: [SignatureMethod] = {
        var known = [
            SignatureMethod(uri: old + "rsa-sha1", key: .rsa, digest: .sha1),
            SignatureMethod(uri: more + "rsa-md5", key: .rsa, digest: .md5),
            SignatureMethod(uri: more + "rsa-ripemd160", key: .rsa, digest: .ripemd160),
            SignatureMethod(uri: old + "dsa-sha1", key: .dsa, digest: .sha1),
            SignatureMethod(uri: Namespace.signature11 + "dsa-sha256", key: .dsa, digest: .sha256),
            SignatureMethod(uri: more + "ecdsa-sha1", key: .ecdsa, digest: .sha1),
            SignatureMethod(uri: later + "sha1-rsa-MGF1", key: .pss, digest: .sha1),
        ]
        for (name, digest) in [
            ("sha224", DigestMethod.sha224), ("sha256", .sha256), ("sha384", .sha384), ("sha512", .sha512),
        ] {
            known.append(SignatureMethod(uri: more + "rsa-" + name, key: .rsa, digest: digest))
            known.append(SignatureMethod(uri: more + "ecdsa-" + name, key: .ecdsa, digest: digest))
            known.append(SignatureMethod(uri: later + name + "-rsa-MGF1", key: .pss, digest: digest))
        }
        return known
    }()

    static func named(_ uri: String) -> SignatureMethod? { known.first { $0.uri == uri } }

    /// Returns true if a method has a key that two parties share: it identifies nobody.
    static func isShared(_ uri: String) -> Bool { uri.contains("#hmac-") }

    /// Tests whether `signature` over `octets` was made with the private key that belongs to `key`.
    /// - Returns: nil when it cannot be told: another kind of key, or numbers that the library does not take.
    func verifies(_ signature: [UInt8], over octets: OctetString, _ key: SecurityKey) -> Bool? {
        guard key.fits(self) else { return nil }
        return LibraryWords.collecting { _ -> Bool? in
            if self.key == .pss { return verifiesPSS(signature, over: octets, key) }
            guard let run = try? TransformRun(uri, usage: 0x0008, operation: xmlSecTransformOperationVerify),
                xmlSecTransformSetKey(run.transform, key.raw) == 0
            else { return nil }
            let done = octets.withUnsafeBytes {
                xmlSecTransformCtxBinaryExecute(
                    run.context, $0.bindMemory(to: UInt8.self).baseAddress, UInt32($0.count))
            }
            guard done == 0 else { return nil }
            // A signature that is no number of the right size is refused by an error instead of a status.
            guard xmlSecTransformVerify(run.transform, signature, UInt32(signature.count), run.context) == 0 else {
                return false
            }
            return run.transform.pointee.status == xmlSecTransformStatusOk
        }
    }

    private func verifiesPSS(_ signature: [UInt8], over octets: OctetString, _ key: SecurityKey) -> Bool? {
        let name: String
        switch digest {
        case .sha1: name = "SHA1"
        case .sha224: name = "SHA224"
        case .sha256: name = "SHA256"
        case .sha384: name = "SHA384"
        case .sha512: name = "SHA512"
        case .md5, .ripemd160: return nil
        }
        let result = octets.withUnsafeBytes {
            cxmlsec_pss_verify(
                key.raw, name, signature, signature.count, $0.bindMemory(to: UInt8.self).baseAddress, $0.count)
        }
        return result < 0 ? nil : result == 1
    }

    /// A signature over `octets`.
    func sign(_ octets: OctetString, _ key: SecurityKey) throws(XMLSignatureError) -> OctetString {
        let run = try TransformRun(uri, usage: 0x0008, operation: xmlSecTransformOperationSign)
        let done = LibraryWords.collecting { _ in
            guard xmlSecTransformSetKey(run.transform, key.raw) == 0 else { return false }
            return octets.withUnsafeBytes {
                xmlSecTransformCtxBinaryExecute(
                    run.context, $0.bindMemory(to: UInt8.self).baseAddress, UInt32($0.count)) == 0
            }
        }
        guard done, let result = run.context.pointee.result, xmlSecBufferGetSize(result) > 0 else {
            throw XMLSignatureError(.key, "the private key cannot sign with \(uri)")
        }
        return result.octets
    }
}

/// A context of xmlsec1 with one algorithm in it, for one calculation.
private struct TransformRun: ~Copyable {
    let context: xmlSecTransformCtxPtr
    let transform: xmlSecTransformPtr

    init(_ uri: String, usage: xmlSecTransformUsage, operation: xmlSecTransformOperation) throws(XMLSignatureError) {
        try SecurityLibrary.makeReady()
        guard let klass = xmlSecTransformIdListFindByHref(xmlSecTransformIdsGet(), uri, usage),
            let context = xmlSecTransformCtxCreate()
        else { throw XMLSignatureError(.failed, "xmlsec1 does not offer \(uri)") }
        guard let transform = xmlSecTransformCtxCreateAndAppend(context, klass) else {
            xmlSecTransformCtxDestroy(context)
            throw XMLSignatureError(.failed, "xmlsec1 cannot make a calculation of \(uri)")
        }
        transform.pointee.operation = operation
        self.context = context
        self.transform = transform
    }

    deinit { xmlSecTransformCtxDestroy(context) }
}

/// A key of xmlsec1.
///
/// Unchecked: it is never changed after it was made, and the library takes further references to what is in it by
/// OpenSSL's atomic counts, so that any number of threads may use it at once.
final class SecurityKey: @unchecked Sendable {
    let raw: xmlSecKeyPtr

    private init(_ raw: xmlSecKeyPtr) { self.raw = raw }

    deinit { xmlSecKeyDestroy(raw) }

    /// The public key of a certificate.
    /// - Returns: nil when it is no certificate, or a kind of key that XML signatures do not use.
    static func ofCertificate(_ der: OctetString) -> SecurityKey? { load(der, xmlSecKeyDataFormatCertDer) }

    /// A private key in PEM, not encrypted.
    static func ofPrivateKey(_ pem: OctetString) -> SecurityKey? { load(pem, xmlSecKeyDataFormatPem) }

    private static func load(_ octets: OctetString, _ format: xmlSecKeyDataFormat) -> SecurityKey? {
        guard octets.count > 0, octets.count < 1 << 20, (try? SecurityLibrary.makeReady()) != nil else { return nil }
        return LibraryWords.collecting { _ in
            octets.withUnsafeBytes {
                // The empty password keeps OpenSSL from asking a terminal for one.
                xmlSecOpenSSLAppKeyLoadMemory(
                    $0.bindMemory(to: UInt8.self).baseAddress, UInt32($0.count), format, "", nil, nil)
            }.map { SecurityKey($0) }
        }
    }

    var kind: XMLKeyFacts.Kind {
        guard let value = xmlSecKeyGetValue(raw) else { return .other }
        if value.pointee.id == xmlSecOpenSSLKeyDataRsaGetKlass() { return .rsa }
        if value.pointee.id == xmlSecOpenSSLKeyDataEcdsaGetKlass() { return .ecdsa }
        if value.pointee.id == xmlSecOpenSSLKeyDataDsaGetKlass() { return .dsa }
        return .other
    }

    var bits: Int { kind == .other ? 0 : Int(cxmlsec_key_bits(raw)) }

    func fits(_ method: SignatureMethod) -> Bool {
        switch method.key {
        case .rsa, .pss: kind == .rsa
        case .dsa: kind == .dsa
        case .ecdsa: kind == .ecdsa
        }
    }
}

extension xmlSecBufferPtr {
    /// A copy of what it holds.
    fileprivate var octets: OctetString {
        OctetString(
            copying: UnsafeRawBufferPointer(start: xmlSecBufferGetData(self), count: Int(xmlSecBufferGetSize(self))))
    }
}
