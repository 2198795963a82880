/// A parameter of a MIME field, continuations joined and percent-encoding undone (RFC 2045 §5.1, 2231).
public struct Parameter: Sendable, Hashable {
    /// Lower case.
    public let name: String
    /// The value's octets. For an extended value they are in ``charset``, else they are as they stood.
    public let value: [UInt8]
    /// The charset an extended value names (RFC 2231 §4).
    public let charset: String?

    public init(name: String, value: [UInt8], charset: String? = nil) {
        self.name = name
        self.value = value
        self.charset = charset
    }

    /// The value as text, read as UTF-8.
    public var text: String { String(decoding: value, as: UTF8.self) }
}

/// Content-Type (RFC 2045 §5).
public struct ContentType: Sendable, Hashable {
    /// Lower case.
    public let type: String
    /// Lower case.
    public let subtype: String
    /// In order; of a repeated one the first counts (and the entity has a defect).
    public let parameters: [Parameter]

    public init(type: String, subtype: String, parameters: [Parameter] = []) {
        self.type = type
        self.subtype = subtype
        self.parameters = parameters
    }

    /// `type/subtype`, lower case.
    public var mediaType: String { type + "/" + subtype }

    /// The first parameter called `name`.
    public func parameter(_ name: String) -> Parameter? { parameters.first { $0.name.equalsIgnoringASCIICase(name) } }
}

/// Content-Disposition (RFC 2183).
public struct ContentDisposition: Sendable, Hashable {
    /// `inline`, `attachment`, or another word, lower case.
    public let type: String
    public let parameters: [Parameter]

    public init(type: String, parameters: [Parameter] = []) {
        self.type = type
        self.parameters = parameters
    }

    /// The first parameter called `name`.
    public func parameter(_ name: String) -> Parameter? { parameters.first { $0.name.equalsIgnoringASCIICase(name) } }
}

/// Content-Transfer-Encoding (RFC 2045 §6).
public enum ContentTransferEncoding: Sendable, Hashable {
    case sevenBit, eightBit, binary, quotedPrintable, base64
    /// Any other word, lower case: its octets are used unchanged.
    case other(String)
}
