import InternetMessage
import Octets
import Spool

/// The parts of a standing message, and what can be seen of its signatures without asking anybody.
struct MessageContent: Encodable, Sendable {
    struct Part: Encodable, Sendable {
        /// Counted from 1, such as `2.1`; empty for a message that is one part.
        let path: String
        let mediaType: String
        /// As decoded; untrusted.
        let name: String?
        /// Octets as they stand in the message.
        let octets: Int
    }

    let parts: [Part]
    /// `signed (multipart/signed)` and the like; nil without S/MIME.
    let protection: String?

    /// Messages with more octets are not read.
    private static let maximumOctets = 64 << 20
    private static let maximumParts = 200

    /// - Throws: ``SpoolError`` if it cannot be read.
    /// - Returns: nil if it is gone, too large, or no message.
    init?(_ message: StandingMessage, octets: Int, in spool: Spool) throws(SpoolError) {
        guard octets <= Self.maximumOctets else { return nil }
        var raw: [UInt8] = []
        raw.reserveCapacity(octets)
        guard try spool.read(message, { raw.append(contentsOf: $0) }),
            let read = try? Message(reading: OctetString(raw).withCRLFLineEnds())
        else { return nil }
        var parts: [Part] = []
        var left = [read.root]
        while let entity = left.popLast(), parts.count < Self.maximumParts {
            left += entity.children.reversed()
            guard entity.children.isEmpty else { continue }
            parts.append(
                Part(
                    path: entity.path.map { String($0 + 1) }.joined(separator: "."),
                    mediaType: entity.contentType.mediaType, name: entity.fileName(using: BuiltInCharsets()),
                    octets: entity.body.count))
        }
        self.parts = parts
        protection =
            switch SMIMEForm.of(read.root) {
            case .none: nil
            case .multipartSigned: "signed (multipart/signed)"
            case .signedData: "signed (the signature encloses the message)"
            case .encrypted: "encrypted"
            case .compressed: "compressed"
            case .certificatesOnly: "certificates only"
            }
    }
}
