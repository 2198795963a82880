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
            !localPart.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }),
            !domain.unicodeScalars.contains(where: {
                $0.value <= 0x20 || $0.value == 0x7F || "@<>,;\"".unicodeScalars.contains($0)
            })
        else { return nil }
        self.localPart = localPart
        self.domain = domain
    }

    /// As an addr-spec stands in a header: the local-part quoted where it is no dot-atom.
    public var description: String {
        let atom = localPart.utf8.allSatisfy { $0 >= 0x80 || Self.atext.contains($0) || $0 == UInt8(ascii: ".") }
        let dots = localPart.hasPrefix(".") || localPart.hasSuffix(".") || localPart.utf8.elementsContainDoubleDot
        if atom && !dots { return localPart + "@" + domain }
        let quoted = localPart.map { $0 == "\\" || $0 == "\"" ? "\\\($0)" : String($0) }.joined()
        return "\"" + quoted + "\"@" + domain
    }

    private static let atext = Set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~".utf8)
}

extension Sequence<UInt8> {
    fileprivate var elementsContainDoubleDot: Bool {
        zip(self, dropFirst()).contains { $0 == UInt8(ascii: ".") && $1 == UInt8(ascii: ".") }
    }
}

extension AddrSpec: Hashable {
    /// The local-part by its octets, the domain without case (RFC 5321 §2.4).
    public static func == (left: AddrSpec, right: AddrSpec) -> Bool {
        left.localPart == right.localPart && left.domain.equalsIgnoringASCIICase(right.domain)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(localPart)
        hasher.combine(domain.asciiLowercased)
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
}
