import COpenSSL
import Octets

/// The few things that are written in DER here (X.690 §10) instead of by OpenSSL.
enum DER {
    /// Tag and definite length.
    static func header(_ tag: UInt8, _ length: Int) -> OctetString {
        guard length >= 0x80 else { return OctetString([tag, UInt8(length)]) }
        var octets: [UInt8] = []
        var rest = length
        while rest > 0 {
            octets.insert(UInt8(truncatingIfNeeded: rest), at: 0)
            rest >>= 8
        }
        return OctetString([tag, 0x80 | UInt8(octets.count)] + octets)
    }

    /// An element of `tag` whose content is `parts` one after the other.
    static func element(_ tag: UInt8, _ parts: [OctetString]) -> OctetString {
        let length = parts.reduce(0) { $0 + $1.count }
        return OctetRope([header(tag, length)] + parts).collected()
    }

    /// An OBJECT IDENTIFIER from its dotted decimals, which must be right.
    static func identifier(_ text: String) -> OctetString {
        guard let object = OBJ_txt2obj(text, 1) else { return OctetString() }
        defer { ASN1_OBJECT_free(object) }
        return encoded { i2d_ASN1_OBJECT(object, $0) } ?? OctetString()
    }

    /// The elements of a SET OF in their order (X.690 §11.6).
    static func sorted(_ elements: [OctetString]) -> [OctetString] {
        elements.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// Returns the octets that `encode` writes. OpenSSL's i2d functions return the length if they get no place to write
    /// to.
    /// - Returns: nil when it cannot be encoded.
    static func encoded(_ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) -> OctetString? {
        let length = encode(nil)
        guard length > 0 else { return nil }
        return OctetString(count: Int(length)) { target in
            var next = target.bindMemory(to: UInt8.self).baseAddress
            _ = encode(&next)
        }
    }
}

extension OctetString {
    /// Reads a DER object with one of OpenSSL's d2i functions; nil if it is not such an object.
    func decoded(_ decode: (UnsafeMutablePointer<UnsafePointer<UInt8>?>, Int) -> OpaquePointer?) -> OpaquePointer? {
        withUnsafeBytes { buffer -> OpaquePointer? in
            var next = buffer.bindMemory(to: UInt8.self).baseAddress
            return decode(&next, buffer.count)
        }
    }

    /// A copy of the octets of an ASN.1 string.
    init(_ string: UnsafePointer<ASN1_STRING>) {
        guard let octets = ASN1_STRING_get0_data(string) else {
            self.init()
            return
        }
        self.init(copying: UnsafeRawBufferPointer(start: octets, count: Int(ASN1_STRING_length(string))))
    }
}

/// Object identifiers as text: `1.2.840.113549`.
enum ObjectIdentifier {
    /// anyPolicy (RFC 5280 §4.2.1.4)
    static let anyPolicy = "2.5.29.32.0"

    static func isDotted(_ text: String) -> Bool {
        guard text.utf8.count <= 200, text.utf8.allSatisfy({ $0 == 0x2E || (0x30...0x39).contains($0) }),
            let object = OBJ_txt2obj(text, 1)
        else {
            OpenSSLErrors.clear()
            return false
        }
        ASN1_OBJECT_free(object)
        return true
    }

    static func text(_ identifier: OpaquePointer?) -> String {
        guard let identifier else { return "" }
        var text = [CChar](repeating: 0, count: 200)
        guard OBJ_obj2txt(&text, Int32(text.count), identifier, 1) > 0 else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
