import Composition
import InternetMessage
import Octets

/// The octets of an attachment without transfer encoding; large ones wait outside of memory.
struct AttachmentOctets {
    let content: OctetString
    /// The reason why another reader may come to other octets, in words; nil if there is no doubt.
    let doubt: String?

    init(of entity: Entity, _ scratch: any OctetCollectorMaking) throws(Failure) {
        switch entity.transferEncoding {
        case .base64: (content, doubt) = try Self.decodedBase64(entity.body, scratch)
        case .quotedPrintable:
            content = try scratch.oneRun(of: entity.decodedSource, Self.subject)
            doubt = nil
        case .sevenBit, .eightBit, .binary:
            content = entity.body
            doubt =
                Self.holdsForeignEncoding(entity.body)
                ? "it is encoded by uuencode or yEnc, which readers decode in different ways" : nil
        case .other(let word):
            content = entity.body
            doubt = "its Content-Transfer-Encoding \(UntrustedText.quotedName(word, limit: 40)) is not one of RFC 2045"
        }
    }

    private static let subject = "it cannot be kept in one piece"

    /// Base64 that is not clean is another file for another reader.
    private static func decodedBase64(
        _ text: OctetString, _ scratch: any OctetCollectorMaking
    ) throws(Failure) -> (OctetString, doubt: String?) {
        var decoder = Base64Decoder()
        var octets: [UInt8] = []
        let content: OctetString
        do throws(OctetCollectionError) {
            var collector = try scratch.makeCollector()
            try text.forEachChunk { (chunk) throws(OctetCollectionError) in
                octets.removeAll(keepingCapacity: true)
                decoder.decode(chunk, into: &octets)
                try collector.append(octets)
            }
            octets.removeAll(keepingCapacity: true)
            decoder.finish(into: &octets)
            try collector.append(octets)
            content = try collector.finish()
        } catch {
            throw Failure(error, subject)
        }
        return (content, decoder.fault.map { "its base64 is damaged: \($0)" })
    }

    /// Returns true if the text begins as uuencode (POSIX) or yEnc does, which some readers decode although nothing
    /// declares it.
    private static func holdsForeignEncoding(_ body: OctetString) -> Bool {
        let start = body.prefix(64).drop { $0 == 0x0D || $0 == 0x0A }
        if start.starts(with: "=ybegin ".utf8) { return true }
        guard start.starts(with: "begin ".utf8) || start.starts(with: "begin-base64 ".utf8) else { return false }
        let mode = start.drop { $0 != 0x20 }.dropFirst().prefix { $0 != 0x20 }
        return (3...4).contains(mode.count) && mode.allSatisfy { (0x30...0x37).contains($0) }
    }
}

extension OctetCollector {
    fileprivate mutating func append(_ octets: [UInt8]) throws(OctetCollectionError) {
        try octets.withUnsafeBufferPointer { (buffer) throws(OctetCollectionError) in
            try append(UnsafeRawBufferPointer(buffer))
        }
    }
}
