public import Octets
import InternetMessage

/// The kind of a content by its first octets, whatever its name and declared type are.
///
/// Both programs ask this one recogniser, so that a document that one of them takes for XML is XML for the other too.
public struct DocumentOpening: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case pdf, xml, cms, zip, ole, png, jpeg, gif
    }

    /// Octets enough to tell: PDF readers look for their mark in the first 1024.
    public static let length = 1_024

    /// The kinds that fit; more than one where several do.
    public let kinds: Set<Kind>
    /// True if it begins as XML or HTML does, in any charset.
    public let isMarkup: Bool
    /// True if it begins with an XML declaration (XML 1.0 §2.8) and goes on as something other than a page of HTML.
    public let isDeclaredXML: Bool
    /// The offset of the first `%PDF-` with a version. Readers tolerate octets before it (ISO 32000-1 annex H, note
    /// 13).
    public let pdfOffset: Int?
    /// True if it begins with a header field, as a mail does (RFC 5322 §2.2).
    public let beginsWithField: Bool
    /// True if it begins as a CMS SignedData without armour does (RFC 5652 §3, §5.1), in DER or BER.
    public let isSignedData: Bool
    /// True if it begins as an ASN.1 SEQUENCE does, which a CMS object is.
    let isSequence: Bool

    /// - Parameter octets: The first ``length`` octets, or all of a shorter content; more are not looked at.
    public init(_ octets: some Sequence<UInt8>) { self.init(start: Array(octets.prefix(Self.length))) }

    private init(start: [UInt8]) {
        let text = MarkupOpening(start)
        var kinds: Set<Kind> = []
        for (kind, marks) in Self.marks where marks.contains(where: { start.starts(with: $0) }) { kinds.insert(kind) }
        let pdfOffsets = Self.pdfOffsets(in: start)
        if pdfOffsets.contains(where: { Self.isAtLineStart($0, in: start) }) { kinds.insert(.pdf) }
        if text.isXML { kinds.insert(.xml) }
        let content = CMSContentType(prefix: start)
        if content != nil || Self.isArmoured(start) { kinds.insert(.cms) }
        isSignedData = if case .signedData = content { true } else { false }
        self.kinds = kinds
        isMarkup = text.isMarkup
        isDeclaredXML = text.isDeclaredXML
        pdfOffset = pdfOffsets.first
        beginsWithField = !text.isMarkup && Self.beginsWithField(start)
        isSequence = start.first == 0x30
    }

    /// The recogniser's answer for a whole document.
    public init(of document: OctetString) {
        self.init(start: document.slice(0..<min(document.count, Self.length)).array)
    }

    // MARK: - Marks

    private static let marks: [(kind: Kind, marks: [[UInt8]])] = [
        (.zip, [[0x50, 0x4B, 0x03, 0x04], [0x50, 0x4B, 0x05, 0x06], [0x50, 0x4B, 0x07, 0x08]]),
        (.ole, [[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]]),
        (.png, [[0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]]),
        (.jpeg, [[0xFF, 0xD8, 0xFF]]),
        (.gif, [Array("GIF87a".utf8), Array("GIF89a".utf8)]),
    ]

    private static let pdfMark = Array("%PDF-".utf8)

    /// The offsets of `%PDF-` and the first digit of a version.
    private static func pdfOffsets(in start: [UInt8]) -> [Int] {
        var offsets: [Int] = []
        var next = 0
        while let offset = start.firstOffset(of: pdfMark, from: next), offset + pdfMark.count < start.count {
            if (0x30...0x39).contains(start[offset + pdfMark.count]) { offsets.append(offset) }
            next = offset + 1
        }
        return offsets
    }

    private static func isAtLineStart(_ offset: Int, in start: [UInt8]) -> Bool {
        offset == 0 || [0x0A, 0x0D].contains(start[offset - 1]) || start[..<offset].elementsEqual(UTF8Mark.octets)
    }

    /// The textual encoding of RFC 7468 §8 and §9.
    private static func isArmoured(_ start: [UInt8]) -> Bool {
        start.starts(with: "-----BEGIN PKCS7-----".utf8) || start.starts(with: "-----BEGIN CMS-----".utf8)
    }

    /// A header field name and its colon (RFC 5322 §2.2).
    private static func beginsWithField(_ start: [UInt8]) -> Bool {
        guard let colon = start.firstIndex(of: UInt8(ascii: ":")), (1...76).contains(colon) else { return false }
        return start[..<colon].allSatisfy { (0x21...0x7E).contains($0) }
    }
}

extension DocumentOpening {
    /// The way to read the document when it stands by itself; nil for a mail, and for a document without a signature of
    /// its own.
    /// - Parameter declared: The kind that its sender says it is; counts where the octets do not speak against it.
    public func reading(declared: Kind?) -> SignedReading? {
        if declared == .pdf, pdfOffset != nil, !kinds.contains(.cms) { return .document(.pdf) }
        // A mail may have a line about PDF.
        if beginsWithField, pdfOffset != 0, !kinds.contains(.cms) { return nil }
        if let reading = SignedReading(of: kinds, declares: { $0 == declared }) { return reading }
        if isSequence { return .cms }
        // Elements with which HTML begins may be those of a document of XML too.
        return isMarkup ? .document(.xml) : nil
    }
}
