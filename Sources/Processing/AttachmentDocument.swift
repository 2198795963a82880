import Composition
import DSSProtocol
import InternetMessage
import Octets
import Workflows

/// An attachment that is to be signed: what it is by its content, and its octets without transfer encoding.
struct AttachmentDocument {
    let facts: AttachmentFacts
    let kind: DocumentKind
    let content: OctetString
    /// Which one it is, for people: safe for log and notice.
    let words: String

    /// - Throws: A permanent ``Failure`` with the reason where the attachment cannot be signed as it is, told of the attachment.
    init(
        _ facts: AttachmentFacts, of message: Message, documents: any DocumentInspection,
        scratch: any OctetCollectorMaking
    ) throws(Failure) {
        self.facts = facts
        words = Self.words(facts)
        do throws(Failure) {
            guard let entity = message.root.entity(at: facts.path) else {
                throw Failure(.permanent, "there is no such part")
            }
            try Self.requireOpen(facts)
            content = try Self.content(of: entity, scratch)
            kind = try Self.kind(facts, content, documents)
        } catch {
            throw error.told(of: words)
        }
    }

    private static func words(_ facts: AttachmentFacts) -> String {
        if let name = facts.fileName { return "attachment \"\(UntrustedText.plainTextLine(name, limit: 80))\"" }
        return "the attachment in part " + facts.path.map { String($0 + 1) }.joined(separator: ".")
    }

    /// What a signature or an encryption protects is not changed.
    private static func requireOpen(_ facts: AttachmentFacts) throws(Failure) {
        switch facts.protection {
        case nil: return
        case .withinSigned:
            throw Failure(.permanent, "it stands in a signed part of the message, which a change would break")
        case .signedPart:
            throw Failure(.permanent, "it is a signed part of the message itself, and what it encloses is not changed")
        case .encryptedPart:
            throw Failure(.permanent, "it is encrypted, and SES does not decrypt")
        }
    }

    // MARK: - The octets

    private static func content(of entity: Entity, _ scratch: any OctetCollectorMaking) throws(Failure) -> OctetString {
        switch entity.transferEncoding {
        case .base64: return try decodedBase64(entity.body, scratch)
        case .quotedPrintable: return try scratch.oneRun(of: entity.decodedSource, "it cannot be kept in one piece")
        case .sevenBit, .eightBit, .binary:
            guard !holdsForeignEncoding(entity.body) else {
                throw Failure(
                    .permanent, "it is encoded by uuencode or yEnc, and readers differ in what they make of it")
            }
            return entity.body
        case .other(let word):
            throw Failure(
                .permanent,
                "its Content-Transfer-Encoding \"\(UntrustedText.plainTextLine(word, limit: 40))\" is none of RFC 2045")
        }
    }

    /// Base64 that is not clean is another file for another reader, so that nobody can say what would be signed.
    private static func decodedBase64(
        _ text: OctetString, _ scratch: any OctetCollectorMaking
    ) throws(Failure) -> OctetString {
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
            throw Failure(error, "it cannot be kept in one piece")
        }
        if let fault = decoder.fault { throw Failure(.permanent, "its base64 is damaged: \(fault)") }
        return content
    }

    /// Whether the text begins as uuencode (POSIX) or yEnc does, which some readers decode although nothing declares it.
    private static func holdsForeignEncoding(_ body: OctetString) -> Bool {
        let start = body.prefix(64).drop { $0 == 0x0D || $0 == 0x0A }
        if start.starts(with: "=ybegin ".utf8) { return true }
        guard start.starts(with: "begin ".utf8) || start.starts(with: "begin-base64 ".utf8) else { return false }
        let mode = start.drop { $0 != 0x20 }.dropFirst().prefix { $0 != 0x20 }
        return (3...4).contains(mode.count) && mode.allSatisfy { (0x30...0x37).contains($0) }
    }

    // MARK: - What it is

    /// By content: name and media type only say what it must not fail to be.
    private static func kind(
        _ facts: AttachmentFacts, _ content: OctetString, _ documents: any DocumentInspection
    ) throws(Failure) -> DocumentKind {
        if facts.contentKinds.contains("pdf") {
            if let obstacle = try documents.obstacle(toSigning: content, as: .pdf) {
                throw Failure(.permanent, "the PDF cannot be signed: " + UntrustedText.plainTextLine(obstacle))
            }
            return .pdf
        }
        guard !facts.claimsPDF else {
            throw Failure(.permanent, "it is called a PDF and is none: it does not begin with %PDF-")
        }
        guard facts.claimsXML || facts.contentKinds.contains("xml") && !facts.claimsHTML else { return .cms }
        guard let obstacle = try documents.obstacle(toSigning: content, as: .xml) else { return .xml }
        // Text may begin like XML, and be signed as any other file; what is called XML must be it.
        guard facts.claimsXML else { return .cms }
        throw Failure(.permanent, "the XML document cannot be signed: " + UntrustedText.plainTextLine(obstacle))
    }
}

extension OctetCollector {
    fileprivate mutating func append(_ octets: [UInt8]) throws(OctetCollectionError) {
        try octets.withUnsafeBufferPointer { (buffer) throws(OctetCollectionError) in
            try append(UnsafeRawBufferPointer(buffer))
        }
    }
}

extension AttachmentFacts {
    fileprivate var claimsPDF: Bool { isNamed(".pdf") || ["application/pdf", "application/x-pdf"].contains(mediaType) }

    fileprivate var claimsXML: Bool {
        isNamed(".xml") || ["text/xml", "application/xml"].contains(mediaType) || mediaType.hasSuffix("+xml")
    }

    /// A page is shown as it stands: a signature element within would be part of what is seen.
    fileprivate var claimsHTML: Bool { isNamed(".html") || isNamed(".htm") || mediaType == "text/html" }

    private func isNamed(_ ending: String) -> Bool {
        guard var name = fileName?[...] else { return false }
        // Trailing blanks and dots do not change what a file is on the reader's machine.
        while let last = name.last, last.isWhitespace || last == "." { name.removeLast() }
        return name.lowercased().hasSuffix(ending)
    }
}
