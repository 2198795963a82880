public import DomainNames

/// An addr-spec: local-part and domain (RFC 5322 §3.4.1; UTF-8 by RFC 6532).
public struct AddrSpec: Sendable, CustomStringConvertible {
    /// The local-part's value, without quoting.
    public let localPart: String
    /// As written; compared without case. A domain literal keeps its brackets.
    public let domain: String

    /// - Parameter localPart: The value, not quoted; must not be empty or hold control characters.
    /// - Returns: nil when the parts cannot be an address.
    public init?(localPart: String, domain: String) {
        guard !localPart.isEmpty, !domain.isEmpty,
            localPart.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }), domain.utf8.allSatisfy(Self.isDomainOctet)
        else { return nil }
        self.localPart = localPart
        self.domain = domain
    }

    /// Neither a control character or blank, nor what separates addresses.
    private static func isDomainOctet(_ octet: UInt8) -> Bool {
        switch octet {
        case 0...0x20, 0x7F, 0x40, 0x3C, 0x3E, 0x2C, 0x3B, 0x22: false
        default: true
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
}
