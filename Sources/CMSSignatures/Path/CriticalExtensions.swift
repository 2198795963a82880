import COpenSSL
import Octets

extension Certificate {
    /// True if a critical extension is not known here, so that the certificate must be refused (RFC 5280 §4.2).
    ///
    /// OpenSSL does not know the statements of qualified certificates (RFC 3739 §3.2.6), which some authorities mark
    /// critical. They are known here when each of them only declares something.
    var hasUnknownCriticalExtension: Bool {
        guard X509_get_extension_flags(handle.raw) & UInt32(EXFLAG_CRITICAL) != 0 else { return false }
        return (0..<X509_get_ext_count(handle.raw)).contains { index in
            guard let found = X509_get_ext(handle.raw, index), X509_EXTENSION_get_critical(found) == 1,
                X509_supported_extension(found) == 0
            else { return false }
            return !QualifiedStatements.areKnown(in: found)
        }
    }
}

/// The statements of a qualified certificate (RFC 3739 §3.2.6, ETSI EN 319 412-5).
private enum QualifiedStatements {
    /// RFC 3739: the syntax of versions 1 and 2, which say how names of the subject are meant.
    private static let syntax: [[UInt8]] = [1, 2].map { [0x2B, 6, 1, 5, 5, 7, 0x0B, $0] }
    /// EN 319 412-5: qualified (1), retention period (3), key in a secure device (4), place of the statement of
    /// practice (5), type (6), country (7).
    ///
    /// The greatest value of a transaction (2) is not among them. It limits what a signature is good for, and nothing
    /// here can tell the value of a transaction.
    private static let declarations: [[UInt8]] = [1, 3, 4, 5, 6, 7].map { etsi + [$0] }
    private static let etsi: [UInt8] = [4, 0, 0x8E, 0x46, 1]
    /// The types of certificates for signatures (1) and seals (2). Type 3 is for web sites.
    private static let signingTypes: [[UInt8]] = [1, 2].map { etsi + [6, $0] }

    /// Returns true if `extension` holds statements of these kinds only.
    static func areKnown(in extension: OpaquePointer) -> Bool {
        guard OBJ_obj2nid(X509_EXTENSION_get_object(`extension`)) == NID_qcStatements,
            let value = X509_EXTENSION_get_data(`extension`)
        else { return false }
        return OctetString(value).withUnsafeBytes { octets in
            let reader = BERReader(octets)
            guard let list = reader.element(at: 0, limit: octets.count), list.tag == 0x30,
                list.range.upperBound == octets.count, let statements = reader.children(of: list)
            else { return false }
            return statements.allSatisfy { isKnown($0, reader) }
        }
    }

    private static func isKnown(_ statement: BERReader.Element, _ reader: BERReader) -> Bool {
        guard statement.tag == 0x30, let parts = reader.children(of: statement, limit: 2), let kind = parts.first,
            kind.tag == 0x06
        else { return false }
        let identifier = Array(reader.octets[kind.content])
        if identifier == etsi + [6] {
            guard parts.count == 2, let types = reader.children(of: parts[1]) else { return false }
            return types.contains { signingTypes.contains(Array(reader.octets[$0.content])) }
        }
        return syntax.contains(identifier) || declarations.contains(identifier)
    }
}
