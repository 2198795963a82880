import DocumentKinds
import InternetMessage
import Octets
import Workflows

/// The facts about an attachment from its header and its octets.
enum AttachmentInspection {
    /// - Parameter layer: The number of the opened message that contains it.
    static func facts(of attachment: MessageParts.Attachment, layer: Int, _ charsets: Charsets) -> AttachmentFacts {
        let entity = attachment.entity
        let prefix = entity.decodedPrefix(DocumentOpening.length).array
        let opening = DocumentOpening(prefix)
        var kinds = opening.kinds
        // A document of XML may have a root element that is one of HTML's too; signed, it is no page.
        if !kinds.contains(.xml), opening.isMarkup, holdsXMLSignature(entity) { kinds.insert(.xml) }
        // A reader that is to open a PDF looks for its mark anywhere in the beginning.
        if opening.pdfOffset != nil, claimsPDF(entity, charsets) { kinds.insert(.pdf) }
        return AttachmentFacts(
            layer: layer, path: entity.path, fileName: entity.fileName(using: charsets),
            mediaType: entity.contentType.mediaType,
            contentKinds: kinds, isSigned: isSigned(entity, prefix: prefix, kinds: kinds),
            protection: layer == 0 ? attachment.protection : attachment.protection ?? .withinSigned)
    }

    private static func claimsPDF(_ entity: Entity, _ charsets: Charsets) -> Bool {
        DocumentFormat.pdf.isDeclared(by: entity.contentType.mediaType)
            || entity.fileName(using: charsets)?.asciiLowercased.hasSuffix(".pdf") == true
    }

    /// By structure: SignedData, a PDF with a filled signature field, an XML document with a ds:Signature.
    private static func isSigned(_ entity: Entity, prefix: [UInt8], kinds: Set<DocumentOpening.Kind>) -> Bool {
        DocumentOpening.Kind.allCases.contains { kind in
            guard kinds.contains(kind), let reading = kind.signedReading else { return false }
            return switch reading {
            case .cms: isSignedData(entity, prefix)
            case .document(.pdf): isSignedPDF(entity)
            case .document(.xml): isSignedXML(entity)
            case .ambiguous: false
            }
        }
    }

    private static func isSignedData(_ entity: Entity, _ prefix: [UInt8]) -> Bool {
        var content = CMSContentType(prefix: prefix)
        if content == nil, let lineEnd = prefix.firstIndex(of: 0x0A) {
            // Armoured: base64 between the lines of RFC 7468.
            let armoured = DecodedBody(OctetString(prefix[(lineEnd + 1)...]), encoding: .base64).collected()
            content = CMSContentType(prefix: armoured)
        }
        return if case .signedData(hasDigests: true) = content { true } else { false }
    }

    private static func isSignedPDF(_ entity: Entity) -> Bool {
        var scan = PDFSignatureScan()
        do throws(Decided) {
            try entity.decodedSource.forEachChunk { (chunk) throws(Decided) in
                scan.scan(chunk)
                if scan.isSigned { throw Decided() }
            }
        } catch {
            return true
        }
        scan.finish()
        return scan.isSigned
    }

    private static func isSignedXML(_ entity: Entity) -> Bool {
        search(entity).isSigned
    }

    /// Returns true if the entity is XML up to a ds:Signature. A document that merely names one is a page about
    /// signatures.
    private static func holdsXMLSignature(_ entity: Entity) -> Bool { search(entity).isFound }

    private static func search(_ entity: Entity) -> XMLSignatureSearch {
        var search = XMLSignatureSearch()
        do throws(Decided) {
            try entity.decodedSource.forEachChunk { (chunk) throws(Decided) in
                search.feed(chunk)
                if search.isDecided { throw Decided() }
            }
        } catch {
            return search
        }
        search.finish()
        return search
    }

    /// The rest of the octets cannot change the answer any more.
    private struct Decided: Error {}
}
