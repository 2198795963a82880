import DSSProtocol
import Octets

/// What octets look like, by their beginning.
enum ContentKind: Hashable {
    case pdf, cms, xml, mime

    /// How far into the octets is looked: a PDF may have something before its header (ISO 32000-1, Annex H.3.4.1).
    private static let window = 1024

    /// nil for anything else.
    init?(_ octets: OctetString) {
        let start = octets.slice(0..<min(octets.count, Self.window)).array
        if Self.isSignedData(start) {
            self = .cms
        } else if Self.position(of: Array("%PDF-".utf8), in: start) != nil {
            self = .pdf
        } else if Self.beginsWithTag(start) {
            self = .xml
        } else if Self.beginsWithField(start) {
            self = .mime
        } else {
            return nil
        }
    }

    /// The answer that these octets are for a document of `kind`; nil when they do not fit.
    static func answer(_ octets: OctetString, for kind: DocumentKind) -> SigningAnswer? {
        switch (kind, ContentKind(octets)) {
        case (.pdf, .pdf), (.xml, .xml), (.email, .mime): .document(octets)
        case (.email, .cms), (.cms, .cms): .cms(octets)
        default: nil
        }
    }

    /// ContentInfo with the type id-signedData (RFC 5652 §3, §5.1), DER or BER.
    private static func isSignedData(_ octets: [UInt8]) -> Bool {
        guard octets.count > 2, octets[0] == 0x30 else { return false }
        let lengthOctets = octets[1] < 0x80 ? 0 : Int(octets[1] & 0x7F)
        let identifier: [UInt8] = [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02]
        guard lengthOctets <= 8 else { return false }
        return octets.dropFirst(2 + lengthOctets).starts(with: identifier)
    }

    private static func beginsWithTag(_ octets: [UInt8]) -> Bool {
        var rest = octets[...]
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        if rest.starts(with: [0xFE, 0xFF]) || rest.starts(with: [0xFF, 0xFE]) { return true }
        return rest.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "<")
    }

    /// A header field name and its colon (RFC 5322 §2.2).
    private static func beginsWithField(_ octets: [UInt8]) -> Bool {
        guard let colon = octets.firstIndex(of: UInt8(ascii: ":")), (1...76).contains(colon) else { return false }
        return octets[..<colon].allSatisfy { (0x21...0x7E).contains($0) }
    }

    private static func position(of pattern: [UInt8], in octets: [UInt8]) -> Int? {
        guard octets.count >= pattern.count else { return nil }
        return (0...(octets.count - pattern.count)).first { octets[$0..<$0 + pattern.count].elementsEqual(pattern) }
    }
}
