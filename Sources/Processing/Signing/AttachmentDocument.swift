import Composition
import DSSProtocol
import DocumentKinds
import Explanations
import InternetMessage
import Octets
import Workflows

/// An attachment that is to be signed: what it is by its content, and its octets without transfer encoding.
struct AttachmentDocument {
    let facts: AttachmentFacts
    let kind: DocumentKind
    let content: OctetString
    /// The name of the attachment for people: safe for log and notice.
    let words: String

    /// - Throws: A permanent ``Failure`` with the attachment and the reason, if the attachment cannot be signed in its
    ///   present state.
    init(
        _ facts: AttachmentFacts, of message: Message, format: AttachmentFormat = .own,
        documents: any DocumentInspection, charsets: any CharsetDecoding, scratch: any OctetCollectorMaking
    ) throws(Failure) {
        self.facts = facts
        words = Self.words(facts)
        do throws(Failure) {
            try Self.requireOpen(facts)
            guard let entity = message.root.entity(at: facts.path) else {
                throw Failure(.permanent, "there is no such part")
            }
            let octets = try AttachmentOctets(of: entity, scratch)
            if let doubt = octets.doubt { throw Failure(.permanent, doubt, advice: .ownMessage) }
            content = octets.content
            switch format {
            case .own: kind = try Self.kind(facts, content, documents)
            case .cms: kind = .cms
            }
            try Self.requireTrustworthy(entity, kind, message, charsets)
        } catch {
            throw error.told(of: words)
        }
    }

    private static func words(_ facts: AttachmentFacts) -> String {
        if let name = facts.fileName { return "attachment \"\(UntrustedText.plainTextLine(name, limit: 80))\"" }
        return "the attachment in part " + facts.path.map { String($0 + 1) }.joined(separator: ".")
    }

    /// Refuses to change a part that a signature or an encryption protects.
    private static func requireOpen(_ facts: AttachmentFacts) throws(Failure) {
        let why =
            switch facts.protection {
            case nil: nil as String?
            case .withinSigned: "it stands in a signed part of the message, which a change would break"
            case .signedPart: "it is a signed part of the message itself, and what it encloses is not changed"
            case .encryptedPart: "it is encrypted, and SES does not decrypt"
            }
        if let why { throw Failure(.permanent, why, advice: .protected) }
    }

    /// Whatever the verifying side would not trust is refused before it is signed.
    private static func requireTrustworthy(
        _ entity: Entity, _ kind: DocumentKind, _ message: Message, _ charsets: any CharsetDecoding
    ) throws(Failure) {
        if let doubt = message.structuralDoubts(at: entity.path).first {
            throw Failure(.permanent, "its signature would not be trusted: \(doubt)", advice: .ownMessage)
        }
        // What becomes CMS becomes a file of another name, or stands beside its signature.
        guard let format = kind.format else { return }
        if let objection = FileAssociations(of: entity, using: charsets).objection(to: .document(format)) {
            throw Failure(.permanent, "its signature would not be trusted: \(objection); correct name or type")
        }
    }

    // MARK: - What it is

    /// By content: name and media type only say what it must not fail to be.
    private static func kind(
        _ facts: AttachmentFacts, _ content: OctetString, _ documents: any DocumentInspection
    ) throws(Failure) -> DocumentKind {
        for format in DocumentFormat.allCases {
            switch format {
            case .pdf: if try isPDF(facts, content, documents) { return DocumentKind(format) }
            case .xml: if try isXML(facts, content, documents) { return DocumentKind(format) }
            }
        }
        return .cms
    }

    private static func isPDF(
        _ facts: AttachmentFacts, _ content: OctetString, _ documents: any DocumentInspection
    ) throws(Failure) -> Bool {
        // A text may have a line about PDF.
        guard facts.contentKinds.contains(.pdf), facts.claims(.pdf) || DocumentOpening(of: content).pdfOffset == 0
        else {
            guard !facts.claims(.pdf) else {
                throw Failure(
                    .permanent, "its name or type says PDF, but it does not begin with %PDF-", advice: .ownFile)
            }
            return false
        }
        if let obstacle = try documents.obstacle(toSigning: content, as: .pdf) { throw refusal(.pdf, obstacle) }
        return true
    }

    private static func isXML(
        _ facts: AttachmentFacts, _ content: OctetString, _ documents: any DocumentInspection
    ) throws(Failure) -> Bool {
        guard facts.claims(.xml) || facts.contentKinds.contains(.xml) && !facts.claimsHTML else { return false }
        guard let obstacle = try documents.obstacle(toSigning: content, as: .xml) else { return true }
        // Text may begin like XML, and be signed as any other file; what is called XML must be it.
        guard facts.claims(.xml) else { return false }
        throw refusal(.xml, obstacle)
    }

    private static func refusal(_ format: DocumentFormat, _ obstacle: String) -> Failure {
        Failure(
            .permanent, "the \(format.words) cannot be signed: " + UntrustedText.plainTextLine(obstacle),
            advice: .ownFile)
    }
}

extension AttachmentFacts {
    /// A page is shown as it stands: a signature element within would be part of what is seen.
    fileprivate var claimsHTML: Bool {
        shownFileName?.hasEnding("html") == true || shownFileName?.hasEnding("htm") == true || mediaType == "text/html"
    }
}
