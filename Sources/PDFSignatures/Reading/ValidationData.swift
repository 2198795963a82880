public import Octets
import PDFStructure

/// The data needed to verify signatures far in the future, when no server answers any more: certificates, and their
/// revocation status. They stand in a PDF's document security store (/DSS; ISO 32000-2 §12.8.4.3, ETSI EN 319 142-1
/// §5.4) and make a signature of level T one of level LT.
public struct PDFValidationData: Hashable, Sendable {
    /// X.509, DER.
    public var certificates: [OctetString]
    /// OCSPResponse (RFC 6960), DER.
    public var responses: [OctetString]
    /// CertificateList (RFC 5280), DER.
    public var lists: [OctetString]

    public init(certificates: [OctetString] = [], responses: [OctetString] = [], lists: [OctetString] = []) {
        self.certificates = certificates
        self.responses = responses
        self.lists = lists
    }

    public var isEmpty: Bool { certificates.isEmpty && responses.isEmpty && lists.isEmpty }

    /// Of each kind, what is read of a document.
    static let most = 64
    /// Of all together, octets, what is read of a document.
    static let maximumOctets = 32 << 20

    static let kinds: [(key: String, place: any WritableKeyPath<PDFValidationData, [OctetString]> & Sendable)] = [
        ("Certs", \.certificates), ("OCSPs", \.responses), ("CRLs", \.lists),
    ]

    /// Reads the content of the document's store. It is not trustworthy, because anybody who changes a document can put
    /// anything there.
    ///
    /// What cannot be read, or is beyond the limits, is left out, as is all of an encrypted document.
    /// - Throws: ``PDFError`` when the document itself cannot be read.
    public init(in document: OctetString) throws(PDFError) {
        do throws(PDFSyntaxError) {
            self = try Self.read(try PDFFile(document, budget: WorkBudget()))
        } catch {
            throw PDFError(error)
        }
    }

    static func read(_ file: PDFFile) throws(PDFSyntaxError) -> PDFValidationData {
        var data = PDFValidationData()
        guard file.sections.allSatisfy({ $0.trailer["Encrypt"] == .null }) else { return data }
        guard let store = try file.resolved(file.catalog(in: 0)["DSS"], in: 0).dictionary else { return data }
        var room = maximumOctets
        for kind in kinds {
            for item in try (file.resolved(store[kind.key], in: 0).array ?? []).prefix(most) {
                guard let octets = try stream(item, file, limit: room) else { continue }
                room -= octets.count
                data[keyPath: kind.place].append(octets)
            }
        }
        return data
    }

    /// Returns the content of the stream that `value` refers to; nil if it cannot be read.
    private static func stream(
        _ value: PDFValue, _ file: PDFFile, limit: Int
    ) throws(PDFSyntaxError) -> OctetString? {
        guard let reference = value.reference else { return nil }
        do throws(PDFSyntaxError) {
            guard let object = try file.object(reference.number, in: 0), object.reference == reference else {
                return nil
            }
            return try file.data(of: object, limit: limit)
        } catch {
            switch error.kind {
            case .damaged, .unsupported, .tooComplex: return nil
            case .notPDF, .encrypted: throw error
            }
        }
    }

    /// `document` with an incremental update behind it whose store holds this data and what was there before.
    ///
    /// A document that has all of it already stays unchanged. The octets of `document` are not copied.
    /// - Throws: ``PDFError`` when the document cannot be added to, as for ``PDFSigner``.
    public func appended(to document: OctetString) throws(PDFError) -> OctetRope {
        let update = try ValidationDataUpdate(SigningSource(document)).octets(adding: self)
        return update.isEmpty ? OctetRope([document]) : OctetRope([document, OctetString(update)])
    }
}
