import DomainNames
import InternetMessage

/// An Authentication-Results field about S/MIME (RFC 8601 §2.2, RFC 7281).
public struct AuthenticationResults: Sendable, Hashable {
    /// RFC 8601 §2.7.1, in the sense of RFC 7281 §3.
    public enum Result: String, Sendable, Hashable, CaseIterable {
        /// Not signed.
        case none
        case pass
        /// A bad signature, or a revoked certificate.
        case fail
        /// The signature is good but not acceptable here, such as that of somebody other than From.
        case policy
        case neutral
        /// May come out otherwise when tried again.
        case temperror
        case permerror
    }

    /// The signer, as the certificate names it.
    public struct Signer: Sendable, Hashable {
        /// An address, or a name.
        public var identifier: String?
        /// RFC 4514 text.
        public var issuer: String?
        /// Hexadecimal.
        public var serial: String?

        public init(identifier: String?, issuer: String? = nil, serial: String? = nil) {
            self.identifier = identifier
            self.issuer = issuer
            self.serial = serial
        }
    }

    /// The identifier of the judging service (§2.5).
    public let authservID: String
    public let result: Result
    /// The reason, for people; it may contain untrusted text.
    public let reason: String?
    /// One result is written for each; the first ten count.
    public let signers: [Signer]

    public init(authservID: String, result: Result, reason: String?, signers: [Signer] = []) {
        self.authservID = authservID
        self.result = result
        self.reason = reason
        self.signers = signers
    }

    /// The field, folded, with its final CRLF. US-ASCII only; values are quoted, and cannot leave their quotes.
    public var field: String {
        var words = [Self.value(authservID) + ";"]
        let told = signers.isEmpty ? [Signer(identifier: nil)] : Array(signers.prefix(10))
        for (index, signer) in told.enumerated() {
            var result = ["smime=" + self.result.rawValue]
            if index == 0, let reason, !reason.isEmpty { result += Self.quoted("reason=", reason) }
            if let identifier = signer.identifier { result += Self.property("body.smime-identifier=", identifier) }
            if let serial = signer.serial { result += Self.property("body.smime-serial=", serial) }
            if let issuer = signer.issuer { result += Self.property("body.smime-issuer=", issuer) }
            if index < told.count - 1, let last = result.popLast() { result.append(last + ";") }
            words += result
        }
        return FieldLines.field("Authentication-Results", words)
    }

    /// A token or quoted-string (RFC 2045 §5.1).
    private static func value(_ text: String) -> String {
        isToken(text) ? text : "\"" + UntrustedText.quotedText(text) + "\""
    }

    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 200
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D
                    || $0 == 0x2E || $0 == 0x5F || $0 == 0x2B
            }
    }

    /// A value of a property. §2.2 has an address as `local-part@domain-name`, without quotes around all of it; an
    /// internationalised domain is written with A-labels.
    private static func property(_ name: String, _ value: String) -> [String] {
        if isToken(value) { return [name + value] }
        if let address = AddrSpec(parsing: value), !address.domain.hasPrefix("[") {
            let domain = address.canonicalDomain
            let written =
                AddrSpec(
                    localPart: address.localPart, domain: domain.isASCII ? domain.name : address.domain)?.description
                ?? value
            if written.utf8.count <= 320, written.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) {
                return [name + written]
            }
        }
        return quoted(name, value)
    }

    /// Words, between which the quoted-string may be folded: each fold then stands for the blank that was there.
    private static func quoted(_ name: String, _ text: String) -> [String] {
        let words = UntrustedText.quotedText(text).split(separator: " ").map(String.init(_:))
        return (name + "\"" + words.joined(separator: " ") + "\"").split(separator: " ").map(String.init(_:))
    }
}
