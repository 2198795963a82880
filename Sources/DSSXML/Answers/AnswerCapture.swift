import Octets

/// The character data of one element while it arrives.
struct AnswerCapture {
    enum Target {
        case major, minor, resultMessage, faultCode, message, signer, signingTime, signerCertificate, otherLeaf
        case document(AnswerContent.Place)
        /// Told of one signature alone.
        case individual(AnswerSignatures.Fact)
    }

    let target: Target
    /// Of the element.
    let depth: Int
    /// The Content-ID of the part that takes its place.
    var part: String?
    private var text: [UInt8] = []
    private let isBase64: Bool
    private var decoder = Base64Decoder()
    private var collector: (any OctetCollector)?
    private var collected = 0

    /// The largest number of octets of a text that are kept; of base64 in unknown elements more.
    private static let limit = 4096
    private static let maximumOtherText = 1 << 20

    init(_ target: Target, depth: Int, isBase64: Bool = false, collector: (any OctetCollector)? = nil) {
        self.target = target
        self.depth = depth
        self.isBase64 = isBase64
        self.collector = collector
    }

    var isDocument: Bool { collector != nil }

    mutating func append(_ octets: UnsafeRawBufferPointer) throws(OctetCollectionError) {
        guard collector != nil else {
            var limit = Self.limit
            switch target {
            case .otherLeaf, .signerCertificate: limit = Self.maximumOtherText
            default: break
            }
            // One octet over the limit tells that the text is not whole.
            text.append(contentsOf: octets.prefix(max(0, limit + 1 - text.count)))
            return
        }
        guard isBase64 else { return try collect(octets) }
        var decoded: [UInt8] = []
        decoder.decode(octets, into: &decoded)
        try collect(decoded)
    }

    private mutating func collect(_ octets: [UInt8]) throws(OctetCollectionError) {
        guard !octets.isEmpty else { return }
        try octets.withOctets { (buffer) throws(OctetCollectionError) in try collect(buffer) }
    }

    private mutating func collect(_ octets: UnsafeRawBufferPointer) throws(OctetCollectionError) {
        collected += octets.count
        try collector?.append(octets)
    }

    var line: String { PlainText.line(String(decoding: text, as: UTF8.self)) }

    /// The text as base64; nil when it is empty, too long or not clean.
    var decodedText: OctetString? {
        guard text.count <= Self.maximumOtherText,
            let octets = try? Base64.decode(String(decoding: text, as: UTF8.self)), !octets.isEmpty
        else { return nil }
        return OctetString(octets)
    }

    /// The document; nil when there was nothing in the element.
    mutating func document() throws(OctetCollectionError) -> AnswerContent.Document? {
        if let part { return .part(part) }
        if isBase64 {
            var rest: [UInt8] = []
            decoder.finish(into: &rest)
            try collect(rest)
            if let fault = decoder.fault { return .damaged(fault) }
        }
        guard collected > 0, let octets = try collector?.finish() else { return nil }
        return .octets(octets)
    }
}

extension [UInt8] {
    /// As `withUnsafeBytes`, with the type of what `body` throws.
    func withOctets<Failure: Error>(_ body: (UnsafeRawBufferPointer) throws(Failure) -> Void) throws(Failure) {
        let result: Result<Void, Failure> = withUnsafeBytes { octets in
            do throws(Failure) {
                return .success(try body(octets))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }
}
