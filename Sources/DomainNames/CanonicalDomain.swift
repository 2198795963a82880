import CIDN2

/// A domain name in the one form in which all spellings of the same name are equal.
///
/// An internationalised label is written as a U-label (`münchen`) or as an A-label (`xn--mnchen-3ya`); both are the
/// same label (RFC 5890 §2.3.2.1). Every label is mapped by UTS 46, non-transitional, and becomes the A-label of IDNA
/// 2008 (RFC 5891 §5). ASCII letters lose their case, and the dot of the root at the end is dropped.
///
/// A label that IDNA 2008 refuses, such as an emoji or a false A-label, stays as written, without case. It is equal
/// only to the same label written the same way. An address literal in brackets is kept likewise.
public struct CanonicalDomain: Sendable, Hashable, CustomStringConvertible {
    /// The name with A-labels, in lower case. It is ASCII unless IDNA 2008 refuses one of the labels.
    public let name: String

    /// - Parameter written: A domain name of A-labels, U-labels or both, or an address literal.
    public init(_ written: some StringProtocol) {
        let name = Self.mapped(written)
        self.name = name.utf8.count > 1 && name.utf8.last == Self.dot ? String(name.dropLast()) : name
    }

    public var description: String { name }

    /// True if every label has an ASCII form, so that the DNS can be asked for the name and any SMTP command can
    /// contain it.
    public var isASCII: Bool { name.utf8.allSatisfy { $0 < 0x80 } }

    /// The name with U-labels, as people write it; a label without such a form is as in ``name``.
    public var unicodeName: String {
        var name = name
        guard name.withUTF8(Self.hasALabel) else { return name }
        return name.split(separator: ".", omittingEmptySubsequences: false)
            .map { DomainLabel.uLabel(of: String($0)) ?? String($0) }.joined(separator: ".")
    }

    /// Returns true if this is a domain below `parent`, at any depth. A domain is not below itself.
    public func isBelow(_ parent: CanonicalDomain) -> Bool { name.utf8.hasSuffix("." + parent.name) }

    // MARK: - Mapping

    private static let dot = UInt8(ascii: ".")

    private static func mapped(_ written: some StringProtocol) -> String {
        var written = String(written)
        let isPlain = written.withUTF8 { octets in
            octets.first == UInt8(ascii: "[") || octets.allSatisfy { $0 < 0x80 } && !hasALabel(octets)
        }
        if isPlain { return asciiLowercased(written) }
        return written.unicodeScalars.split(omittingEmptySubsequences: false, whereSeparator: isLabelSeparator)
            .map { label in
                let label = String(String.UnicodeScalarView(label))
                return DomainLabel.aLabel(of: label) ?? asciiLowercased(label)
            }.joined(separator: ".")
    }

    /// The full stops that UTS 46 maps to a dot (its section 2.3).
    private static func isLabelSeparator(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x2E, 0x3002, 0xFF0E, 0xFF61: true
        default: false
        }
    }

    /// Returns true if some label begins with `xn--`, in any case.
    private static func hasALabel(_ octets: UnsafeBufferPointer<UInt8>) -> Bool {
        guard octets.count >= 4 else { return false }
        for start in 0...octets.count - 4 where start == 0 || octets[start - 1] == dot {
            let isMark =
                asciiLowercased(octets[start]) == UInt8(ascii: "x")
                && asciiLowercased(octets[start + 1]) == UInt8(ascii: "n")
                && octets[start + 2] == UInt8(ascii: "-") && octets[start + 3] == UInt8(ascii: "-")
            if isMark { return true }
        }
        return false
    }

    private static func asciiLowercased(_ text: String) -> String {
        var text = text
        return text.withUTF8 { octets in
            String(unsafeUninitializedCapacity: octets.count) { lowered in
                for index in 0..<octets.count { lowered[index] = asciiLowercased(octets[index]) }
                return octets.count
            }
        }
    }

    private static func asciiLowercased(_ octet: UInt8) -> UInt8 {
        octet >= 0x41 && octet <= 0x5A ? octet | 0x20 : octet
    }
}

extension Collection<UInt8> {
    fileprivate func hasSuffix(_ suffix: String) -> Bool {
        count > suffix.utf8.count && self.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
    }
}

/// One label of a domain name and its two forms.
private enum DomainLabel {
    /// No U-label of a domain name comes near this; what is longer is not given to the library.
    private static let maximumOctets = 1_000

    /// The A-label, or the label itself in lower case where it is ASCII; nil where IDNA 2008 has none.
    static func aLabel(of label: String) -> String? {
        converted(label) { text, result in
            text.withMemoryRebound(to: UInt8.self, capacity: label.utf8.count + 1) { octets in
                var name: UnsafeMutablePointer<UInt8>?
                let status = idn2_lookup_u8(octets, &name, flags)
                result = UnsafeMutableRawPointer(name)
                return status
            }
        }
    }

    /// The U-label of an A-label; nil where it has none.
    static func uLabel(of label: String) -> String? {
        converted(label) { text, result in
            var name: UnsafeMutablePointer<CChar>?
            let status = idn2_to_unicode_8z8z(text, &name, flags)
            result = UnsafeMutableRawPointer(name)
            return status
        }
    }

    private static let flags = Int32(IDN2_NFC_INPUT.rawValue | IDN2_NONTRANSITIONAL.rawValue)

    private static func converted(
        _ label: String, _ convert: (UnsafePointer<CChar>, inout UnsafeMutableRawPointer?) -> Int32
    ) -> String? {
        // A C string ends at a NUL: what stands behind it would not be compared.
        guard (1...maximumOctets).contains(label.utf8.count), !label.utf8.contains(0) else { return nil }
        var result: UnsafeMutableRawPointer?
        defer { idn2_free(result) }
        let status = label.withCString { convert($0, &result) }
        guard status == IDN2_OK.rawValue, let result else { return nil }
        return String(cString: result.assumingMemoryBound(to: CChar.self))
    }
}
