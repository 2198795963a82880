import CPKCS11
import Glibc

/// The name of a key in a token: a URI of RFC 7512.
public struct TokenAddress: Sendable, Hashable, CustomStringConvertible {
    public let text: String
    /// The module's file that the URI names (module-path); nil if it does not.
    public let modulePath: String?
    /// The file with the PIN that the URI names (pin-source); nil if it does not.
    public let pinPath: String?
    /// The part that names the token, in one form for all keys of it.
    public let token: String

    public var description: String { text }

    /// - Throws: ``TokenError`` if it is no such URI, has a PIN in itself, or says something that is not known here.
    public init(_ text: String) throws(TokenError) {
        let uri = try TokenURI(text)
        guard p11_kit_uri_get_pin_value(uri.raw) == nil else {
            throw TokenError(.address, "pin-value puts the PIN where others read it: name a file instead")
        }
        self.text = text
        modulePath = p11_kit_uri_get_module_path(uri.raw).map { String(cString: $0) }
        if let source = p11_kit_uri_get_pin_source(uri.raw).map({ String(cString: $0) }) {
            let path = source.hasPrefix("file:") ? String(source.dropFirst(5)) : source
            // file:///etc/pin and file:/etc/pin are one file (RFC 8089).
            pinPath = path.hasPrefix("///") ? String(path.dropFirst(2)) : path
        } else {
            pinPath = nil
        }
        var words: UnsafeMutablePointer<CChar>?
        guard p11_kit_uri_format(uri.raw, P11_KIT_URI_FOR_TOKEN, &words) == 0, let words else {
            throw TokenError(.address, "the token of \(text) cannot be named")
        }
        token = String(cString: words)
        free(words)
    }
}

/// A URI as p11-kit keeps it.
final class TokenURI: @unchecked Sendable {
    // Unchecked: it is not changed after it was parsed.
    let raw: OpaquePointer

    init(_ text: String) throws(TokenError) {
        guard let raw = p11_kit_uri_new() else { throw TokenError(.address, "p11-kit has no memory") }
        self.raw = raw
        let result = p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, raw)
        guard result == 0 else {
            let words = p11_kit_uri_message(result).map { String(cString: $0) } ?? "error \(result)"
            throw TokenError(.address, "\"\(text)\" is no PKCS #11 URI (RFC 7512): \(words)")
        }
        guard p11_kit_uri_any_unrecognized(raw) == 0 else {
            throw TokenError(.address, "\"\(text)\" has a part that is not known")
        }
    }

    deinit { p11_kit_uri_free(raw) }
}

/// The reason why a token does not do what was asked, in one line, with advice.
public struct TokenError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Kind: Sendable, Hashable {
        /// The name or the module is wrong.
        case address
        /// The PIN is wrong or locked: it must not be tried again.
        case pin
        /// The token, or the key in it, is not there now, or does not work now.
        case unavailable
    }

    public let kind: Kind
    public let reason: String
    public var description: String { reason }

    public init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }
}
