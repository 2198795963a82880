public import DomainNames

/// An addr-spec: local-part and domain (RFC 5322 §3.4.1; UTF-8 by RFC 6532).
public struct AddrSpec: Sendable, CustomStringConvertible {
    /// The local-part's value, without quoting.
    public let localPart: String
    /// As written; compared without case. A domain literal keeps its brackets.
    public let domain: String

    /// - Parameters:
    ///   - localPart: The value, not quoted; must not be empty, hold control characters or separate lines.
    ///   - domain: Labels of letters, digits, hyphens, underscores and letters beyond US-ASCII, or a literal in
    ///     brackets.
    /// - Returns: nil when the parts cannot be an address.
    public init?(localPart: String, domain: String) {
        guard !localPart.isEmpty, localPart.unicodeScalars.allSatisfy(Self.isLocalScalar), Self.isDomain(domain) else {
            return nil
        }
        self.localPart = localPart
        self.domain = domain
    }

    /// Returns false for a control character (also of C1), a character that ends a line for some reader, and an
    /// invisible character, which comes from a text that the address was copied from. The joiners of some scripts are
    /// allowed.
    private static func isLocalScalar(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value >= 0x20 && scalar.value != 0x7F }
        if scalar.value == 0x200C || scalar.value == 0x200D { return true }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator: return false
        default: return true
        }
    }

    private static func isDomain(_ text: String) -> Bool {
        if text.utf8.first == 0x5B { return isLiteral(text.utf8) }
        var isLabelEmpty = true
        for scalar in text.unicodeScalars {
            if scalar.value == 0x2E {
                if isLabelEmpty { return false }
                isLabelEmpty = true
            } else if isDomainScalar(scalar) {
                isLabelEmpty = false
            } else {
                return false
            }
        }
        return !isLabelEmpty
    }

    /// `[192.0.2.1]`: printable US-ASCII within, no brackets or backslashes (RFC 5322 §3.4.1).
    private static func isLiteral(_ octets: String.UTF8View) -> Bool {
        octets.count > 2 && octets.last == 0x5D
            && octets.dropFirst().dropLast().allSatisfy {
                (0x21...0x7E).contains($0) && ($0 < 0x5B || $0 > 0x5D) && $0 != 0x3C && $0 != 0x3E && $0 != 0x22
            }
    }

    /// A letter, digit, hyphen or underscore (host names outside the DNS's rule have it), or a character beyond
    /// US-ASCII that is no blank, control or format character and no other form of the commercial at. The joiners of
    /// RFC 5892 §A may stand.
    private static func isDomainScalar(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F, 0x200C, 0x200D: return true
        case 0...0x7F, 0xFE6B, 0xFF20: return false
        default: break
        }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .privateUse, .surrogate:
            return false
        default: return true
        }
    }

    /// As an addr-spec stands in a header: the local-part quoted where it is no dot-atom.
    public var description: String {
        if isDotAtom { return localPart + "@" + domain }
        var quoted: [UInt8] = []
        for octet in localPart.utf8 {
            if octet == 0x5C || octet == 0x22 { quoted.append(0x5C) }
            quoted.append(octet)
        }
        return "\"" + String(decoding: quoted, as: UTF8.self) + "\"@" + domain
    }

    /// Judged by octets: a letter that combines with a dot or a quote must not hide it.
    private var isDotAtom: Bool {
        var afterDot = true
        for octet in localPart.utf8 {
            let isDot = octet == 0x2E
            if isDot ? afterDot : !octet.isAtext { return false }
            afterDot = isDot
        }
        return !afterDot
    }
}

extension AddrSpec: Hashable {
    /// Equality of the local-parts by their octets (RFC 5321 §2.4) and of the domains in ``CanonicalDomain`` form.
    ///
    /// Two recipients that differ in case are both kept. ``CanonicalAddress`` compares people, without case.
    public static func == (left: AddrSpec, right: AddrSpec) -> Bool {
        left.localPart.utf8.elementsEqual(right.localPart.utf8)
            && (left.domain == right.domain || left.canonicalDomain == right.canonicalDomain)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(localPart)
        hasher.combine(canonicalDomain)
    }

    /// The domain in the form in which A-labels and U-labels are equal.
    public var canonicalDomain: CanonicalDomain { CanonicalDomain(domain) }

    /// The same address in US-ASCII, its domain with A-labels (RFC 5891 §4.4); nil if the local-part is not ASCII, or
    /// the domain has no such form.
    public var withASCIIDomain: AddrSpec? {
        guard localPart.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        if domain.utf8.allSatisfy({ $0 < 0x80 }) { return self }
        let canonical = canonicalDomain
        return canonical.isASCII ? AddrSpec(localPart: localPart, domain: canonical.name) : nil
    }
}

/// One mailbox of an address list (RFC 5322 §3.4).
public struct Mailbox: Sendable, Hashable {
    /// The display name as written between quotes or as a phrase, encoded-words still encoded; nil when there is none.
    public let displayName: String?
    public let address: AddrSpec

    public init(displayName: String?, address: AddrSpec) {
        self.displayName = displayName
        self.address = address
    }
}

/// A reverse-path (RFC 5321 §4.1.2): an address, or the null sender `<>` of notices and bounces.
public enum ReversePath: Sendable, Hashable {
    case null
    case address(AddrSpec)

    /// The address; empty for the null sender.
    public var shown: String {
        switch self {
        case .null: ""
        case .address(let address): address.description
        }
    }
}
